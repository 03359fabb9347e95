"""Replies onto aiohttp's connections, with all the ways in which they can go wrong there."""

import asyncio
import contextlib
import socket
import struct
from typing import Final

from aiohttp import web

from lsq_sync.simulator.running import RunningSimulator
from lsq_sync.simulator.wire import Reply, Request

PIECES: Final = 10  # of a slow body
PADDING: Final = b" " * 65_536
RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 seconds


class Connection:
    """Requests in, replies out, with all the ways a reply can go wrong on the wire."""

    def __init__(self, simulator: RunningSimulator) -> None:
        self._simulator = simulator
        self.stopping = asyncio.Event()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            body = await request.read()
            reply = self._simulator.handle(_request(request, body))
            if reply.wait:
                await self._pause(reply.wait)
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
