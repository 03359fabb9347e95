"""The limiter: never too fast on the server's own clock, and hardly slower than it may be."""

import asyncio
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.core.budget import RateLimit
from lsq_sync.crm.pacing import Pacer, Turn
from tests.crm.model_server import Call, Server, calls, exact_seconds, limits
from tests.support.clock import VirtualClock, after, run, turns, within

USUAL = RateLimit(25, 5.0)


# --- never too fast


@settings(deadline=None)
@given(limit=limits, wanted=st.lists(calls, max_size=30))
def test_no_window_ever_sees_more_than_the_limit(limit: RateLimit, wanted: list[Call]) -> None:
    server = Server(limit)

    async def main(clock: VirtualClock) -> None:
        await server.serve_all(clock, Pacer(limit, clock.monotonic, clock.sleep), wanted)

    run(main, debug=False)
    assert len(server.arrivals) == sum(not call.unused for call in wanted)
    assert server.busiest() <= limit.calls


@settings(deadline=None)
@given(limit=limits, recent=st.lists(exact_seconds, max_size=8), count=st.integers(1, 12))
def test_nor_with_the_calls_of_an_earlier_process(
    limit: RateLimit, recent: list[float], count: int
) -> None:
    """Its last calls arrived when they ended: that is the latest they can have."""
    server = Server(limit)
    ends = [-ago for ago in recent]
    server.arrivals += sorted(ends)[-limit.calls :]

    async def main(clock: VirtualClock) -> None:
        pacer = Pacer(limit, clock.monotonic, clock.sleep, ends)
        await server.serve_all(clock, pacer, [Call(0.0)] * count)

    run(main, debug=False)
    assert server.busiest() <= limit.calls


def test_the_first_calls_need_not_wait_and_the_next_one_does() -> None:
    async def main(clock: VirtualClock) -> None:
        server = Server(USUAL)
        pacer = Pacer(USUAL, clock.monotonic, clock.sleep)
        await server.serve_all(clock, pacer, [Call(0.0, answer=0.25)] * 26)
        assert server.arrivals == [0.0] * 25 + [5.25]

    run(main)


# --- not slower than need be


@pytest.mark.parametrize(
    ("arrival", "answer", "at_least"),
    [(0.0, 0.0, 1.0), (0.02, 0.02, 0.98), (0.1, 0.1, 0.95), (0.2, 0.3, 0.9)],
)
def test_under_load_it_is_nearly_as_fast_as_it_may_be(
    arrival: float, answer: float, at_least: float
) -> None:
    """`performance.md` 5: (ceil(N / calls) - 1) * seconds is the least that is possible."""
    count, chance = 1000, random.Random(1)
    least = (math.ceil(count / USUAL.calls) - 1) * USUAL.seconds
    server = Server(USUAL)

    async def main(clock: VirtualClock) -> float:
        pacer = Pacer(USUAL, clock.monotonic, clock.sleep)
        wanted = [
            Call(0.0, chance.uniform(0, arrival), chance.uniform(0, answer)) for _ in range(count)
        ]
        await server.serve_all(clock, pacer, wanted)
        return clock.monotonic()

    took = run(main, debug=False)
    assert least / took >= at_least
    assert server.busiest() <= USUAL.calls


def test_turns_that_are_not_used_cost_nothing() -> None:
    async def main(clock: VirtualClock) -> None:
        pacer = Pacer(USUAL, clock.monotonic, clock.sleep)
        for _ in range(100):
            async with pacer.slot():
                pass
        assert clock.monotonic() == 0.0
        assert pacer.recent_ends == ()

    run(main)


def test_first_come_first_served() -> None:
    served: list[int] = []

    async def main(clock: VirtualClock) -> None:
        pacer = Pacer(RateLimit(2, 1.0), clock.monotonic, clock.sleep)

        async def caller(number: int) -> None:
            async with pacer.slot() as turn:
                served.append(number)
                turn.sent = turn.answered = True

        await asyncio.gather(*(caller(number) for number in range(20)))

    run(main)
    assert served == list(range(20))


def test_a_call_that_was_given_up_keeps_its_slot_a_little_longer() -> None:
    async def main(clock: VirtualClock) -> None:
        pacer = Pacer(RateLimit(1, 5.0), clock.monotonic, clock.sleep)
        async with pacer.slot() as turn:
            turn.sent = True
        async with pacer.slot():
            assert clock.monotonic() == 6.0

    run(main)


# --- refusals


async def use(pacer: Pacer, answered: bool = True) -> None:
    async with pacer.slot() as turn:
        turn.sent, turn.answered = True, answered


async def at_once(pacer: Pacer, clock: VirtualClock) -> int:
    """How many calls go out now, before anybody has to wait."""
    before, started = clock.monotonic(), 0

    async def caller() -> None:
        nonlocal started
        await use(pacer)
        started += clock.monotonic() == before

    callers = [asyncio.ensure_future(caller()) for _ in range(60)]
    await turns(200)
    for task in callers:
        task.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    return started


def test_after_a_refusal_everyone_waits_a_window() -> None:
    async def main(clock: VirtualClock) -> None:
        pacer = Pacer(USUAL, clock.monotonic, clock.sleep)
        await use(pacer)
        waiting = [asyncio.ensure_future(use(pacer)) for _ in range(3)]
        pacer.refused()
        await turns()
        assert not any(task.done() for task in waiting)
        await asyncio.gather(*waiting)
        assert clock.monotonic() == 5.0

    run(main)


def test_a_refusal_holds_back_those_who_wait_already() -> None:
    async def main(clock: VirtualClock) -> None:
        pacer = Pacer(RateLimit(1, 5.0), clock.monotonic, clock.sleep)
        await use(pacer)
        waiting = asyncio.ensure_future(use(pacer))
        after(4.0, pacer.refused)
        await waiting
        assert clock.monotonic() == 9.0

    run(main)


