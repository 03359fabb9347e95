"""What a plan said is said again only where everything that it depends on is what it was."""

import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lsq_sync.commands import plan_answer, plan_index
from lsq_sync.commands.inputs import read_all
from lsq_sync.core.events import Intended
from lsq_sync.core.state import Entry, OpenRequest, Payload, Recorded, RequestID
from lsq_sync.index import answer as answers
from lsq_sync.index import tool
from lsq_sync.index.answer import standing_answer
from lsq_sync.index.digests import digest_of
from lsq_sync.index.private import read_private
from lsq_sync.lock.emergency import emergency_places
from lsq_sync.lock.format import dump
from lsq_sync.lock.newest import keep_newest
from lsq_sync.lock.records import encode, encode_header
from lsq_sync.spec.files import MAX_BYTES
from tests.index.workspace import ACCOUNT, NOW, RUN, SCHEMA, SETTINGS, World, untouched_world

REQUEST = OpenRequest(Payload({"mx_Custom_1": "7"}), RUN, NOW, RequestID("r-2"))
OPEN = dump(Recorded(ACCOUNT, {"LN-9": Entry(pending=REQUEST)})).decode()
SAID = "Nothing to do: 12 opportunities are as the specs want.\n"


def test_nothing_to_do_is_said_again(world: World) -> None:
    assert world.answer() == SAID


@pytest.mark.parametrize("name", answers._VARIABLES)
def test_another_environment(world: World, name: str) -> None:
    assert standing_answer(str(world.root), {name: "/nowhere"}) is None


