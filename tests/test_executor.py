"""Walking a plan: intent durable, then the call, then its answer durable; and every way to stop."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.core.answers import (
    NotAllowed,
    NotSent,
    SubmitAnswer,
    Taken,
    TooFast,
    TurnedDown,
    Unanswered,
)
from lsq_sync.core.budget import RateLimit
from lsq_sync.core.change import Action, Change, FieldChange
from lsq_sync.core.events import Accepted, Event, Intended, Lost, Rejected, Withdrawn, replay
from lsq_sync.core.state import NOTE, Payload, RequestID, RunID
from lsq_sync.crm.pacing import Pacer
from lsq_sync.errors import AuthenticationError, NetworkError, StorageError
from lsq_sync.executor import IN_FLIGHT_SECONDS, Breaker, Executor
from lsq_sync.running import Stop
from lsq_sync.surroundings import Surroundings
from tests.support.clock import STARTED, VirtualClock, after, run, within

RUN = RunID("20260831T083800Z-00a1b2")
FULL = StorageError("disk full")


def change(key: str, *more: FieldChange) -> Change:
    """One field of one opportunity."""
    value = FieldChange("mx_Custom_6", Action.UPDATE, None, key, known=False)
    return Change(key, Action.UPDATE, (value, *more), type="loan")


def changes(count: int) -> list[Change]:
    return [change(f"k{number}") for number in range(count)]


@dataclass(slots=True)
class Call:
    """What becomes of one attempt: how long it waits for its turn, and how long for its answer."""

    answer: SubmitAnswer | Exception
    turn: float = 0.0
    takes: float = 0.0


@dataclass(slots=True)
class Log:
    """What happened, in order: ("sent", "k1"), ("durable", "accepted k1"), ..."""

    clock: VirtualClock
    steps: list[tuple[str, str]] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def add(self, what: str, whom: str) -> None:
        self.steps.append((what, whom))
        self.times.append(self.clock.monotonic())

    def all(self, what: str) -> list[str]:
        return [whom for step, whom in self.steps if step == what]

    def place(self, what: str, whom: str) -> int:
        return self.steps.index((what, whom))


def taken(key: str) -> Taken:
    return Taken(RequestID(f"r-{key}"))


@dataclass(slots=True)
class FakeCRM:
    """Answers each attempt as its script says; without one all is accepted."""

    clock: VirtualClock
    log: Log
    scripts: dict[str, list[Call]] = field(default_factory=dict)
    usual: Callable[[str], Call] = lambda key: Call(taken(key))
    bodies: list[tuple[str, Mapping[str, str], str | None]] = field(default_factory=list)

    async def submit(
        self,
        opportunity: str,
        fields: Mapping[str, str],
        note: str | None,
        before: Callable[[], Awaitable[None]],
    ) -> SubmitAnswer:
        script = self.scripts.get(opportunity)
        call = script.pop(0) if script else self.usual(opportunity)
        await asyncio.sleep(call.turn)
        await before()
        self.log.add("sent", opportunity)
        self.bodies.append((opportunity, fields, note))
        await asyncio.sleep(call.takes)
        if isinstance(call.answer, Exception):
            raise call.answer
        self.log.add("answered", opportunity)
        return call.answer


@dataclass(slots=True)
class FakeLedger:
    """Takes its time, and fails when it is told to; what was being written becomes durable even
    if nobody waits for it any more."""

    log: Log
    takes: float = 0.0
    fails: Callable[[Event], bool] = lambda _event: False
    broken: bool = False
    events: list[Event] = field(default_factory=list)
    writing: set["asyncio.Task[None]"] = field(default_factory=set)

    async def record(self, *events: Event) -> None:
        task = asyncio.ensure_future(self._write(events))
        self.writing.add(task)
        task.add_done_callback(self.writing.discard)
        await asyncio.shield(task)

    async def _write(self, events: tuple[Event, ...]) -> None:
        await asyncio.sleep(self.takes)
        for event in events:
            if self.broken or self.fails(event):
                self.broken = True
                raise FULL
            self.events.append(event)
            self.log.add("durable", f"{type(event).__name__.lower()} {event.key}")

    async def settle(self) -> None:
        await asyncio.gather(*self.writing, return_exceptions=True)

    def of(self, key: str) -> list[type[Event]]:
        return [type(event) for event in self.events if event.key == key]


class World:
    """An executor with everything around it, all of it made of virtual time."""

    def __init__(self, clock: VirtualClock, at_once: int = 5, trusted: bool = True) -> None:
        self.trusted = trusted
        self.clock = clock
        self.log = Log(clock)
        self.crm = FakeCRM(clock, self.log)
        self.ledger = FakeLedger(self.log)
        self.stop = Stop()
        self.at_once = at_once

    async def send(self, updates: Iterable[Change], until: float = math.inf) -> None:
        around = self.clock.surroundings(lambda event: self.log.add("told", event.key))
        breaker = Breaker(around.sleep, around.chance, trusted=self.trusted)
        executor = Executor(self.crm, self.ledger, RUN, self.stop, around, self.at_once, breaker)
        try:
            await executor.send(updates, until)
        finally:
            await self.ledger.settle()

    @property
    def sent(self) -> list[str]:
        return self.log.all("sent")


Scenario = Callable[[World], Awaitable[None]]


def play(scenario: Scenario, at_once: int = 5, trusted: bool = True) -> World:
    """Plays it on a virtual clock, in asyncio's debug mode; nothing may be left behind.

    `trusted`: the server has answered a call before, so that calls go out side by side at once.
    """
    worlds = []

    async def main(clock: VirtualClock) -> None:
        world = World(clock, at_once, trusted)
        worlds.append(world)
        await within(100_000, scenario(world))

    run(main)
    return worlds[0]


def sending(count: int, *, at_once: int = 5, **scripts: list[Call]) -> World:
    """Sends so many updates with these scripts."""

    async def scenario(world: World) -> None:
        world.crm.scripts = {key: list(script) for key, script in scripts.items()}
        await world.send(changes(count))

    return play(scenario, at_once)


# --- the way of one update


def test_intent_before_the_call_and_request_id_before_it_is_told() -> None:
    async def scenario(world: World) -> None:
        world.ledger.takes = 0.01
        world.crm.usual = lambda key: Call(taken(key), turn=0.1, takes=0.3)
        await world.send(changes(30))

    world = play(scenario)
    for key in (f"k{number}" for number in range(30)):
        steps = [step for step in world.log.steps if step[1].split()[-1] == key]
        assert steps == [
            ("durable", f"intended {key}"),
            ("sent", key),
            ("answered", key),
            ("durable", f"accepted {key}"),
            ("told", key),
        ]
    assert world.sent == [f"k{number}" for number in range(30)]


def test_what_is_recorded_and_sent_is_the_change() -> None:
    one = change(
        "k0",
        FieldChange("mx_Custom_9", Action.UPDATE, "x", None, known=True),
        FieldChange("mx_Custom_1", Action.UNCHANGED, "same", "same", known=True),
        FieldChange(NOTE, Action.UPDATE, "old", None, known=True),
    )
    world = play(lambda world: world.send([one]))
    assert world.crm.bodies == [("k0", {"mx_Custom_6": "k0", "mx_Custom_9": ""}, "")]
    payload = Payload({"mx_Custom_6": "k0", "mx_Custom_9": None}, note=None)
    assert world.ledger.events == [
        Intended("k0", STARTED, RUN, payload, "loan", {"mx_Custom_9": "x", NOTE: "old"}),
        Accepted("k0", STARTED, RequestID("r-k0")),
    ]


@pytest.mark.parametrize(("count", "at_once"), [(0, 5), (1, 100), (3, 100), (7, 1), (100, 25)])
def test_any_number_of_workers_sends_each_update_once(count: int, at_once: int) -> None:
    world = sending(count, at_once=at_once)
    assert sorted(world.sent) == sorted(f"k{number}" for number in range(count))
    assert not world.stop


def test_no_more_at_once_than_allowed() -> None:
    async def scenario(world: World) -> None:
        world.crm.usual = lambda key: Call(taken(key), takes=1.0)
        await world.send(changes(20))
        assert world.clock.monotonic() == 4.0

    play(scenario)


# --- what each answer leads to


def test_too_fast_is_tried_again() -> None:
    world = sending(3, k1=[Call(TooFast("slow down", 10, 5.0)), Call(TooFast("slow down"))])
    assert world.sent.count("k1") == 3
    assert world.ledger.of("k1") == [
        Intended, Withdrawn, Intended, Withdrawn, Intended, Accepted,
    ]  # fmt: skip
    assert not world.stop


def test_what_was_not_sent_is_tried_again_after_growing_pauses() -> None:
    world = sending(1, k0=[Call(NotSent("refused"))] * 5)
    assert world.ledger.of("k0") == [*[Intended, Withdrawn] * 5, Intended, Accepted]
    assert world.clock.slept == [0.25, 0.5, 1.0, 2.0, 4.0]  # half of 0.5, 1, 2, 4, 8
    assert not world.stop


def test_after_it_works_again_pauses_begin_small() -> None:
    refused = Call(NotSent("refused"))
    world = sending(2, at_once=1, k0=[refused, refused], k1=[refused])
    assert world.clock.slept == [0.25, 0.5, 0.25]


def test_what_was_sent_and_got_no_answer_is_never_tried_again() -> None:
    world = sending(5, k2=[Call(Unanswered("the connection broke"))])
    assert sorted(world.sent) == ["k0", "k1", "k2", "k3", "k4"]
    assert world.ledger.of("k2") == [Intended, Lost]


def test_what_is_turned_down_is_recorded_and_the_others_go_on() -> None:
    world = sending(5, k2=[Call(TurnedDown("MXInvalidInputException: no"))])
    assert world.ledger.of("k2") == [Intended, Rejected]
    assert len(world.sent) == 5
    assert not world.stop


def test_an_update_that_is_refused_for_ever_ends_the_run() -> None:
    async def scenario(world: World) -> None:
        world.crm.usual = lambda _key: Call(TooFast("slow down"), turn=5.0)
        await world.send(changes(1000))

    world = play(scenario)
    assert isinstance(world.stop.error, NetworkError)
    assert "30 times" in str(world.stop.error)
    assert len(world.sent) <= 30 * 5
    assert replay({}, world.ledger.events) == {}


def test_a_limit_that_is_used_up_for_hours_ends_the_run() -> None:
    """Nobody waits in silence for the rest of the day."""
    told = "HTTP 429: API calls exceeded the limit of 100000 in 86400 second(s)"

    async def scenario(world: World) -> None:
        world.crm.usual = lambda _key: Call(TooFast(told, 100_000, 86400.0), takes=0.2)
        await world.send(changes(1000))

    world = play(scenario)
    assert isinstance(world.stop.error, NetworkError)
    assert told in str(world.stop.error)
    assert len(world.sent) <= 5
    assert replay({}, world.ledger.events) == {}


def test_not_allowed_ends_the_run_at_once() -> None:
    async def scenario(world: World) -> None:
        world.crm.usual = lambda key: Call(taken(key), turn=1.0, takes=0.5)
        world.crm.scripts = {"k3": [Call(NotAllowed("HTTP 401"), takes=0.5)]}
        await world.send(changes(100))

    world = play(scenario)
    assert isinstance(world.stop.error, AuthenticationError)
    assert world.sent == ["k3"]
    assert world.ledger.of("k3") == [Intended, Withdrawn]
    assert world.clock.monotonic() <= 1.0


def test_what_was_in_flight_when_it_is_not_allowed_is_still_recorded() -> None:
    async def scenario(world: World) -> None:
        world.crm.usual = lambda key: Call(taken(key), takes=0.5)
        world.crm.scripts = {"k3": [Call(NotAllowed("HTTP 401"), takes=0.1)]}
        await world.send(changes(100))

    world = play(scenario)
    assert sorted(world.sent) == ["k0", "k1", "k2", "k3", "k4"]
    assert len(world.log.all("told")) == 5


# --- a server that is down


@pytest.mark.parametrize("at_once", [1, 5, 25])
@pytest.mark.parametrize(
    "answer", [NotSent("refused"), Unanswered("no answer in time"), Unanswered("HTTP 503")]
)
def test_a_dead_server_costs_few_calls(answer: SubmitAnswer, at_once: int) -> None:
    async def scenario(world: World) -> None:
        world.crm.usual = lambda _key: Call(answer, takes=1.0)
        await world.send(changes(1000))

    world = play(scenario, at_once)
    assert len(world.sent) <= at_once + 6
    assert isinstance(world.stop.error, NetworkError)
    assert "could not be reached" in str(world.stop.error)
    assert world.clock.monotonic() < 60


@pytest.mark.parametrize("answer", [NotSent("refused"), Unanswered("HTTP 503")])
def test_a_server_that_is_dead_from_the_start_costs_a_few_probes(answer: SubmitAnswer) -> None:
    async def scenario(world: World) -> None:
        world.crm.usual = lambda _key: Call(answer, takes=1.0)
        await world.send(changes(1000))

    world = play(scenario, 25, trusted=False)
    assert len(world.sent) == 7
    assert isinstance(world.stop.error, NetworkError)


def test_the_first_call_goes_out_alone_and_then_all_go() -> None:
    async def scenario(world: World) -> None:
        world.crm.usual = lambda key: Call(taken(key), takes=1.0)
        await world.send(changes(11))

    world = play(scenario, 10, trusted=False)
    sent = [
        time
        for step, time in zip(world.log.steps, world.log.times, strict=True)
        if step[0] == "sent"
    ]
    assert sent == [0.0, *[1.0] * 10]


def test_a_server_that_dies_in_the_middle_costs_few_calls() -> None:
    async def scenario(world: World) -> None:
        world.crm.usual = lambda key: (
            Call(taken(key), takes=0.2)
            if world.clock.monotonic() < 10
            else Call(Unanswered("HTTP 502"), takes=0.2)
        )
        await world.send(changes(1000))

    world = play(scenario, 10)
    lost = [event for event in world.ledger.events if isinstance(event, Lost)]
    assert 0 < len(lost) <= 10 + 6


def test_a_server_that_comes_back_gets_the_rest() -> None:
    async def scenario(world: World) -> None:
        world.crm.usual = lambda key: (
            Call(NotSent("refused")) if 3 <= world.clock.monotonic() < 8 else Call(taken(key), 0.1)
        )
        await world.send(changes(500))

    world = play(scenario)
    assert not world.stop
    assert len([event for event in world.ledger.events if isinstance(event, Accepted)]) == 500


def test_while_one_probes_the_others_wait() -> None:
    async def scenario(world: World) -> None:
        world.crm.usual = lambda _key: Call(NotSent("refused"), takes=1.0)
        await world.send(changes(100))

    world = play(scenario, 10)
    times = [
        time
        for step, time in zip(world.log.steps, world.log.times, strict=True)
        if step[0] == "sent"
    ]
    assert times[:10] == [0.0] * 10
    assert len(set(times[10:])) == len(times[10:]) == 6


# --- stopping


def stopped(
    at: float, usual: Callable[[str], Call], count: int = 100, at_once: int = 5, takes: float = 0.0
) -> World:
    """Told to stop at this moment."""

    async def scenario(world: World) -> None:
        world.crm.usual = usual
        world.ledger.takes = takes
        after(at, world.stop.now)
        await world.send(changes(count))

    return play(scenario, at_once)


def test_a_stop_while_all_wait_for_their_turn() -> None:
    world = stopped(1.0, lambda key: Call(taken(key), turn=60.0))
    assert world.sent == []
    assert world.ledger.events == []
    assert world.clock.monotonic() == 1.0


def test_a_stop_with_calls_in_flight_awaits_their_answers() -> None:
    world = stopped(1.0, lambda key: Call(taken(key), takes=4.5))
    assert len(world.sent) == 5
    assert len([event for event in world.ledger.events if isinstance(event, Accepted)]) == 5
    assert world.clock.monotonic() == 4.5


def test_a_stop_awaits_answers_for_four_seconds_and_no_longer() -> None:
    world = stopped(1.0, lambda key: Call(taken(key), takes=60.0))
    assert len(world.sent) == 5
    assert world.clock.monotonic() == 1.0 + IN_FLIGHT_SECONDS
    entries = replay({}, world.ledger.events)
    assert len(entries) == 5
    assert all(entry.pending and entry.pending.request_id is None for entry in entries.values())


def test_a_stop_in_a_back_off() -> None:
    world = stopped(100.0, lambda _key: Call(NotSent("refused"), turn=20.0))
    assert world.clock.monotonic() <= 100.0 + IN_FLIGHT_SECONDS
    assert replay({}, world.ledger.events) == {}


def test_a_stop_before_it_began() -> None:
    async def scenario(world: World) -> None:
        world.stop.now()
        await world.send(changes(10))

    world = play(scenario)
    assert world.sent == []


def test_a_stop_while_an_intent_is_written_sends_nothing() -> None:
    """Nothing new is sent after the stop, and nobody takes it for sent afterwards."""
    world = stopped(0.5, lambda key: Call(taken(key)), takes=1.0)
    assert world.sent == []
    assert replay({}, world.ledger.events) == {}
    assert [type(event) for event in world.ledger.events] == [Intended] * 5 + [Withdrawn] * 5
    assert world.clock.monotonic() <= 0.5 + IN_FLIGHT_SECONDS


def test_a_stop_while_an_answer_is_written_waits_for_it() -> None:
    world = stopped(1.5, lambda key: Call(taken(key)), takes=1.0, count=5)
    assert [type(event) for event in world.ledger.events] == [Intended] * 5 + [Accepted] * 5
    assert len(world.log.all("told")) == 5


def test_an_answer_that_has_arrived_is_recorded_whatever_happens_next() -> None:
    """Also when the patience ends in the very moment in which all answers arrive together."""
    for parts in range(-3, 4):
        world = stopped(1.0, answered_after(1.0 + IN_FLIGHT_SECONDS + parts / 1024), at_once=40)
        answered = world.log.all("answered")
        recorded = [event.key for event in world.ledger.events if isinstance(event, Accepted)]
        assert sorted(recorded) == sorted(answered), parts
        assert len(answered) == 40 or parts >= 0


# --- a moment from which on nothing begins


def ended_at(until: float, usual: Callable[[str], Call], count: int = 50) -> tuple[World, float]:
    """Sends until then; the world, and when the executor was through."""
    ends: list[float] = []

    async def scenario(world: World) -> None:
        world.crm.usual = usual
        await world.send(changes(count), until)
        ends.append(world.clock.monotonic())

    return play(scenario), ends[0]


def test_from_a_given_moment_on_no_call_begins_and_answers_are_awaited() -> None:
    world, ended = ended_at(10.0, lambda key: Call(taken(key), takes=3.0))
    sent_at = [time for (step, _), time in zip(world.log.steps, world.log.times, strict=True)
               if step == "sent"]  # fmt: skip
    assert max(sent_at) == 9.0
    assert ended == 12.0
    assert sorted(world.sent) == sorted(world.log.all("answered"))
    assert not world.stop


def test_answers_are_awaited_for_four_seconds_from_then_on() -> None:
    world, ended = ended_at(10.0, lambda key: Call(taken(key), takes=60.0))
    assert ended == 10.0 + IN_FLIGHT_SECONDS
    assert world.log.all("answered") == []
    assert all(world.ledger.of(key) == [Intended] for key in world.sent)


def test_whoever_waits_for_a_turn_then_waits_no_longer() -> None:
    world, ended = ended_at(10.0, lambda key: Call(taken(key), turn=300.0))
    assert (world.sent, world.ledger.events, ended) == ([], [], 10.0)


@pytest.mark.parametrize("until", [0.0, -5.0])
def test_a_moment_that_has_passed_sends_nothing(until: float) -> None:
    world, ended = ended_at(until, lambda key: Call(taken(key)))
    assert (world.log.steps, ended) == ([], 0.0)


def test_an_intent_that_takes_until_then_is_withdrawn() -> None:
    async def scenario(world: World) -> None:
        world.ledger.takes = 2.0
        await world.send(changes(1), until=1.0)

    world = play(scenario)
    assert world.sent == []
    assert world.ledger.of("k0") == [Intended, Withdrawn]


def answered_after(seconds: float) -> Callable[[str], Call]:
    return lambda key: Call(taken(key), takes=seconds)


def test_the_first_error_is_the_one_that_is_told() -> None:
    stop = Stop()
    assert not stop
    stop.now()
    assert stop
    assert stop.error is None
    first, second = NetworkError("first"), NetworkError("second")
    stop.now(first)
    stop.now(second)
    assert stop.error is first


def test_giving_up_the_whole_run_leaves_no_task_behind() -> None:
    async def scenario(world: World) -> None:
        world.crm.usual = lambda key: Call(taken(key), turn=1.0, takes=1.0)
        sending = asyncio.ensure_future(world.send(changes(10)))
        await asyncio.sleep(1.5)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending

    world = play(scenario)
    assert len(world.sent) == 5


# --- disks and bugs


def failing(
    fails: Callable[[Event], bool], usual: Callable[[str], Call], at_once: int = 5
) -> World:
    """The ledger fails; the error must reach the caller."""

    async def scenario(world: World) -> None:
        world.crm.usual = usual
        world.ledger.fails = fails
        with pytest.raises(StorageError):
            await world.send(changes(100))

    return play(scenario, at_once)


def test_an_intent_that_is_not_durable_sends_nothing() -> None:
    world = failing(lambda event: event.key == "k7", lambda key: Call(taken(key)), at_once=1)
    assert world.sent == [f"k{number}" for number in range(7)]
    assert world.stop


def test_an_answer_that_is_not_durable_stops_the_rest() -> None:
    world = failing(
        lambda event: isinstance(event, Accepted),
        lambda key: Call(taken(key), takes=0.1 if key == "k0" else 2.0),
    )
    assert sorted(world.sent) == ["k0", "k1", "k2", "k3", "k4"]
    assert world.log.all("told") == []
    assert world.clock.monotonic() <= 0.1 + IN_FLIGHT_SECONDS


def test_a_disk_that_fills_up_does_not_wait_for_a_server_that_hangs() -> None:
    world = failing(
        lambda event: event.key == "k5",
        lambda key: Call(taken(key), takes=0.1 if key == "k0" else 600.0),
    )
    assert world.clock.monotonic() <= 0.1 + IN_FLIGHT_SECONDS


def test_a_bug_stops_the_rest_and_is_told() -> None:
    async def scenario(world: World) -> None:
        world.crm.usual = lambda key: Call(taken(key), takes=1.0)
        world.crm.scripts = {"k2": [Call(ValueError("a bug"), takes=0.5)]}
        with pytest.raises(ValueError, match="a bug"):
            await world.send(changes(100))

    world = play(scenario)
    assert len(world.sent) == 5
    assert len([event for event in world.ledger.events if isinstance(event, Accepted)]) == 4


def test_a_listener_that_fails_stops_the_rest_and_loses_nothing() -> None:
    """Somebody closed the pipe that the progress goes to."""

    async def scenario(world: World) -> None:
        def fails(_event: Event) -> None:
            raise BrokenPipeError

        around = world.clock.surroundings(fails)
        world.crm.usual = lambda key: Call(taken(key), takes=1.0)
        executor = Executor(world.crm, world.ledger, RUN, world.stop, around, 5)
        with pytest.raises(BrokenPipeError):
            await executor.send(changes(100))

    world = play(scenario)
    assert sorted(event.key for event in world.ledger.events if isinstance(event, Accepted)) == (
        sorted(world.sent)
    )


# --- with the real pacer


class PacedCRM:
    """Asks a server that allows less than it was told to, through the real pacer."""

    def __init__(self, clock: VirtualClock, ours: RateLimit, theirs: RateLimit) -> None:
        self.clock = clock
        self.pacer = Pacer(ours, clock.monotonic, clock.sleep)
        self.theirs = theirs
        self.admitted: list[float] = []
        self.accepted: list[str] = []
        self.refused = 0

    async def submit(
        self,
        opportunity: str,
        fields: Mapping[str, str],
        note: str | None,
        before: Callable[[], Awaitable[None]],
    ) -> SubmitAnswer:
        async with self.pacer.slot() as turn:
            await before()
            turn.sent = True
            await asyncio.sleep(0.125)
            now = self.clock.monotonic()
            recent = [at for at in self.admitted if now - at < self.theirs.seconds]
            good = len(recent) < self.theirs.calls
            if good:
                self.admitted.append(now)
                self.accepted.append(opportunity)
            await asyncio.sleep(0.125)
            turn.answered = True
        if good:
            return taken(opportunity)
        self.refused += 1
        self.pacer.refused(self.theirs.calls, self.theirs.seconds)
        return TooFast("too fast", self.theirs.calls, self.theirs.seconds)


@pytest.mark.parametrize(
    ("theirs", "refusals", "seconds"),
    [
        (RateLimit(25, 5.0), 0, 42.0),
        (RateLimit(10, 5.0), 15, 110.0),
        (RateLimit(2, 5.0), 25, 530.0),
    ],
)
def test_a_run_under_a_limit(theirs: RateLimit, refusals: int, seconds: float) -> None:
    async def main(clock: VirtualClock) -> None:
        crm = PacedCRM(clock, RateLimit(25, 5.0), theirs)
        log = Log(clock)
        ledger, stop = FakeLedger(log), Stop()
        await Executor(crm, ledger, RUN, stop, clock.surroundings(), 25).send(changes(200))
        await ledger.settle()
        assert not stop
        assert sorted(crm.accepted) == sorted(f"k{number}" for number in range(200))
        assert crm.refused <= refusals
        assert clock.monotonic() <= seconds

    run(main, debug=False)


# --- whatever happens


answers = st.sampled_from(
    [
        TooFast("slow down"),
        NotSent("refused"),
        Unanswered("broke"),
        TurnedDown("no"),
        Taken(RequestID("r")),
        Taken(RequestID("r")),
        Taken(RequestID("r")),
    ]
)
seconds = st.integers(0, 400).map(lambda parts: parts / 64 + 1 / 4096)
attempts = st.builds(Call, answers, seconds, seconds)
AGAIN = (TooFast, NotSent)


@settings(deadline=None)
@given(
    scripts=st.lists(st.lists(attempts, max_size=4), min_size=1, max_size=12),
    at_once=st.integers(1, 6),
    stop_at=st.none() | st.integers(0, 48).map(lambda quarters: quarters / 4),
    fails_at=st.none() | st.integers(0, 40),
    takes=st.sampled_from([0.0, 1 / 64, 1.0]),
)
def test_whatever_happens_nothing_is_lost_and_nothing_is_sent_twice(
    scripts: list[list[Call]],
    at_once: int,
    stop_at: float | None,
    fails_at: int | None,
    takes: float,
) -> None:
    records = iter(range(10_000))
    given_answers: dict[str, list[SubmitAnswer | Exception]] = {
        f"k{number}": [call.answer for call in script] for number, script in enumerate(scripts)
    }
    stopped_at: list[float] = []

    async def scenario(world: World) -> None:
        world.crm.scripts = {f"k{n}": list(script) for n, script in enumerate(scripts)}
        world.ledger.takes = takes
        world.ledger.fails = lambda _event: next(records) == fails_at

        def stop() -> None:
            stopped_at.append(world.clock.monotonic())
            world.stop.now()

        if stop_at is not None:
            after(stop_at, stop)
        try:
            await world.send(changes(len(scripts)))
        except StorageError:
            assert fails_at is not None

    world = play(scenario, at_once)
    broken = world.ledger.broken
    recorded = [event.key for event in world.ledger.events if isinstance(event, Accepted)]
    for key, listed in given_answers.items():
        reached = listed[: world.log.all("answered").count(key)]
        assert not [answer for answer in reached[:-1] if not isinstance(answer, AGAIN)], "twice"
        if reached and isinstance(reached[-1], Taken) and not broken:
            assert key in recorded, "lost"
    assert_intents_came_first(world.log.steps)
    if stopped_at:
        late = [
            step
            for step, time in zip(world.log.steps, world.log.times, strict=True)
            if step[0] == "sent" and time > stopped_at[0]
        ]
        assert late == []
    for entry in replay({}, world.ledger.events).values():
        assert entry.pending or entry.request


def assert_intents_came_first(steps: Sequence[tuple[str, str]]) -> None:
    open_intents: set[str] = set()
    for what, whom in steps:
        if what == "durable" and whom.startswith("intended "):
            open_intents.add(whom.split()[1])
        elif what == "sent":
            assert whom in open_intents
            open_intents.remove(whom)


def test_a_run_that_is_stopped_ends_in_time() -> None:
    """Whatever it is doing: at most the answers in flight are awaited."""
    for parts in range(0, 1000, 37):
        at = parts / 64
        world = stopped(
            at,
            lambda key: Call(
                NotSent("x") if key.endswith("7") else taken(key), turn=0.3, takes=7.0
            ),
            takes=0.2,
        )
        assert world.clock.monotonic() <= at + IN_FLIGHT_SECONDS + 0.2 + 1e-6


def test_the_real_surroundings() -> None:
    """What is recorded is what is compared: whole seconds, in UTC."""
    around = Surroundings()
    assert around.now().microsecond == 0
    assert around.now().utcoffset() == timedelta()
    assert 0.0 <= around.chance() < 1.0

    async def main(clock: VirtualClock) -> None:
        await around.sleep(3600.0)
        assert clock.monotonic() == 3600.0

    run(main)
