"""Asks after open requests until they settle. A failing question settles nothing."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, assert_never

from lsq_sync.core.answers import (
    Done,
    Failed,
    MetricsAnswer,
    NoVerdict,
    QueueMetrics,
    StatusAnswer,
    TooFast,
    Waiting,
)
from lsq_sync.core.polling import FIRST_GAP, Question, next_tick, to_ask
from lsq_sync.core.state import Event, OpenRequest, Queued, Rejected, RequestID, Succeeded
from lsq_sync.running import Recorder, Stop
from lsq_sync.surroundings import Surroundings

_REFUSALS = 3
"""So many refused questions in a row, and no further one is asked."""

_QUEUED_EVERY = timedelta(minutes=5)
"""How often In-Queue is worth a journal record: it only renews a window of hours."""


class Asker(Protocol):
    """Asks the CRM about requests and about its queue."""

    async def status(self, request_id: RequestID) -> StatusAnswer: ...

    async def metrics(self) -> MetricsAnswer: ...


@dataclass(slots=True)
class Findings:
    """What asking brought besides events: why requests are still open, by opportunity.

    `refused` is set when the CRM refused so often that no further question was asked.
    """

    why_open: dict[str, str] = field(default_factory=dict)
    asked: int = 0
    refusals: int = 0
    last_refusal: str = ""
    refused: str = ""

    @property
    def all_refused(self) -> bool:
        """Every question was refused: the path or the key is wrong, not the requests."""
        return self.asked > 0 and self.refusals == self.asked


class Poller:
    """Asks after the open requests of one command, oldest first."""

    def __init__(
        self,
        crm: Asker,
        recorder: Recorder,
        stop: Stop,
        around: Surroundings,
        opened: Iterable[tuple[str, OpenRequest]],
    ) -> None:
        self._crm = crm
        self._recorder = recorder
        self._stop = stop
        self._around = around
        self._waiting: dict[str, Question] = {}
        self._queued_at: dict[str, datetime] = {}
        self._refused_in_a_row = 0
        self.findings = Findings()
        for key, request in sorted(opened, key=lambda pair: (pair[1].sent_at, pair[0])):
            if request.request_id is not None:
                self._waiting[key] = Question(key, request.request_id, around.monotonic())
                self._queued_at[key] = request.queued_at or request.sent_at

    async def once(self) -> None:
        """Asks about each request one time."""
        await self._ask_all(tuple(self._waiting.values()))

    async def until_settled(self, deadline: float) -> None:
        """Asks until all are settled, until `deadline` on the monotonic clock, or a stop."""
        tick = FIRST_GAP
        while not self._over(deadline):
            metrics = await self._metrics()
            before = len(self._waiting)
            now = self._around.monotonic()
            await self._ask_all(to_ask(tuple(self._waiting.values()), metrics, now))
            settled = before - len(self._waiting)
            now = self._around.monotonic()
            tick = next_tick(tick, settled, tuple(self._waiting.values()), now)
            if not self._over(deadline):
                await self._pause(min(tick, deadline - now))

    def _over(self, deadline: float) -> bool:
        if not self._waiting or self._stop or self.findings.refused:
            return True
        return self._around.monotonic() >= deadline

    async def _pause(self, seconds: float) -> None:
        """Sleeps, but not through a stop."""
        sleeping = asyncio.ensure_future(self._around.sleep(seconds))
        await _first_of(sleeping, stop=self._stop)

    async def _metrics(self) -> QueueMetrics | None:
        answer = await self._crm.metrics()
        return answer if isinstance(answer, QueueMetrics) else None

    async def _ask_all(self, batch: Sequence[Question]) -> None:
        """One question each; the pacer sets the speed. Ends early on a stop or a refusal."""
        await _first_of(*(asyncio.ensure_future(self._ask(one)) for one in batch), stop=self._stop)

    async def _ask(self, question: Question) -> None:
        if self.findings.refused:
            return
        answer = await self._crm.status(question.request_id)
        self._count(answer)
        event, why = self._event(question, answer)
        if event is not None:
            await self._recorder.record(event)
            self._around.tell(event)
        if isinstance(answer, Done | Failed):
            self.findings.why_open.pop(question.key, None)
            del self._waiting[question.key]
        else:
            self.findings.why_open[question.key] = why
            self._waiting[question.key] = question.again(self._around.monotonic())

    def _count(self, answer: StatusAnswer) -> None:
        self.findings.asked += 1
        if not (isinstance(answer, NoVerdict) and answer.refused):
            self._refused_in_a_row = 0
            return
        self.findings.refusals += 1
        self.findings.last_refusal = answer.reason
        self._refused_in_a_row += 1
        if self._refused_in_a_row >= _REFUSALS:
            self.findings.refused = answer.reason

    def _event(self, question: Question, answer: StatusAnswer) -> tuple[Event | None, str]:
        """What is to be recorded, if anything, and why the request is open otherwise."""
        key, request_id, at = question.key, question.request_id, self._around.now()
        match answer:
            case Done():
                return Succeeded(key, at, request_id), ""
            case Failed(reason, resend):
                return Rejected(key, at, reason, request_id, resend), ""
            case Waiting(status, queued):
                return self._queued(question, at) if queued else None, f"the CRM says: {status}"
            case NoVerdict(reason) | TooFast(reason):
                return None, f"asking failed: {reason}"
            case _:
                assert_never(answer)

    def _queued(self, question: Question, at: datetime) -> Queued | None:
        if at - self._queued_at[question.key] < _QUEUED_EVERY:
            return None
        self._queued_at[question.key] = at
        return Queued(question.key, at, question.request_id)


async def _first_of(*tasks: asyncio.Future[None], stop: Stop) -> None:
    """Runs the tasks to their end, or cancels what is left at a stop or at the first fault."""
    watcher = asyncio.ensure_future(stop.wait())
    work = asyncio.gather(*tasks)
    try:
        await asyncio.wait((work, watcher), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
    finally:
        for task in (*tasks, watcher):
            task.cancel()
        await asyncio.gather(*tasks, work, watcher, return_exceptions=True)
