"""The simulator on a socket of loopback: the only module that knows aiohttp, threads and the clock.

`SimulatorThread` runs it beside a test or a demo on a thread and an event loop of its own;
`serving` runs it inside a loop that is already there.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Final

from aiohttp import web

from lsq_sync.simulator.account import DEFAULT_KEYS, NOTE, Account, Keys
from lsq_sync.simulator.clock import Clock
from lsq_sync.simulator.errors import SimulatorError
from lsq_sync.simulator.http import Simulator
from lsq_sync.simulator.limit import busiest_window
from lsq_sync.simulator.log import Entry
from lsq_sync.simulator.queue import Task
from lsq_sync.simulator.records import Record
from lsq_sync.simulator.sample import sample_account
from lsq_sync.simulator.scenario import Kind, Scenario
from lsq_sync.simulator.wire import Reply, Request

HOST: Final = "127.0.0.1"
LARGEST_BODY: Final = 10 * 1024 * 1024  # the cap of AWS gateways [inferred]
PIECES: Final = 10  # of a slow body
PADDING: Final = b" " * 65_536
RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds


@dataclass(frozen=True, slots=True)
class OpportunityView:
    """An opportunity as it is stored at one moment: flat names, raw text, never lagging."""

    id: str
    code: int
    fields: Mapping[str, str]
    note: str
    deleted: bool
    modified_at: float  # simulated seconds since the start; -inf: never


@dataclass(frozen=True, slots=True)
class TaskView:
    """What became of one accepted update."""

    request_id: str
    payload: str
    attempts: int
    submitted_at: float
    settled_at: float | None


class CrmView:
    """What a test may look at, from any thread; every answer is a snapshot."""

    def __init__(self, simulator: Simulator, clock: Clock, lock: threading.Lock) -> None:
        self._simulator = simulator
        self._clock = clock
        self._lock = lock

    def opportunity(self, key: str) -> OpportunityView:
        """By GUID or AutoId. Raises KeyError."""
        with self._current():
            record = self._simulator.crm.records.by_key(key)
            if record is None:
                raise KeyError(key)
            return _opportunity_view(record)

    def opportunities(self) -> tuple[OpportunityView, ...]:
        with self._current():
            return tuple(_opportunity_view(one) for one in self._simulator.crm.records)

    def tasks(self) -> tuple[TaskView, ...]:
        """Every accepted update, in the order of acceptance."""
        with self._current():
            return tuple(_task_view(task) for task in self._simulator.crm.tasks())

    @property
    def pending(self) -> int:
        """How many accepted updates have no verdict yet."""
        with self._current():
            return self._simulator.crm.queue.pending

    def log(self, kind: Kind | None = None) -> tuple[Entry, ...]:
        """The calls so far, all or of one kind."""
        with self._lock:
            entries = self._simulator.log.entries()
        return tuple(entry for entry in entries if kind in (None, entry.kind))

    def count(self, kind: Kind | None = None) -> int:
        return len(self.log(kind))

    def rate_limited(self) -> int:
        """How many calls the rate limit refused."""
        return sum(entry.limited for entry in self.log())

    def busiest_window(self, seconds: float | None = None) -> int:
        """The most calls that arrived in any window of so many real seconds (None: the limit's)."""
        window = self._simulator.scenario.rate_limit.seconds if seconds is None else seconds
        return busiest_window([entry.at for entry in self.log()], window)

    @contextlib.contextmanager
    def _current(self) -> Iterator[None]:
        with self._lock:
            self._simulator.crm.advance(self._clock.now().simulated)
            yield


def _opportunity_view(record: Record) -> OpportunityView:
    return OpportunityView(
        id=record.id,
        code=record.code,
        fields=dict(record.values),
        note=record.values.get(NOTE, ""),
        deleted=record.deleted_at != float("inf"),
        modified_at=record.modified_at,
    )


def _task_view(task: Task) -> TaskView:
    return TaskView(
        task.request_id, task.payload, task.attempts, task.submitted_at, task.settled_at
    )


class RunningSimulator:
    """A simulator that answers on `url`. Its methods may be called from any thread."""

    def __init__(
        self,
        account: Account | None = None,
        scenario: Scenario | None = None,
        *,
        keys: Keys = DEFAULT_KEYS,
        sink: Callable[[Entry], None] | None = None,
    ) -> None:
        scenario = scenario or Scenario()
        self.keys = keys
        self.url = ""
        self._clock = Clock(scenario.time_scale)
        self._lock = threading.Lock()
        self._simulator = Simulator(
            account or sample_account(), scenario, datetime.now(UTC), keys, sink
        )
        self.crm = CrmView(self._simulator, self._clock, self._lock)

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs to be told to call this account."""
        return {
            "LSQ_ACCESS_KEY": self.keys.access_key,
            "LSQ_SECRET_KEY": self.keys.secret_key,
            "LSQ_X_API_KEY": self.keys.x_api_key,
            "LSQ_ASYNC_HOST": self.url,
            "LSQ_HOST": self.url,
        }

    def change(self, key: str, field: str, value: str) -> None:
        """Somebody edits a record in the CRM, now. Raises KeyError."""
        with self._lock:
            now = self._clock.now().simulated
            self._simulator.crm.advance(now)
            self._simulator.crm.change(key, {field: value}, now)

    def delete(self, key: str) -> None:
        """Somebody deletes a record in the CRM, now. Raises KeyError."""
        with self._lock:
            now = self._clock.now().simulated
            self._simulator.crm.advance(now)
            self._simulator.crm.delete(key, now)

    def set_scenario(self, scenario: Scenario) -> None:
        """From now on this scenario holds. Calls are counted from 1 again; records stay."""
        with self._lock:
            self._simulator.set_scenario(scenario, self._clock.now())
            self._clock.set_scale(scenario.time_scale)

    def skip(self, seconds: float) -> None:
        """Lets so many simulated seconds pass at once."""
        self._clock.skip(seconds)

    def handle(self, request: Request) -> Reply:
        """Answers a call as of now."""
        with self._lock:
            return self._simulator.handle(request, self._clock.now())


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
    connection = _Connection(simulator)
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


class _Connection:
    """Requests in, replies out, with all the ways a reply can go wrong on the wire."""

    def __init__(self, simulator: RunningSimulator) -> None:
        self._simulator = simulator
        self.stopping = asyncio.Event()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        reply = self._simulator.handle(_request(request, body))
        if reply.wait:
            await self._pause(reply.wait)
        try:
            return await self._deliver(request, reply)
        except ConnectionError:  # the client has gone
            return web.Response()

    async def _deliver(self, request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
        match reply.delivery:
            case "whole":
                return _response(reply)
            case "closed":
                return _drop(request, reset=False)
            case "reset":
                return _drop(request, reset=True)
            case "truncated":
                return await _truncated(request, reply)
            case "slow":
                return await self._slow(request, reply)
            case "padded":
                return await _padded(request, reply)

    async def _slow(self, request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
        stream = await _begin(request, reply, len(reply.body))
        size = -(-len(reply.body) // PIECES) or 1
        for start in range(0, len(reply.body), size):
            await self._pause(reply.seconds / PIECES)
            await stream.write(reply.body[start : start + size])
        return stream

    async def _pause(self, seconds: float) -> None:
        """Sleeps, unless the server is about to stop."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)


def _request(request: web.BaseRequest, body: bytes) -> Request:
    return Request(
        method=request.method,
        path=request.path,
        query={name.lower(): value for name, value in request.query.items()},
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
    )


def _headers(reply: Reply) -> dict[str, str]:
    return {"Content-Type": reply.content_type, **dict(reply.headers)}


def _response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, body=reply.body, headers=_headers(reply))


async def _begin(request: web.BaseRequest, reply: Reply, length: int) -> web.StreamResponse:
    headers = {**_headers(reply), "Content-Length": str(length)}
    stream = web.StreamResponse(status=reply.status, headers=headers)
    await stream.prepare(request)
    return stream


def _drop(request: web.BaseRequest, *, reset: bool) -> web.Response:
    """Ends the connection without an answer; the response only satisfies aiohttp."""
    transport = request.transport
    if transport is not None:
        connection = transport.get_extra_info("socket")
        if reset and connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        transport.abort()
    return web.Response()


async def _truncated(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """Announces the whole body, sends half of it and closes."""
    stream = await _begin(request, reply, len(reply.body))
    await stream.write(reply.body[: len(reply.body) // 2])
    if request.transport is not None:
        request.transport.close()
    return stream


async def _padded(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    """The body, followed by white space up to the size."""
    size = max(reply.size, len(reply.body))
    stream = await _begin(request, reply, size)
    await stream.write(reply.body)
    left = size - len(reply.body)
    while left > 0:
        await stream.write(PADDING[:left])
        left -= len(PADDING)
    return stream


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
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

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
