"""The client over real HTTP: what each way of going wrong means, and that nothing is sent twice."""

import asyncio
import gzip
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lsq_sync.core.answers import (
    Done,
    NotAllowed,
    NotSent,
    NoVerdict,
    QueueMetrics,
    StatusAnswer,
    SubmitAnswer,
    Taken,
    TooFast,
    TurnedDown,
    Unanswered,
)
from lsq_sync.core.budget import RateLimit
from lsq_sync.core.state import RequestID
from lsq_sync.crm import client
from lsq_sync.crm.client import MAX_ANSWER_BYTES, Calls
from lsq_sync.crm.pacing import Pacer
from lsq_sync.simulator import RunningSimulator, SimulatorThread
from lsq_sync.simulator.scenario import Kind, Scenario
from lsq_sync.simulator.scenario import RateLimit as TheirLimit
from lsq_sync.simulator.scenario_file import scenario_from
from tests.crm.calling import (
    ACCEPTED,
    ID,
    ONE,
    Caller,
    call,
    calling,
    http,
    listening,
    nothing,
    scripted,
)
from tests.simulator.support import ACCOUNT
from tests.simulator.support import ONE as REAL

UNLIMITED = Scenario(rate_limit=TheirLimit(enabled=False))


@pytest.fixture(scope="module")
def sim() -> Iterator[RunningSimulator]:
    with SimulatorThread(ACCOUNT, UNLIMITED) as running:
        yield running


def faulty(sim: RunningSimulator, on: str, **fault: Any) -> Callable[[Kind], int]:
    """The CRM misbehaves from here on; gives a count of the calls from here on."""
    faults = [{"on": on, **fault}]
    sim.set_scenario(scenario_from({"rate_limit": {"enabled": False}, "faults": faults}))
    before: dict[Kind, int] = {kind: sim.crm.count(kind) for kind in ("submit", "status", "other")}
    return lambda kind: sim.crm.count(kind) - before[kind]


# --- what it is for


def test_an_update_from_submit_to_verdict(sim: RunningSimulator) -> None:
    sim.set_scenario(UNLIMITED)

    async def conversation(caller: Caller) -> tuple[StatusAnswer, Calls, list[tuple[str, str]]]:
        taken = await caller.client.submit(REAL.id, {"mx_Custom_6": "4711"}, "नोट", nothing)
        assert isinstance(taken, Taken)
        answer = await caller.client.status(taken.request_id)
        assert isinstance(await caller.client.metrics(), QueueMetrics)
        return answer, caller.client.calls, caller.watched

    answer, calls, watched = call(sim.url, conversation)
    assert answer == Done(REAL.id)
    assert calls == Calls(send=1, status=2)
    assert watched == [("POST", "HTTP 200"), ("GET", "HTTP 200"), ("GET", "HTTP 200")]
    assert sim.crm.opportunity(REAL.id).fields["mx_Custom_6"] == "4711"
    assert sim.crm.opportunity(REAL.id).note == "नोट"


def test_the_request_on_the_wire() -> None:
    async def main() -> None:
        async with scripted([http(ACCEPTED)]) as server, calling(server.url) as caller:
            assert await caller.submit() == Taken(ID)
            [request] = server.requests
            head, _, body = request.partition(b"\r\n\r\n")
            line, *headers = head.decode().split("\r\n")
            assert line == (
                "POST /opportunity/update?accessKey=u%24r51a1a70700000000000000000000f00d"
                "&secretKey=5ec2e700000000000000000000000000000000ff HTTP/1.1"
            )
            names = {header.partition(":")[0].lower() for header in headers}
            assert names == {
                "host", "x-api-key", "content-type", "content-length", "user-agent", "accept",
                "accept-encoding",
            }  # fmt: skip
            assert (
                body
                == (
                    f'{{"ProspectOpportunityId": "{ONE}", "Fields": '
                    '[{"SchemaName": "mx_Custom_6", "Value": "1"}]}'
                ).encode()
            )

    asyncio.run(main(), debug=True)


# --- faults of the CRM, as the simulator has them


