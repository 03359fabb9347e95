"""The one client: sends what `protocol` writes, reads what it understands; the only aiohttp.

aiohttp's errors carry the whole URL, and the URL carries keys. So none of them leaves this module,
not even as the cause of another: each becomes a plain answer at once.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from types import SimpleNamespace
from typing import TypeVar

import aiohttp
from yarl import URL

from lsq_sync import __version__
from lsq_sync.core.answers import (
    AccountAnswer,
    ListAnswer,
    MetadataAnswer,
    MetricsAnswer,
    NotSent,
    NoVerdict,
    ReadAnswer,
    ReadFailed,
    StatusAnswer,
    SubmitAnswer,
    TooFast,
    TypesAnswer,
    Unanswered,
)
from lsq_sync.core.reading import Wanted
from lsq_sync.core.state import RequestID
from lsq_sync.crm import listing, metadata, protocol, reading
from lsq_sync.crm.credentials import Credentials
from lsq_sync.crm.pacing import Pacer, Turn
from lsq_sync.crm.wire import Answer, Request

MAX_ANSWER_BYTES = 1024 * 1024
MAX_READ_BYTES = 128 * MAX_ANSWER_BYTES
"""Of a read: 2,000 opportunities with a hundred fields of 200 characters fit twice."""

_Noted = TypeVar(
    "_Noted",
    SubmitAnswer,
    StatusAnswer,
    MetricsAnswer,
    ReadAnswer,
    AccountAnswer,
    TypesAnswer,
    MetadataAnswer,
    ListAnswer,
)
_CONNECT_SECONDS = 10.0

KEPT_SECONDS = 2.0
"""How long an idle connection is used again. The pacer lets them idle for a window, which is what
many servers wait before they close one; an update sent into that is unknown for hours."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the API answers; `host` is the synchronous one, where live values are read."""

    async_host: str
    status_path: str
    metrics_path: str
    timeout_seconds: float
    host: str = ""


@dataclass(slots=True)
class Calls:
    """How often the CRM was asked, by kind."""

    send: int = 0
    status: int = 0
    read: int = 0
    rate_limited: int = 0


@dataclass(frozen=True, slots=True)
class _Failure:
    """No answer; `sent` when the headers of the request had left."""

    reason: str
    sent: bool


@dataclass(slots=True)
class Client:
    """Asks the CRM, each call in a slot of the pacer."""

    session: aiohttp.ClientSession
    pacer: Pacer
    place: Place
    keys: Credentials
    calls: Calls
    watch: Callable[[str, str], None] = lambda _what, _answer: None
    server_time: datetime | None = None
    """What the clock of the last host that answered said then."""

    async def submit(
        self,
        opportunity: str,
        fields: Mapping[str, str],
        note: str | None,
        before: Callable[[], Awaitable[None]],
    ) -> SubmitAnswer:
        """Sends one update. `before` runs when its turn has come, before the first byte leaves;
        what it raises stops the call."""
        request = protocol.submit_request(
            self.place.async_host, self.keys, opportunity, fields, note
        )
        async with self.pacer.slot() as turn:
            await before()
            self.calls.send += 1
            found = await self._send(request, turn)
        if isinstance(found, _Failure):
            return Unanswered(found.reason) if found.sent else NotSent(found.reason)
        return self._noted(protocol.read_submit(found))

    async def status(self, request_id: RequestID) -> StatusAnswer:
        """Asks what became of a request."""
        request = protocol.status_request(
            self.place.async_host, self.place.status_path, self.keys, request_id
        )
        found = await self._ask(request)
        if isinstance(found, _Failure):
            return NoVerdict(found.reason)
        return self._noted(protocol.read_status(found, request_id))

    async def metrics(self) -> MetricsAnswer:
        """Asks how long the queue is."""
        request = protocol.metrics_request(
            self.place.async_host, self.place.metrics_path, self.keys
        )
        found = await self._ask(request)
        if isinstance(found, _Failure):
            return NoVerdict(found.reason)
        return self._noted(protocol.read_metrics(found))

    async def read(self, group: Sequence[Wanted]) -> ReadAnswer:
        """Reads a group as `core.reading.groups_of` makes them, or one opportunity by itself."""
        if group[0].in_bulk:
            bulk = reading.bulk_request(self.place.host, self.keys, group)
            return await self._fetch(bulk, lambda found: reading.read_bulk(found, group))
        single = reading.details_request(self.place.host, self.keys, group[0])
        return await self._fetch(single, lambda found: reading.read_details(found, group[0]))

    async def account(self) -> AccountAnswer:
        """Asks whose keys these are."""
        request = reading.account_request(self.place.host, self.keys)
        return await self._fetch(request, reading.read_account)

    async def types(self) -> TypesAnswer:
        """Asks which opportunity types the account has."""
        request = metadata.types_request(self.place.host, self.keys)
        return await self._fetch(request, metadata.read_types)

    async def metadata(self, code: int) -> MetadataAnswer:
        """Asks for the fields of an opportunity type."""
        request = metadata.metadata_request(self.place.host, self.keys, code)
        return await self._fetch(request, lambda found: metadata.read_metadata(found, code))

    async def modified(self, code: int, since: str, until: str, page: int) -> ListAnswer:
        """Asks for a page of what was modified in a span of time (UTC)."""
        request = listing.modified_request(self.place.host, self.keys, code, since, until, page)
        return await self._fetch(request, lambda found: listing.read_modified(found, code))

    async def _fetch(
        self, request: Request, understand: Callable[[Answer], _Noted]
    ) -> _Noted | ReadFailed:
        """One synchronous read; it changes nothing, so one without an answer may be repeated."""
        found = await self._read(request)
        if isinstance(found, _Failure):
            return ReadFailed(found.reason, retry=True)
        return self._noted(understand(found))

    async def _ask(self, request: Request) -> Answer | _Failure:
        async with self.pacer.slot() as turn:
            self.calls.status += 1
            return await self._send(request, turn)

    async def _read(self, request: Request) -> Answer | _Failure:
        async with self.pacer.slot() as turn:
            self.calls.read += 1
            return await self._send(request, turn, MAX_READ_BYTES)

    def _noted(self, answer: _Noted) -> _Noted:
        if isinstance(answer, TooFast):
            self.calls.rate_limited += 1
            self.pacer.refused(answer.calls, answer.seconds)
        return answer

    async def _send(
        self, request: Request, turn: Turn, most: int = MAX_ANSWER_BYTES
    ) -> Answer | _Failure:
        turn.sent = True
        trace = SimpleNamespace(sent=False)
        try:
            answer = await self._exchange(request, trace, most)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            failure = _Failure(_words(error, trace.sent), trace.sent)
        else:
            turn.answered = True
            self.watch(request.method, f"HTTP {answer.status}")
            return answer
        self.watch(request.method, failure.reason)
        return failure

    async def _exchange(self, request: Request, trace: SimpleNamespace, most: int) -> Answer:
        async with self.session.request(
            request.method,
            URL(request.url, encoded=True),
            data=request.body,
            headers=request.headers,
            allow_redirects=False,
            trace_request_ctx=trace,
        ) as response:
            self.server_time = _moment(response.headers.get("Date")) or self.server_time
            return Answer(response.status, await _body(response, most), self.keys)


