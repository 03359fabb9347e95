"""The lock at the end of a run: how long it takes to fold outcomes into it.

As a program it folds so many outcomes into the lock of a workspace and prints the seconds of the
fold alone, and of recording before: reading the lock is in neither.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.data import Shape, make
from benchmarks.processes import Case, Sample, median, python, run_once
from benchmarks.tables import Table
from lsq_sync.commands.workspace import find_workspace
from lsq_sync.core.events import Accepted, Event, Intended, Succeeded
from lsq_sync.core.state import Payload, RequestID, RunID

_ROUNDS = 3
_AT = datetime(2026, 11, 2, tzinfo=UTC)
_RUN = RunID("20261102T000000Z-000002")
_GROUP = 250


def measure(folder: Path, entries: int, outcomes: int) -> tuple[Sample, Table]:
    """The fold as a result, and the table of it."""
    found = [_run(folder / str(number), entries, outcomes) for number in range(_ROUNDS)]
    recording, fold = (median(Sample(one[part], 0, 0) for one in found) for part in (0, 1))
    rows = (
        (f"{outcomes:,} outcomes into a lock of {entries:,}", f"{fold.wall:.2f}"),
        (f"the journal before: {3 * outcomes:,} events, synced", f"{recording.wall:.2f}"),
    )
    return fold, Table("The lock", ("", "seconds"), rows)


def _run(root: Path, entries: int, outcomes: int) -> tuple[float, float]:
    make(root, Shape(entries, locked=True))
    command = python("-m", "benchmarks.folding", str(root), str(outcomes))
    recording, fold = json.loads(run_once(Case("fold", command))[1])
    return recording, fold


def _fold(root: Path, outcomes: int) -> tuple[float, float]:
    """Seconds of recording and of the fold."""
    with find_workspace(root, os.environ).store.writer(_RUN, _AT) as writer:
        known = writer.recorded.entries
        keys = sorted(known)[:: len(known) // outcomes]
        began = time.perf_counter()
        for start in range(0, len(keys), _GROUP):
            for events in _events(keys[start : start + _GROUP]):
                writer.record(events)
        recorded = time.perf_counter()
        writer.fold()
        folded = time.perf_counter()
        known = writer.recorded.entries
        assert all(known[key].fields["mx_Custom_1"] == "new" for key in keys)
    return recorded - began, folded - recorded


def _events(keys: list[str]) -> Iterator[tuple[Event, ...]]:
    later = _AT + timedelta(minutes=1)
    payload = Payload({"mx_Custom_1": "new"})
    yield tuple(Intended(key, _AT, _RUN, payload) for key in keys)
    yield tuple(Accepted(key, _AT, RequestID(f"q-{key}")) for key in keys)
    yield tuple(Succeeded(key, later, RequestID(f"q-{key}")) for key in keys)


if __name__ == "__main__":
    print(json.dumps(_fold(Path(sys.argv[1]), int(sys.argv[2]))))
