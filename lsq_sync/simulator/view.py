"""What a test may look at: snapshots of the account, from any thread."""

import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from lsq_sync.simulator.account import NOTE
from lsq_sync.simulator.clock import Clock
from lsq_sync.simulator.http import Simulator
from lsq_sync.simulator.limit import busiest_window
from lsq_sync.simulator.log import Entry
from lsq_sync.simulator.queue import BrokeDown, Failed, Succeeded, Task
from lsq_sync.simulator.records import Record
from lsq_sync.simulator.scenario import Kind
from lsq_sync.simulator.update import Update

OutcomeName: TypeAlias = Literal["waiting", "succeeded", "failed", "broke down"]


@dataclass(frozen=True, slots=True)
class OpportunityView:
    """An opportunity as it is stored at one moment: flat names, raw text, never lagging."""

    id: str
    code: int
    fields: Mapping[str, str]
    note: str
    deleted: bool
    modified_at: float  # simulated seconds since the start; -inf: never


@dataclass(frozen=True, slots=True)
class TaskView:
    """What became of one accepted update."""

    request_id: str
    opportunity: str  # as it was addressed
    payload: str
    outcome: OutcomeName
    reason: str | None
    attempts: int
    submitted_at: float  # simulated seconds since the start
    settled_at: float | None


class CrmView:
    """What a test may look at, from any thread; every answer is a snapshot."""

    def __init__(self, simulator: Simulator, clock: Clock, lock: threading.RLock) -> None:
        self._simulator = simulator
        self._clock = clock
        self._lock = lock

    def opportunity(self, key: str) -> OpportunityView:
        """By GUID or AutoId. Raises KeyError."""
        with self._current():
            record = self._simulator.crm.records.by_key(key)
            if record is None:
                raise KeyError(key)
            return _opportunity_view(record)

    def opportunities(self) -> tuple[OpportunityView, ...]:
        with self._current():
            return tuple(_opportunity_view(one) for one in self._simulator.crm.records)

    def tasks(self) -> tuple[TaskView, ...]:
        """Every accepted update, in the order of acceptance."""
        with self._current():
            return tuple(_task_view(task) for task in self._simulator.crm.tasks())

    @property
    def pending(self) -> int:
        """How many accepted updates have no verdict yet."""
        with self._current():
            return self._simulator.crm.queue.pending

    def log(self, kind: Kind | None = None) -> tuple[Entry, ...]:
        """The calls so far, all or of one kind."""
        with self._lock:
            entries = self._simulator.log.entries()
        return tuple(entry for entry in entries if kind in (None, entry.kind))

    def count(self, kind: Kind | None = None) -> int:
        return len(self.log(kind))

    def rate_limited(self) -> int:
        """How many calls the rate limit refused."""
        return sum(entry.limited for entry in self.log())

    def busiest_window(self, seconds: float | None = None) -> int:
        """The most calls that arrived in any window of so many real seconds (None: the limit's)."""
        window = self._simulator.scenario.rate_limit.seconds if seconds is None else seconds
        return busiest_window([entry.at for entry in self.log()], window)

    @contextlib.contextmanager
    def _current(self) -> Iterator[None]:
        with self._lock:
            self._simulator.crm.advance(self._clock.now().simulated)
            yield


def _opportunity_view(record: Record) -> OpportunityView:
    return OpportunityView(
        id=record.id,
        code=record.code,
        fields=dict(record.values),
        note=record.values.get(NOTE, ""),
        deleted=record.deleted_at != float("inf"),
        modified_at=record.modified_at,
    )


def _task_view(task: Task) -> TaskView:
    outcome, reason = _outcome(task)
    return TaskView(
        request_id=task.request_id,
        opportunity=task.update.key if isinstance(task.update, Update) else "",
        payload=task.payload,
        outcome=outcome,
        reason=reason,
        attempts=task.attempts,
        submitted_at=task.submitted_at,
        settled_at=task.settled_at,
    )


def _outcome(
    task: Task,
) -> tuple[OutcomeName, str | None]:
    if task.settled_at is None:
        return "waiting", None
    match task.result:
        case Succeeded():
            return "succeeded", None
        case Failed():
            return "failed", task.result.reason
        case BrokeDown(message):
            return "broke down", message
        case None:
            raise AssertionError("settled without a result")
