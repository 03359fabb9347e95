"""The async queue: waiting updates, one worker with a fixed rate, and the retry ladder.

Pure and lazy: nothing happens between calls; `advance` works off what is due by then, in the
order of time, so that it does not matter how often it is called. [documented] async-api
"""

import heapq
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from lsq_sync.simulator.plots import Plot
from lsq_sync.simulator.scenario import Queue as Settings
from lsq_sync.simulator.update import UnparsableError, Update

RATE_WINDOW_SECONDS: Final = 600.0  # the rate is an average over ten minutes [documented]


@dataclass(frozen=True, slots=True)
class Succeeded:
    opportunity_id: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The application said no; not retried."""

    exception_type: str
    message: str
    outcome: str = "FAILURE"  # or ERROR, where a scenario forces it

    @property
    def reason(self) -> str:
        return f"{self.exception_type}: {self.message}"


@dataclass(frozen=True, slots=True)
class BrokeDown:
    """The system failed; retried until the ladder ends."""

    message: str


Verdict: TypeAlias = Succeeded | Failed  # what the application says
Result: TypeAlias = Verdict | BrokeDown  # what an attempt comes to


@dataclass(slots=True)
class Task:
    """One accepted update on its way through the queue. The queue's own, mutable record."""

    number: int  # of the accepted updates, from 1
    request_id: str
    payload: str  # as it was submitted, to the letter
    update: Update | UnparsableError  # what it says
    plot: Plot
    submitted_at: float
    attempts: int = 0
    result: Result | None = None  # the last attempt's
    settled_at: float | None = None  # when it became final


@dataclass(frozen=True, slots=True)
class Metrics:
    pending: int
    max_delay_seconds: int
    per_minute: float


Perform: TypeAlias = Callable[[Task, float], Result]


class TaskQueue:
    """Tasks in the order in which they become ready; equal ones in the order of arrival."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._heap: list[tuple[float, int, Task]] = []
        self._pending: OrderedDict[int, Task] = OrderedDict()
        self._free_at = 0.0
        self._attempts: deque[float] = deque()

    @property
    def pending(self) -> int:
        return len(self._pending)

    def submit(self, task: Task, extra_delay: float = 0.0) -> None:
        self._pending[task.number] = task
        self._enqueue(task, task.submitted_at + self.settings.delay_seconds + extra_delay)

    def advance(self, now: float, perform: Perform) -> None:
        """Works off everything that is done by `now`."""
        while self._heap:
            ready_at, _, task = self._heap[0]
            done_at = max(ready_at, self._free_at) + self._seconds_each()
            if done_at > now:
                return
            heapq.heappop(self._heap)
            self._free_at = done_at
            self._attempt(task, done_at, perform)

    def metrics(self, now: float) -> Metrics:
        self._forget_attempts(now)
        oldest = next(iter(self._pending.values()), None)
        return Metrics(
            pending=self.pending,
            max_delay_seconds=int(now - oldest.submitted_at) if oldest else 0,
            per_minute=round(len(self._attempts) * 60 / RATE_WINDOW_SECONDS, 1),
        )

    def _enqueue(self, task: Task, ready_at: float) -> None:
        heapq.heappush(self._heap, (ready_at, task.number, task))

    def _seconds_each(self) -> float:
        return 60 / self.settings.per_minute if self.settings.per_minute else 0.0

    def _attempt(self, task: Task, at: float, perform: Perform) -> None:
        self._attempts.append(at)
        self._forget_attempts(at)
        task.result = perform(task, at)
        task.attempts += 1
        wait = self._wait_before_retry(task)
        if wait is None:
            task.settled_at = at
            del self._pending[task.number]
        else:
            self._enqueue(task, at + wait)

    def _wait_before_retry(self, task: Task) -> float | None:
        ladder = self.settings.retry_seconds
        if isinstance(task.result, BrokeDown) and task.attempts <= len(ladder):
            return ladder[task.attempts - 1]
        return None

    def _forget_attempts(self, now: float) -> None:
        while self._attempts and now - self._attempts[0] > RATE_WINDOW_SECONDS:
            self._attempts.popleft()
