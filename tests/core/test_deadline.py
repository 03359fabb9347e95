"""The deadline: the last moment to send, and the end."""

import math

from lsq_sync.core.deadline import Deadline, deadline_in


def test_the_last_seconds_are_for_answers() -> None:
    assert deadline_in(60.0, started=100.0, answers=4.0) == Deadline(60.0, 156.0, 160.0)


def test_a_short_one_has_no_time_to_send() -> None:
    assert deadline_in(3.0, started=100.0, answers=4.0).sends_until < 100.0


def test_without_one_its_moments_never_come() -> None:
    assert deadline_in(None, started=100.0, answers=4.0) == Deadline(None, math.inf, math.inf)


def test_it_says_why_something_was_not_done() -> None:
    assert deadline_in(60.0, 0.0, 4.0).words == "the deadline of 60 s came first"
    assert deadline_in(0.5, 0.0, 4.0).words == "the deadline of 0.5 s came first"
