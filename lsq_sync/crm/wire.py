"""One HTTP request, one answer, and what the body of any answer says. Pure.

JSON with keys in any case, the error envelope, the text of the rate limit.

Sources: apidocs.leadsquared.com/error-handling and /rate-limits. The same rate-limit text has been
seen under 429, 403 and 200, and permanent faults under 500, so the body comes before the code.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lsq_sync.core.answers import TooFast
from lsq_sync.crm.credentials import Credentials

LONGEST_REASON = 2000


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Its URL holds keys: it is never printed, and neither are the headers."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None

    def __repr__(self) -> str:
        return f"<{self.method} request>"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, read to its end. Where it repeats `keys`, they are not read."""

    status: int
    body: bytes
    keys: Credentials = field(default_factory=Credentials)


def json_in(answer: Answer, **reading: Any) -> Any:
    """The JSON of the body, whatever it is; None when it is none. `reading` is for the parser."""
    try:
        content = json.loads(answer.body, **reading)
        may_repeat_keys = not answer.keys.are_surely_not_in(answer.body.decode("utf-8", "replace"))
        return _without(answer.keys, content) if may_repeat_keys else content
    except (ValueError, RecursionError):
        return None


def content_of(answer: Answer) -> Mapping[str, Any]:
    """The JSON object of the body; empty when it is none."""
    content = json_in(answer)
    return content if isinstance(content, dict) else {}


def _without(keys: Credentials, content: Any) -> Any:
    """A gateway may repeat the URL that it did not find, with the keys in it."""
    if isinstance(content, str):
        return keys.hidden_in(content)
    if isinstance(content, dict):
        return {name: _without(keys, value) for name, value in content.items()}
    return [_without(keys, value) for value in content] if isinstance(content, list) else content


def lookup(content: Mapping[str, Any], key: str) -> Any:
    """A key whatever its case: `RequestID` and `RequestId` both occur in the documentation."""
    wanted = key.casefold()
    return next((value for name, value in content.items() if name.casefold() == wanted), None)


MX = re.compile(r"\bMX[A-Za-z]+")
RATE_LIMIT = re.compile(
    r"MXAPIRateLimitExceeded|API calls exceeded the limit|limit of \d+ in [\d.]+ second",
    re.IGNORECASE,
)
_GATEWAY_LIMIT = re.compile(r"rate limit|too many requests|limit exceeded", re.IGNORECASE)
_LIMIT_NUMBERS = re.compile(r"limit of (\d{1,6}) in (\d{1,6}(?:\.\d{1,3})?) second", re.IGNORECASE)
_KEYS = re.compile(
    r"MX(?:InvalidAccessDetails|AuthenticationFailed|UnAuthorizedAccess)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What an error envelope says; empty when the body is none."""

    kind: str = ""
    message: str = ""

    @property
    def text(self) -> str:
        """All of it on one line."""
        return (
            f"{self.kind}: {self.message}"
            if self.kind and self.message
            else self.kind or self.message
        )

    @property
    def is_application(self) -> bool:
        """Permanent: sending the same again gets the same answer."""
        return MX.match(self.kind) is not None

    @property
    def is_about_keys(self) -> bool:
        """Every call with these keys would get the same answer."""
        return _KEYS.match(self.kind) is not None


def fault_in(body: Mapping[str, Any]) -> Fault:
    """What `ExceptionType` and `ExceptionMessage` say, or the gateway's bare `message`."""
    if is_envelope(body):
        kind, message = lookup(body, "ExceptionType"), lookup(body, "ExceptionMessage")
        return Fault(clean(kind), clean(message))
    gateway = lookup(body, "message")
    return Fault(message=clean(gateway)) if isinstance(gateway, str) else Fault()


def is_envelope(body: Mapping[str, Any]) -> bool:
    """Whether the body tells of an error."""
    return bool(lookup(body, "ExceptionType") or lookup(body, "ExceptionMessage"))


def rate_limit(answer: Answer, fault: Fault) -> TooFast | None:
    """What the answer tells of the account's limit, if it is about that."""
    if answer.status != 429 and not _tells_of_a_limit(answer, fault):
        return None
    numbers = _LIMIT_NUMBERS.search(fault.text)
    calls, seconds = (int(numbers[1]), float(numbers[2])) if numbers else (None, None)
    return TooFast(reason_of(answer, fault), calls or None, seconds or None)


def _tells_of_a_limit(answer: Answer, fault: Fault) -> bool:
    """In the CRM's own words, or in a gateway's under the codes where those were met."""
    if tells_of_the_limit(fault.text):
        return True
    is_gateway = not fault.kind and answer.status in (200, 403)
    return is_gateway and _GATEWAY_LIMIT.search(fault.message) is not None


def tells_of_the_limit(text: str) -> bool:
    """Whether the CRM speaks of its rate limit. Another fault may repeat a value, and the value may
    read like that."""
    named = MX.search(text)
    is_another = named is not None and not RATE_LIMIT.match(named[0])
    return not is_another and RATE_LIMIT.search(text) is not None


def reason_of(answer: Answer, fault: Fault) -> str:
    """Status code and fault, for people."""
    return f"HTTP {answer.status}{': ' if fault.text else ''}{fault.text}"


def clean(text: object) -> str:
    """Text from the CRM, cut to what anybody reads; what is shown is escaped where it is shown."""
    return text.strip()[:LONGEST_REASON] if isinstance(text, str) else ""