BROKE = "the connection broke"
BROKE_OFF = "the answer broke off or is not HTTP"
LATE = "no answer in time"
TOO_LARGE = "the answer is larger than 1024 KiB"
NO_ACCEPTANCE = "HTTP 200, but the answer is not an acceptance"
LIMIT = "MXAPIRateLimitExceededException: API calls exceeded the limit of 25 in 5 second(s)"
SUBMIT_FAULTS: list[tuple[dict[str, Any], SubmitAnswer, bool]] = [
    ({"do": "drop_before"}, Unanswered(BROKE), False),
    ({"do": "drop_after"}, Unanswered(BROKE), True),
    ({"do": "delay", "seconds": 30}, Unanswered(LATE), True),
    ({"do": "slow_body", "seconds": 30}, Unanswered(LATE), True),
    ({"do": "truncated"}, Unanswered(BROKE_OFF), True),
    ({"do": "oversized", "bytes": 3_000_000}, Unanswered(TOO_LARGE), True),
    ({"do": "empty"}, Unanswered(NO_ACCEPTANCE), True),
    ({"do": "garbage"}, Unanswered(NO_ACCEPTANCE), False),
    ({"do": "garbage", "processed": True}, Unanswered(NO_ACCEPTANCE), True),
    ({"do": "redirect"}, NotAllowed("HTTP 302: a redirect, which is never followed"), False),
    ({"do": "forbidden"}, NotAllowed("HTTP 403: Forbidden"), False),
    ({"do": "status", "status": 500}, Unanswered("HTTP 500: Internal server error"), False),
    ({"do": "status", "status": 502, "body": "<h1>"}, Unanswered("HTTP 502"), False),
    ({"do": "status", "status": 503, "body": ""}, Unanswered("HTTP 503"), False),
    ({"do": "status", "status": 504, "body": "", "processed": True}, Unanswered("HTTP 504"), True),
    ({"do": "status", "status": 413, "body": ""}, TurnedDown("HTTP 413"), False),
    ({"do": "rate_limit"}, TooFast(f"HTTP 429: {LIMIT}", 25, 5.0), False),
    ({"do": "rate_limit", "answer": 403}, TooFast(f"HTTP 403: {LIMIT}", 25, 5.0), False),
    ({"do": "rate_limit", "answer": 200}, TooFast(f"HTTP 200: {LIMIT}", 25, 5.0), False),
]  # fmt: skip


def _named(value: Any) -> str | None:
    return "-".join(map(str, value.values())) if isinstance(value, dict) else None


@pytest.mark.parametrize(("fault", "expected", "processed"), SUBMIT_FAULTS, ids=_named)
def test_a_submit_that_goes_wrong(
    sim: RunningSimulator, fault: dict[str, Any], expected: SubmitAnswer, processed: bool
) -> None:
    count = faulty(sim, "submit", **fault)
    before = len(sim.crm.tasks())
    late = expected == Unanswered(LATE)
    answer = call(sim.url, Caller.submit, timeout_seconds=0.1 if late else 5.0)
    assert answer == expected
    assert count("submit") == 1, "sent once"
    assert len(sim.crm.tasks()) - before == int(processed)


STATUS_FAULTS: list[tuple[dict[str, Any], StatusAnswer]] = [
    ({"do": "drop_before"}, NoVerdict(BROKE)),
    ({"do": "drop_after"}, NoVerdict(BROKE)),
    ({"do": "delay", "seconds": 30}, NoVerdict(LATE)),
    ({"do": "truncated"}, NoVerdict(BROKE_OFF)),
    ({"do": "oversized", "bytes": 3_000_000}, NoVerdict(TOO_LARGE)),
    ({"do": "garbage"}, NoVerdict("the CRM does not know this request, or says nothing of it")),
    ({"do": "redirect"}, NoVerdict("HTTP 302", refused=True)),
    ({"do": "forbidden"}, NoVerdict("HTTP 403: Forbidden", refused=True)),
    ({"do": "status", "status": 502, "body": ""}, NoVerdict("HTTP 502")),
    ({"do": "rate_limit"}, TooFast(f"HTTP 429: {LIMIT}", 25, 5.0)),
]


@pytest.mark.parametrize(("fault", "expected"), STATUS_FAULTS, ids=_named)
def test_a_question_that_goes_wrong(
    sim: RunningSimulator, fault: dict[str, Any], expected: StatusAnswer
) -> None:
    count = faulty(sim, "status", **fault)

    async def ask(caller: Caller) -> StatusAnswer:
        return await caller.client.status(RequestID("x"))

    late = expected == NoVerdict(LATE)
    assert call(sim.url, ask, timeout_seconds=0.1 if late else 5.0) == expected
    assert count("status") == 1, "asked once"


def test_metrics_that_go_wrong(sim: RunningSimulator) -> None:
    faulty(sim, "metrics", do="drop_after")
    assert call(sim.url, lambda caller: caller.client.metrics()) == NoVerdict(BROKE)


def test_a_redirect_is_never_followed(sim: RunningSimulator) -> None:
    count = faulty(sim, "submit", do="redirect", location="/opportunity/update")
    call(sim.url, Caller.submit)
    assert (count("submit"), count("other")) == (1, 0)


# --- what surely was not sent


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def test_a_refused_connection_was_not_sent() -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    assert call(url, Caller.submit) == NotSent("the connection was refused")
    ask = call(url, lambda caller: caller.client.status(ID))
    assert ask == NoVerdict("the connection was refused")


