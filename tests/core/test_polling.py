"""Which requests are asked about, and when."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.core.answers import QueueMetrics
from lsq_sync.core.polling import (
    FIRST_GAP,
    LONGEST_GAP,
    LONGEST_TICK,
    Question,
    needs_metrics,
    next_tick,
    to_ask,
)
from tests.core.support import request_id


def waiting(count: int, due: float = 0.0) -> tuple[Question, ...]:
    return tuple(Question(f"LN-{number}", request_id(number), due) for number in range(count))


def queue(pending: int) -> QueueMetrics:
    return QueueMetrics(pending, 0.0, 24.8)


WIDTHS = [
    # waiting, in the CRM's queue (None: unknown), how many are asked about
    (0, None, 0),
    (10, None, 10),
    (100, None, 25),
    (100, 0, 100),
    (100, 40, 60),
    (100, 97, 3),
    (100, 98, 3),
    (100, 100, 3),
    (100, 5000, 3),
    (2, 5000, 2),
]


@pytest.mark.parametrize(("count", "pending", "asked"), WIDTHS)
def test_as_many_are_asked_about_as_must_be_through_and_a_sample(
    count: int, pending: int | None, asked: int
) -> None:
    metrics = None if pending is None else queue(pending)
    found = to_ask(waiting(count), metrics, now=0.0)
    assert found == waiting(count)[:asked]


def test_only_what_is_due_is_asked_about_oldest_first() -> None:
    early, late = Question("a", request_id(1), 1.0), Question("b", request_id(2), 2.0)
    later = Question("c", request_id(3), 3.0)
    assert to_ask((late, early, later), queue(0), now=2.0) == (late, early)
    assert to_ask((later,), queue(0), now=2.0) == ()


def test_the_gaps_grow_to_a_minute_and_stay_there() -> None:
    question = Question("a", request_id(1), 0.0)
    gaps = []
    for _ in range(30):
        question = question.again(now=100.0)
        gaps.append(question.due - 100.0)
    assert gaps[0] == pytest.approx(FIRST_GAP * 1.6)
    assert all(earlier <= later for earlier, later in pairwise(gaps))
    assert gaps[-1] == LONGEST_GAP
    assert question.asked == 30


def test_asking_for_days_is_fine() -> None:
    assert Question("a", request_id(1), 0.0, asked=100_000).again(7.0).due == 7.0 + LONGEST_GAP


TICKS = [
    # the last tick, how many settled, when the next question is due; seconds from now
    (4.0, 1, [0.0], FIRST_GAP),
    (4.0, 0, [0.0], 6.4),
    (30.0, 0, [0.0], LONGEST_TICK),
    (1000.0, 0, [0.0], LONGEST_TICK),
    (0.5, 0, [50.0, 9.0], 9.0),
    (4.0, 3, [9.0], 9.0),
    (4.0, 0, [], 6.4),
]


@pytest.mark.parametrize(("tick", "settled", "dues", "expected"), TICKS)
def test_the_next_look(tick: float, settled: int, dues: list[float], expected: float) -> None:
    now = 100.0
    questions = [
        Question(f"LN-{number}", request_id(number), now + due) for number, due in enumerate(dues)
    ]
    assert next_tick(tick, settled, questions, now, began=now) == pytest.approx(expected)


@settings(deadline=None)
@given(st.floats(0.1, 60), st.integers(0, 3), st.lists(st.floats(0, 500), max_size=4))
def test_a_look_is_never_at_once_and_never_before_anything_is_due(
    tick: float, settled: int, dues: list[float]
) -> None:
    questions = [Question("a", request_id(1), due) for due in dues]
    wait = next_tick(tick, settled, questions, now=100.0, began=100.0)
    assert wait >= min(FIRST_GAP, tick)
    assert all(100.0 + wait >= min(dues) for _ in dues[:1])


@pytest.mark.parametrize(
    ("elapsed", "expected"), [(0, 0.5), (25, 0.5), (60, 1.2), (600, 12.0), (7200, 30.0)]
)
def test_the_longer_it_takes_the_less_often_is_looked(elapsed: float, expected: float) -> None:
    """Seconds at first, half a minute in the end, also while the queue moves at every look."""
    wait = next_tick(0.5, 1, waiting(1), now=elapsed, began=0.0)
    assert wait == pytest.approx(expected)


def test_a_long_queue_makes_the_gaps_longer_at_once() -> None:
    question = Question("k", request_id(0), due=0.0)
    empty = question.again(0.0, QueueMetrics(0, 0.0, 24.8))
    long = question.again(0.0, QueueMetrics(1000, 0.0, 24.8))
    short = question.again(0.0, QueueMetrics(10, 0.0, 24.8))
    assert empty.due == pytest.approx(0.8)
    assert long.due == 60.0
    assert short.due == pytest.approx(10 * 60 / 24.8 / 4)


@pytest.mark.parametrize(
    ("count", "age", "expected"), [(1, 0.0, False), (3, 4.9, False), (3, 5.0, True), (4, 0.0, True)]
)
def test_a_handful_is_asked_about_without_the_metrics(
    count: int, age: float, expected: bool
) -> None:
    assert needs_metrics(count, age) is expected
