"""A client at work on loopback, and servers that say exactly what a test wants said."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lsq_sync.core.answers import SubmitAnswer
from lsq_sync.core.budget import RateLimit
from lsq_sync.core.state import RequestID
from lsq_sync.crm.client import Calls, Client, Place, open_client
from lsq_sync.crm.credentials import Credentials
from lsq_sync.crm.pacing import Pacer
from lsq_sync.simulator.account import DEFAULT_KEYS

_T = TypeVar("_T")

KEYS = Credentials(DEFAULT_KEYS.access_key, DEFAULT_KEYS.secret_key, DEFAULT_KEYS.x_api_key)
CANARIES = Credentials("u$rCANARY+1/acce&ss", "CANARY?2#sec=ret%24", "CANARY-3-gateway-key")
ONE = "5ca5b042-51ea-4699-b6f0-84c40ab12770"
ID = RequestID("0f3c9a52-6d0e-4a0d-9d3b-15a5a9c0ffee")
ACCEPTED = b'{"Status": "Request accepted.", "RequestID": "%s"}' % ID.encode()


async def nothing() -> None:
    """What stands for the journal where it does not matter."""


@dataclass(slots=True)
class Caller:
    """A client, and what it said on the way."""

    client: Client
    watched: list[tuple[str, str]] = field(default_factory=list)

    async def submit(self, before: Callable[[], Awaitable[None]] = nothing) -> SubmitAnswer:
        """One update of nothing in particular."""
        return await self.client.submit(ONE, {"mx_Custom_6": "1"}, None, before)


@asynccontextmanager
async def calling(
    url: str,
    keys: Credentials = KEYS,
    timeout_seconds: float = 5.0,
    pacer: Pacer | None = None,
) -> AsyncIterator[Caller]:
    """A client of this host, hardly paced unless it is told to be."""
    place = Place(url, "/opportunity/update/status", "/opportunity/update/metrics", timeout_seconds)
    pacer = pacer or Pacer(RateLimit(1000, 0.001), time.monotonic)
    watched: list[tuple[str, str]] = []

    def watch(what: str, answer: str) -> None:
        watched.append((what, answer))

    async with open_client(place, keys, pacer, Calls(), watch) as client:
        yield Caller(client, watched)


def call(url: str, conversation: Callable[[Caller], Awaitable[_T]], **more: Any) -> _T:
    """One conversation on a loop of its own, in asyncio's debug mode."""

    async def main() -> _T:
        async with calling(url, **more) as caller:
            return await conversation(caller)

    return asyncio.run(main(), debug=True)


# --- servers


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass(slots=True)
class Scripted:
    """A server with an answer for each request in turn; None closes the connection instead."""

    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def listening(serve: Serve) -> AsyncIterator[str]:
    """A server on loopback; its connections are closed at the end."""
    open_ones: dict[asyncio.StreamWriter, asyncio.Task[Any] | None] = {}

    async def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones[writer] = asyncio.current_task()
        try:
            await serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(guarded, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        server.close()
        for writer in open_ones:
            writer.transport.abort()
        await asyncio.gather(*(task for task in open_ones.values() if task))


@asynccontextmanager
async def scripted(answers: Iterable[bytes | None]) -> AsyncIterator[Scripted]:
    """Serves the answers, whatever is asked; after the last one it only listens."""
    waiting = iter(answers)
    server = Scripted()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            _, _, rest = head.lower().partition(b"content-length: ")
            body = await reader.readexactly(int(rest.split(b"\r\n")[0])) if rest else b""
            server.requests.append(head + body)
            server.asked.set()
            answer = next(waiting, b"")
            if answer is None:
                return
            writer.write(answer)
            await writer.drain()

    async with listening(serve) as server.url:
        yield server