def test_fewer_go_out_after_a_refusal_and_each_quiet_window_gives_one_back() -> None:
    async def main(clock: VirtualClock) -> None:
        pacer = Pacer(USUAL, clock.monotonic, clock.sleep)
        pacer.refused()
        counts = []
        for _ in range(10):
            await asyncio.sleep(5.0)
            counts.append(await at_once(pacer, clock))
        assert counts == [18, 19, 20, 21, 22, 23, 24, 25, 25, 25]

    run(main)


def test_one_burst_of_refusals_counts_once() -> None:
    async def main(clock: VirtualClock) -> None:
        pacer = Pacer(USUAL, clock.monotonic, clock.sleep)
        for _ in range(20):
            pacer.refused()
        await asyncio.sleep(5.0)
        assert await at_once(pacer, clock) == 18

    run(main)


def test_refusals_again_and_again_never_stop_everything() -> None:
    async def main(clock: VirtualClock) -> None:
        pacer = Pacer(USUAL, clock.monotonic, clock.sleep)
        for _ in range(50):
            await use(pacer)
            pacer.refused()
        assert await within(100, asyncio.ensure_future(one_more(pacer, clock))) <= 5.0

    async def one_more(pacer: Pacer, clock: VirtualClock) -> float:
        before = clock.monotonic()
        await use(pacer)
        return clock.monotonic() - before

    run(main)


@pytest.mark.parametrize(
    ("told", "limit"),
    [
        ((10, 5.0), (10, 5.0)),  # a lower number
        ((10, 10.0), (10, 10.0)),  # a longer window
        ((25, 60.0), (25, 60.0)),
        ((10, 1.0), (10, 5.0)),  # a shorter window would be faster than we were told to be
        ((100, 5.0), (25, 5.0)),  # a higher number is somebody else's share
        ((0, 5.0), (1, 5.0)),
        ((100_000, 86400.0), (25, 5.0)),  # a day's quota is no pace
        ((None, None), (25, 5.0)),
        ((None, 7.0), (25, 7.0)),
        ((10, None), (10, 5.0)),
    ],
)
def test_a_lower_limit_is_learned_from_the_message(
    told: tuple[int | None, float | None], limit: tuple[int, float]
) -> None:
    calls, seconds = limit

    async def main(clock: VirtualClock) -> None:
        pacer = Pacer(USUAL, clock.monotonic, clock.sleep)
        pacer.refused(*told)
        await asyncio.sleep(30 * seconds)
        assert await at_once(pacer, clock) == calls
        before = clock.monotonic()
        await use(pacer)
        assert clock.monotonic() - before == seconds

    run(main)


def test_a_server_that_allows_less_than_we_think_refuses_one_burst() -> None:
    """It tells its limit in the refusals, and is never asked too fast again."""
    theirs = RateLimit(10, 5.0)

    async def main(clock: VirtualClock) -> None:
        pacer = Pacer(USUAL, clock.monotonic, clock.sleep)
        admitted: list[float] = []
        refusals: list[float] = []

        async def caller() -> None:
            while True:
                async with pacer.slot() as turn:
                    turn.sent = True
                    await asyncio.sleep(0.125)
                    now = clock.monotonic()
                    good = sum(now - at < theirs.seconds for at in admitted) < theirs.calls
                    (admitted if good else refusals).append(now)
                    await asyncio.sleep(0.125)
                    turn.answered = True
                if good:
                    return
                pacer.refused(theirs.calls, theirs.seconds)

        await asyncio.gather(*(caller() for _ in range(100)))
        assert len(admitted) == 100
        assert len(refusals) == 15
        assert max(refusals) < 1.0

    run(main)


# --- giving up


@settings(deadline=None)
@given(
    cancelled=st.lists(st.tuples(st.integers(0, 29), st.integers(0, 640)), max_size=20),
    wanted=st.lists(calls, min_size=30, max_size=30),
)
def test_cancelled_callers_leave_nothing_behind(
    cancelled: list[tuple[int, int]], wanted: list[Call]
) -> None:
    """In whatever state they are: no slot leaks, nobody is left waiting, no limit is broken."""
    limit = RateLimit(3, 1.0)
    server = Server(limit)

    async def main(clock: VirtualClock) -> None:
        pacer = Pacer(limit, clock.monotonic, clock.sleep)
        tasks = [asyncio.ensure_future(server.serve(clock, pacer, call)) for call in wanted]
        for number, parts in cancelled:
            after(parts / 64, tasks[number].cancel)
        await within(1000, asyncio.gather(*tasks, return_exceptions=True))
        await asyncio.sleep(10)
        assert await at_once(pacer, clock) == 3

    run(main, debug=False)
    assert server.busiest() <= limit.calls


def test_a_block_that_fails_gives_its_slot_back() -> None:
    async def main(clock: VirtualClock) -> None:
        pacer = Pacer(RateLimit(1, 5.0), clock.monotonic, clock.sleep)
        with pytest.raises(ValueError, match="bug"):
            async with pacer.slot():
                raise ValueError("bug")
        await within(1, use(pacer))

    run(main)


def test_a_turn_begins_unused() -> None:
    assert Turn() == Turn(sent=False, answered=False)


def test_the_ends_that_still_count_are_told() -> None:
    async def main(clock: VirtualClock) -> None:
        pacer = Pacer(RateLimit(5, 5.0), clock.monotonic, clock.sleep, [-9.0, -4.0, -1.0])
        assert pacer.recent_ends == (-4.0, -1.0)
        await asyncio.sleep(2)
        await use(pacer)
        assert sorted(pacer.recent_ends) == [-1.0, 2.0]

    run(main)
