"""Time and chance, handed in wherever they count, so that tests run on a clock of their own."""

import gc
import math
import random
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from lsq_sync.core.events import Event

_T = TypeVar("_T")


class Runner(Protocol):
    """Runs a coroutine to its end on an event loop of its own."""

    def __call__(self, main: Coroutine[Any, Any, _T], /) -> _T: ...


def this_second() -> datetime:
    """Now, in whole seconds: what is recorded is what is compared."""
    return datetime.now(UTC).replace(microsecond=0)


async def _sleep(seconds: float) -> None:
    import asyncio  # commands that make no call start quicker without it

    await asyncio.sleep(seconds)


def _run(main: Coroutine[Any, Any, _T], /) -> _T:
    import asyncio

    collect_garbage()
    return asyncio.run(main)


def collect_garbage() -> None:
    """From now on, and not of what is there already: calls and tasks go round in circles."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Time, chance, and someone to tell of each event once it is durable.

    `now` is what is recorded, `wall` the same clock with its fractions; `run` starts the loop that
    `sleep` sleeps on.
    """

    now: Callable[[], datetime] = this_second
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = _sleep
    chance: Callable[[], float] = random.random
    tell: Callable[["Event"], None] = lambda _event: None
    wall: Callable[[], float] = time.time
    run: Runner = _run

    async def until(self, moment: float) -> None:
        """Returns when the monotonic clock has come to it; an infinite one never comes."""
        if math.isinf(moment):
            import asyncio

            await asyncio.Event().wait()
        await self.sleep(max(0.0, moment - self.monotonic()))