def test_another_place(
    world: World, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy has other emergency files, also with the times of its files kept."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(world.root, elsewhere / "copy")
    assert standing_answer(str(elsewhere / "copy"), {}) is None
    monkeypatch.chdir(elsewhere)
    assert world.answer() == SAID


@pytest.mark.parametrize("name", ["HOME", "TMPDIR"])
def test_a_relative_place_is_another_elsewhere(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    world.environment = {name: "relative"}
    world.plan()
    assert world.answer() == SAID
    monkeypatch.chdir(tmp_path)
    assert world.answer() is None


def test_a_way_that_leads_back_over_a_link(world: World, tmp_path: Path) -> None:
    """It leads back from where the link points to."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "link").symlink_to(world.root / "specs")
    world.root = tmp_path / "elsewhere" / "link" / ".."
    world.forget()
    world.plan()
    assert world.answer() == SAID
    emergency_places(world.lock, world.root / ".lsq-sync")[1].write_bytes(b"")
    assert world.answer() is None


@pytest.fixture
def known_anew() -> Iterator[None]:
    """In a process the tool stays the same."""
    tool.of_the_tool.cache_clear()
    yield
    tool.of_the_tool.cache_clear()


@pytest.mark.usefixtures("known_anew")
def test_another_tool(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert world.answer() == SAID
    tool.of_the_tool.cache_clear()
    monkeypatch.setattr(tool, "__version__", "99")
    assert world.answer() is None


@pytest.mark.usefixtures("known_anew")
@pytest.mark.parametrize("name", ["cli.py", "render/plan_text.py", "schemas/spec.schema.json"])
def test_a_tool_that_was_edited(world: World, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    known = tool._known

    def edited(path: str) -> tool.File:
        path, size, written = known(path)
        return path, size, written + path.endswith(name)

    tool.of_the_tool.cache_clear()
    monkeypatch.setattr(tool, "_known", edited)
    assert world.answer() is None


@pytest.mark.parametrize("place", range(4))
def test_answers_that_a_full_disk_could_not_take(
    world: World, place: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "TMPDIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    world.plan()
    assert world.answer() is not None
    places = emergency_places(world.lock, world.root / ".lsq-sync")
    places[place].symlink_to("nowhere")
    assert world.answer() is None


@pytest.mark.parametrize("name", ["open", "recent", "newest", "journal", "x.tmp"])
def test_another_state(world: World, name: str) -> None:
    (world.root / ".lsq-sync" / name).write_bytes(b"x")
    assert world.answer() is None


def test_a_lock_set_back_is_said(world: World) -> None:
    keep_newest(world.root / ".lsq-sync", Recorded(ACCOUNT, world.recorded()), b"another")
    keep_newest(world.root / ".lsq-sync", Recorded(ACCOUNT, world.recorded()), b"the next")
    world.assert_same()
    assert world.answer() is not None
    later = world.recorded()
    key = next(iter(later))
    request = later[key].request
    assert request is not None
    later[key] = later[key]._replace(request=request._replace(settled_at=NOW.replace(year=2027)))
    keep_newest(world.root / ".lsq-sync", Recorded(ACCOUNT, later), b"a later one")
    _, notices = world.plan()
    assert "older than what was recorded" in notices[0]
    assert world.answer() is None


def test_what_no_plan_reads_may_change(world: World) -> None:
    unread = ("specs/.hidden.yaml", "specs/.hidden/a.yaml", "specs/README.md", "notes.yaml",
              ".lsq-sync/runs/a.json", "schemas/types/notes.txt")  # fmt: skip
    for name in unread:
        world.write(name, "x")
    assert world.answer() == SAID


def test_rules_of_a_time_zone_that_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = [tmp_path / "first", tmp_path / "second"]
    monkeypatch.setattr("zoneinfo.TZPATH", tuple(map(str, places)))
    rules = Path("Asia/Kolkata")
    for place in places:
        (place / rules).parent.mkdir(parents=True)
    (places[1] / rules).write_bytes(b"rules")
    world = untouched_world(tmp_path / "workspace")
    (places[0] / rules).write_bytes(b"others")
    assert world.answer() is None
    (places[0] / rules).unlink()
    assert world.answer() is not None
    (places[1] / rules).write_bytes(b"newer")
    assert world.answer() is None


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lsq-sync.yaml", SETTINGS.replace("Kolkata", "Tokyo")),
        ("schemas/types/loan.schema.json", SCHEMA.replace("Loan", "Lawn")),
        ("specs/a.yaml", "version: 1\nopportunities: {}\n"),
        ("specs/new.yaml", "version: 1\nopportunities: {}\n"),
        ("lsq-sync.lock", "{}"),
        (".lsq-sync/open", OPEN),
        (".lsq-sync/journal", ""),
    ],
)
def test_what_is_changed_while_a_plan_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    """What was kept does not hold for what is there afterwards."""
    world.forget()

    def meanwhile(workspace: Any) -> Any:
        found = read_all(workspace)
        world.write(name, text)
        return found

    monkeypatch.setattr(plan_index, "read_all", meanwhile)
    world.plan()
    monkeypatch.undo()
    assert world.answer() is None


def test_specs_that_go_while_a_plan_is_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.forget()

    def meanwhile(workspace: Any) -> Any:
        found = read_all(workspace)
        (world.root / "specs").rename(world.root / "gone")
        return found

    monkeypatch.setattr(plan_index, "read_all", meanwhile)
    world.plan()
    assert world.printed == SAID
    assert world.answer() is None


def test_settings_that_are_others_while_it_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And then are again what they were when the plan was made."""
    evidence = answers.evidence

    def meanwhile(*arguments: Any) -> str:
        world.write("lsq-sync.yaml", SETTINGS.replace("Kolkata", "Tokyo"))
        found = evidence(*arguments)
        world.write("lsq-sync.yaml", SETTINGS)
        return found

    world.forget()
    monkeypatch.setattr(plan_answer, "evidence", meanwhile)
    world.plan()
    assert not (world.cache / "answer").exists()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("lsq-sync.lock", "{}"),
        ("schemas/types/loan.schema.json", SCHEMA.replace("mx_Custom_2", "mx_Custom_3")),
        (".lsq-sync/journal", ""),
        ("schemas/types/new.schema.json", SCHEMA),
    ],
)
def test_what_is_another_only_while_it_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    """The plan is right for what was there then, and nothing is kept for what is there now."""
    world.forget()
    place = world.root / name
    before = world.root / "before"

    def meanwhile(workspace: Any) -> Any:
        if place.exists():
            place.rename(before)
        world.write(name, text)
        try:
            return read_all(workspace)
        finally:
            place.unlink()
            if before.exists():
                before.rename(place)

    monkeypatch.setattr(plan_index, "read_all", meanwhile)
    world.plan()
    monkeypatch.undo()
    assert not world.cache.exists()