@asynccontextmanager
async def open_client(
    place: Place,
    keys: Credentials,
    pacer: Pacer,
    calls: Calls,
    watch: Callable[[str, str], None] = lambda _what, _answer: None,
) -> AsyncIterator[Client]:
    """A client whose connections are closed at the end; it counts its calls in `calls`."""
    tracing = aiohttp.TraceConfig()
    tracing.on_request_headers_sent.append(_mark_sent)
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(keepalive_timeout=KEPT_SECONDS),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=_timeouts(place.timeout_seconds),
        headers={"User-Agent": f"lsq-sync/{__version__}", "Accept-Encoding": "identity"},
        trace_configs=[tracing],
    ) as session:
        # aiohttp repeats a GET on its own when a kept connection breaks. The CRM would count two
        # calls where the pacer counts one. There is no public switch.
        session._retry_connection = False  # noqa: SLF001
        yield Client(session, pacer, place, keys, calls, watch)


def _timeouts(seconds: float) -> aiohttp.ClientTimeout:
    connect = min(_CONNECT_SECONDS, seconds)
    return aiohttp.ClientTimeout(
        total=seconds, connect=connect, sock_connect=connect, sock_read=seconds
    )


async def _mark_sent(
    _session: object, context: SimpleNamespace, _params: aiohttp.TraceRequestHeadersSentParams
) -> None:
    context.trace_request_ctx.sent = True


def _moment(text: str | None) -> datetime | None:
    """The Date header of an answer, if it is one (RFC 9110, 6.6.1)."""
    try:
        found = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return found if found.tzinfo else None


async def _body(response: aiohttp.ClientResponse, most: int) -> bytes:
    """The body, decompressed, up to a cap: a bomb or an endless answer is no answer."""
    parts = bytearray()
    async for part in response.content.iter_any():
        parts += part
        if len(parts) > most:
            response.close()
            raise _TooLargeError(most)
    return bytes(parts)


class _TooLargeError(ValueError):
    """The answer is larger than any the CRM gives."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most


def _words(error: Exception, sent: bool) -> str:
    """What happened, without anything of the URL or the exception's own text."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return "the host name cannot be resolved"
        case aiohttp.ClientConnectorCertificateError() | ssl.SSLCertVerificationError():
            return "the certificate of the host cannot be verified"
        case aiohttp.ClientConnectorSSLError() | aiohttp.ClientSSLError():
            return "no secure connection could be made"
        case asyncio.TimeoutError():
            return "no answer in time" if sent else "no connection in time"
        case _TooLargeError():
            return f"the answer is larger than {error.most // 1024} KiB"
        case aiohttp.ClientConnectorError():
            return "the connection was refused"
        case aiohttp.ClientPayloadError() | aiohttp.ClientResponseError():
            return "the answer broke off or is not HTTP"
        case _:
            return "the connection broke" if sent else "no connection could be made"
