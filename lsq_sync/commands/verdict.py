"""How a command ended; `cli.py` has the table that turns it into an exit code."""

import signal
from enum import Enum, auto


class Verdict(Enum):
    """The ways in which a command ends that did what it could."""

    DONE = auto()
    DIFFERENT = auto()
    REJECTED = auto()
    OPEN = auto()
    REFUSED = auto()
    FAILED = auto()
    INTERRUPTED = auto()
    TERMINATED = auto()


def verdict_of_signal(number: int) -> Verdict:
    """Ctrl-C interrupts; whatever else asks the process to end, terminates."""
    return Verdict.INTERRUPTED if number == signal.SIGINT else Verdict.TERMINATED
