"""Write before you send: what is on the disk at every moment, and what a crash there leaves."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from lsq_sync.core.events import Event, Withdrawn, replay
from lsq_sync.core.state import Recorded
from lsq_sync.lock.file import FileStore
from lsq_sync.lock.format import dump, load
from lsq_sync.lock.writer import FOLD_SECONDS, Writer
from tests.lock.recorded_disk import ENDINGS, RecordedDisk, watched
from tests.lock.states import (
    ACCOUNT,
    NOON,
    ONE,
    RUN,
    SMALL,
    TWO,
    accepted,
    intended,
    later,
    succeeded,
)

NAME = "lsq-sync.lock"
FOLDER = ".lsq-sync"
GROUPS: Sequence[Sequence[Event]] = [
    [intended("a"), intended("b"), intended("d")],
    [accepted("a", "r-a"), intended("e", at=1)],
    [accepted("b", "r-b"), intended("c", at=3), Withdrawn("d", later(3), "too fast")],
    [Withdrawn("e", later(3), "too fast"), intended("e", at=4)],
    [succeeded("a", "r-a"), accepted("c", "r-c", at=4), succeeded("b", "r-b")],
]
EVENTS = tuple(event for group in GROUPS for event in group)


def store_in(root: Path) -> FileStore:
    return FileStore(root / NAME, NAME, root / FOLDER, ACCOUNT)


class Ticking:
    """A clock that jumps when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


# --- the order of things


def test_the_order_of_a_first_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with watched(tmp_path, monkeypatch) as disk:
        with store_in(tmp_path).writer(RUN, NOON) as writer:
            disk.done("-- record")
            writer.record([intended()])
            disk.done("-- durable")
            writer.record([accepted()])
            disk.done("-- durable")
        assert disk.steps == [
            "mkdir .lsq-sync",
            "sync .",
            "mkdir .lsq-sync/runs",
            "sync .lsq-sync",
            "-- record",
            "create .lsq-sync/journal",
            "write .lsq-sync/journal",
            "sync .lsq-sync/journal",
            "sync .lsq-sync",
            "write .lsq-sync/journal",
            "sync .lsq-sync/journal",
            "-- durable",
            "write .lsq-sync/journal",
            "sync .lsq-sync/journal",
            "-- durable",
            "create temporary",
            "write temporary",
            "sync temporary",
            "rename temporary .lsq-sync/open",
            "sync .lsq-sync",
            "create temporary",
            "write temporary",
            "sync temporary",
            "rename temporary lsq-sync.lock",
            "sync .",
            f"rename .lsq-sync/journal .lsq-sync/runs/{RUN}.1.journal",
            "sync .lsq-sync/runs",
            "sync .lsq-sync",
            "create temporary",
            "write temporary",
            "sync temporary",
            "rename temporary .lsq-sync/newest",
            "sync .lsq-sync",
        ]


