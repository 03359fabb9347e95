"""`state forget` and `state merge`, and state that cannot be trusted; with real git."""

import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.world import LOANS, World

ONE, TWO, THREE, FOUR = sorted(LOANS)[:4]
AMOUNT = "mx_Custom_6"
HOUR = 3600


def _open(world: World, *keys: str, value: int = 1) -> None:
    world.scenario(queue={"delay_seconds": HOUR})
    world.fields(*keys, mx_Custom_6=value)
    world.apply("--no-wait")


def git(root: Path, *arguments: str, code: int = 0) -> str:
    identity = ["-c", "user.name=Asha", "-c", "user.email=asha@example.com"]
    ended = subprocess.run(
        ["git", *identity, *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    assert ended.returncode == code, ended.stderr + ended.stdout
    return ended.stdout


def _committed(world: World, message: str) -> None:
    git(world.root, "add", "-A", ".")
    git(world.root, "commit", "-q", "-m", message)


# --- forget


def test_forgetting_sends_nothing_and_the_next_plan_is_an_update(world: World) -> None:
    world.fields(ONE, TWO, mx_Custom_6=1)
    world.apply()
    ended = world.json("state", "forget", ONE[:8], "--yes")
    assert (ended.code, ended.document["forgotten"]["values"]) == (0, 1)
    assert list(world.entries) == [TWO]
    assert world.actions() == {ONE: "update"}
    assert len(world.sent()) == 2


def test_an_open_request_survives_forgetting_the_values(world: World) -> None:
    _open(world, ONE)
    ended = world.json("state", "forget", ONE, "--yes")
    assert ended.document["forgotten"]["still_open"]["id"] == world.crm.crm.tasks()[0].request_id
    world.crm.skip(2 * HOUR)
    assert world.json("status").summary["succeeded"] == 1


def test_giving_up_on_a_request_lifts_its_hold_and_is_recorded(world: World) -> None:
    _open(world, ONE)
    world.fields(ONE, mx_Custom_6=2)
    assert world.actions() == {ONE: "held"}
    ended = world.json("state", "forget", ONE, "--request", "--yes")
    request = world.crm.crm.tasks()[0].request_id
    assert (ended.code, ended.document["forgotten"]["request"]["id"]) == (0, request)
    final = world.entries[ONE]["request"]
    assert (final["id"], final["outcome"]) == (request, "unknown")
    assert "given up by hand" in final["reason"]
    assert world.actions() == {ONE: "update"}
    assert world.run("status").out == "No request is open.\n"
    assert "given up by hand" in world.run("state", "show", ONE).out


def test_a_request_that_was_seen_can_be_given_up_too(world: World) -> None:
    world.scenario(faults=[{"on": "submit", "calls": "1", "do": "drop_after"}])
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    world.fields(ONE, mx_Custom_6=2)
    assert world.actions("--resend-unknown") == {ONE: "held"}
    assert world.run("state", "forget", ONE, "--request", "--yes").code == 0
    assert world.actions() == {ONE: "update"}


def test_what_is_not_there_cannot_be_forgotten(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    for arguments in ((ONE, "--request"), ("nobody",)):
        ended = world.json("state", "forget", *arguments, "--yes")
        assert (ended.code, ended.document["error"]["code"]) == (64, "usage")


def test_without_a_terminal_forgetting_needs_yes(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    assert world.json("state", "forget", ONE).code == 64
    assert list(world.entries) == [ONE]


# --- merge


def _two_branches(world: World, left: dict[str, int], right: dict[str, int]) -> None:
    """Two branches of one repository, each applied by itself; `right` is checked out."""
    git(world.root, "init", "-q", "-b", "main")
    world.write(".gitignore", ".lsq-sync/\n")
    world.fields(TWO, FOUR, mx_Custom_6=1)
    world.apply()
    _committed(world, "base")
    for name, values in (("left", left), ("right", right)):
        git(world.root, "checkout", "-q", "-b", name, "main")
        shutil.rmtree(world.root / ".lsq-sync")
        base = {TWO: 1, FOUR: 1}
        world.spec(
            {key: {"fields": {AMOUNT: value}} for key, value in (base | values).items()},
            type="loan",
        )
        world.apply("--no-refresh")
        git(world.root, "checkout", "-q", "main", "--", "specs")
        _committed(world, name)


def test_branches_that_changed_different_opportunities_merge_clean(world: World) -> None:
    _two_branches(world, {TWO: 2}, {FOUR: 4})
    git(world.root, "merge", "-q", "left", "-m", "both")
    values = {key: entry["fields"][AMOUNT] for key, entry in world.entries.items()}
    assert values == {TWO: "2", FOUR: "4"}
    assert world.run("state", "merge").out == "The lock holds no conflict: nothing to merge.\n"


def _conflict(world: World, *, style: str = "merge") -> None:
    git(world.root, "config", "merge.conflictStyle", style)
    git(world.root, "merge", "-q", "left", code=1)
    assert "<<<<<<<" in (world.root / "lsq-sync.lock").read_text()


@pytest.mark.parametrize("style", ["merge", "diff3", "zdiff3"])
def test_one_opportunity_changed_on_both_sides_is_merged_by_record(
    world: World, style: str
) -> None:
    _two_branches(world, {TWO: 2, ONE: 1}, {TWO: 3, THREE: 1})
    _conflict(world, style=style)
    calls = world.crm.crm.count()
    ended = world.json("plan")
    assert (ended.code, ended.document["error"]["code"]) == (1, "lock")
    assert "lsq-sync state merge" in ended.document["error"]["details"][0]["hint"]
    ended = world.json("state", "merge")
    assert (ended.code, ended.document["count"]) == (0, 4)
    assert [one["id"] for one in ended.document["decisions"]] == [TWO]
    values = {key: entry["fields"][AMOUNT] for key, entry in world.entries.items()}
    assert values == {ONE: "1", TWO: "3", THREE: "1", FOUR: "1"}
    world.spec({key: {"fields": {AMOUNT: v}} for key, v in values.items()}, type="loan")
    world.assert_nothing_to_do()
    assert world.crm.crm.count() == calls


def test_an_open_request_of_one_side_is_kept(world: World) -> None:
    _two_branches(world, {TWO: 2}, {FOUR: 4})
    git(world.root, "checkout", "-q", "left")
    world.scenario(queue={"delay_seconds": HOUR})
    world.fields(TWO, FOUR, mx_Custom_6=5)
    world.apply("--no-wait", "--no-refresh")
    git(world.root, "checkout", "-q", "main", "--", "specs")
    _committed(world, "open")
    git(world.root, "checkout", "-q", "right")
    shutil.rmtree(world.root / ".lsq-sync")
    _conflict(world)
    assert world.json("state", "merge").code == 0
    kept = {entry["pending"]["request_id"] for entry in world.entries.values()}
    assert kept == {task.request_id for task in world.crm.crm.tasks()[-2:]}


def test_two_open_requests_are_refused_and_nothing_is_touched(world: World) -> None:
    git(world.root, "init", "-q", "-b", "main")
    world.write(".gitignore", ".lsq-sync/\n")
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    _committed(world, "base")
    world.scenario(queue={"delay_seconds": HOUR})
    for name, value in (("left", 2), ("right", 3)):
        git(world.root, "checkout", "-q", "-b", name, "main")
        shutil.rmtree(world.root / ".lsq-sync")
        world.fields(ONE, mx_Custom_6=value)
        world.apply("--no-wait", "--no-refresh")
        git(world.root, "checkout", "-q", "main", "--", "specs")
        _committed(world, name)
    _conflict(world)
    before = (world.root / "lsq-sync.lock").read_bytes()
    ended = world.json("state", "merge")
    assert (ended.code, ended.document["error"]["code"]) == (1, "lock")
    assert ONE in ended.document["error"]["message"]
    assert (world.root / "lsq-sync.lock").read_bytes() == before


# --- one opportunity, one key


def test_an_auto_id_that_became_its_guid_keeps_the_entry(world: World) -> None:
    world.fields("LN-000001", mx_Custom_6=7)
    world.apply()
    guid = world.entries["LN-000001"]["guid"]
    world.fields(guid, mx_Custom_6=7)
    world.assert_nothing_to_do()
    world.fields(guid, mx_Custom_6=8)
    (change,) = world.plan()["opportunities"]
    assert (change["action"], change["fields"][0]["before"]) == ("update", "7")
    world.apply()
    assert list(world.entries) == [guid]
    assert "guid" not in world.entries[guid]


def test_an_open_request_holds_under_the_new_key_too(world: World) -> None:
    world.fields("LN-000001", mx_Custom_6=7)
    world.apply()
    guid = world.entries["LN-000001"]["guid"]
    _open(world, "LN-000001", value=8)
    world.fields(guid, mx_Custom_6=9)
    assert world.actions() == {guid: "held"}
    assert world.json("apply", "--yes").code == 5
    world.crm.skip(2 * HOUR)
    world.scenario()
    world.apply()
    assert world.entries[guid]["fields"] == {AMOUNT: "9"}


def test_two_keys_of_one_opportunity_in_the_specs_are_an_error_with_both_places(
    world: World,
) -> None:
    world.fields("LN-000001", mx_Custom_6=7)
    world.apply()
    guid = world.entries["LN-000001"]["guid"]
    world.fields(guid, name="specs/b.yaml", mx_Custom_6=7)
    for command in (("plan",), ("apply", "--yes"), ("drift",)):
        error = world.json(*command).document["error"]
        assert error["code"] == "specs"
        (detail,) = error["details"]
        assert detail["file"] == "specs/b.yaml"
        assert "LN-000001 at specs/a.yaml:" in detail["message"]


def test_two_keys_of_one_opportunity_in_the_lock_are_an_error_with_a_way_out(
    world: World,
) -> None:
    world.fields("LN-000001", mx_Custom_6=7)
    world.apply()
    lock = world.lock
    lock["opportunities"]["LN-9"] = lock["opportunities"]["LN-000001"]
    world.write("lsq-sync.lock", json.dumps(lock))
    ended = world.json("plan")
    assert (ended.code, ended.document["error"]["code"]) == (1, "lock")
    assert "lsq-sync state forget LN-9" in ended.err
    assert world.run("state", "forget", "LN-9", "--yes").code == 0
    world.assert_nothing_to_do()


# --- state that cannot be trusted


def _edit(world: World, change: Any) -> None:
    lock = world.lock
    change(lock)
    world.write("lsq-sync.lock", json.dumps(lock))


def _entry(world: World, **more: Any) -> None:
    _edit(world, lambda lock: lock["opportunities"][ONE].update(more))


DAMAGES: dict[str, tuple[Any, str]] = {
    "cut off": (
        lambda w: w.write("lsq-sync.lock", (w.root / "lsq-sync.lock").read_text()[:-40]),
        "git checkout",
    ),
    "empty": (lambda w: w.write("lsq-sync.lock", ""), "git checkout"),
    "not UTF-8": (lambda w: (w.root / "lsq-sync.lock").write_bytes(b"\xff{}"), "git checkout"),
    "key twice": (
        lambda w: w.write(
            "lsq-sync.lock",
            (w.root / "lsq-sync.lock").read_text().replace(f'"{TWO}"', f'"{ONE}"'),
        ),
        "git checkout",
    ),
    "conflict": (
        lambda w: w.write(
            "lsq-sync.lock",
            "<<<<<<< ours\n" + (w.root / "lsq-sync.lock").read_text() + "=======\n>>>>>>> theirs\n",
        ),
        "lsq-sync state merge",
    ),
    "newer": (lambda w: _edit(w, lambda k: k.update(format="lsq-sync/lock/v2")), "install"),
    "foreign": (lambda w: w.write("lsq-sync.lock", '{"name": "package"}'), "git checkout"),
    "list": (lambda w: w.write("lsq-sync.lock", "[]"), "git checkout"),
    "unknown key": (lambda w: _entry(w, colour="red"), "git checkout"),
    "number as a value": (lambda w: _entry(w, fields={"a": 1}), "git checkout"),
    "unknown outcome": (
        lambda w: _entry(w, request={**w.entries[ONE]["request"], "outcome": "done"}),
        "git checkout",
    ),
    "no moment": (
        lambda w: _entry(w, request={**w.entries[ONE]["request"], "sent_at": "yesterday"}),
        "git checkout",
    ),
    "other account": (
        lambda w: _edit(
            w, lambda k: k["account"].update(async_host="https://x.example", short_code="1")
        ),
        "lsq-sync init",
    ),
    "damaged journal": (
        lambda w: (w.root / ".lsq-sync/journal").write_bytes(_damaged_journal(w)),
        "backup",
    ),
}
COMMANDS = [
    ("plan",),
    ("apply", "--yes"),
    ("status",),
    ("state", "list"),
    ("state", "show", ONE),
    ("state", "forget", ONE, "--yes"),
    ("drift",),
    ("results",),
    ("why", ONE),
]


def _damaged_journal(world: World) -> bytes:
    (journal,) = (world.root / ".lsq-sync/runs").glob("*.journal")
    lines = journal.read_bytes().split(b"\n")
    return b"\n".join([lines[0], lines[1].replace(b"a", b"b"), *lines[2:]])


@pytest.mark.parametrize("name", DAMAGES)
def test_state_that_cannot_be_trusted_stops_every_command(world: World, name: str) -> None:
    world.fields(ONE, TWO, mx_Custom_6=1)
    world.apply()
    damage, way_out = DAMAGES[name]
    damage(world)
    world.fields(ONE, TWO, mx_Custom_6=2)
    lock, calls = (world.root / "lsq-sync.lock").read_bytes(), world.crm.crm.count()
    for command in COMMANDS:
        if name == "other account" and command == ("drift",):
            continue
        ended = world.json(*command)
        error = ended.document["error"]
        assert (ended.code, error["code"]) == (1, "lock"), (command, ended)
        assert way_out in " ".join(ended.err.split()), (command, ended.err)
    assert world.json("validate").code == 0
    assert (world.root / "lsq-sync.lock").read_bytes() == lock
    assert world.crm.crm.count() == calls


def test_a_lock_cut_anywhere_is_refused(world: World) -> None:
    from lsq_sync.errors import LockError
    from lsq_sync.lock.format import load

    world.fields(ONE, TWO, mx_Custom_6=1)
    world.apply()
    whole = (world.root / "lsq-sync.lock").read_bytes()
    for size in range(len(whole) - 1):  # the last byte is a line end
        with pytest.raises(LockError) as caught:
            load(whole[:size], "lsq-sync.lock")
        assert caught.value.hint


# --- a lock that went back, and a state folder elsewhere


def test_a_lock_that_git_took_back_loses_no_open_request(world: World) -> None:
    git(world.root, "init", "-q")
    world.write(".gitignore", ".lsq-sync/\n")
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    _committed(world, "base")
    _open(world, ONE, value=2)
    git(world.root, "checkout", "-q", "--", "lsq-sync.lock")
    assert world.actions() == {ONE: "pending"}
    world.fields(ONE, mx_Custom_6=3)
    git(world.root, "stash", "-q", "--", "lsq-sync.lock", "specs")
    world.fields(ONE, mx_Custom_6=3)
    assert world.actions() == {ONE: "held"}
    world.crm.skip(2 * HOUR)
    ended = world.json("status")
    assert (ended.code, ended.summary["succeeded"]) == (0, 1)
    assert len(world.sent()) == 2


def test_a_killed_runner_whose_state_folder_survives_loses_nothing(
    world: World, tmp_path: Path
) -> None:
    """The checkout is thrown away and cloned anew; LSQ_SYNC_STATE_DIR is kept."""
    origin = tmp_path / "origin"
    git(world.root, "init", "-q", "-b", "main")
    world.write(".gitignore", ".lsq-sync/\n")
    world.fields(ONE, TWO, mx_Custom_6=1)
    _committed(world, "base")
    git(tmp_path, "clone", "-q", "--bare", str(world.root), str(origin))
    world.environment["LSQ_SYNC_STATE_DIR"] = str(tmp_path / "kept")
    world.scenario(queue={"delay_seconds": HOUR})
    process = world.start("apply", "--yes", "--timeout", "60")
    while world.crm.crm.pending < 2:
        time.sleep(0.02)
    process.kill()
    process.communicate()
    shutil.rmtree(world.root)
    git(tmp_path, "clone", "-q", str(origin), str(world.root))
    assert set(world.actions().values()) == {"pending"}
    world.crm.skip(2 * HOUR)
    ended = world.json("status", "--wait", "--timeout", "10")
    assert (ended.code, ended.summary["succeeded"]) == (0, 2)
    world.assert_nothing_to_do()
    assert len(world.sent()) == 2
