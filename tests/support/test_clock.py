"""What a virtual clock must get right before anything is tested with it."""

import asyncio
import time

import pytest

from tests.support.clock import DeadlockError, VirtualClock, run, within


def test_sleepers_wake_in_order_and_no_real_time_passes() -> None:
    woken: list[tuple[int, float]] = []

    async def main(clock: VirtualClock) -> None:
        async def sleeper(seconds: int) -> None:
            await clock.sleep(seconds)
            woken.append((seconds, clock.monotonic()))

        async with asyncio.TaskGroup() as group:
            for seconds in (300, 100, 200):
                group.create_task(sleeper(seconds))

    began = time.monotonic()
    run(main)
    assert woken == [(100, 100.0), (200, 200.0), (300, 300.0)]
    assert time.monotonic() - began < 50


def test_what_a_thread_does_takes_no_time() -> None:
    async def main(clock: VirtualClock) -> float:
        sleeping = asyncio.ensure_future(clock.sleep(1))
        await asyncio.to_thread(time.sleep, 0.02)
        before = clock.monotonic()
        await sleeping
        return before

    assert run(main) == 0.0


def test_waiting_for_nothing_is_found() -> None:
    async def main(_clock: VirtualClock) -> None:
        await asyncio.Event().wait()

    with pytest.raises(DeadlockError):
        run(main)


def test_a_task_left_behind_is_found() -> None:
    async def main(clock: VirtualClock) -> None:
        main.task = asyncio.ensure_future(clock.sleep(9))  # type: ignore[attr-defined]

    with pytest.raises(AssertionError, match="left behind"):
        run(main)


def test_a_failure_that_nobody_asked_for_is_found() -> None:
    async def fails() -> None:
        raise ValueError("unheard")

    async def main(clock: VirtualClock) -> None:
        task = asyncio.ensure_future(fails())
        await clock.sleep(1)
        del task

    with pytest.raises(AssertionError, match="unheard"):
        run(main)


def test_what_takes_too_long_is_found() -> None:
    async def main(clock: VirtualClock) -> None:
        await within(4, clock.sleep(5))

    with pytest.raises(TimeoutError):
        run(main)
