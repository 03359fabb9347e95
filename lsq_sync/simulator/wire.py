"""Requests and replies as values, and the bodies that every endpoint shares. No sockets here."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

JSON_TYPE: Final = "application/json; charset=utf-8"
HTML_TYPE: Final = "text/html; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """A call. Names of query parameters and headers are in lower case: the CRM ignores theirs."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


Delivery: TypeAlias = Literal["whole", "closed", "reset", "truncated", "slow", "padded"]
"""How the bytes of a reply travel: as they are, not at all (an orderly close, or a reset), less
than announced, piece by piece over `seconds`, or blown up to `size` with white space."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    delivery: Delivery = "whole"
    wait: float = 0.0  # real seconds before the first byte
    seconds: float = 0.0
    size: int = 0


def json_reply(value: Any, status: int = 200) -> Reply:
    return Reply(status, json.dumps(value, ensure_ascii=False).encode())


def error_reply(status: int, exception_type: str, message: str) -> Reply:
    """The error envelope. [documented] error-handling"""
    body = {"Status": "Error", "ExceptionType": exception_type, "ExceptionMessage": message}
    return json_reply(body, status)


def application_error(exception_type: str, message: str) -> Reply:
    """Every application and validation error is HTTP 500 with an MX body. [seen in code]"""
    return error_reply(500, exception_type, message)


def parse_error(text: str) -> Reply:
    """A body that does not parse: 400 with .NET's own words. [documented] error-handling"""
    return error_reply(400, "JsonReaderException", text)


def rate_limit_reply(status: int, calls: int, seconds: float) -> Reply:
    """The same body was met under 429, 403 and 200. [seen in code]; the text is [documented]"""
    text = f"API calls exceeded the limit of {calls} in {seconds:g} second(s)"
    return error_reply(status, "MXAPIRateLimitExceededException", text)


def forbidden_reply() -> Reply:
    """What an AWS gateway says without a key it knows; no MX body. [inferred]"""
    return json_reply({"message": "Forbidden"}, 403)


def unauthorized_reply() -> Reply:
    """Bad keys. The status is [documented], the body [seen in code]."""
    return error_reply(401, "MXInvalidAccessDetailsException", "Invalid Access Details provided.")
