"""A plan with an index, or made on several cores, is the plan without, whatever has changed."""

import os
import random
import shutil
import signal
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lsq_sync.commands import plan_index, plan_on_cores
from lsq_sync.commands import workspace as workspaces
from lsq_sync.commands.inputs import read_all
from lsq_sync.commands.workspace import find_workspace
from lsq_sync.core.model import Account
from lsq_sync.core.state import (
    Entry,
    FinalRequest,
    OpenRequest,
    Outcome,
    Payload,
    RequestID,
)
from lsq_sync.errors import LsqSyncError
from lsq_sync.index import format as index_format
from lsq_sync.index.digests import digest_of
from lsq_sync.index.made_with import made_with
from lsq_sync.index.place import read_index
from lsq_sync.spec.read import read_one_by_one, read_specs
from tests.index.workspace import (
    FILES,
    NOW,
    PER_FILE,
    RUN,
    SCHEMA,
    SETTINGS,
    World,
    guid_of,
    key_of,
    untouched_world,
)


@pytest.fixture(params=["index", "cores", "both", "neither"])
def either(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> World:
    """A world in which not everything is read by this process, or listed."""
    if request.param in ("cores", "both"):
        monkeypatch.setattr(plan_on_cores, "cores", lambda: 2)
        monkeypatch.setattr(plan_on_cores, "_LEAST_BYTES", 0)
        monkeypatch.setattr(plan_on_cores, "_LEAST_FILES", 1)
    return untouched_world(tmp_path, forgets=request.param in ("cores", "neither"))


OPENED = OpenRequest(Payload({"mx_Custom_1": "7"}), RUN, NOW, RequestID("r-2"))
A1, B1, C1 = key_of(0, 1), key_of(1, 1), key_of(2, 1)


def _move(world: World) -> None:
    text = (world.root / "specs/a.yaml").read_text()
    world.write("specs/d.yaml", text)
    (world.root / "specs/a.yaml").unlink()


def _all_go(world: World) -> None:
    for file in FILES:
        (world.root / file).unlink()


def _cut_off(world: World) -> None:
    world.lock.write_bytes(world.lock.read_bytes()[:-9])


def _copy(world: World) -> None:
    world.write("specs/d.yaml", (world.root / "specs/a.yaml").read_text())


def _other_key(world: World) -> None:
    world.write("specs/d.yaml", f"version: 1\nopportunities:\n  {guid_of(1)}:\n    label: x\n")


def _swap_key(world: World) -> None:
    world.edit("specs/sub/c.yml", C1, guid_of(1))


def _twice_in_the_lock(world: World) -> None:
    world.record({**world.recorded(), guid_of(1): Entry(fields={"a": "b"})})


def _swap_lines(world: World) -> None:
    head, first, comma, second, *others = world.lock.read_bytes().split(b"\n")
    world.lock.write_bytes(b"\n".join([head, second, comma, first, *others]))


def _double_line(world: World) -> None:
    head, first, *others = world.lock.read_bytes().split(b"\n")
    world.lock.write_bytes(b"\n".join([head, first, b",", first, *others]))


def _journal(world: World) -> None:
    (world.root / ".lsq-sync/journal").write_bytes(b"")


def _bytes(old: bytes, new: bytes) -> Callable[[World], None]:
    def change(world: World) -> None:
        data = world.lock.read_bytes()
        assert old in data
        world.lock.write_bytes(data.replace(old, new, 1))

    return change


CHANGES: dict[str, Callable[[World], None]] = {
    "nothing": lambda world: None,
    "a value of a spec": lambda world: world.edit("specs/a.yaml", "'11'", "12"),
    "a value of a typed spec": lambda world: world.edit("specs/b.yaml", "'11'", "12"),
    "the same value in other words": lambda world: world.edit("specs/b.yaml", "'11'", "11.0"),
    "a comment": lambda world: world.edit("specs/a.yaml", "version: 1", "version: 1 # x"),
    "a fault": lambda world: world.edit("specs/a.yaml", "'11'", "[["),
    "an opportunity that goes": lambda world: world.edit("specs/a.yaml", A1, key_of(0, 99)),
    "a typed one that goes": lambda world: world.edit("specs/b.yaml", B1, key_of(1, 99)),
    "an AutoId that goes": lambda world: world.edit("specs/sub/c.yml", C1, "LN-9999"),
    "a file that goes": lambda world: (world.root / "specs/b.yaml").unlink(),
    "all files go": _all_go,
    "a file that is renamed": _move,
    "a file that stands there twice": _copy,
    "an opportunity in two files": lambda world: world.edit("specs/a.yaml", A1, B1),
    "an opportunity in two files of AutoIds": lambda world: world.edit("specs/a.yaml", A1, C1),
    "an AutoId and its GUID": _other_key,
    "an AutoId that becomes its GUID": _swap_key,
    "an AutoId and its GUID in the lock": _twice_in_the_lock,
    "a broken file besides": lambda world: world.write("specs/d.yaml", "version: 2\n"),
    "an unknown type": lambda world: world.edit(
        "specs/a.yaml", "version: 1", "version: 1\ntype: x"
    ),
    "a recorded value": lambda world: world.change(A1, fields={"mx_Custom_1": "9"}),
    "an entry that goes": lambda world: world.record(
        {key: entry for key, entry in world.recorded().items() if key != A1}
    ),
    "an entry that comes": lambda world: world.record(
        {**world.recorded(), "LN-X": Entry(type="loan", fields={"mx_Custom_1": "1"})}
    ),
    "an entry of a type that no spec has": lambda world: world.record(
        {**world.recorded(), "LN-X": Entry(type="deal", fields={"mx_Custom_1": "1"})}
    ),
    "an open request": lambda world: world.change(B1, pending=OPENED),
    "an outcome": lambda world: world.change(
        A1, request=FinalRequest(Outcome.REJECTED, RUN, NOW, NOW, RequestID("r-9"), "no")
    ),
    "a GUID that is another's": lambda world: world.change(C1, guid=guid_of(2)),
    "a GUID that is in the specs": lambda world: world.change(C1, guid=A1),
    "another account": lambda world: world.record(
        world.recorded(), Account("other", "http://127.0.0.1:8")
    ),
    "another account in the settings": lambda world: world.edit("lsq-sync.yaml", ":9", ":8"),
    "another time zone": lambda world: world.edit("lsq-sync.yaml", "Kolkata", "Tokyo"),
    "a pipe": lambda world: os.mkfifo(world.root / "specs/p.yaml"),
    "another folder": lambda world: world.write(
        "lsq-sync.yaml", f"{SETTINGS}paths: {{specs: specs/sub}}\n"
    ),
    "another schema": lambda world: world.edit(
        "schemas/types/loan.schema.json", '"Number"', '"String"'
    ),
    "no lock": lambda world: world.lock.unlink(),
    "an older lock": lambda world: world.change(
        key_of(0, 3), request=world.recorded()[key_of(0, 1)].request
    ),
    "the lock in another order": _swap_lines,
    "a line twice": _double_line,
    "a comma too much": _bytes(b"\n,\n", b"\n,\n,\n"),
    "a comma behind the last": _bytes(b"\n}}\n", b"\n,\n}}\n"),
    "a comma too few": _bytes(b"\n,\n", b"\n"),
    "a word behind the end": _bytes(b"}}\n", b"}}\nx"),
    "a line in another form": _bytes(b'{"fields"', b'{ "fields"'),
    "conflict markers": _bytes(b"\n,\n", b"\n<<<<<<< ours\n,\n"),
    "a lock that is cut off": _cut_off,
    "a journal": _journal,
}


@pytest.mark.parametrize("name", CHANGES)
def test_after_a_change(either: World, name: str) -> None:
    CHANGES[name](either)
    either.assert_same()


@pytest.mark.parametrize("name", sorted({*CHANGES} - {"nothing"}))
def test_after_a_change_there_is_no_answer(world: World, name: str) -> None:
    CHANGES[name](world)
    assert world.answer() is None


@pytest.mark.parametrize("seed", range(30))
def test_after_many_changes(either: World, seed: int) -> None:
    chance = random.Random(seed)
    for name in chance.sample([*CHANGES], 4):
        try:
            CHANGES[name](either)
        except (AssertionError, KeyError, OSError, LsqSyncError, ValueError):
            continue  # an earlier one has taken away what it changes
        either.assert_same()


def test_only_what_changed_is_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    read = _watched(monkeypatch)
    monkeypatch.setattr(plan_index, "read_all", lambda _workspace: pytest.fail("reads all"))
    world.plan()
    assert read == []
    world.edit("specs/a.yaml", "'11'", "77")
    world.plan()
    assert read == ["specs/a.yaml"]
    assert world.untouched() == {*FILES} - {"specs/a.yaml"}
    world.edit("specs/a.yaml", "77", "'11'")
    world.change(B1, request=None)
    world.plan()
    assert read[1:] == ["specs/a.yaml", "specs/b.yaml"]
    assert world.untouched() == {*FILES}


def test_it_is_written_only_where_it_helps(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_index, "write_index", lambda *_: pytest.fail("writes it"))
    world.plan()
    for file in FILES:
        world.edit(file, "'11'", "77")
    world.plan()
    monkeypatch.undo()
    monkeypatch.setattr(plan_index, "_LEAST_POPULATION", 1)
    world.edit("specs/a.yaml", "77", "'11'")
    world.plan()
    assert world.untouched() == {"specs/a.yaml"}


@pytest.mark.parametrize("colon", [b'":{', b'" : {'])
def test_an_entry_that_leaves_the_lock_is_missed(world: World, colon: bytes) -> None:
    """However its line was written."""
    begin = f'"{A1}'.encode()
    _bytes(begin + b'": {', begin + colon)(world)
    world.assert_same()
    first, *lines = world.lock.read_bytes().split(b"\n,\n")
    assert any(line.startswith(begin + colon) for line in lines)
    kept = [line for line in lines if not line.startswith(begin)]
    world.lock.write_bytes(b"\n,\n".join([first, *kept]))
    world.assert_same()


def test_a_schema_that_is_another_for_a_moment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.index.unlink()
    schema = world.root / "schemas/types/loan.schema.json"

    def meanwhile(workspace: Any) -> Any:
        schema.write_text(SCHEMA.replace("Loan", "Lawn"), encoding="utf-8")
        return read_all(workspace)

    monkeypatch.setattr(plan_index, "read_all", meanwhile)
    world.plan()
    assert not world.index.exists()


def test_a_schema_or_an_index_that_is_a_pipe(world: World) -> None:
    workspace = find_workspace(world.root, {})
    os.mkfifo(world.root / "schemas/types/pipe.json")
    assert made_with(world.root, workspace.settings) is None
    world.index.unlink()
    os.mkfifo(world.index)
    assert read_index(world.root / ".lsq-sync") is None


def _watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read from now on."""
    read: list[str] = []

    def watched(root: Path, files: Iterable[str], *more: Any) -> Any:
        names = [*files]
        read.extend(names)
        return read_specs(root, names, *more)

    monkeypatch.setattr(workspaces, "read_specs", watched)
    return read


@pytest.mark.parametrize("bit", range(8))
def test_a_damaged_index_is_none(world: World, bit: int) -> None:
    good = world.kept("plan")
    for at in range(0, len(good), 7):
        damaged = bytearray(good)
        damaged[at] ^= 1 << bit
        assert _is_refused(bytes(damaged))
    assert all(_is_refused(good[:at]) for at in range(0, len(good), 50))


def _is_refused(data: bytes) -> bool:
    try:
        index_format.load(data).members()
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("data", [b"", b"\xff", b"{}", b"[" * 100_000, b"x {}\n"])
def test_what_is_no_index_does_not_stop_a_plan(world: World, data: bytes) -> None:
    world.plant("plan", data)
    world.assert_same()
    assert world.untouched() == {*FILES}


def _forged(world: World) -> bytes:
    """Says of a value that was changed that it was not."""
    world.edit("specs/a.yaml", "'11'", "12")
    index = index_format.load(world.kept("plan"))
    return index_format.dump(
        index._replace(
            files=tuple(
                one._replace(digest=digest_of(str(world.root / one.file))) for one in index.files
            )
        )
    )


def test_a_forged_one_would_be_believed_but_not_if_others_may_write_it(world: World) -> None:
    world.plant("plan", _forged(world))
    assert world.plan() != world.plan(whole=True)
    world.index.chmod(0o660)
    assert world.plan() == world.plan(whole=True)


def test_a_link_is_not_followed(world: World, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(_forged(world))
    world.index.unlink()
    world.index.symlink_to(elsewhere)
    assert world.plan() == world.plan(whole=True)
    assert not world.index.is_symlink()
    assert elsewhere.exists()


def test_it_is_private(world: World) -> None:
    assert world.index.stat().st_mode & 0o777 == 0o600
    assert world.index.parent.stat().st_mode & 0o777 == 0o700
    assert (world.root / ".lsq-sync/.gitignore").read_text() == "*\n"


def test_few_opportunities_have_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the answer alone no folder is made."""
    monkeypatch.setattr(plan_index, "_LEAST_POPULATION", 1000)
    made = World(tmp_path)
    made.plan()
    assert not (tmp_path / ".lsq-sync").exists()
    (tmp_path / ".lsq-sync").mkdir()
    made.assert_same()
    assert not made.index.exists()
    assert made.answer() is not None


def test_where_it_cannot_be_written_the_plan_is_made(world: World) -> None:
    shutil.rmtree(world.index.parent)
    world.index.parent.write_text("in the way")
    world.assert_same()


def test_two_entries_on_one_line(world: World) -> None:
    last, first = key_of(1, PER_FILE - 1).encode(), key_of(2, 0).encode()
    lines = world.lock.read_bytes().split(b"\n")
    at = next(n for n, line in enumerate(lines) if line.startswith(b'"' + last))
    assert lines[at + 2].startswith(b'"' + first)
    lines[at : at + 3] = [lines[at] + b", " + lines[at + 2]]
    world.lock.write_bytes(b"\n".join(lines))
    world.assert_same()
    end = lines[at].replace(b'"01"', b'"99"')
    assert end != lines[at]
    world.lock.write_bytes(world.lock.read_bytes().replace(lines[at], end))
    world.assert_same()


def test_what_is_on_its_way_is_not_untouched(world: World) -> None:
    opened = replace(OPENED, payload=Payload({"mx_Custom_1": "11"}), seen=True)
    world.change(A1, pending=opened)
    world.assert_same()
    assert world.untouched() == {*FILES} - {"specs/a.yaml"}


def test_what_is_recorded_under_another_key_is_not_untouched(world: World) -> None:
    _swap_key(world)
    world.assert_same()
    assert "specs/sub/c.yml" not in world.untouched()
    world.change(C1, fields={"mx_Custom_1": "9"})
    world.assert_same()


def test_what_is_not_recorded_is_not_untouched(world: World) -> None:
    world.edit("specs/a.yaml", "opportunities:\n", "opportunities:\n  LN-77:\n    label: x\n")
    world.assert_same()
    assert "specs/a.yaml" not in world.untouched()


def test_one_that_belongs_to_somebody_else_is_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = world.root / ".lsq-sync"
    assert read_index(state) is not None
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    assert read_index(state) is None


def test_on_several_cores_only_the_other_files_are_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.forgets = True
    monkeypatch.setattr(plan_on_cores, "cores", lambda: 2)
    monkeypatch.setattr(plan_on_cores, "_LEAST_BYTES", 0)
    monkeypatch.setattr(plan_on_cores, "_LEAST_FILES", 1)
    monkeypatch.setattr(plan_index, "read_all", lambda _workspace: pytest.fail("reads all"))
    again = _watched(monkeypatch)
    world.edit("specs/b.yaml", "'11'", "12")
    world.plan()
    assert again == ["specs/b.yaml"]
    assert world.untouched() == {*FILES} - {"specs/b.yaml"}


@pytest.mark.parametrize("way", ["dies", "fails", "cannot be forked"])
def test_a_core_that_fails(world: World, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    world.forgets = True
    parent = os.getpid()
    reading = read_one_by_one

    def failing(*arguments: Any) -> Any:
        if os.getpid() != parent:
            if way == "dies":
                os.kill(os.getpid(), signal.SIGKILL)
            raise RuntimeError
        return reading(*arguments)

    def refused() -> int:
        raise BlockingIOError

    monkeypatch.setattr(plan_on_cores, "cores", lambda: 2)
    monkeypatch.setattr(plan_on_cores, "_LEAST_BYTES", 0)
    monkeypatch.setattr(plan_on_cores, "_LEAST_FILES", 1)
    monkeypatch.setattr(plan_on_cores, "read_one_by_one", failing)
    if way == "cannot be forked":
        monkeypatch.setattr(os, "fork", refused)
    world.assert_same()
