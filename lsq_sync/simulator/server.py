"""The simulator on a socket of loopback.

`SimulatorThread` runs it beside a test or a demo on a thread and an event loop of its own;
`serving` runs it inside a loop that is already there.
"""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

from aiohttp import web

from lsq_sync.simulator.account import DEFAULT_KEYS, Account, Keys
from lsq_sync.simulator.delivery import Connection
from lsq_sync.simulator.errors import SimulatorError
from lsq_sync.simulator.log import Entry
from lsq_sync.simulator.running import RunningSimulator
from lsq_sync.simulator.scenario import Scenario

HOST: Final = "127.0.0.1"


@contextlib.asynccontextmanager
async def serving(
    account: Account | None = None,
    scenario: Scenario | None = None,
    *,
    port: int = 0,
    keys: Keys = DEFAULT_KEYS,
    log_path: Path | None = None,
    watch: Callable[[Entry], None] | None = None,
) -> AsyncIterator[RunningSimulator]:
    """Serves on loopback for the length of the block; port 0 takes a free one."""
    with _sink(log_path, watch) as sink:
        simulator = RunningSimulator(account, scenario, keys=keys, sink=sink)
        async with _listening(simulator, port) as taken:
            simulator.url = f"http://{HOST}:{taken}"
            yield simulator


@contextlib.contextmanager
def _sink(
    log_path: Path | None, watch: Callable[[Entry], None] | None
) -> Iterator[Callable[[Entry], None] | None]:
    """What is done with every entry of the log."""
    if log_path is None:
        yield watch
        return
    try:
        file = log_path.open("a", encoding="utf-8", buffering=1)
    except OSError as error:
        raise SimulatorError(str(log_path), f"cannot be written: {error.strerror}") from error
    with file:

        def write(entry: Entry) -> None:
            file.write(entry.line() + "\n")
            if watch:
                watch(entry)

        yield write


@contextlib.asynccontextmanager
async def _listening(simulator: RunningSimulator, port: int) -> AsyncIterator[int]:
    connection = Connection(simulator)
    runner = web.ServerRunner(web.Server(connection.handle, access_log=None), shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, HOST, port)
        await _start(site, port)
        yield runner.addresses[0][1]
    finally:
        connection.stopping.set()
        await runner.cleanup()


async def _start(site: web.TCPSite, port: int) -> None:
    try:
        await site.start()
    except OSError as error:
        raise SimulatorError(
            f"port {port}",
            f"cannot be listened on: {error.strerror}",
            "Choose another one with --port, or 0 for any free one.",
        ) from error


class SimulatorThread:
    """A context manager: the simulator on a thread of its own, as tests and demos want it."""

    def __init__(
        self,
        account: Account | None = None,
        scenario: Scenario | None = None,
        *,
        port: int = 0,
        keys: Keys = DEFAULT_KEYS,
        log_path: Path | None = None,
    ) -> None:
        self._arguments = (account, scenario)
        self._port = port
        self._keys = keys
        self._log_path = log_path
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._running: RunningSimulator | None = None
        self._thread = threading.Thread(target=self._main, name="simulator", daemon=True)

    def __enter__(self) -> RunningSimulator:
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self._thread.join()
            raise self._failure
        assert self._running is not None
        return self._running

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._loop is not None
        assert self._stop is not None
        with contextlib.suppress(RuntimeError):  # the loop is closed: it failed, see below
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits for us
            self._failure = error
        finally:
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        account, scenario = self._arguments
        async with serving(
            account, scenario, port=self._port, keys=self._keys, log_path=self._log_path
        ) as running:
            self._running = running
            self._ready.set()
            await self._stop.wait()
