"""The two times of the simulator: real seconds, and the CRM's own, which may run faster.

The pure core never asks a clock: it is handed a `Moment` with every call.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """One instant, in seconds since the simulator started."""

    real: float  # what the rate limiter and the log count in
    simulated: float  # what the queue, the ladder, lag and expiry count in


def moment(seconds: float) -> Moment:
    """The instant at which both times read the same."""
    return Moment(real=seconds, simulated=seconds)


class Clock:
    """Real time since its making, and simulated time `time_scale` times as fast."""

    def __init__(
        self, time_scale: float = 1.0, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._started = monotonic()
        self._scale = time_scale
        # Simulated time runs from this pair on; it moves when the scale changes or time is skipped.
        self._real_base = 0.0
        self._simulated_base = 0.0
        self._lock = threading.Lock()

    def now(self) -> Moment:
        with self._lock:
            return self._now()

    def set_scale(self, time_scale: float) -> None:
        """From now on simulated time runs at this speed."""
        with self._lock:
            self._rebase(0.0)
            self._scale = time_scale

    def skip(self, seconds: float) -> None:
        """Moves simulated time ahead; real time stays."""
        with self._lock:
            self._rebase(seconds)

    def _rebase(self, skipped: float) -> None:
        now = self._now()
        self._real_base, self._simulated_base = now.real, now.simulated + skipped

    def _now(self) -> Moment:
        real = self._monotonic() - self._started
        return Moment(real, self._simulated_base + (real - self._real_base) * self._scale)
