import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.simulator.limit import Limiter, busiest_window
from lsq_sync.simulator.scenario import RateLimit

GAPS = st.lists(st.floats(0, 3, allow_nan=False), max_size=120)


def arrivals(gaps: list[float]) -> list[float]:
    at, times = 0.0, []
    for gap in gaps:
        at += gap
        times.append(at)
    return times


@given(GAPS, st.integers(1, 6), st.sampled_from([0.5, 1.0, 5.0]))
@settings(deadline=None)
def test_no_window_ever_holds_more_admitted_calls_than_the_limit(
    gaps: list[float], calls: int, seconds: float
) -> None:
    limiter = Limiter(RateLimit(calls=calls, seconds=seconds))
    admitted = [at for at in arrivals(gaps) if limiter.admit(at)]
    assert busiest_window(admitted, seconds) <= calls
    for first in admitted:
        assert sum(0 <= at - first < seconds for at in admitted) <= calls


@given(GAPS, st.integers(1, 6))
@settings(deadline=None)
def test_a_call_is_refused_only_when_the_window_is_full(gaps: list[float], calls: int) -> None:
    limiter = Limiter(RateLimit(calls=calls, seconds=5))
    admitted: list[float] = []
    for at in arrivals(gaps):
        full = sum(at - earlier < 5 for earlier in admitted) >= calls
        assert limiter.admit(at) is not full
        if not full:
            admitted.append(at)


def test_a_call_exactly_one_window_later_is_admitted() -> None:
    limiter = Limiter(RateLimit(calls=1, seconds=5))
    assert [limiter.admit(at) for at in (0, 4.999, 5.0)] == [True, False, True]


def test_a_refused_call_takes_a_place_only_where_the_scenario_says_so() -> None:
    mild = Limiter(RateLimit(calls=1, seconds=5))
    harsh = Limiter(RateLimit(calls=1, seconds=5, refused_calls_count=True))
    times = (0, 3, 6, 9)
    assert [mild.admit(at) for at in times] == [True, False, True, False]
    assert [harsh.admit(at) for at in times] == [True, False, False, False]


def test_switched_off_it_admits_everything() -> None:
    limiter = Limiter(RateLimit(enabled=False, calls=1))
    assert all(limiter.admit(0) for _ in range(100))


@pytest.mark.parametrize("idle", [0.0, 100_000.0])
def test_other_integrations_leave_less_room(idle: float) -> None:
    limiter = Limiter(RateLimit(calls=10, seconds=5, background_calls_per_second=1))
    admitted = sum(limiter.admit(idle + 4.5 + call * 0.01) for call in range(10))
    assert admitted == 5


@pytest.mark.parametrize(
    ("times", "most"), [([], 0), ([0.0], 1), ([0, 1, 4.9, 5.0], 3), ([0, 5, 10], 1)]
)
def test_busiest_window(times: list[float], most: int) -> None:
    assert busiest_window(times, 5) == most
