"""Workloads of journal and lock, every crash of them, and what is found afterwards."""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lsq_sync.core.events import Event, Intended, Withdrawn, replay
from lsq_sync.core.state import Entry, Recorded, RunID
from lsq_sync.errors import LsqSyncError, StorageError
from lsq_sync.lock.emergency import emergency_places
from lsq_sync.lock.file import FileStore
from lsq_sync.lock.format import dump
from tests.lock.states import (
    ACCOUNT,
    NOON,
    RUN,
    SMALL,
    accepted,
    intended,
    later,
    succeeded,
)
from tests.reliability.disk_model import Crash, DiskModel, followed, never_synced

NAME = "lsq-sync.lock"
NEXT = RunID("20260831T093000Z-00a1b3")

Groups = Sequence[Sequence[Event]]
GROUPS: Groups = (
    [intended("a"), intended("b"), intended("d")],
    [accepted("a", "r-a"), intended("e", at=1)],
    [accepted("b", "r-b"), intended("c", at=3), Withdrawn("d", later(3), "too fast")],
    [Withdrawn("e", later(3), "too fast"), intended("e", at=4)],
    [succeeded("a", "r-a"), accepted("c", "r-c", at=4), succeeded("b", "r-b")],
)
MORE: Groups = (
    [Intended("n", later(60), NEXT, intended().payload, "loan")],
    [accepted("n", "r-n", at=61)],
)


def store_in(root: Path) -> FileStore:
    """The state of the workspace at `root`."""
    return FileStore(root / NAME, NAME, root / ".lsq-sync", ACCOUNT)


@dataclass
class Looked:
    """What looking at crashes found."""

    crashes: int = 0
    steps: int = 0
    bad: list[str] = field(default_factory=list)

    def add(self, other: "Looked") -> None:
        """Both together."""
        self.crashes += other.crashes
        self.steps += other.steps
        self.bad += other.bad


# --- workloads


@dataclass(frozen=True)
class Workload:
    """What is there before, what is done, and which events that records, in their order."""

    name: str
    before: Recorded
    work: Callable[[DiskModel], None]
    events: tuple[Event, ...]


def _record(disk: DiskModel, groups: Groups, run: RunID = RUN, fold_before: int = -1) -> None:
    with store_in(disk.root).writer(run, NOON) as writer:
        for number, group in enumerate(groups):
            if number == fold_before:
                writer._fold_at = 0.0
            disk.attempt(len(group))
            writer.record(group)
            disk.acknowledge(len(group))


def _events(groups: Groups) -> tuple[Event, ...]:
    return tuple(event for group in groups for event in group)


def _whole_run(disk: DiskModel) -> None:
    _record(disk, GROUPS)


def _fold_between(disk: DiskModel) -> None:
    _record(disk, GROUPS, fold_before=1)


def _two_runs(disk: DiskModel) -> None:
    _record(disk, GROUPS[:2])
    _record(disk, MORE, NEXT)


def _disk_fails(disk: DiskModel) -> None:
    """The journal takes two groups and no more; the lock cannot be replaced either."""
    answers = [event for event in GROUPS[2] if not isinstance(event, Intended)]

    def refuses(call: str, name: str) -> OSError | None:
        is_ours = name.endswith(("journal", ".tmp")) and "emergency" not in name
        return OSError(errno.ENOSPC, "full") if is_ours and call == "write" else None

    def run() -> None:
        with store_in(disk.root).writer(RUN, NOON) as writer:
            for group in GROUPS[:2]:
                disk.attempt(len(group))
                writer.record(group)
                disk.acknowledge(len(group))
            disk.refuses = refuses
            disk.attempt(len(answers))
            with suppress(StorageError):
                writer.record(answers)
            disk.acknowledge(len(answers))

    with suppress(StorageError):
        run()


WORKLOADS = (
    Workload("a first run", Recorded(), _whole_run, _events(GROUPS)),
    Workload("a run over a lock", SMALL, _whole_run, _events(GROUPS)),
    Workload("a fold in the middle", SMALL, _fold_between, _events(GROUPS)),
    Workload("two runs", Recorded(), _two_runs, _events((*GROUPS[:2], *MORE))),
    Workload(
        "a disk that fails",
        Recorded(),
        _disk_fails,
        (*_events(GROUPS[:2]), *(e for e in GROUPS[2] if not isinstance(e, Intended))),
    ),
)


