"""Asks after open requests until they settle. A failing question settles nothing."""

import math
from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import islice
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
from lsq_sync.core.events import Event, Queued, Rejected, Succeeded
from lsq_sync.core.hiding import hidden_in
from lsq_sync.core.model import MASK
from lsq_sync.core.polling import (
    FIRST_GAP,
    LONGEST_GAP,
    VISIBLE_SECONDS,
    Question,
    needs_metrics,
    next_tick,
    to_ask,
)
from lsq_sync.core.reading import MOST_IDS
from lsq_sync.core.state import OpenRequest, RequestID
from lsq_sync.errors import LsqSyncError
from lsq_sync.running import LONGEST_LIMIT_SECONDS, Recorder, Stop
from lsq_sync.surroundings import Surroundings
from lsq_sync.tasks import first_of, together

_REFUSALS = 3
"""So many refused questions in a row, and no further one is asked."""

_AT_ONCE = 25
"""So many questions are under way at most; the pacer sets the speed."""

_FEW = 100
"""So many requests are simply asked about; of more, most are settled by reading back."""

_QUEUED_EVERY = timedelta(minutes=5)
"""How often In-Queue is worth a journal record: it only renews a window of hours."""


class Asker(Protocol):
    """Asks the CRM about requests and about its queue."""

    async def status(self, request_id: RequestID) -> StatusAnswer: ...

    async def metrics(self) -> MetricsAnswer: ...


ReadBack = Callable[[Collection[str]], Awaitable[Collection[str]]]
"""Reads the opportunities back; gives those whose values are in the CRM, and has recorded that."""


