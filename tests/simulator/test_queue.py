"""Timing of the async queue: rate, ladder, order."""

from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.simulator.plots import Plot
from lsq_sync.simulator.queue import BrokeDown, Failed, Result, Succeeded, Task, TaskQueue
from lsq_sync.simulator.scenario import RETRY_SECONDS, Queue
from lsq_sync.simulator.update import Update

HOUR = 3600


class Worker:
    """A queue whose attempts come to what the test says; notes who was served when."""

    def __init__(self, settings: Queue, results: dict[int, list[Result]] | None = None) -> None:
        self.queue = TaskQueue(settings)
        self.results = results or {}
        self.served: list[tuple[int, float]] = []

    def submit(self, number: int, at: float, extra_delay: float = 0.0) -> Task:
        update = Update("x", None, ())
        task = Task(number, str(number), "{}", update, Plot(), at)
        self.queue.advance(at, self.perform)
        self.queue.submit(task, extra_delay)
        return task

    def advance(self, now: float) -> None:
        self.queue.advance(now, self.perform)

    def perform(self, task: Task, at: float) -> Result:
        self.served.append((task.number, at))
        planned = self.results.get(task.number, [])
        return planned[task.attempts] if task.attempts < len(planned) else Succeeded("x")


def test_the_ladder_is_the_documented_one() -> None:
    assert list(RETRY_SECONDS) == [30, 120, 420, 900, 1800, 2700, 3600, 5400, 7200, 10800]


def test_a_system_fault_is_retried_on_the_ladder_and_then_given_up() -> None:
    broken: list[Result] = [BrokeDown("no database")] * 20
    worker = Worker(Queue(), {1: broken})
    task = worker.submit(1, at=0)
    worker.advance(24 * HOUR)
    expected = [0.0, *accumulate(RETRY_SECONDS)]
    assert [at for _, at in worker.served] == expected
    assert task.settled_at == expected[-1] == 9 * HOUR + 9 * 60 + 30
    assert isinstance(task.result, BrokeDown)


@pytest.mark.parametrize("failures", range(11))
def test_a_retry_that_works_settles_it(failures: int) -> None:
    broken: list[Result] = [BrokeDown("no database")] * failures
    worker = Worker(Queue(), {1: broken})
    task = worker.submit(1, at=5)
    worker.advance(24 * HOUR)
    assert task.settled_at == 5 + sum(RETRY_SECONDS[:failures])
    assert isinstance(task.result, Succeeded)


def test_what_the_application_refuses_is_not_retried() -> None:
    worker = Worker(Queue(), {1: [Failed("MXInvalidInputException", "no")]})
    task = worker.submit(1, at=0)
    worker.advance(24 * HOUR)
    assert (task.attempts, task.settled_at) == (1, 0)


def test_the_rate_is_fixed() -> None:
    worker = Worker(Queue(per_minute=30))
    for number in range(1, 6):
        worker.submit(number, at=0)
    worker.advance(HOUR)
    assert worker.served == [(1, 2), (2, 4), (3, 6), (4, 8), (5, 10)]


def test_the_delay_comes_before_the_work() -> None:
    worker = Worker(Queue(delay_seconds=10, per_minute=60))
    worker.submit(1, at=0)
    worker.advance(10.9)
    assert worker.served == []
    worker.advance(11)
    assert worker.served == [(1, 11)]


def test_a_later_one_overtakes_one_on_the_ladder() -> None:
    worker = Worker(Queue(), {1: [BrokeDown("no database")]})
    worker.submit(1, at=0)
    worker.submit(2, at=5)
    worker.advance(60)
    assert worker.served == [(1, 0), (2, 5), (1, 30)]


def test_a_later_one_overtakes_one_that_was_delayed_more() -> None:
    worker = Worker(Queue())
    worker.submit(1, at=0, extra_delay=9)
    worker.submit(2, at=1)
    worker.advance(60)
    assert [number for number, _ in worker.served] == [2, 1]


STEPS = st.lists(st.floats(0, 40), max_size=30)
SUBMITS = st.lists(st.tuples(st.floats(0, 60), st.floats(0, 30), st.integers(0, 3)), max_size=15)


@given(SUBMITS, STEPS, st.sampled_from([None, 1.0, 30.0]))
@settings(deadline=None)
def test_it_does_not_matter_how_often_it_is_asked(
    submits: list[tuple[float, float, int]], steps: list[float], per_minute: float | None
) -> None:
    results: dict[int, list[Result]] = {
        number: [BrokeDown("x")] * failures for number, (_, _, failures) in enumerate(submits)
    }
    once, often = (Worker(Queue(per_minute=per_minute), results) for _ in range(2))
    calls = sorted((at, number, extra) for number, (at, extra, _) in enumerate(submits))
    questions = sorted(accumulate(steps))
    for at, number, extra in calls:
        for question in [one for one in questions if one <= at]:
            often.advance(question)
            questions.remove(question)
        once.submit(number, at, extra)
        often.submit(number, at, extra)
    for question in [*questions, 1e6]:
        often.advance(question)
    once.advance(1e6)
    assert often.served == once.served


def test_metrics_of_a_queue_at_work() -> None:
    worker = Worker(Queue(per_minute=6))
    for number in range(1, 11):
        worker.submit(number, at=float(number))
    worker.advance(35)
    metrics = worker.queue.metrics(35)
    assert (metrics.pending, metrics.max_delay_seconds) == (7, 31)
    assert metrics.per_minute == 0.3  # three in ten minutes


def test_metrics_of_an_idle_queue() -> None:
    worker = Worker(Queue())
    worker.submit(1, at=0)
    worker.advance(601)
    metrics = worker.queue.metrics(601)
    assert (metrics.pending, metrics.max_delay_seconds, metrics.per_minute) == (0, 0, 0)


def test_one_on_the_ladder_is_pending() -> None:
    worker = Worker(Queue(), {1: [BrokeDown("x")]})
    worker.submit(1, at=0)
    worker.advance(10)
    assert worker.queue.metrics(10).pending == 1
