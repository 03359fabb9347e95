"""Signals, for the whole length of a command: the one place that handles them.

Between calls a signal raises StoppedError where the command stands: while it loads, plans, asks.
It waits while something is being written (`held`), and it is told to a conversation with the CRM
(`told_to`), which ends by itself. The second signal ends the process, whatever it does.

Signals belong to the process, so this is the one module with a state of its own.
"""

import math
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TextIO

from lsq_sync.errors import StoppedError

AT_ONCE_SECONDS = 2.0
"""So long a conversation has after the second signal to write down what it knows."""

_HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ECHO_SECONDS = 0.1
"""The same signal again within this time is the same one: `timeout` and shells send it to the
process and to its group."""


@dataclass(slots=True)
class _Process:
    """What is known of signals in this process. `wake` is readable once one has come."""

    heard: list[signal.Signals] = field(default_factory=list)
    heard_at: float = 0.0
    taken: bool = False
    is_held: bool = False
    is_ending: bool = False
    listener: Callable[[signal.Signals], None] | None = None
    last_words: Callable[[signal.Signals], None] | None = None
    wake: int | None = None


_process = _Process()


def listen() -> None:
    """From now on signals are handled here. A SIGHUP that was ignored stays so (`nohup`)."""
    wake, woken = os.pipe()
    for end in (wake, woken):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    _process.wake = wake
    for number in _HANDLED:
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _handle)


def first_heard() -> signal.Signals | None:
    """The signal that ended the command, if one did."""
    return _process.heard[0] if _process.heard else None


def exit_code_of(number: int) -> int:
    """Ctrl-C interrupts; whatever else asks the process to end, terminates."""
    return 130 if number == signal.SIGINT else 143


def on_leaving(last_words: Callable[[signal.Signals], None] | None) -> None:
    """What is still said when the process is ended at once."""
    _process.last_words = last_words


def stand_by_the_result() -> None:
    """Only the result is left to be told: no first signal breaks that off any more."""
    _process.is_ending = True


@contextmanager
def held() -> Iterator[None]:
    """What is done in the block is done whole; a signal that came meanwhile is raised behind it.

    Raises StoppedError.
    """
    if not _in_main_thread():
        yield
        return
    before, _process.is_held = _process.is_held, True
    try:
        yield
    finally:
        _process.is_held = before
    _raise_what_waits()


@contextmanager
def let_through() -> Iterator[None]:
    """Inside of `held`: a part that may be broken off all the same. Raises StoppedError."""
    before, _process.is_held = _process.is_held, False
    try:
        _raise_what_waits()
        yield
    finally:
        _process.is_held = before


@contextmanager
def left_to_another() -> Iterator[None]:
    """Inside the block another program has the terminal, and Ctrl-C is meant for that."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def told_to(listener: Callable[[signal.Signals], None]) -> Iterator[int | None]:
    """Inside the block signals are told to the listener, and raise nothing.

    Gives a descriptor that becomes readable with a signal, None if nobody listens.
    """
    _process.listener = listener
    try:
        if _process.heard and not _process.taken:
            _tell(_process.heard[0])
        yield _process.wake
    finally:
        _process.listener = None


def drain() -> None:
    """What woke somebody has been noticed."""
    with suppress(BlockingIOError):
        while _process.wake is not None and os.read(_process.wake, 512):
            pass


def read_line(stream: TextIO, left: Callable[[], float] = lambda: math.inf) -> str:
    """The line that somebody types; empty at the end of the input.

    A signal gets through whenever it comes: a plain read would miss one that came just before it,
    and wait for the line. When no seconds are `left` it waits no longer, and the line is empty.
    """
    if _process.wake is not None and stream.isatty():
        typed = stream.fileno()
        while typed not in select.select([typed, _process.wake], [], [], _timeout(left()))[0]:
            if left() <= 0:
                return ""
            drain()
    return stream.readline()


def _timeout(seconds: float) -> float | None:
    """As `select` wants it: None waits for ever."""
    return None if math.isinf(seconds) else max(0.0, seconds)


def _handle(number: int, _frame: object) -> None:
    now = time.monotonic()
    if _process.heard and number == _process.heard[-1] and now - _process.heard_at < _ECHO_SECONDS:
        return
    _process.heard.append(signal.Signals(number))
    _process.heard_at = now
    match len(_process.heard):
        case 1:
            _deliver(_process.heard[0])
        case 2 if _process.listener:
            threading.Thread(target=_leave_soon, daemon=True).start()
            _tell(_process.heard[1])
        case _:
            _leave()


def _deliver(number: signal.Signals) -> None:
    if _process.listener:
        _tell(number)
    else:
        _raise_what_waits()


def _tell(number: signal.Signals) -> None:
    assert _process.listener is not None
    _process.taken = True
    _process.listener(number)


def _raise_what_waits() -> None:
    """Once: whoever cleans up on the way out is not interrupted again."""
    is_kept = _process.is_held or _process.is_ending or _process.listener
    if _process.heard and not (_process.taken or is_kept):
        _process.taken = True
        raise StoppedError(_process.heard[0])


def _leave_soon() -> None:
    time.sleep(AT_ONCE_SECONDS)
    _leave()


def _leave() -> None:
    threading.Thread(target=_leave_in_any_case, daemon=True).start()
    with suppress(Exception):
        if _process.last_words:
            _process.last_words(_process.heard[0])
    os._exit(exit_code_of(_process.heard[0]))


def _leave_in_any_case() -> None:
    """Nobody may be there to take the last words."""
    time.sleep(1.0)
    os._exit(exit_code_of(_process.heard[0]))


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