def test_a_name_that_nobody_knows_was_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_arguments: object, **_more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    answer = call("https://asyncapi-nowhere.invalid", Caller.submit)
    assert answer == NotSent("the host name cannot be resolved")


def test_no_secure_connection_was_not_sent() -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(2000))
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def main() -> SubmitAnswer:
        async with listening(serve) as url, calling(url.replace("http:", "https:")) as caller:
            return await caller.submit()

    assert asyncio.run(main(), debug=True) == NotSent("no secure connection could be made")
    assert heard
    assert not any(b"opportunity" in part for part in heard)


def test_a_connection_that_is_not_made_in_time_was_not_sent() -> None:
    """Somebody listens, and never says a word of TLS."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"https://127.0.0.1:{silent.getsockname()[1]}"
        answer = call(url, Caller.submit, timeout_seconds=0.1)
    assert answer == NotSent("no connection in time")


def test_a_host_that_is_none_was_not_sent() -> None:
    assert isinstance(call("http://127.0.0.1:99999", Caller.submit), NotSent)


def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would get to see the keys."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")

    async def main() -> SubmitAnswer:
        async with scripted([http(ACCEPTED)]) as server, calling(server.url) as caller:
            return await caller.submit()

    assert asyncio.run(main(), debug=True) == Taken(ID)


# --- answers that are hardly HTTP


def answered(*answers: bytes | None) -> SubmitAnswer:
    async def main() -> SubmitAnswer:
        async with scripted(answers) as server:
            async with calling(server.url, timeout_seconds=2.0) as caller:
                answer = await caller.submit()
            assert len(server.requests) == 1
            return answer

    return asyncio.run(main(), debug=True)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
ZIPPED = "Content-Encoding: gzip"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="another protocol"),
        pytest.param(b"\x15\x03\x01\x00\x02\x02\x0a", id="TLS"),
        pytest.param(b"HTTP/1.1 OK 200\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", id="no header"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", id="endless header"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", id="no length"),
        pytest.param(CHUNKED + b"zz\r\nabc\r\n", id="no chunk"),
        pytest.param(CHUNKED + b"ffffffffffffffffffff\r\nabc", id="endless chunk"),
        pytest.param(http(b"not zipped", "200 OK", ZIPPED), id="not zipped"),
        pytest.param(http(gzip.compress(b"x" * 900)[:-9], "200 OK", ZIPPED), id="half zipped"),
        pytest.param(http(gzip.compress(b" " * 60_000_000, 9), "200 OK", ZIPPED), id="bomb"),
        pytest.param(http(b" " * (MAX_ANSWER_BYTES + 1)), id="too large"),
        pytest.param(None, id="closed"),
    ],
)
def test_what_is_hardly_an_answer_is_unknown(answer: bytes | None) -> None:
    found = answered(answer)
    assert isinstance(found, Unanswered)
    assert found.reason


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(http(ACCEPTED), id="plain"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + http(ACCEPTED), id="100 first"),
        pytest.param(CHUNKED + b"%x\r\n%s\r\n0\r\n\r\n" % (len(ACCEPTED), ACCEPTED), id="chunked"),
        pytest.param(http(gzip.compress(ACCEPTED), "200 OK", ZIPPED), id="zipped unasked"),
        pytest.param(http(ACCEPTED + b" " * (MAX_ANSWER_BYTES - len(ACCEPTED))), id="just fits"),
        pytest.param(http(ACCEPTED, "200 OK", "Content-Type: text/html"), id="as HTML"),
        pytest.param(http(ACCEPTED, "200 OK", "Set-Cookie: a=b", "Connection: close"), id="cookie"),
    ],
)
def test_an_acceptance_however_it_travels(answer: bytes) -> None:
    assert answered(answer) == Taken(ID)


# --- kept connections


QUEUE = b'{"PendingMessages": 1, "MaxDelayInSeconds": 0, "ProcessingRatePerMinute": 24.8}'


def test_a_question_on_a_kept_connection_that_breaks_is_sent_once() -> None:
    """aiohttp would ask again on its own, and the CRM would count a call that the pacer did not."""

    async def main() -> None:
        async with (
            scripted([http(QUEUE), None, http(QUEUE)]) as server,
            calling(server.url) as caller,
        ):
            assert isinstance(await caller.client.metrics(), QueueMetrics)
            assert await caller.client.metrics() == NoVerdict(BROKE)
            assert len(server.requests) == 2
            assert isinstance(await caller.client.metrics(), QueueMetrics)
            assert len(server.requests) == 3

    asyncio.run(main(), debug=True)


def test_an_update_on_a_kept_connection_that_breaks_is_sent_once() -> None:
    async def main() -> None:
        async with (
            scripted([http(QUEUE), None, http(ACCEPTED)]) as server,
            calling(server.url) as caller,
        ):
            await caller.client.metrics()
            assert await caller.submit() == Unanswered(BROKE)
            assert len(server.requests) == 2

    asyncio.run(main(), debug=True)


def test_a_connection_that_idled_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pacer lets connections idle for seconds; by then the server may be closing them, and
    an update on such a connection would be unknown for hours."""
    assert client.KEPT_SECONDS < 5.0
    monkeypatch.setattr(client, "KEPT_SECONDS", 0.02)

    async def main() -> int:
        opened = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal opened
            opened += 1
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(http(QUEUE))

        async with listening(serve) as url, calling(url) as caller:
            for pause in (0.0, 0.0, 0.1, 0.0):
                await caller.client.metrics()
                await asyncio.sleep(pause)
        return opened

    assert asyncio.run(main(), debug=True) == 2


