"""Everything that can go wrong with an answer, and what it means for each kind of call.

The table of `docs/reliability-faults.md` is made from this one.
"""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any

from tests.reliability.meddler import HELD_SECONDS, End, Heard, Spoil, Step


class Meaning(Enum):
    """What an answer means, in the words of the documentation."""

    GOOD = "good"
    """Odd, and an answer all the same."""
    UNKNOWN = "unknown"
    """Sent, and nobody knows: read back, else held; never sent again by itself."""
    AGAIN = "again"
    """Refused for now, or harmless to repeat: asked again by itself."""
    REJECTED = "rejected"
    """Final for this opportunity; the others go on."""
    STOP = "stop"
    """Nothing further is sent."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way of going wrong. `processed`: the CRM did what it was asked."""

    name: str
    spoil: Spoil
    processed: bool
    submit: Meaning
    status: Meaning
    bulk: Meaning
    details: Meaning

    def meaning(self, kind: str) -> Meaning:
        """For a call of this kind."""
        found: Meaning = getattr(self, kind)
        return found


# --- answers


def http(status: str, body: bytes, *headers: str) -> bytes:
    """A whole answer."""
    return _head(status, len(body), *headers) + body


def _head(status: str, length: object, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {length}", *headers, "", ""]
    return "\r\n".join(lines).encode()


def _echo(heard: Heard) -> str:
    """A careless gateway repeats what it was asked: here are the keys, and the values."""
    return f"cannot serve {heard.target} with {heard.body.decode()}"


def plainly(status: str, *headers: str) -> Spoil:
    """An HTML page of a gateway."""
    return lambda heard: [http(status, f"<html>{_echo(heard)}</html>".encode(), *headers)]


def told(status: str, content: Callable[[Heard], Any]) -> Spoil:
    """A JSON answer."""
    return lambda heard: [http(status, json.dumps(content(heard)).encode())]


def enveloped(status: str, kind: str, text: str = "") -> Spoil:
    """The error envelope of the CRM."""
    return told(
        status,
        lambda heard: {
            "Status": "Error",
            "ExceptionType": kind,
            "ExceptionMessage": text or _echo(heard),
        },
    )


def spoilt(change: Callable[[bytes], bytes], *headers: str) -> Spoil:
    """The good body, changed."""
    return lambda heard: [http("200 OK", change(heard.good), *headers)]


def steps(make: Callable[[bytes], Sequence[Step]]) -> Spoil:
    """Steps that are made of the good answer."""
    return lambda heard: make(http("200 OK", heard.good))


def _drip(answer: bytes) -> list[Step]:
    pieces = [answer[at : at + 1] for at in range(len(answer))]
    return [step for piece in pieces for step in (piece, 0.05)]


def _twice(heard: Heard) -> bytes:
    """The good answer, and beside it something that contradicts it."""
    content = json.loads(heard.good)
    content = content[0] if isinstance(content, list) else content
    return json.dumps({**content, "ExceptionType": "OddException", "requestid": "x"}).encode()


@cache
def bomb() -> bytes:
    """A few hundred kilobytes that become more than any answer may have."""
    return http("200 OK", gzip.compress(b" " * 140_000_000, 9), ZIPPED)


# --- the table

G, U, A, R, S = (
    Meaning.GOOD,
    Meaning.UNKNOWN,
    Meaning.AGAIN,
    Meaning.REJECTED,
    Meaning.STOP,
)
LIMIT = "MXAPIRateLimitExceededException"
LIMIT_TEXT = "API calls exceeded the limit of 25 in 5 second(s)"
ZIPPED = "Content-Encoding: gzip"
HALF_UTF8 = b'{"RequestID": "\xff\xfe", "TaskStatus": "\xc3", "Fields": [{"\xa0": 1}]}'


def _rows() -> list[tuple[str, Spoil, str, bool]]:
    """Name, answer, what it means (submit, status, bulk, details), whether it was processed."""
    done, never = True, False
    return [
        # the connection
        ("closed without an answer", steps(lambda _: [End.CLOSE]), "UAAA", never),
        ("closed after it was done", steps(lambda _: [End.CLOSE]), "UAAA", done),
        ("reset before the headers", steps(lambda _: [End.RESET]), "UAAA", done),
        ("reset in the headers", steps(lambda a: [a[:9], 0.02, End.RESET]), "UAAA", done),
        ("closed in the headers", steps(lambda a: [a[:30], End.CLOSE]), "UAAA", done),
        ("reset after the headers",
         steps(lambda a: [a.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", 0.02, End.RESET]), "UAAA",
         done),
        ("reset in the body", steps(lambda a: [a[:-9], 0.02, End.RESET]), "UAAA", done),
        ("closed in the body", steps(lambda a: [a[:-9], End.CLOSE]), "UAAA", done),
        ("silence", steps(lambda _: [HELD_SECONDS, End.CLOSE]), "UAAA", done),
        ("silence after the headers",
         steps(lambda a: [a.partition(b"\r\n\r\n")[0], HELD_SECONDS, End.CLOSE]), "UAAA", done),
        ("a slow drip", steps(_drip), "UAAA", done),
        # hardly HTTP
        ("another protocol", steps(lambda _: [b"SSH-2.0-OpenSSH_9.6\r\n", End.CLOSE]), "UAAA",
         never),
        ("a header without end",
         steps(lambda _: [b"HTTP/1.1 200 OK\r\nX: " + b"y" * 99_000 + b"\r\n\r\n", End.CLOSE]),
         "UAAA", done),
        ("no chunk", steps(lambda _: [
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", End.CLOSE]),
         "UAAA", done),
        ("a length that is none",
         lambda h: [_head("200 OK", "x") + h.good, End.CLOSE], "UAAA", done),
        ("a length that is too long",
         lambda h: [_head("200 OK", len(h.good) + 9) + h.good, End.CLOSE], "UAAA", done),
        ("a length that is too short",
         lambda h: [_head("200 OK", len(h.good) - 9, "Connection: close") + h.good, End.CLOSE],
         "UAAA", done),
        # redirects
        ("301", plainly("301 Moved Permanently", "Location: /elsewhere"), "SASS", never),
        ("302", plainly("302 Found", "Location: https://elsewhere.invalid/"), "SASS", never),
        ("307", plainly("307 Temporary Redirect", "Location: /opportunity/update"), "SASS", never),
        # refusals
        ("400", enveloped("400 Bad Request", "JsonReaderException"), "RASS", never),
        ("401", enveloped("401 Unauthorized", "MXInvalidAccessDetailsException"), "SASS", never),
        ("401 of a page", plainly("401 Unauthorized"), "SASS", never),
        ("403 of a gateway", told("403 Forbidden", lambda _: {"message": "Forbidden"}), "SASS",
         never),
        ("403 of a page", plainly("403 Forbidden"), "SASS", never),
        ("403 for the rate limit", enveloped("403 Forbidden", LIMIT, LIMIT_TEXT), "AAAA", never),
        ("404", told("404 Not Found", lambda h: {"message": _echo(h)}), "SASS", never),
        ("404 of a page", plainly("404 Not Found"), "SASS", never),
        ("405", plainly("405 Method Not Allowed"), "SASS", never),
        ("408", plainly("408 Request Timeout"), "UAAA", never),
        ("413", plainly("413 Content Too Large"), "RASS", never),
        ("415", plainly("415 Unsupported Media Type"), "RASS", never),
        ("429 with numbers", enveloped("429 Too Many Requests", LIMIT, LIMIT_TEXT), "AAAA", never),
        ("429 without numbers",
         told("429 Too Many Requests", lambda _: {"message": "Too Many Requests"}), "AAAA", never),
        ("429 with seconds as text",
         enveloped("429 Too Many Requests", LIMIT, "exceeded the limit of 25 in five second(s)"),
         "AAAA", never),
        ("429 of a page", plainly("429 Too Many Requests", "Retry-After: 3600"), "AAAA", never),
        ("200 for the rate limit", enveloped("200 OK", LIMIT, LIMIT_TEXT), "AAAA", never),
        # servers
        ("500 with an application fault", enveloped("500 Oops", "MXInvalidInputException"), "RASS",
         never),
        ("500 with another fault", enveloped("500 Oops", "ArgumentNullException"), "UAAA", never),
        ("500 of a page", plainly("500 Oops"), "UAAA", never),
        ("500 with a RequestID", lambda h: [http("500 Oops", h.good or b"{}")], "UAAA", done),
        ("502", plainly("502 Bad Gateway"), "UAAA", done),
        ("503", plainly("503 Service Unavailable", "Retry-After: 1"), "UAAA", never),
        ("504", plainly("504 Gateway Timeout"), "UAAA", done),
        # a 200 that is none
        ("200 with a page", plainly("200 OK"), "UASS", done),
        ("200 with nothing", spoilt(lambda _: b""), "UASS", done),
        ("204", lambda _: [b"HTTP/1.1 204 No Content\r\n\r\n"], "UASS", done),
        ("200 with half of the JSON", spoilt(lambda good: good[: len(good) // 2]), "UASS", done),
        ("200 with a list", spoilt(lambda _: b"[1, 2]"), "UASS", done),
        ("200 with an empty list", spoilt(lambda _: b"[]"), "UAGS", done),
        ("200 with null", spoilt(lambda _: b"null"), "UASS", done),
        ("200 with wrong types",
         spoilt(lambda _: b'{"RequestID": {}, "TaskStatus": "Success", "Fields": 7}'), "UASS",
         done),
        ("200 with deep nesting", spoilt(lambda _: b"[" * 50_000), "UASS", done),
        ("200 with half of a letter", spoilt(lambda _: HALF_UTF8), "UASS", done),
        ("200 with an error",
         enveloped("200 OK", "MXInvalidInputException"), "RASS", never),
        ("200 that contradicts itself", lambda h: [http("200 OK", _twice(h))], "UASS", done),
        ("200 without end", spoilt(lambda good: good + b" " * 2_000_000), "UAGG", done),
        ("200 as a gzip bomb",
         lambda _: [bomb()], "UAAA", done),
        ("200 zipped, broken",
         spoilt(lambda good: gzip.compress(good)[:10] + b"\xff" * 30, ZIPPED), "UAAA", done),
        # odd, but good
        ("200 with a byte order mark", spoilt(lambda good: b"\xef\xbb\xbf" + good), "GGGG", done),
        ("200 in another charset than it says",
         spoilt(lambda good: good, "Content-Type: application/json; charset=klingon"), "GGGG",
         done),
        ("200 in UTF-16", spoilt(lambda good: good.decode().encode("utf-16")), "GGGG", done),
    ]  # fmt: skip


_LETTERS: Mapping[str, Meaning] = {"G": G, "U": U, "A": A, "R": R, "S": S}
FAULTS: Sequence[Fault] = [
    Fault(name, spoil, processed, *map(_LETTERS.__getitem__, meanings))
    for name, spoil, meanings, processed in _rows()
]
