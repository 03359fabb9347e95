"""Stages and their ends on a clock of its own: nothing here sleeps, and nothing is left out."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lsq_sync.commands.live import Knowledge
from lsq_sync.commands.rollout import Learnt, Manner, Rollout
from lsq_sync.commands.session import Session
from lsq_sync.core.answers import (
    Done,
    Failed,
    QueueMetrics,
    StatusAnswer,
    SubmitAnswer,
    Taken,
    Waiting,
)
from lsq_sync.core.canary import Canary
from lsq_sync.core.change import Change
from lsq_sync.core.deadline import Deadline, deadline_in
from lsq_sync.core.events import Event, apply_event
from lsq_sync.core.result import result_of_update
from lsq_sync.core.state import Entry, Outcome, Recorded, RequestID, RunID
from lsq_sync.core.values import ValueRules
from lsq_sync.running import Stop
from tests.core.support import ACCOUNT, change_of, desired
from tests.support.clock import VirtualClock, after, run

RUN = RunID("20260831T083800Z-00a1b2")
SIX = tuple(change_of(desired({"a": "1"}, key=f"LN-{number}")) for number in range(6))


@dataclass(slots=True)
class FakeCRM:
    """Takes a second for each update, one after the other, and `settles` seconds for a verdict."""

    clock: VirtualClock
    settles: float = 5.0
    rejected: tuple[str, ...] = ()
    sent_at: dict[str, float] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def submit(
        self,
        opportunity: str,
        _fields: Mapping[str, str],
        _note: str | None,
        before: Callable[[], Awaitable[None]],
    ) -> SubmitAnswer:
        async with self.turn:
            await before()
            self.sent_at[opportunity] = self.clock.monotonic()
            await asyncio.sleep(1.0)
        return Taken(RequestID(opportunity))

    async def status(self, request_id: RequestID) -> StatusAnswer:
        if self.clock.monotonic() < self.sent_at[request_id] + self.settles:
            return Waiting("In-Queue", queued=True)
        return Failed("MXNo") if request_id in self.rejected else Done()

    async def metrics(self) -> QueueMetrics:
        return QueueMetrics(0, 0.0, 0.0)


@dataclass(slots=True)
class FakeStore:
    """Ledger and writer in one: what is recorded, in memory."""

    entries: dict[str, Entry] = field(default_factory=dict)

    async def record(self, *events: Event) -> None:
        for event in events:
            apply_event(self.entries, event)

    def entry(self, key: str) -> Entry | None:
        return self.entries.get(key)

    @property
    def recorded(self) -> Recorded:
        return Recorded(ACCOUNT, self.entries)


@dataclass(slots=True)
class FakeDialogue:
    """Remembers what was said."""

    said: list[str] = field(default_factory=list)

    def notice(self, text: str) -> None:
        self.said.append(text)

    def begin(self, phase: str, total: int) -> None: ...

    def tell(self, event: Event) -> None: ...

    def end(self) -> None: ...


@dataclass(slots=True)
class Played:
    """What a rollout came to."""

    outcomes: str
    seconds: float
    sent: list[str]
    said: list[str]
    unsent: str


LETTERS = {
    Outcome.SUCCEEDED: "s",
    Outcome.REJECTED: "r",
    Outcome.PENDING: "p",
    Outcome.UNKNOWN: "?",
    Outcome.UNSENT: "-",
}


def play(
    canary: int | None = None,
    deadline: float | None = None,
    *,
    wait: bool = True,
    timeout: float = 600.0,
    stop_at: float | None = None,
    updates: tuple[Change, ...] = SIX,
    **crm: Any,
) -> Played:
    """Rolls out six updates."""

    async def main(clock: VirtualClock) -> Played:
        store, dialogue, fake, stop = FakeStore(), FakeDialogue(), FakeCRM(clock, **crm), Stop()
        until: Deadline = deadline_in(deadline, clock.monotonic(), 4.0)
        manner = Manner(RUN, 2, False, wait, timeout, Canary(canary) if canary else None, until)
        learnt = Learnt()
        rollout = Rollout(
            cast(Session, SimpleNamespace(client=fake, stop=stop)),
            cast(Any, store),
            cast(Any, store),
            cast(Any, dialogue),
            clock.surroundings(),
            Knowledge(cast(ValueRules, None), lambda _type: {}, lambda _type: None),
            manner,
            learnt,
        )
        if stop_at is not None:
            after(stop_at, stop.now)
        await rollout.send(updates)
        results = [result_of_update(one, store.entry(one.key), RUN, {}, {}) for one in updates]
        letters = "".join(LETTERS[one.outcome] for one in results)
        sent = list(fake.sent_at)
        return Played(letters, clock.monotonic(), sent, dialogue.said, learnt.unsent)

    return run(main)


def test_without_a_canary_all_go_out_in_one_stage() -> None:
    played = play()
    assert (played.outcomes, played.said, played.unsent) == ("ssssss", [], "")
    assert played.seconds < 15


def test_the_rest_goes_out_when_the_canary_is_through() -> None:
    played = play(canary=2)
    assert played.outcomes == "ssssss"
    assert played.sent[:2] == ["LN-0", "LN-1"]
    assert played.said == [
        "2 of 6 updates go out first; the rest waits for the outcome",
        "2 of 6 went out first; all succeeded; sending the rest",
    ]


def test_a_rejected_one_keeps_the_rest_back() -> None:
    played = play(canary=2, rejected=("LN-1",))
    assert played.outcomes == "sr----"
    assert "was rejected: 50 %" in played.unsent
    assert played.said[-1] == f"{played.unsent}; the rest is not sent"


def test_a_rejection_among_the_rest_is_none_of_the_canary() -> None:
    assert play(canary=2, rejected=("LN-4",)).outcomes == "ssssrs"


def test_a_canary_without_a_verdict_at_the_timeout_keeps_the_rest_back() -> None:
    played = play(canary=2, timeout=30.0, settles=1e6)
    assert (played.outcomes, played.seconds) == ("pp----", 32.0)
    assert played.unsent == "the outcome of 2 of the 2 that went out first is not known yet"


def test_the_timeout_counts_for_each_stage() -> None:
    played = play(canary=2, timeout=8.0, settles=7.0)
    assert (played.outcomes, played.unsent) == ("ssssss", "")


def test_a_stop_while_the_canary_is_awaited_keeps_the_rest_back_without_a_reason() -> None:
    played = play(canary=2, stop_at=3.5)
    assert (played.outcomes, played.unsent, played.seconds) == ("pp----", "", 3.5)


@pytest.mark.parametrize("wait", [True, False])
def test_a_deadline_in_the_middle_of_sending(wait: bool) -> None:
    played = play(deadline=7.5, wait=wait, settles=1e6)
    assert played.outcomes == "pppp--"
    assert played.seconds == (7.5 if wait else 4.0)
    assert played.unsent == "the deadline of 7.5 s came first"
    assert played.said == ["the deadline of 7.5 s came first: 2 of 6 updates not sent"]


def test_a_deadline_while_waiting_ends_it() -> None:
    played = play(deadline=60.0, settles=1e6)
    assert (played.outcomes, played.seconds, played.unsent) == ("pppppp", 60.0, "")


def test_a_deadline_that_is_far_off_changes_nothing() -> None:
    assert play(deadline=1e6) == play()


def test_a_deadline_that_has_passed_sends_nothing() -> None:
    played = play(deadline=4.0)
    assert (played.outcomes, played.sent, played.seconds) == ("------", [], 0.0)


def test_a_deadline_while_the_canary_is_awaited_keeps_the_rest_back() -> None:
    played = play(canary=2, deadline=20.0, settles=1e6)
    assert (played.outcomes, played.seconds) == ("pp----", 20.0)
    assert "is not known yet" in played.unsent


def test_a_deadline_before_the_whole_canary_went_out() -> None:
    played = play(canary=5, deadline=7.0, settles=2.0)
    assert played.outcomes == "sss---"
    assert played.unsent == "the deadline of 7 s came first"


def test_a_canary_that_is_through_too_late_for_the_rest() -> None:
    played = play(canary=2, deadline=10.0)
    assert played.outcomes == "ss----"
    assert played.unsent == "the deadline of 10 s came first"
    assert played.said[1:] == [
        "2 of 6 went out first; all succeeded; no time is left for the rest",
        "the deadline of 10 s came first: 4 of 6 updates not sent",
    ]
