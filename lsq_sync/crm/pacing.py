"""How fast the CRM may be asked: one limiter for every call of an account.

A call takes a slot. The slot is free again `seconds` after the call's answer was read: the server
saw the call before it answered, so no more than `calls` can fall into any window of `seconds` on
the server's clock, however late single calls arrive. An answer time of L costs a factor
seconds / (seconds + L).
"""

import asyncio
import heapq
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from lsq_sync.core.budget import RateLimit

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

LATE_ARRIVAL_SECONDS = 1.0
"""A call that was given up may still reach the server; its slot is kept so much longer."""

_LONGEST_WINDOW = 300.0
"""A limit told for longer than this is a quota, which no pace can keep."""


@dataclass(slots=True)
class Turn:
    """A slot in use. Whoever holds it says whether the call went out, and whether it ended."""

    sent: bool = False
    answered: bool = False


class Pacer:
    """Hands out slots, at most `limit.calls` at a time and in any window.

    After a refusal nobody gets a slot for a window, and fewer are handed out; each quiet window
    gives one back, up to what the settings or the CRM's own message allow.
    """

    def __init__(
        self,
        limit: RateLimit,
        clock: Clock,
        sleep: Sleep = asyncio.sleep,
        recent: Iterable[float] = (),
    ) -> None:
        """`recent` are the ends of earlier calls (of another process) on the same clock."""
        self._limit = limit
        self._clock = clock
        self._sleep = sleep
        self._window = limit.seconds
        self._ceiling = limit.calls
        self._allowed = limit.calls
        self._in_flight = 0
        self._ends = sorted(recent)[-limit.calls :]
        self._held_until = 0.0
        self._last_change = clock()
        self._turns = asyncio.Lock()
        self._freed = asyncio.Event()

    @property
    def recent_ends(self) -> tuple[float, ...]:
        """When the calls ended whose slots are not free yet, for the next process."""
        now = self._clock()
        return tuple(end for end in self._ends if end + self._window > now)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Turn]:
        """Waits for a slot and holds it while the block runs; first come, first served."""
        async with self._turns:
            await self._wait_for_one()
            self._in_flight += 1
        turn = Turn()
        try:
            yield turn
        finally:
            self._in_flight -= 1
            if turn.sent:
                late = 0.0 if turn.answered else LATE_ARRIVAL_SECONDS
                heapq.heappush(self._ends, self._clock() + late)
            self._freed.set()

    def refused(self, calls: int | None = None, seconds: float | None = None) -> None:
        """The CRM refused a call for its rate; `calls` per `seconds` as its message tells them."""
        now = self._clock()
        if seconds is not None and self._window < seconds <= _LONGEST_WINDOW:
            self._window = seconds
        if calls is not None:
            self._ceiling = max(1, min(self._ceiling, calls))
        if now >= self._held_until:  # one refusal of a burst counts
            self._allowed = max(1, min(self._ceiling, self._allowed * 3 // 4))
        self._held_until = now + self._window
        self._last_change = self._held_until

    async def _wait_for_one(self) -> None:
        while (delay := self._delay()) is not None:
            self._freed.clear()
            if delay > 0:
                await self._sleep(delay)
            else:
                await self._freed.wait()

    def _delay(self) -> float | None:
        """None: a slot is free. 0: one of the calls in flight must end first. Else seconds."""
        now = self._clock()
        self._grow(now)
        if now < self._held_until:
            return self._held_until - now
        while self._ends and self._ends[0] + self._window <= now:
            heapq.heappop(self._ends)
        taken = self._in_flight + len(self._ends)
        if taken < self._allowed:
            return None
        too_many = taken - self._allowed
        if too_many >= len(self._ends):
            return 0.0
        return max(heapq.nsmallest(too_many + 1, self._ends)[-1] + self._window - now, 1e-6)

    def _grow(self, now: float) -> None:
        while self._allowed < self._ceiling and now >= self._last_change + self._window:
            self._allowed += 1
            self._last_change += self._window
