"""Which open requests to ask about next, and when: as few calls as a verdict needs.

The queue's own metrics are one call for all of our requests: with P messages waiting, at least
all but P of ours are through. Only those, oldest first, and a small sample are asked about. A
handful of requests is simply asked about; then the metrics only say how long to wait.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lsq_sync.core.answers import QueueMetrics
from lsq_sync.core.state import RequestID

FIRST_GAP = 0.5
LONGEST_GAP = 60.0
LONGEST_TICK = 30.0
VISIBLE_SECONDS = 30.0
"""So long a command waits for values to show that are in the CRM already, or never will be. Reads
lag by several seconds, seldom by as much as 90: what comes later is told by a later command."""

_PATIENCE = 0.02
_GROWTH = 1.6
_GROWS = 20
"""The gaps stop growing long before; without an end the power overflows after a day of asking."""

_SAMPLE = 3
_FEW_METRICS_EVERY = 5.0
_BLIND_WIDTH = 25


@dataclass(frozen=True, slots=True)
class Question:
    """An open request as the poller sees it; `due` is on a monotonic clock, in seconds."""

    key: str
    request_id: RequestID
    due: float
    asked: int = 0

    def again(self, now: float, metrics: QueueMetrics | None = None) -> "Question":
        """The same after one more answer without a verdict: the gaps grow to a minute, and do so
        sooner while the queue is long."""
        gap = max(FIRST_GAP * _GROWTH ** min(self.asked + 1, _GROWS), _share_of_wait(metrics))
        return replace(self, due=now + min(LONGEST_GAP, gap), asked=self.asked + 1)


def needs_metrics(waiting: int, age: float) -> bool:
    """Whether to ask for the metrics first; `age` is how long ago they were, in seconds."""
    return waiting > _SAMPLE or age >= _FEW_METRICS_EVERY


def _share_of_wait(metrics: QueueMetrics | None) -> float:
    """A quarter of what the queue needs to work off everything in it, in seconds."""
    if metrics is None or not metrics.processing_rate_per_minute:
        return 0.0
    return metrics.pending_messages * 60 / metrics.processing_rate_per_minute / 4


def to_ask(
    waiting: Sequence[Question], metrics: QueueMetrics | None, now: float
) -> tuple[Question, ...]:
    """What to ask about now. `waiting` is in the order of sending."""
    if metrics is None:
        return tuple(question for question in waiting if question.due <= now)[:_BLIND_WIDTH]
    through = len(waiting) - metrics.pending_messages
    oldest = waiting[: max(through, _SAMPLE)]
    return tuple(question for question in oldest if question.due <= now)


def next_tick(
    tick: float, settled: int, waiting: Sequence[Question], now: float, began: float
) -> float:
    """Seconds until the next look: soon after something moved, else a growing while.

    The longer it takes already, the less a moment more counts: two per cent of that at least.
    """
    soon = max(FIRST_GAP, (now - began) * _PATIENCE)
    gap = min(LONGEST_TICK, soon if settled else max(soon, tick * _GROWTH))
    earliest = min((question.due for question in waiting), default=now)
    return max(gap, earliest - now)
