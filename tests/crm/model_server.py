"""A server that counts arrivals on its own clock, and callers that reach it late or not at all."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from lsq_sync.core.budget import RateLimit
from lsq_sync.crm.pacing import LATE_ARRIVAL_SECONDS, Pacer
from tests.support.clock import VirtualClock

exact_seconds = st.integers(0, 192).map(lambda parts: parts / 64)
"""Sums of these are exact in floating point, so windows can be checked without tolerance."""


@dataclass(frozen=True, slots=True)
class Call:
    """When somebody wants to call, and what becomes of it.

    The request arrives `arrival` after it was sent, the answer is read `answer` later. A call that
    is given up ends after `arrival` without an answer, and arrives `late` after that.
    """

    at: float
    arrival: float = 0.0
    answer: float = 0.0
    given_up: bool = False
    late: float = 0.0
    unused: bool = False


calls = st.builds(
    Call,
    at=exact_seconds,
    arrival=exact_seconds,
    answer=exact_seconds,
    given_up=st.booleans(),
    late=st.integers(0, int(64 * LATE_ARRIVAL_SECONDS)).map(lambda parts: parts / 64),
    unused=st.booleans(),
)
limits = st.builds(
    RateLimit, calls=st.integers(1, 5), seconds=st.integers(16, 320).map(lambda parts: parts / 64)
)


@dataclass(slots=True)
class Server:
    """Counts what arrives."""

    limit: RateLimit
    arrivals: list[float] = field(default_factory=list)

    def busiest(self) -> int:
        """The most arrivals in any window; one at its very end is in the next."""
        found = 0
        arrivals = sorted(self.arrivals)
        first = 0
        for number, at in enumerate(arrivals):
            while at - arrivals[first] >= self.limit.seconds:
                first += 1
            found = max(found, number - first + 1)
        return found

    async def serve(self, clock: VirtualClock, pacer: Pacer, call: Call) -> None:
        """One caller, from wanting to call to its end."""
        await asyncio.sleep(call.at)
        async with pacer.slot() as turn:
            if call.unused:
                return
            turn.sent = True
            await asyncio.sleep(call.arrival)
            if call.given_up:
                self.arrivals.append(clock.monotonic() + call.late)
                return
            self.arrivals.append(clock.monotonic())
            await asyncio.sleep(call.answer)
            turn.answered = True

    async def serve_all(self, clock: VirtualClock, pacer: Pacer, calls: Sequence[Call]) -> None:
        """All of them at once."""
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(self.serve(clock, pacer, call))
