"""Requests and answers between the client and the simulator's core, without HTTP."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from yarl import URL

from lsq_sync.simulator.wire import Reply, Request


def request_of(method: str, url: URL, data: bytes | None, headers: Mapping[str, str]) -> Request:
    """What the client asked aiohttp for, as the simulator takes it."""
    query = dict(parse_qsl(url.raw_query_string, keep_blank_values=True))
    return Request(
        method,
        url.path,
        {name.lower(): value for name, value in query.items()},
        {name.lower(): value for name, value in headers.items()},
        data or b"",
    )


@dataclass
class Response:
    """What the client uses of an answer of aiohttp."""

    reply: Reply

    @property
    def status(self) -> int:
        return self.reply.status

    @property
    def headers(self) -> dict[str, str]:
        return {}

    @property
    def content(self) -> "Response":
        return self

    async def iter_any(self) -> AsyncIterator[bytes]:
        yield self.reply.body

    def close(self) -> None:
        """Nothing is open."""