def test_connections_are_kept_and_cookies_are_not() -> None:
    async def main() -> None:
        answer = http(QUEUE, "200 OK", "Set-Cookie: a=b; Path=/")
        async with scripted([answer] * 3) as server, calling(server.url) as caller:
            for _ in range(3):
                await caller.client.metrics()
            assert not any(b"cookie" in request.lower() for request in server.requests)

    asyncio.run(main(), debug=True)


# --- turns


def test_before_runs_when_the_turn_has_come_and_before_a_byte_leaves() -> None:
    async def main() -> None:
        async with scripted([http(ACCEPTED)] * 2) as server, calling(server.url) as caller:

            async def before() -> None:
                await asyncio.sleep(0.02)
                assert server.requests == []
                assert caller.client.calls.send == 0

            assert await caller.submit(before) == Taken(ID)
            assert len(server.requests) == 1

    asyncio.run(main(), debug=True)


def test_what_before_raises_stops_the_call_and_costs_nothing() -> None:
    async def main() -> None:
        pacer = Pacer(RateLimit(1, 3600.0), time.monotonic)
        async with (
            scripted([http(ACCEPTED)]) as server,
            calling(server.url, pacer=pacer) as caller,
        ):

            async def fails() -> None:
                raise ValueError("no")

            for _ in range(3):
                with pytest.raises(ValueError, match="no"):
                    await caller.submit(fails)
            assert (server.requests, caller.client.calls, pacer.recent_ends) == ([], Calls(), ())
            assert await caller.submit() == Taken(ID)
            assert len(pacer.recent_ends) == 1

    asyncio.run(main(), debug=True)


def test_a_refusal_for_the_rate_holds_back_whoever_comes_next(sim: RunningSimulator) -> None:
    faulty(sim, "submit", do="rate_limit", times=1)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        jumped[0] += seconds

    jumped = [0.0]
    pacer = Pacer(RateLimit(25, 5.0), lambda: jumped[0], sleep)

    async def conversation(caller: Caller) -> Calls:
        assert isinstance(await caller.submit(), TooFast)
        assert waits == []
        assert isinstance(await caller.submit(), Taken)
        return caller.client.calls

    calls = call(sim.url, conversation, pacer=pacer)
    assert waits == [5.0]
    assert (calls.send, calls.rate_limited) == (2, 1)


def test_giving_up_a_call_in_flight_closes_it_and_keeps_its_slot() -> None:
    async def main() -> None:
        pacer = Pacer(RateLimit(25, 3600.0), time.monotonic)
        async with scripted([b""]) as server, calling(server.url, pacer=pacer) as caller:
            submitting = asyncio.ensure_future(caller.submit())
            await server.asked.wait()
            submitting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await submitting
            [end] = pacer.recent_ends
            assert end > time.monotonic()

    asyncio.run(main(), debug=True)


def test_many_at_once_each_get_their_own_answer() -> None:
    async def main() -> None:
        answers = [http(ACCEPTED.replace(ID.encode(), b"r-%d" % n)) for n in range(50)]
        async with scripted(answers) as server, calling(server.url) as caller:
            found = await asyncio.gather(*(caller.submit() for _ in range(50)))
            ids = {answer.request_id for answer in found if isinstance(answer, Taken)}
            assert ids == {f"r-{n}" for n in range(50)}
            assert len(server.requests) == 50

    asyncio.run(main(), debug=True)


# --- answers that belong to something else


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (str(ID), Done()),
        (f"{{{str(ID).upper()}}}", Done()),
        ("", Done()),
        (ONE, NoVerdict("the answer is about another request")),
    ],
)
def test_a_verdict_on_another_request_is_none(told: str, expected: StatusAnswer) -> None:
    """A cache between us and the CRM may mix them up."""
    body = {"RequestID": told, "TaskStatus": {"Status": "Success"}}

    async def main() -> StatusAnswer:
        answer = http(json.dumps(body).encode())
        async with scripted([answer]) as server, calling(server.url) as caller:
            return await caller.client.status(ID)

    assert asyncio.run(main(), debug=True) == expected
