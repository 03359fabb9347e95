"""Asking until requests settle: soon, seldom, in order, and never past a stop or a deadline."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from lsq_sync.core.budget import RateLimit
from lsq_sync.core.events import Event, Queued, Rejected, Succeeded
from lsq_sync.core.state import OpenRequest, Payload, RequestID, RunID
from lsq_sync.crm.pacing import Pacer
from lsq_sync.errors import StorageError
from lsq_sync.poller import Findings, Poller, ReadBack
from lsq_sync.running import Stop
from tests.support.clock import STARTED, VirtualClock, after, run, within

QUEUED = Waiting("In-Queue", queued=True)
REFUSED = NoVerdict("HTTP 404: Not Found", refused=True)
EMPTY = QueueMetrics(0, 0.0, 24.8)
Answering = Callable[[str, float], StatusAnswer]


def opened(
    count: int, sent_at: Callable[[int], int] = lambda number: number
) -> list[tuple[str, OpenRequest]]:
    """Open requests k0, k1, ... with ids r0, r1, ..., in the order they were sent."""
    run_id = RunID("run")
    return [
        (
            f"k{number}",
            OpenRequest(
                Payload({"a": "1"}),
                run_id,
                STARTED - timedelta(hours=1) + timedelta(seconds=sent_at(number)),
                RequestID(f"r{number}"),
            ),
        )
        for number in range(count)
    ]


@dataclass(slots=True)
class FakeCRM:
    """A queue. `answer` tells what becomes of a request asked about at a moment."""

    clock: VirtualClock
    answer: Answering = lambda _key, _now: Done()
    queue: Callable[[float], MetricsAnswer] = lambda _now: EMPTY
    takes: float = 0.0
    metrics_take: float = 0.0
    pacer: Pacer | None = None
    asked: list[tuple[str, float]] = field(default_factory=list)
    measured: list[float] = field(default_factory=list)

    async def status(self, request_id: RequestID) -> StatusAnswer:
        await self._turn(self.takes)
        self.asked.append((request_id, self.clock.monotonic()))
        return self.answer(request_id, self.clock.monotonic())

    async def metrics(self) -> MetricsAnswer:
        await self._turn(self.metrics_take)
        self.measured.append(self.clock.monotonic())
        return self.queue(self.clock.monotonic())

    async def _turn(self, seconds: float) -> None:
        if self.pacer is None:
            await asyncio.sleep(seconds)
            return
        async with self.pacer.slot() as turn:
            turn.sent = True
            await asyncio.sleep(seconds)
            turn.answered = True

    @property
    def ids(self) -> list[str]:
        return [request for request, _ in self.asked]

    @property
    def times(self) -> list[float]:
        return [at for _, at in self.asked]


@dataclass(slots=True)
class FakeLedger:
    """Remembers; fails from some event on."""

    events: list[Event] = field(default_factory=list)
    fails_at: int | None = None

    async def record(self, *events: Event) -> None:
        await asyncio.sleep(0)
        for event in events:
            if self.fails_at is not None and len(self.events) >= self.fails_at:
                raise StorageError("disk full")
            self.events.append(event)

    def keys(self, kind: type[Event]) -> list[str]:
        return [event.key for event in self.events if isinstance(event, kind)]


class World:
    """A poller with everything around it."""

    def __init__(self, clock: VirtualClock) -> None:
        self.clock = clock
        self.crm = FakeCRM(clock)
        self.ledger = FakeLedger()
        self.stop = Stop()
        self.told: list[Event] = []
        self.findings = Findings()

    def poller(
        self,
        requests: Iterable[tuple[str, OpenRequest]],
        read_back: ReadBack | None = None,
        first_in: float = 0.0,
    ) -> Poller:
        around = self.clock.surroundings(self.told.append)
        poller = Poller(self.crm, self.ledger, self.stop, around, requests, first_in, read_back)
        self.findings = poller.findings
        return poller

    async def once(self, count: int) -> None:
        await self.poller(opened(count)).once()

    async def until_settled(self, count: int, seconds: float = 600.0) -> None:
        await self.poller(opened(count)).until_settled(self.clock.monotonic() + seconds)


def play(scenario: Callable[[World], Awaitable[None]], *, debug: bool = True) -> World:
    """Plays it on a virtual clock; nothing may be left behind."""
    worlds = []

    async def main(clock: VirtualClock) -> None:
        world = World(clock)
        worlds.append(world)
        await within(1_000_000, scenario(world))

    run(main, debug=debug)
    return worlds[0]


# --- verdicts


def test_the_first_question_comes_at_once() -> None:
    world = play(lambda world: world.until_settled(3))
    assert world.crm.times == [0.0, 0.0, 0.0]
    assert world.clock.monotonic() == 0.0
    assert world.ledger.keys(Succeeded) == ["k0", "k1", "k2"]


def test_each_verdict_is_durable_before_it_is_told() -> None:
    async def scenario(world: World) -> None:
        around = world.clock.surroundings(
            lambda event: checked.append(event in world.ledger.events)
        )
        poller = Poller(world.crm, world.ledger, world.stop, around, opened(5))
        await poller.until_settled(600.0)

    checked: list[bool] = []
    play(scenario)
    assert checked == [True] * 5


def test_what_each_answer_leads_to() -> None:
    told: dict[str, StatusAnswer] = {
        "r0": Done(),
        "r1": Failed("MXa: no"),
        "r2": Failed("MXAPIRateLimitExceededException", resend=True),
        "r3": QUEUED,
        "r4": Waiting("ERROR: database"),
        "r5": NoVerdict("HTTP 502"),
        "r6": TooFast("HTTP 429"),
    }

    async def scenario(world: World) -> None:
        world.crm.answer = lambda request, _now: told[request]
        await world.once(7)

    world = play(scenario)
    assert world.ledger.events == [
        Succeeded("k0", STARTED, RequestID("r0")),
        Rejected("k1", STARTED, "MXa: no", RequestID("r1")),
        Rejected("k2", STARTED, "MXAPIRateLimitExceededException", RequestID("r2"), resend=True),
        Queued("k3", STARTED, RequestID("r3")),
    ]
    assert world.findings.why_open == {
        "k3": "the CRM says: In-Queue",
        "k4": "the CRM says: ERROR: database",
        "k5": "asking failed: HTTP 502",
        "k6": "asking failed: HTTP 429",
    }
    assert world.told == world.ledger.events
    assert not world.findings.refused


def test_a_failing_question_settles_nothing() -> None:
    async def scenario(world: World) -> None:
        world.crm.answer = lambda _request, _now: NoVerdict("HTTP 500")
        world.crm.queue = lambda _now: NoVerdict("HTTP 500")
        await world.until_settled(5, 120.0)

    world = play(scenario)
    assert world.ledger.events == []
    assert set(world.findings.why_open) == {"k0", "k1", "k2", "k3", "k4"}


def test_requests_without_an_id_are_not_asked_about() -> None:
    lost = OpenRequest(Payload({"a": "1"}), RunID("run"), STARTED)

    async def scenario(world: World) -> None:
        await world.poller([("lost", lost), *opened(1)]).until_settled(600.0)
        await world.poller([("lost", lost)]).until_settled(600.0)

    world = play(scenario)
    assert world.crm.ids == ["r0"]


def test_without_requests_nothing_is_asked() -> None:
    async def scenario(world: World) -> None:
        await world.until_settled(0)
        await world.once(0)

    world = play(scenario)
    assert (world.crm.asked, world.crm.measured) == ([], [])


def test_once_asks_about_each_request_one_time() -> None:
    async def scenario(world: World) -> None:
        world.crm.answer = lambda _request, _now: QUEUED
        await world.once(200)

    world = play(scenario)
    assert sorted(world.crm.ids) == sorted(f"r{number}" for number in range(200))
    assert world.crm.measured == []
    assert world.clock.monotonic() == 0.0


# --- when


def test_gaps_grow_and_stay_below_a_minute() -> None:
    async def scenario(world: World) -> None:
        world.crm.answer = lambda _request, _now: QUEUED
        await world.until_settled(1, 1800.0)

    world = play(scenario)
    times = world.crm.times
    gaps = [round(after - before, 6) for before, after in pairwise(times)]
    assert gaps[0] <= 1.0
    assert gaps == sorted(gaps)
    assert 30.0 <= max(gaps) <= 90.0
    assert len(times) < 50
    assert world.clock.monotonic() == 1800.0


@pytest.mark.parametrize("settles_at", [0.4, 3.0, 20.0, 100.0, 1000.0])
def test_a_verdict_is_found_soon_after_it_is_there(settles_at: float) -> None:
    async def scenario(world: World) -> None:
        world.crm.answer = lambda _request, now: Done() if now >= settles_at else QUEUED
        await world.until_settled(1, 3600.0)

    world = play(scenario)
    assert world.ledger.keys(Succeeded) == ["k0"]
    assert world.clock.monotonic() - settles_at <= max(1.0, min(90.0, settles_at))


def test_the_oldest_are_asked_about_first() -> None:
    async def scenario(world: World) -> None:
        world.crm.queue = lambda _now: QueueMetrics(10, 60.0, 24.8)
        requests = opened(12, sent_at=lambda number: -number)
        await world.poller(reversed(requests)).until_settled(0.25)

    world = play(scenario)
    assert world.crm.ids == ["r11", "r10", "r9"]


def test_a_long_queue_costs_few_questions() -> None:
    """10,000 requests, and the CRM works off 24.8 a minute: that takes hours."""

    async def scenario(world: World) -> None:
        world.crm.answer = lambda _request, _now: QUEUED
        world.crm.queue = lambda _now: QueueMetrics(10_000, 24_000.0, 24.8)
        await world.until_settled(10_000, 600.0)

    world = play(scenario, debug=False)
    assert len(world.crm.asked) + len(world.crm.measured) < 150


def test_a_queue_that_is_worked_off_is_followed() -> None:
    """In order, without asking much more often than once a request."""
    rate = 2.0

    async def scenario(world: World) -> None:
        world.crm.answer = lambda request, now: Done() if now * rate > int(request[1:]) else QUEUED
        world.crm.queue = lambda now: QueueMetrics(max(0, 500 - int(now * rate)), 60.0, 120.0)
        await world.until_settled(500, 600.0)

    world = play(scenario, debug=False)
    assert len(world.ledger.keys(Succeeded)) == 500
    assert world.clock.monotonic() < 500 / rate + 90.0
    assert len(world.crm.asked) < 1500


def test_without_metrics_a_few_are_asked_about_at_a_time() -> None:
    async def scenario(world: World) -> None:
        world.crm.queue = lambda _now: NoVerdict("HTTP 404", refused=True)
        world.crm.answer = lambda _request, now: Done() if now > 1 else QUEUED
        await world.until_settled(200, 600.0)

    world = play(scenario)
    assert world.crm.times.count(0.0) == 25
    assert len(world.ledger.keys(Succeeded)) == 200
    assert world.clock.monotonic() < 120.0


# --- In-Queue


def test_in_queue_is_recorded_every_five_minutes_at_most() -> None:
    async def scenario(world: World) -> None:
        world.crm.answer = lambda _request, _now: QUEUED
        await world.until_settled(1, 3600.0)

    world = play(scenario)
    times = [event.at for event in world.ledger.events if isinstance(event, Queued)]
    assert times[0] == STARTED  # the request is an hour old
    gaps = [after - before for before, after in pairwise(times)]
    assert min(gaps) >= timedelta(minutes=5)
    assert max(gaps) <= timedelta(minutes=7)


def test_in_queue_just_after_sending_is_not_worth_a_record() -> None:
    request = OpenRequest(Payload({"a": "1"}), RunID("run"), STARTED, RequestID("r0"))

    async def scenario(world: World) -> None:
        world.crm.answer = lambda _request, _now: QUEUED
        await world.poller([("k0", request)]).until_settled(299.0)

    assert play(scenario).ledger.events == []


# --- refusals


def test_refusals_in_a_row_end_the_asking() -> None:
    async def scenario(world: World) -> None:
        world.crm.answer = lambda _request, _now: REFUSED
        await world.until_settled(1, 600.0)

    world = play(scenario)
    assert len(world.crm.asked) == 3
    assert world.findings.refused == "HTTP 404: Not Found"
    assert world.findings.all_refused
    assert world.ledger.events == []


@pytest.mark.parametrize("once", [True, False])
def test_a_wrong_path_costs_few_questions_however_many_requests_there_are(once: bool) -> None:
    async def scenario(world: World) -> None:
        world.crm.pacer = Pacer(RateLimit(25, 5.0), world.clock.monotonic, world.clock.sleep)
        world.crm.answer = lambda _request, _now: REFUSED
        world.crm.takes = 0.2
        if once:
            await world.once(2000)
        else:
            await world.until_settled(2000, 600.0)

    world = play(scenario, debug=False)
    assert len(world.crm.asked) <= 3 + 25
    assert world.findings.all_refused
    assert world.clock.monotonic() < 30.0


def test_a_refusal_now_and_then_ends_nothing() -> None:
    async def scenario(world: World) -> None:
        world.crm.answer = lambda request, _now: REFUSED if int(request[1:]) % 3 else Done()
        await world.once(30)

    world = play(scenario)
    assert not world.findings.refused
    assert not world.findings.all_refused
    assert len(world.ledger.keys(Succeeded)) == 10
    assert world.findings.last_refusal == REFUSED.reason


def test_a_limit_that_is_used_up_for_hours_ends_the_asking() -> None:
    """Also where there is no deadline."""

    async def scenario(world: World) -> None:
        pacer = Pacer(RateLimit(25, 5.0), world.clock.monotonic, world.clock.sleep)

        def answer(_request: str, _now: float) -> StatusAnswer:
            pacer.refused(100_000, 86400.0)
            return TooFast("used up", 100_000, 86400.0)

        world.crm.pacer, world.crm.answer, world.crm.takes = pacer, answer, 0.2
        await world.once(2000)

    world = play(scenario, debug=False)
    assert world.clock.monotonic() < 60.0
    assert len(world.crm.asked) <= 25
    assert world.findings.refused == "used up"


def test_other_failures_are_no_refusals() -> None:
    async def scenario(world: World) -> None:
        world.crm.answer = lambda _request, _now: NoVerdict("HTTP 502")
        await world.until_settled(10, 60.0)

    world = play(scenario)
    assert not world.findings.all_refused
    assert world.findings.refused == ""


# --- ends


@pytest.mark.parametrize("seconds", [0.0, 0.1, 1.0, 17.3, 600.0])
def test_the_deadline_is_kept(seconds: float) -> None:
    async def scenario(world: World) -> None:
        world.crm.answer = lambda _request, _now: QUEUED
        await world.until_settled(5, seconds)

    assert play(scenario).clock.monotonic() == pytest.approx(seconds)


def test_a_deadline_is_kept_also_in_the_middle_of_many_questions() -> None:
    """All of them are through, and the limit lets 25 questions go out in 5 seconds."""

    async def scenario(world: World) -> None:
        world.crm.pacer = Pacer(RateLimit(25, 5.0), world.clock.monotonic, world.clock.sleep)
        world.crm.takes = 0.2
        await world.until_settled(5000, 60.0)

    world = play(scenario, debug=False)
    assert world.clock.monotonic() <= 61.0
    assert len(world.ledger.keys(Succeeded)) >= 250


@pytest.mark.parametrize("slow", ["status", "metrics"])
def test_a_deadline_is_kept_also_when_an_answer_does_not_come(slow: str) -> None:
    async def scenario(world: World) -> None:
        world.crm.takes = 500.0 if slow == "status" else 0.0
        world.crm.metrics_take = 500.0 if slow == "metrics" else 0.0
        await world.until_settled(5, 10.0)

    assert play(scenario).clock.monotonic() <= 11.0


def stopped(at: float, prepare: Callable[[World], None]) -> World:
    async def scenario(world: World) -> None:
        prepare(world)
        after(at, world.stop.now)
        await world.until_settled(100, 600.0)

    return play(scenario)


def in_queue(world: World) -> None:
    world.crm.answer = lambda _request, _now: QUEUED


def slow_status(world: World) -> None:
    world.crm.takes = 30.0


def slow_metrics(world: World) -> None:
    world.crm.metrics_take = 30.0


@pytest.mark.parametrize("prepare", [in_queue, slow_status, slow_metrics])
@pytest.mark.parametrize("at", [0.0, 0.3, 7.0, 25.0])
def test_a_stop_ends_it_in_a_pause_and_in_a_question(
    prepare: Callable[[World], None], at: float
) -> None:
    assert stopped(at, prepare).clock.monotonic() == at


def test_a_stop_ends_asking_once_too() -> None:
    async def scenario(world: World) -> None:
        world.crm.takes = 30.0
        after(3.0, world.stop.now)
        await world.once(100)

    world = play(scenario)
    assert world.clock.monotonic() == 3.0
    assert world.ledger.events == []


def test_a_stop_before_it_began_asks_nothing() -> None:
    async def scenario(world: World) -> None:
        world.stop.now()
        await world.until_settled(5)
        await world.once(5)

    world = play(scenario)
    assert world.crm.asked == []


@pytest.mark.parametrize("once", [True, False])
def test_a_disk_that_fails_ends_it_with_the_error(once: bool) -> None:
    async def scenario(world: World) -> None:
        world.ledger.fails_at = 3
        world.crm.takes = 0.1
        with pytest.raises(StorageError):
            await (world.once(1000) if once else world.until_settled(1000))

    world = play(scenario)
    assert len(world.ledger.events) == 3
    assert len(world.told) == 3
    assert world.clock.monotonic() < 1.0


def test_a_bug_in_a_question_is_told() -> None:
    async def scenario(world: World) -> None:
        def fails(_request: str, _now: float) -> StatusAnswer:
            raise ValueError("a bug")

        world.crm.answer = fails
        with pytest.raises(ValueError, match="a bug"):
            await world.until_settled(5)

    play(scenario)


def test_giving_up_leaves_no_task_behind() -> None:
    async def scenario(world: World) -> None:
        world.crm.takes = 1.0
        asking = asyncio.ensure_future(world.until_settled(50))
        await asyncio.sleep(0.5)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    play(scenario)


# --- whatever happens

verdicts = st.sampled_from(
    [Done(), Failed("no"), QUEUED, Waiting("odd"), NoVerdict("HTTP 502"), REFUSED, TooFast("x")]
)


@settings(deadline=None)
@given(
    scripts=st.lists(st.lists(verdicts, min_size=1, max_size=5), max_size=8),
    pending=st.integers(0, 10),
    stop_at=st.none() | st.integers(0, 400).map(lambda quarters: quarters / 4),
    takes=st.sampled_from([0.0, 0.25, 3.0]),
)
def test_whatever_happens_verdicts_are_those_of_the_crm(
    scripts: list[list[StatusAnswer]], pending: int, stop_at: float | None, takes: float
) -> None:
    async def scenario(world: World) -> None:
        left = {f"r{number}": list(script) for number, script in enumerate(scripts)}
        world.crm.takes = world.crm.metrics_take = takes
        world.crm.queue = lambda _now: QueueMetrics(pending, 1.0, 24.8)

        def answer(request: str, _now: float) -> StatusAnswer:
            script = left[request]
            return script.pop(0) if len(script) > 1 else script[0]

        world.crm.answer = answer
        if stop_at is not None:
            after(stop_at, world.stop.now)
        await world.until_settled(len(scripts), 300.0)

    world = play(scenario)
    limit = 300.0 if stop_at is None else min(stop_at, 300.0)
    assert world.clock.monotonic() <= limit + 1e-6
    for number, script in enumerate(scripts):
        final = [answer for answer in script if isinstance(answer, Done | Failed)]
        found = [
            event
            for event in world.ledger.events
            if event.key == f"k{number}" and isinstance(event, Succeeded | Rejected)
        ]
        assert len(found) <= 1
        if found:
            kind = Done if isinstance(found[0], Succeeded) else Failed
            assert isinstance(final[0], kind)
    assert [event for event in world.told if event not in world.ledger.events] == []