@dataclass(slots=True)
class Findings:
    """What asking brought besides events: why requests are still open, by opportunity.

    `refused` is set when the CRM refused so often that no further question was asked, `unread`
    when nothing could be read back.
    """

    why_open: dict[str, str] = field(default_factory=dict)
    asked: int = 0
    refusals: int = 0
    last_refusal: str = ""
    refused: str = ""
    unread: str = ""

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
        first_in: float = 0.0,
        read_back: ReadBack | None = None,
        sensitive: Callable[[str], Iterable[str]] = lambda _key: (),
    ) -> None:
        """`first_in`: seconds before the first question about each, where they were just sent.

        With `read_back`, requests without a RequestID, and such that the CRM does not know, are
        settled by what the CRM shows; of many requests most are. `sensitive` gives the values of
        an opportunity that are hidden where the CRM repeats them.
        """
        self._sensitive = sensitive
        self._crm = crm
        self._recorder = recorder
        self._stop = stop
        self._around = around
        self._waiting: dict[str, Question] = {}
        self._queued_at: dict[str, datetime] = {}
        self._refused_in_a_row = 0
        self._metrics: QueueMetrics | None = None
        self._metrics_at = around.monotonic()
        self._metrics_refusals = 0
        self.findings = Findings()
        self._read_back = read_back
        self._unknown: set[str] = set()
        self._not_known: set[str] = set()
        self._read_at = self._metrics_at + first_in
        self._read_gap = FIRST_GAP
        self._read_in_vain = False
        self._only_unknown_since = self._metrics_at
        listed = sorted(opened, key=lambda pair: (pair[1].sent_at, pair[0]))
        for key, request in _worth_asking(listed):
            if request.request_id is not None:
                due = self._metrics_at + first_in
                self._waiting[key] = Question(key, request.request_id, due)
                self._queued_at[key] = request.queued_at or request.sent_at
            elif read_back is not None:
                self._unknown.add(key)

    async def once(self) -> None:
        """Asks about each request one time; a stop ends it."""
        await first_of(self._ask_each_once(), self._stop.wait())

    async def _ask_each_once(self) -> None:
        await self._read_what_is_in_doubt()
        await self._ask_all(tuple(self._waiting.values()))

    async def until_settled(self, deadline: float) -> None:
        """Asks until all are settled, until `deadline` on the monotonic clock, or a stop."""
        tick, began = FIRST_GAP, self._around.monotonic()
        while not self._over(deadline):
            before = self._open
            if not await self._until(deadline, self._look()):
                return
            settled = before - self._open
            now = self._around.monotonic()
            tick = next_tick(tick, settled, tuple(self._waiting.values()), now, began)
            if self._reads_most:
                tick = max(FIRST_GAP, self._read_at - now)
            elif self._unknown:
                tick = min(tick, max(FIRST_GAP, self._read_at - now))
            if not self._over(deadline):
                await self._until(deadline, self._around.sleep(min(tick, deadline - now)))

    @property
    def _open(self) -> int:
        return len(self._waiting) + len(self._unknown)

    def _over(self, deadline: float) -> bool:
        if not self._open or self._stop or self.findings.refused:
            return True
        if self._waiting:
            self._only_unknown_since = self._around.monotonic()
        elif self._around.monotonic() - self._only_unknown_since >= VISIBLE_SECONDS:
            return True
        return self._around.monotonic() >= deadline

    async def _until(self, deadline: float, work: Awaitable[None]) -> bool:
        """Whether it came to its end; a stop or the deadline gives it up."""
        left = deadline - self._around.monotonic()
        return await first_of(work, self._stop.wait(), self._around.sleep(left))

    async def _look(self) -> None:
        """One look at the queue, and at the values where many wait; then a question about each
        request that may be through and does not show."""
        if self._is_queue_worth_a_look:
            await self._look_at_queue()
        if self._around.monotonic() >= self._read_at:
            await self._read_what_is_in_doubt()
        now = self._around.monotonic()
        await self._ask_all(to_ask(tuple(self._waiting.values()), self._metrics, now))

    async def _read_what_is_in_doubt(self) -> None:
        """One look at the values themselves; a read that fails settles nothing either."""
        keys = self._in_doubt()
        if not keys or self._read_back is None:
            return
        try:
            seen = await self._read_back(keys)
        except LsqSyncError as error:
            self.findings.unread = error.message
            self._read_back, self._unknown = None, set()
            return
        for key in seen:
            self._waiting.pop(key, None)
            self._unknown.discard(key)
            self.findings.why_open.pop(key, None)
        self._read_in_vain = not seen
        self._read_gap = min(LONGEST_GAP, self._read_gap * 1.6)
        self._read_at = self._around.monotonic() + self._read_gap

    def _in_doubt(self) -> list[str]:
        """Requests that no question can settle, and, of many, those that may be through."""
        if len(self._waiting) > _FEW:
            return [*islice(self._waiting, self._worth_reading), *sorted(self._unknown)]
        return [*sorted(self._not_known & self._waiting.keys()), *sorted(self._unknown)]

    @property
    def _reads_most(self) -> bool:
        """Whether so many wait that a read, which settles up to 2,000, comes before questions."""
        return len(self._waiting) > _FEW and self._read_back is not None

    @property
    def _worth_reading(self) -> int:
        """How many of the oldest to read back: as many as the queue says are through, in whole
        calls; all where that is not known, or where the last look found nothing."""
        if self._metrics is None or self._read_in_vain:
            return len(self._waiting)
        through = len(self._waiting) - self._metrics.pending_messages
        return max(1, math.ceil(through / MOST_IDS)) * MOST_IDS

    @property
    def _is_queue_worth_a_look(self) -> bool:
        age = self._around.monotonic() - self._metrics_at
        is_due = bool(self._waiting) and needs_metrics(len(self._waiting), age)
        return is_due and self._metrics_refusals < _REFUSALS

    async def _look_at_queue(self) -> None:
        answer = await self._crm.metrics()
        self._metrics = answer if isinstance(answer, QueueMetrics) else None
        self._metrics_at = self._around.monotonic()
        if isinstance(answer, NoVerdict) and answer.refused:
            self._metrics_refusals += 1

    async def _ask_all(self, batch: Sequence[Question]) -> None:
        """One question each, a few at once; ends early on a stop or a refusal."""
        waiting = iter(batch)
        await together(self._ask_some(waiting) for _ in range(min(_AT_ONCE, len(batch))))

    async def _ask_some(self, waiting: Iterator[Question]) -> None:
        for question in waiting:
            if self._stop or self.findings.refused:
                return
            await self._ask(question)

    async def _ask(self, question: Question) -> None:
        answer = self._discreet(question.key, await self._crm.status(question.request_id))
        self._count(answer)
        event, why = self._event(question, answer)
        if event is not None:
            await self._recorder.record(event)
            self._around.tell(event)
        if isinstance(answer, Done | Failed):
            self.findings.why_open.pop(question.key, None)
            del self._waiting[question.key]
        else:
            if isinstance(answer, NoVerdict) and not answer.refused:
                self._not_known.add(question.key)
            self.findings.why_open[question.key] = why
            self._waiting[question.key] = question.again(self._around.monotonic(), self._metrics)

    def _discreet(self, key: str, answer: StatusAnswer) -> StatusAnswer:
        """The CRM repeats values in its reasons; a sensitive one goes no further."""
        match answer:
            case Done():
                return answer
            case Waiting(status):
                return replace(answer, status=self._hidden(key, status))
            case Failed(reason) | NoVerdict(reason) | TooFast(reason):
                return replace(answer, reason=self._hidden(key, reason))
            case _:
                assert_never(answer)

    def _hidden(self, key: str, text: str) -> str:
        return hidden_in(text, self._sensitive(key), MASK)

    def _count(self, answer: StatusAnswer) -> None:
        self.findings.asked += 1
        if isinstance(answer, TooFast) and (answer.seconds or 0.0) > LONGEST_LIMIT_SECONDS:
            self.findings.refused = answer.reason
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
            case Done(guid):
                return Succeeded(key, at, request_id, guid), ""
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


def _worth_asking(
    listed: Sequence[tuple[str, OpenRequest]],
) -> Sequence[tuple[str, OpenRequest]]:
    """What was seen in the CRM is done; only its hold is left, and that is worth a few calls."""
    seen = sum(request.seen for _, request in listed)
    return listed if seen <= _FEW else [pair for pair in listed if not pair[1].seen]
