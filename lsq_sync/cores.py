"""Work on several cores: a function of each share, in forks of this process.

Only for what reads and computes: a fork has none of the threads of its parent. What it found comes
back through a pipe, pickled by this very program.
"""

import os
import pickle
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Generic, NoReturn, TypeVar

Share = TypeVar("Share")
Result = TypeVar("Result")

_MOST = 4
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)


def cores() -> int:
    """How many may be used; one where forks are not to be trusted (frameworks of macOS)."""
    if not sys.platform.startswith("linux"):
        return 1
    return min(len(os.sched_getaffinity(0)), _MOST)


def on_cores(work: Callable[[Share], Result], shares: Sequence[Share]) -> list[Result]:
    """The results in the order of the shares; the first is worked on in this process.

    Raises OSError when a fork ends without its result, for whatever reason.
    """
    forks: list[_Fork[Result]] = []
    try:
        for share in shares[1:]:
            forks.append(_Fork(work, share))  # noqa: PERF401 - each is ended, whatever the next does
        first = work(shares[0])
        return [first, *(fork.result() for fork in forks)]
    finally:
        for fork in forks:
            fork.end()


class _Fork(Generic[Result]):
    """A process that works on one share."""

    def __init__(self, work: Callable[[Share], Result], share: Share) -> None:
        self._pipe, end = os.pipe()
        self._process = os.fork()
        if not self._process:
            os.close(self._pipe)
            _work(work, share, end)
        os.close(end)

    def result(self) -> Result:
        """Waits for it. Raises OSError."""
        with os.fdopen(os.dup(self._pipe), "rb") as pipe:
            data = pipe.read()
        _, status = os.waitpid(self._process, 0)
        self._process = 0
        if status:
            raise ChildProcessError(f"a fork ended with the status {status}")
        found: Result = pickle.loads(data)  # noqa: S301 - it comes from our own fork
        return found

    def end(self) -> None:
        """Also where nobody wants its result any more."""
        os.close(self._pipe)
        if self._process:
            with suppress(ProcessLookupError):
                os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)


def _work(work: Callable[[Share], object], share: Share, pipe: int) -> NoReturn:
    """Never returns, and leaves everything of the parent, its output above all, as it is: what
    goes wrong here says nothing, and the parent does the work itself."""
    status = 1
    try:
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        data = pickle.dumps(work(share), pickle.HIGHEST_PROTOCOL)
        with os.fdopen(pipe, "wb") as file:
            file.write(data)
        status = 0
    finally:
        os._exit(status)
