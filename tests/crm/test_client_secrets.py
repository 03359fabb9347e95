"""Keys stay in: whatever goes wrong, nothing that the client says holds a key or a URL."""

import asyncio
import json
import logging
import socket
import traceback
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from lsq_sync.core.answers import NotAllowed, Taken, TurnedDown
from lsq_sync.crm.credentials import Credentials
from tests.crm.calling import (
    ACCEPTED,
    CANARIES,
    ID,
    Caller,
    call,
    calling,
    http,
    listening,
    scripted,
)

KEYS = (CANARIES.access_key, CANARIES.secret_key, CANARIES.x_api_key)
FORMS: tuple[Callable[[str], str], ...] = (
    str,
    lambda key: quote(key, safe=""),
    quote_plus,
    lambda key: quote(key, safe="").lower(),
    lambda key: json.dumps(key)[1:-1],
)
SPOTS = ("CANARY", "canary", "gateway-key", "sec=ret", "/opportunity/update?", "accessKey")


def assert_clean(text: str, *, also: tuple[str, ...] = ()) -> None:
    for spot in (*SPOTS, *also):
        assert spot not in text, f"{spot!r} in {text!r}"


async def ask_everything(caller: Caller) -> list[object]:
    """Every kind of call, and everything that came of it."""
    found: list[object] = []
    for asking in (
        caller.submit,
        lambda: caller.client.status(ID),
        caller.client.metrics,
    ):
        try:
            found.append(await asking())
        except Exception as error:  # noqa: BLE001 - whatever it is, it must be clean
            found.append("".join(traceback.format_exception(error)))
    return [*found, *caller.watched, caller.client, caller.client.calls]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 OK 200\r\n\r\n",
        http(b"x", "200 OK", "Content-Encoding: gzip"),
        http(b" " * 2_000_000),
        http(b"", "302 Found", "Location: https://elsewhere.invalid/"),
        http(b"", "404 Not Found"),
        http(b"<html>", "500 Internal Server Error"),
        http(b"", "502 Bad Gateway"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
    ],
)
def test_no_fault_shows_a_key(answer: bytes | None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    async def main() -> list[object]:
        async with (
            scripted([answer] * 3) as server,
            calling(server.url, CANARIES, 0.2) as caller,
        ):
            return [*await ask_everything(caller), caller.client.place]

    *found, place = asyncio.run(main(), debug=True)
    assert_clean(repr(found) + caplog.text)
    assert_clean(repr(place))


def test_a_host_that_cannot_be_reached_shows_no_key(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def fails(*_arguments: object, **_more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    for url in ("https://nowhere.invalid", "http://127.0.0.1:1", "http://127.0.0.1:99999", "http:"):
        found = call(url, ask_everything, keys=CANARIES)
        assert_clean(repr(found) + caplog.text)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "template",
    [
        '{"message": "no route for POST /opportunity/update?accessKey=@&secretKey=@, key @"}',
        '{"Status": "Error", "ExceptionType": "MXInvalidAccessDetailsException", '
        '"ExceptionMessage": "no user has @"}',
        '{"Status": "Error", "ExceptionType": "MXOdd@Exception", "ExceptionMessage": "x"}',
        '{"RequestID": "r", "TaskStatus": {"Status": "FAILURE", "StatusReason": "with @ and @"}}',
        '{"RequestID": "r", "TaskStatus": {"Status": "Odd @", "StatusReason": "with @"}}',
        '{"RequestID": "r", "TaskStatus": {"Status": "Success", "Message": '
        '{"ExceptionType": "MXa", "ExceptionMessage": "with @"}}}',
        '{"ExceptionType": "MXAPIRateLimitExceededException", "ExceptionMessage": "for @"}',
    ],
)
@pytest.mark.parametrize("status", ["200 OK", "404 Not Found"])
def test_a_server_that_repeats_our_keys_is_not_repeated(
    template: str, form: Callable[[str], str], status: str
) -> None:
    """A gateway that echoes the URL it could not find would put keys into journal and reports."""
    body = template
    for key in KEYS * template.count("@"):
        body = body.replace("@", json.dumps(form(key))[1:-1], 1)

    async def main() -> list[object]:
        async with (
            scripted([http(body.encode(), status)] * 3) as server,
            calling(server.url, CANARIES) as caller,
        ):
            return await ask_everything(caller)

    found = repr(asyncio.run(main(), debug=True))
    for key in KEYS:
        assert form(key) not in found
        assert key not in found
    assert "CANARY" not in found
    assert "canary" not in found


def test_what_is_left_of_such_an_answer_can_be_read() -> None:
    message = f"no user has {CANARIES.access_key} (try another)"
    found = answer_to({"ExceptionType": "MXInvalidAccessDetails", "ExceptionMessage": message})
    assert found == NotAllowed(
        "HTTP 500: MXInvalidAccessDetails: no user has (a key) (try another)"
    )


@pytest.mark.parametrize("before", range(1900, 2001, 7))
def test_a_key_that_is_cut_off_at_the_end_of_a_long_text_is_not_shown(before: int) -> None:
    text = "x" * before + CANARIES.secret_key * 3
    assert_clean(repr(answer_to({"ExceptionType": "MXa", "ExceptionMessage": text})))


def answer_to(content: object, encoding: str = "utf-8") -> object:
    async def main() -> object:
        body = json.dumps(content, ensure_ascii=False).encode(encoding)
        async with (
            scripted([http(body, "500 Oops")]) as server,
            calling(server.url, CANARIES) as caller,
        ):
            return await caller.submit()

    return asyncio.run(main(), debug=True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_whatever_the_answer_is_encoded_in(encoding: str) -> None:
    content = {"ExceptionType": "MXa", "ExceptionMessage": f"no {CANARIES.secret_key}"}
    assert answer_to(content, encoding) == TurnedDown("MXa: no (a key)")


def test_short_keys_do_not_turn_answers_into_riddles() -> None:
    """A made-up key of one letter is in every word."""
    body = b'{"ExceptionType": "MXInvalidInputException", "ExceptionMessage": "a bad value"}'

    async def main() -> object:
        async with (
            scripted([http(body, "500 Oops"), http(ACCEPTED)]) as server,
            calling(server.url, Credentials("a", "e", "x")) as caller,
        ):
            return [await caller.submit(), await caller.submit()]

    assert asyncio.run(main(), debug=True) == [
        TurnedDown("MXInvalidInputException: a bad value"),
        Taken(ID),
    ]


def test_keys_never_leave_for_a_host_that_is_asked_elsewhere() -> None:
    """A redirect to another host is an answer like any other."""
    heard: list[bytes] = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(10_000))

    async def main() -> None:
        async with listening(elsewhere) as other:
            answer = http(b"", "307 Temporary Redirect", f"Location: {other}/opportunity/update")
            async with (
                scripted([answer] * 3) as server,
                calling(server.url, CANARIES) as caller,
            ):
                await ask_everything(caller)

    asyncio.run(main(), debug=True)
    assert heard == []
