"""A clock of its own for asyncio: time passes only when nothing else is left to do.

`run` runs a coroutine on an event loop whose time is virtual, so every sleep, timeout and deadline
of asyncio itself takes no time at all, and sleepers wake in order. It also finds what a real clock
hides: waiting for something that nobody will ever do ends in `DeadlockError` instead of a test
that hangs, and a task that outlives the coroutine, or fails unheard, fails the test.
"""

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, TypeVarTuple, Unpack

from lsq_sync.core.events import Event
from lsq_sync.surroundings import Surroundings

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")

STARTED = datetime(2026, 8, 31, 8, 38, 0, tzinfo=UTC)
_THREAD_SECONDS = 20.0
"""Real ones: how long a thread that the loop waits for may work."""


class DeadlockError(Exception):
    """Everything waits, and nothing is under way that could end it."""


class _JumpingSelector(selectors.DefaultSelector):
    """Jumps to the next timer instead of sleeping until then."""

    def __init__(self, now: float = 0.0) -> None:
        super().__init__()
        self.now = now
        self.threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if self.threads:  # what they do takes no virtual time
            ready = super().select(_THREAD_SECONDS if timeout != 0 else 0)
        else:
            ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None or self.threads:
            raise DeadlockError("everything waits, and nobody is left to end it")
        self.now += max(timeout, 1e-9)
        return []


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, selector: _JumpingSelector) -> None:
        self._jumping = selector
        super().__init__(selector)

    def time(self) -> float:
        return self._jumping.now

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[_Ts]], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        self._jumping.threads += 1
        future = super().run_in_executor(executor, func, *args)
        future.add_done_callback(self._thread_ended)
        return future

    async def shutdown_default_executor(self, *arguments: Any) -> None:
        self._jumping.threads += 1
        try:
            await super().shutdown_default_executor(*arguments)
        finally:
            self._jumping.threads -= 1

    def _thread_ended(self, _future: object) -> None:
        self._jumping.threads -= 1


@dataclass(slots=True)
class VirtualClock:
    """The time of the loop that `run` runs."""

    _selector: _JumpingSelector
    started: datetime = STARTED
    slept: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        """Seconds since the loop began."""
        return self._selector.now

    def now(self) -> datetime:
        """The wall clock, in whole seconds."""
        return self.started + timedelta(seconds=int(self._selector.now))

    async def sleep(self, seconds: float) -> None:
        """Others run meanwhile; `slept` remembers it."""
        self.slept.append(seconds)
        await asyncio.sleep(seconds)

    def pass_by(self, seconds: float) -> None:
        """Lets time pass at once, as if the process had been busy."""
        self._selector.now += seconds

    def surroundings(
        self,
        tell: Callable[[Event], None] = lambda _event: None,
        chance: Callable[[], float] = lambda: 0.5,
    ) -> Surroundings:
        """What the tool is handed: this clock, and a chance that is none."""
        return Surroundings(self.now, self.monotonic, self.sleep, chance, tell)


class _OneThreadLoop(_VirtualLoop):
    """Does at once what others give to a thread: the same order every time."""

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[_Ts]], _T], *args: *_Ts
    ) -> asyncio.Future[_T]:
        future: asyncio.Future[_T] = self.create_future()
        try:
            future.set_result(func(*args))
        except BaseException as error:  # noqa: BLE001 - told to whoever waits for it
            future.set_exception(error)
        return future


class Timeline:
    """One virtual time through many loops, one after the other, as commands come and go.

    Nothing in it depends on threads or on the real time: the same happens every time.
    """

    def __init__(self, started: datetime = STARTED) -> None:
        self.started = started
        self.seconds = 0.0
        self.broken_off: BaseException | None = None

    def monotonic(self) -> float:
        """Seconds since it began."""
        return self.seconds

    def wall(self) -> float:
        """The wall clock, in seconds since 1970."""
        return self.started.timestamp() + self.seconds

    def now(self) -> datetime:
        """The wall clock, in whole seconds."""
        return self.started + timedelta(seconds=int(self.seconds))

    async def sleep(self, seconds: float) -> None:
        """Others run meanwhile."""
        await asyncio.sleep(seconds)

    def pass_by(self, seconds: float) -> None:
        """Lets time pass between two loops."""
        self.seconds += seconds

    def break_off(self, error: BaseException) -> None:
        """The loop that runs ends with this, whatever its tasks make of it."""
        self.broken_off = error

    def run(self, main: Coroutine[Any, Any, _T], /) -> _T:
        """Runs it to its end. Raises DeadlockError when it has none."""
        self.broken_off = None
        selector = _SharedSelector(self)
        with asyncio.Runner(loop_factory=lambda: _OneThreadLoop(selector)) as runner:
            runner.get_loop().set_exception_handler(lambda _loop, _context: None)
            return runner.run(main)

    def surroundings(self, chance: Callable[[], float]) -> Surroundings:
        """What the tool is handed."""
        return Surroundings(
            now=self.now, monotonic=self.monotonic, chance=chance, wall=self.wall, run=self.run
        )


class _SharedSelector(_JumpingSelector):
    def __init__(self, timeline: Timeline) -> None:
        super().__init__(timeline.seconds)
        self._timeline = timeline

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        error, self._timeline.broken_off = self._timeline.broken_off, None
        if error:
            raise error
        ready = super().select(timeout)
        self._timeline.seconds = self.now
        return ready


def run(main: Callable[[VirtualClock], Coroutine[Any, Any, _T]], *, debug: bool = True) -> _T:
    """Runs it to its end on a virtual clock. `debug` is asyncio's debug mode, which is slow.

    Raises DeadlockError when it cannot end, and AssertionError when it leaves tasks behind or
    when one of them failed and nobody asked.
    """
    selector = _JumpingSelector()
    unheard: list[str] = []

    async def guarded() -> _T:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: unheard.append(str(context)))
        result = await main(VirtualClock(selector))
        left = asyncio.all_tasks() - {_current()}
        assert not left, f"tasks left behind: {left}"
        return result

    with asyncio.Runner(debug=debug, loop_factory=lambda: _VirtualLoop(selector)) as runner:
        result = runner.run(guarded())
    assert not unheard, unheard
    return result


def _current() -> "asyncio.Task[Any]":
    task = asyncio.current_task()
    assert task is not None
    return task


async def turns(count: int = 20) -> None:
    """Lets every other task go on until it waits; no time passes."""
    for _ in range(count):
        await asyncio.sleep(0)


def after(seconds: float, action: Callable[[], object]) -> None:
    """Does something at a later moment of the running loop."""
    asyncio.get_running_loop().call_later(seconds, action)


async def within(seconds: float, awaitable: Awaitable[_T]) -> _T:
    """Its result; fails if it takes more virtual time than that."""
    async with asyncio.timeout(seconds):
        return await awaitable