# --- looking


def crashes_of(workload: Workload, root: Path) -> tuple[list[Crash], int]:
    """Every crash of a workload, and of how many steps."""
    root.mkdir(parents=True)
    if workload.before.entries:
        (root / NAME).write_bytes(dump(workload.before))
    with followed(root) as disk:
        workload.work(disk)
    return list(disk.crashes.values()), len(disk.steps)


def look(workload: Workload, folder: Path, *, until_bad: bool = False) -> Looked:
    """Looks at every crash of a workload; with `until_bad` only until something is wrong."""
    crashes, steps = crashes_of(workload, folder / "work")
    looked = Looked(steps=steps)
    with never_synced():
        for crash in crashes:
            looked.crashes += 1
            looked.bad += _faults(crash, workload, folder)
            if until_bad and looked.bad:
                break
    return looked


def look_again(workload: Workload, folder: Path, every: int = 1) -> Looked:
    """Looks at every crash of the recovery from (every n-th) crash of a workload."""
    crashes, _ = crashes_of(workload, folder / "work")
    looked = Looked()
    for number, crash in enumerate(crashes[::every]):
        root = folder / f"again-{number}"
        root.mkdir()
        crash.leave(root)
        before = store_in(root).read().entries
        with followed(root) as disk:
            _record(disk, (), NEXT)
        looked.steps += len(disk.steps)
        with never_synced():
            for second in disk.crashes.values():
                looked.crashes += 1
                with _left(second, folder) as place:
                    found = _found(place)
                    if found != before:
                        looked.bad.append(f"{workload.name}: {crash.after}, then {second.after}")
        shutil.rmtree(root)
    return looked


def _faults(crash: Crash, workload: Workload, folder: Path) -> Iterator[str]:
    """What is wrong after a crash: with what is read, and what the next commands make of it."""
    counts = range(crash.acknowledged, crash.attempted + 1)
    possible = [replay(workload.before.entries, workload.events[:count]) for count in counts]
    with _left(crash, folder) as root:
        try:
            read = _found(root)
            if read not in possible:
                yield f"{workload.name}: {crash.after}: {_difference(read, possible[0])}"
                return
            for run in (NEXT, RunID("20260831T100000Z-00a1b4")):
                with store_in(root).writer(run, later(3600)) as writer:
                    if writer.recorded.entries != read:
                        yield f"{workload.name}: {crash.after}: the next writer has something else"
            if _found(root) != read or (root / ".lsq-sync/journal").exists():
                yield f"{workload.name}: {crash.after}: it was not folded in"
        except LsqSyncError as error:
            yield f"{workload.name}: {crash.after}: {error.message}"


def _found(root: Path) -> dict[str, Entry]:
    return dict(store_in(root).read().entries)


def _difference(read: dict[str, Entry], promised: dict[str, Entry]) -> str:
    lost = [key for key in promised if read.get(key) != promised[key]]
    more = [key for key in read if key not in promised]
    return f"other than promised: {lost}, not promised: {more}"


@contextmanager
def _left(crash: Crash, folder: Path) -> Iterator[Path]:
    root = Path(tempfile.mkdtemp(dir=folder))
    try:
        crash.leave(root)
        _name_emergency(root)
        yield root
    finally:
        shutil.rmtree(root)


def _name_emergency(root: Path) -> None:
    """Its name tells the place of the workspace, which is another one here."""
    name = emergency_places(root / NAME, root)[0].name
    for path in list(root.rglob(".lsq-sync-emergency-*")):
        path.rename(path.with_name(name))


@contextmanager
def quick_folder(folder: Path) -> Iterator[Path]:
    """A folder in memory where there is one; the emergency places are inside of it too."""
    memory = Path("/dev/shm")
    base = memory if os.access(memory, os.W_OK) else folder
    with tempfile.TemporaryDirectory(dir=base) as made, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(Path(made) / "nowhere"))
        patch.setenv("HOME", str(Path(made) / "nowhere"))
        yield Path(made)
