"""A server in front of a simulated CRM that spoils single calls, byte by byte.

It writes raw HTTP, so that it can do what no server library would. Calls are counted by kind.
"""

import asyncio
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from urllib.parse import parse_qsl, urlsplit

from lsq_sync.simulator import RunningSimulator
from lsq_sync.simulator.wire import Reply, Request

HELD_SECONDS = 5.0
"""How long silence lasts, unless the caller goes."""

_KINDS = {
    "/opportunity/update": "submit",
    "/opportunity/update/status": "status",
    "/opportunity/update/metrics": "metrics",
    "/v2/OpportunityManagement.svc/GetOpportunitiesById": "bulk",
    "/v2/OpportunityManagement.svc/GetOpportunityDetails": "details",
}


class End(Enum):
    """How a connection ends before its time."""

    CLOSE = auto()
    RESET = auto()


Step = bytes | float | End
"""Bytes to write, seconds to wait, or the end of the connection."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A call as it arrived, and the good body that it would be answered with (or b"")."""

    kind: str
    number: int
    target: str
    body: bytes
    good: bytes = b""


Spoil = Callable[[Heard], Sequence[Step]]


@dataclass(slots=True)
class Meddler:
    """`spoil` answers those calls of `kind` whose numbers `hits`; the CRM answers the others."""

    url: str = ""
    crm: RunningSimulator | None = None
    kind: str = ""
    hits: Callable[[int], bool] = lambda _number: False
    spoil: Spoil = lambda _heard: ()
    processed: bool = False
    counts: Counter[str] = field(default_factory=Counter)
    spoilt: list[Heard] = field(default_factory=list)
    posted: list[bytes] = field(default_factory=list)

    def stands_before(self, crm: RunningSimulator) -> None:
        """From now on this CRM is asked, and nothing is spoilt."""
        self.crm = crm
        crm.url = self.url
        self.counts.clear()
        self.spoilt.clear()
        self.posted.clear()
        self.heal()

    def spoils(self, kind: str, hits: Callable[[int], bool], spoil: Spoil, processed: bool) -> None:
        """Calls of this kind go wrong from now on, where `hits` says so of their number;
        `processed` ones reach the CRM all the same."""
        self.kind, self.hits, self.spoil, self.processed = kind, hits, spoil, processed

    def heal(self) -> None:
        """Nothing goes wrong any more."""
        self.hits = lambda _number: False

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> list[Step]:
        """What becomes of a call."""
        assert self.crm is not None
        url = urlsplit(target)
        kind = _KINDS.get(url.path, "other")
        self.counts[kind] += 1
        if kind == "submit":
            self.posted.append(body)
        query = {name.lower(): value for name, value in parse_qsl(url.query)}
        request = Request(method, url.path, query, headers, body)
        if kind != self.kind or not self.hits(self.counts[kind]):
            return [_whole(self.crm.handle(request))]
        good = self.crm.handle(request).body if self.processed else b""
        heard = Heard(kind, self.counts[kind], target, body, good)
        self.spoilt.append(heard)
        return list(self.spoil(heard))


def _whole(reply: Reply) -> bytes:
    head = f"HTTP/1.1 {reply.status} X\r\nContent-Type: {reply.content_type}\r\n"
    return f"{head}Content-Length: {len(reply.body)}\r\n\r\n".encode() + reply.body


@contextmanager
def meddling() -> Iterator[Meddler]:
    """Serves on a thread and an event loop of its own."""
    meddler = Meddler()
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()

    async def serve() -> None:
        async with asyncio.timeout(None):
            server = await asyncio.start_server(_Connection(meddler).serve, "127.0.0.1", 0)
            meddler.url = "http://{}:{}".format(*server.sockets[0].getsockname()[:2])
            ready.set()
            await stop.wait()
            server.close()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), name="meddler")
    thread.start()
    ready.wait()
    try:
        yield meddler
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


@dataclass(frozen=True, slots=True)
class _Connection:
    meddler: Meddler

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One call; whether another may follow."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in rest)}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        method, target, _ = line.split(" ")
        for step in self.meddler.answer(method, target, headers, body):
            if isinstance(step, End):
                return _end(writer, step)
            if isinstance(step, float):
                if await _gone(reader, step):
                    return False
                continue
            writer.write(step)
            await writer.drain()
        return True


def _end(writer: asyncio.StreamWriter, how: End) -> bool:
    if how is End.CLOSE:
        writer.close()
        return False
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
    return False


async def _gone(reader: asyncio.StreamReader, seconds: float) -> bool:
    """Whether the caller went while nothing was said."""
    try:
        return not await asyncio.wait_for(reader.read(1), seconds)
    except TimeoutError:
        return False
