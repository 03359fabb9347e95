"""Which open requests to ask about next, and when: as few calls as a verdict needs.

The queue's own metrics are one call for all of our requests: with P messages waiting, at least
all but P of ours are through. Only those, oldest first, and a small sample are asked about.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lsq_sync.core.answers import QueueMetrics
from lsq_sync.core.state import RequestID

FIRST_GAP = 0.5
LONGEST_GAP = 60.0
LONGEST_TICK = 30.0
_GROWTH = 1.6
_GROWS = 20
"""The gaps stop growing long before; without an end the power overflows after a day of asking."""

_SAMPLE = 3
_BLIND_WIDTH = 25


@dataclass(frozen=True, slots=True)
class Question:
    """An open request as the poller sees it; `due` is on a monotonic clock, in seconds."""

    key: str
    request_id: RequestID
    due: float
    asked: int = 0

    def again(self, now: float) -> "Question":
        """The same after one more answer without a verdict: the gaps grow to a minute."""
        gap = min(LONGEST_GAP, FIRST_GAP * _GROWTH ** min(self.asked + 1, _GROWS))
        return replace(self, due=now + gap, asked=self.asked + 1)


def to_ask(
    waiting: Sequence[Question], metrics: QueueMetrics | None, now: float
) -> tuple[Question, ...]:
    """What to ask about now. `waiting` is in the order of sending."""
    if metrics is None:
        width = _BLIND_WIDTH
    else:
        through = len(waiting) - metrics.pending_messages
        width = max(through, _SAMPLE)
    due = [question for question in waiting if question.due <= now]
    return tuple(due[:width])


def next_tick(tick: float, settled: int, waiting: Sequence[Question], now: float) -> float:
    """Seconds until the next look: soon after something moved, else a growing while."""
    grown = FIRST_GAP if settled else min(LONGEST_TICK, tick * _GROWTH)
    earliest = min((question.due for question in waiting), default=now)
    return max(grown, earliest - now)
