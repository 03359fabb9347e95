"""The journals of past runs, as far as they are still here. Local: another machine has its own."""

from collections.abc import Iterator
from pathlib import Path

from lsq_sync.core.events import Event
from lsq_sync.core.state import RunID
from lsq_sync.lock import records
from lsq_sync.lock.disk import content_of

_SUFFIX = ".journal"

SECOND_OF_RUN = slice(len("20260916T120000Z"))
"""Of a run's name; two of one second are told apart by when they were written."""


def past_events(state_folder: Path) -> Iterator[tuple[RunID, Event]]:
    """Every event of every journal, the oldest run first, with the run that wrote it.

    What cannot be read is left out: the lock has what counts.
    """
    folder = state_folder / "runs"
    files = sorted(folder.glob(f"*{_SUFFIX}"), key=_age) if folder.is_dir() else []
    for path in (*files, state_folder / "journal"):
        try:
            data = content_of(path)
        except OSError:
            continue
        for event in records.decode(data).events if data else ():
            yield RunID(path.name.partition(".")[0]), event


def _age(path: Path) -> tuple[str, int, str]:
    """By the second of the run's name; within it, by when the file was written last."""
    return path.name[SECOND_OF_RUN], path.stat().st_mtime_ns, path.name
