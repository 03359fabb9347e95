"""The deadline of a command: when nothing more is sent, and when it has to be over."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """Moments on the monotonic clock; without `seconds` there is none, and they never come.

    Between the last send and the end there is time for the answers to what is on its way.
    """

    seconds: float | None = None
    sends_until: float = math.inf
    ends_at: float = math.inf

    @property
    def words(self) -> str:
        """Why something was not done."""
        return f"the deadline of {self.seconds or 0:.15g} s came first"


def deadline_in(seconds: float | None, started: float, answers: float) -> Deadline:
    """The deadline so many seconds after the start, of which the last `answers` are for answers."""
    if seconds is None:
        return Deadline()
    ends_at = started + seconds
    return Deadline(seconds, ends_at - answers, ends_at)