def test_every_folder_that_is_made_for_the_state_is_there_for_sure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LSQ_SYNC_STATE_DIR may name a folder whose parents do not exist either."""
    with watched(tmp_path, monkeypatch) as disk:
        store = FileStore(tmp_path / NAME, NAME, tmp_path / "a/b/c", ACCOUNT)
        with store.writer(RUN, NOON):
            pass
        made = [step.removeprefix("mkdir ") for step in disk.steps if step.startswith("mkdir ")]
        assert made == ["a", "a/b", "a/b/c", "a/b/c/runs"]
        for folder in made:
            parent = str(Path(folder).parent)
            rest = disk.steps[disk.steps.index(f"mkdir {folder}") :]
            assert f"sync {parent}" in rest, folder


# --- a crash at any moment


def crashes(tmp_path: Path, disk: RecordedDisk) -> list[tuple[Path, str, int, int]]:
    """What every moment leaves, in every way it can end."""
    found = []
    for number, moment in enumerate(disk.moments):
        for place, ending in enumerate(ENDINGS):
            left = tmp_path / f"{number}-{place}"
            moment.leave(left, ending)
            what = f"{ending}, after: {moment.step}"
            found.append((left, what, moment.acknowledged, moment.attempted))
    return found


def possible(before: Recorded, acknowledged: int, attempted: int) -> list[dict[str, object]]:
    """Everything that was promised, and of what was tried no more than a beginning."""
    return [
        dict(replay(before.entries, EVENTS[:count])) for count in range(acknowledged, attempted + 1)
    ]


def record_all(disk: RecordedDisk, writer: Writer, groups: Sequence[Sequence[Event]]) -> None:
    for group in groups:
        disk.attempted += len(group)
        writer.record(group)
        disk.acknowledged += len(group)
        disk.done("-- durable")


@pytest.mark.parametrize("before", [Recorded(), SMALL], ids=["first run", "later run"])
def test_a_crash_at_any_moment_loses_nothing_that_was_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: Recorded
) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    if before.entries:
        (root / NAME).write_bytes(dump(before))
    with watched(root, monkeypatch) as disk:
        disk.keeps_moments = True
        with store_in(root).writer(RUN, NOON) as writer:
            record_all(disk, writer, GROUPS)
    for left, what, acknowledged, attempted in crashes(tmp_path, disk):
        store = store_in(left)
        found = store.read()
        assert dict(found.entries) in possible(before, acknowledged, attempted), what
        with store.writer(RUN, later(60)) as writer:
            assert writer.recorded.entries == found.entries, what
        assert store.read().entries == found.entries, what
        assert not (left / FOLDER / "journal").exists(), what


def test_a_crash_while_the_journal_is_folded_in_the_middle_of_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    clock = Ticking()
    with store_in(root).writer(RUN, NOON):
        pass
    with watched(root, monkeypatch) as disk:
        disk.keeps_moments = True
        folder = root / FOLDER
        state = Recorded(ACCOUNT)
        writer = Writer(root / NAME, folder / "journal", folder / "runs", state, RUN, clock)
        record_all(disk, writer, GROUPS[:2])
        clock.now += FOLD_SECONDS
        record_all(disk, writer, GROUPS[2:])
        writer.close()
    assert disk.steps.count("rename temporary lsq-sync.lock") == 2
    for left, what, acknowledged, attempted in crashes(tmp_path, disk):
        found = store_in(left).read()
        assert dict(found.entries) in possible(state, acknowledged, attempted), what


def test_a_crash_while_what_a_crash_left_is_folded_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second crash, in the first thing that the next command does."""
    root = tmp_path / "workspace"
    root.mkdir()
    (root / NAME).write_bytes(dump(SMALL))
    with watched(root, monkeypatch) as disk:
        disk.keeps_moments = True
        with store_in(root).writer(RUN, NOON) as writer:
            record_all(disk, writer, GROUPS)
            last = disk.moments[-1]
    again = tmp_path / "again"
    last.leave(again, "power was lost, and only what was synced is there")
    expected = replay(SMALL.entries, EVENTS)
    with watched(again, monkeypatch) as disk:
        disk.keeps_moments = True
        with store_in(again).writer(RUN, later(60)) as writer:
            assert writer.left_behind == EVENTS
        assert "rename temporary lsq-sync.lock" in disk.steps
    for left, what, *_ in crashes(tmp_path / "again", disk):
        assert store_in(left).read().entries == expected, what
        with store_in(left).writer(RUN, later(90)):
            pass
        assert load((left / NAME).read_bytes(), NAME).entries == expected, what


def test_a_journal_that_is_folded_in_twice_says_the_same(tmp_path: Path) -> None:
    """Killed between replacing the lock and putting the journal away, with a retry in it."""
    events = (
        intended(ONE, at=0),
        Withdrawn(ONE, later(1), "too fast"),
        intended(ONE, at=6),
        accepted(ONE, "r-1", at=7),
        intended(TWO, at=7),
    )
    store = store_in(tmp_path)
    with store.writer(RUN, NOON) as writer:
        writer.record(events)
    once = store.read()
    [journal] = (tmp_path / FOLDER / "runs").iterdir()
    journal.rename(tmp_path / FOLDER / "journal")
    assert store.read() == once
    with store.writer(RUN, later(60)) as writer:
        assert writer.recorded == once
    assert store.read() == once
