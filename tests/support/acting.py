"""Commands as processes of their own to which something happens at a place in the code.

A server forks them (it has imported the tool once), so that many can be run: a signal, a kill or a
failing call is set off inside the process, where the test wants it, and not by a timer.
"""

import importlib
import inspect
import multiprocessing
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

from tests.support.command import QUICK, Ended
from tests.support.world import World

Act = Callable[[Path], None]
"""Runs in the new process, before the command; is given the workspace. Must be picklable."""

_PRELOADED = ("lsq_sync.cli", "lsq_sync.commands.apply", "lsq_sync.commands.status",
              "lsq_sync.simulator", "rich.progress", "tests.support.acting")  # fmt: skip
_MOST_SECONDS = 60.0


@dataclass(frozen=True)
class Signalled:
    """Sends itself these signals when the function `place` is called for the `call`-th time."""

    place: str
    numbers: tuple[int, ...] = (signal.SIGINT,)
    call: int = 1
    after: bool = False
    """Not before the function is entered, but when it has returned."""

    def __call__(self, _root: Path) -> None:
        holder, name = _found(self.place)
        original = getattr(holder, name)
        calls = 0

        def counts() -> bool:
            nonlocal calls
            calls += 1
            return calls == self.call

        def sends() -> None:
            from lsq_sync import signals

            for number in self.numbers:
                signals._process.heard_at = 0.0  # they are no echo of each other
                os.kill(os.getpid(), number)

        async def later(*arguments: Any, **more: Any) -> Any:
            hit = counts()
            if hit and not self.after:
                sends()
            found = await original(*arguments, **more)
            if hit and self.after:
                sends()
            return found

        def now(*arguments: Any, **more: Any) -> Any:
            hit = counts()
            if hit and not self.after:
                sends()
            found = original(*arguments, **more)
            if hit and self.after:
                sends()
            return found

        setattr(holder, name, later if inspect.iscoroutinefunction(original) else now)


def _found(place: str) -> tuple[Any, str]:
    """The module or class that has the function, and the function's name."""
    module, _, path = place.partition(":")
    *holders, name = path.split(".")
    return reduce(getattr, holders, importlib.import_module(module)), name


def acted(world: World, act: Act, *arguments: str) -> Ended:
    """Runs the command in a process to which `act` happens; a kill gives the signal, negative."""
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        whole = ("-C", str(world.root), *arguments)
        process = _context().Process(
            target=_main, args=(whole, world.environment, world.root, act, str(out), str(err))
        )
        process.start()
        process.join(_MOST_SECONDS)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise AssertionError(f"the command did not end:\n{err.read_text()}")
        code = process.exitcode
        process.close()
        return Ended(code, _text(out), _text(err))


def _text(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.exists() else ""


def _context() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    return context


def _main(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    root: Path,
    act: Act,
    out: str,
    err: str,
) -> None:
    from lsq_sync import cli, signals

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    for path, descriptor in ((out, 1), (err, 2)):
        opened = os.open(path, os.O_WRONLY | os.O_CREAT)
        os.dup2(opened, descriptor)
        os.close(opened)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    os.environ.update(environment)
    signals.listen()
    act(root)
    code = cli.run(list(arguments), QUICK)
    signals.stand_by_the_result()
    sys.stdout.flush()
    os._exit(code)