def test_a_journal_that_goes_while_a_plan_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan was of lock and journal together."""
    journal = world.root / ".lsq-sync/journal"
    key = next(iter(world.recorded()))
    when = NOW.replace(year=2027)
    journal.write_bytes(encode_header() + encode((Intended(key, when, RUN, REQUEST.payload),), 0))
    world.forget()

    def meanwhile(workspace: Any) -> Any:
        found = read_all(workspace)
        journal.unlink()
        return replace(found, moments=())

    monkeypatch.setattr(plan_index, "read_all", meanwhile)
    world.plan()
    monkeypatch.undo()
    assert not world.cache.exists()


def test_a_folder_among_the_state(world: World) -> None:
    (world.root / ".lsq-sync/mine").mkdir()
    world.plan()
    assert world.answer() == SAID
    (world.root / ".lsq-sync/mine").rename(world.root / ".lsq-sync/journal")
    assert world.answer() is None


@pytest.mark.parametrize("name", ["plan", "answer"])
def test_what_git_has_put_there_is_not_believed(world: World, name: str) -> None:
    """Out of a commit, with a strict umask: the same content, at another time."""
    file = world.cache / name
    data = file.read_bytes()
    assert read_private(str(file)) is not None
    file.unlink()
    file.touch(0o600)
    file.write_bytes(data)
    assert read_private(str(file)) is None


def test_a_pipe_is_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes to it would be let go."""
    os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr("os.open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(FileNotFoundError):
        digest_of(str(tmp_path / "pipe"))


def test_a_spec_over_the_limit_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with (world.root / "specs/large.yaml").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    opened = os.open

    def watched(path: str, *more: Any) -> int:
        assert not path.endswith("large.yaml")
        return opened(path, *more)

    monkeypatch.setattr("os.open", watched)
    assert world.answer() is None


@pytest.mark.parametrize("bit", range(8))
def test_a_damaged_answer_is_none(world: World, bit: int) -> None:
    good = world.kept("answer")
    for at in range(len(good)):
        damaged = bytearray(good)
        damaged[at] ^= 1 << bit
        world.plant("answer", bytes(damaged))
        assert world.answer() in (None, SAID)  # a hexadecimal digit may be of the other case
    for at in range(len(good)):
        world.plant("answer", good[:at])
        assert world.answer() is None


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff", b"{}", b"[]", b"7", b"[" * 100_000, b'{"evidence": 1}',
     b'{"evidence":"","says":1,"specs":1,"schemas":1,"lock":1,"zones":1,"absent":1}',
     b'{"evidence":"","says":"","specs":"specs","schemas":"","lock":"\\u0000","zones":[],'
     b'"absent":[[]]}'],
)  # fmt: skip
def test_what_is_no_answer_stops_no_plan(world: World, data: bytes) -> None:
    world.plant("answer", data)
    assert world.answer() is None
    world.plan()
    assert world.answer() == SAID


def test_one_that_others_may_write_is_none(world: World) -> None:
    (world.cache / "answer").chmod(0o620)
    assert world.answer() is None


def test_one_that_belongs_to_somebody_else_is_none(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 4711)
    assert world.answer() is None


def test_a_link_or_a_pipe_is_none(world: World, tmp_path: Path) -> None:
    file = world.cache / "answer"
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert world.answer() is None
    file.unlink()
    os.mkfifo(file)
    assert world.answer() is None


def test_it_is_private_and_holds_no_values(world: World) -> None:
    file = world.cache / "answer"
    assert file.stat().st_mode & 0o777 == 0o600
    assert {*json.loads(world.kept("answer"))} == {"evidence", *answers.Answer._fields}


def test_where_it_is_what_it_was_it_is_not_written_again(world: World) -> None:
    before = (world.cache / "answer").stat().st_ino
    world.plan()
    assert (world.cache / "answer").stat().st_ino == before
