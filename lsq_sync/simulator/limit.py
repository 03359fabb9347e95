"""The account's rate limit: a true sliding window over all calls together.

Pure: arrivals come in as numbers that do not go backwards. A call `seconds` after another one is
no longer in its window.
"""

from collections import deque

from lsq_sync.simulator.scenario import RateLimit


class SlidingWindow:
    """The arrivals of the last `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._arrivals: deque[float] = deque()

    def add(self, at: float) -> None:
        self._arrivals.append(at)

    def count(self, at: float) -> int:
        """How many arrivals a call at `at` shares its window with."""
        while self._arrivals and at - self._arrivals[0] >= self._seconds:
            self._arrivals.popleft()
        return len(self._arrivals)


class Limiter:
    """Admits at most `calls` calls in any window of `seconds`."""

    def __init__(self, limit: RateLimit, started: float = 0.0) -> None:
        self._limit = limit
        self._window = SlidingWindow(limit.seconds)
        self._next_background = started

    def admit(self, at: float) -> bool:
        """Counts a call and says whether it is within the limit."""
        if not self._limit.enabled:
            return True
        self._let_others_call(at)
        return self._take(at)

    def _take(self, at: float) -> bool:
        admitted = self._window.count(at) < self._limit.calls
        if admitted or self._limit.refused_calls_count:
            self._window.add(at)
        return admitted

    def _let_others_call(self, at: float) -> None:
        """Other integrations call at a steady pace; what has left the window is not replayed."""
        rate = self._limit.background_calls_per_second
        if rate <= 0:
            return
        self._next_background = max(self._next_background, at - 2 * self._limit.seconds)
        while self._next_background <= at:
            self._take(self._next_background)
            self._next_background += 1 / rate


def busiest_window(arrivals: list[float], seconds: float) -> int:
    """The largest number of arrivals in any half-open window of `seconds`; they must be sorted."""
    window = SlidingWindow(seconds)
    most = 0
    for at in arrivals:
        window.add(at)
        most = max(most, window.count(at))
    return most
