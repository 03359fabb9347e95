"""The CRM's API: what a request looks like and what an answer means. Pure.

Sources: apidocs.leadsquared.com/update-an-opportunity-async (submit),
/update-an-opportunity-status-api (status), /get-create-lead-and-activity-metrics (metrics),
/rate-limits and /error-handling (errors). What a body says comes before its status code: the
same rate-limit text has been seen under 429, 403 and 200, and permanent faults under 500.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from lsq_sync.core.answers import (
    Done,
    Failed,
    MetricsAnswer,
    NotAllowed,
    NoVerdict,
    QueueMetrics,
    StatusAnswer,
    SubmitAnswer,
    Taken,
    TooFast,
    TurnedDown,
    Unanswered,
    Waiting,
)
from lsq_sync.core.model import SUBFIELD
from lsq_sync.core.state import RequestID
from lsq_sync.crm.credentials import Credentials

SUBMIT_PATH = "/opportunity/update"
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


# --- requests


def submit_request(
    async_host: str,
    keys: Credentials,
    opportunity: str,
    fields: Mapping[str, str],
    note: str | None,
) -> Request:
    """An update of one opportunity: values as text on the wire, a note only when it changes."""
    query = urlencode(
        {"accessKey": keys.access_key, "secretKey": keys.secret_key}, quote_via=quote, safe=""
    )
    content: dict[str, Any] = {"ProspectOpportunityId": opportunity}
    if note is not None:
        content["OpportunityNote"] = note
    content["Fields"] = _wire_fields(fields)
    return Request(
        "POST",
        f"{async_host}{SUBMIT_PATH}?{query}",
        {"x-api-key": keys.x_api_key, "Content-Type": "application/json"},
        json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace"),
    )


def status_request(async_host: str, path: str, keys: Credentials, request: RequestID) -> Request:
    """Asks what became of a request."""
    query = urlencode({"RequestID": request}, quote_via=quote, safe="")
    return Request("GET", f"{async_host}{path}?{query}", {"x-api-key": keys.x_api_key})


def metrics_request(async_host: str, path: str, keys: Credentials) -> Request:
    """Asks how long the queue is."""
    return Request("GET", f"{async_host}{path}", {"x-api-key": keys.x_api_key})


def _wire_fields(fields: Mapping[str, str]) -> list[dict[str, Any]]:
    """A custom field set is one field whose sub-fields stand inside it."""
    listed: dict[str, dict[str, Any]] = {}
    for name, value in fields.items():
        parent, _, part = name.partition(SUBFIELD)
        if not part:
            listed[name] = {"SchemaName": name, "Value": value}
            continue
        whole = listed.setdefault(parent, {"SchemaName": parent, "Value": "", "Fields": []})
        whole["Fields"].append({"SchemaName": part, "Value": value})
    return list(listed.values())


# --- answers


def read_submit(answer: Answer) -> SubmitAnswer:
    """What the answer to an update means for it."""
    body = _content(answer)
    fault = _fault(body)
    is_success = 200 <= answer.status < 300 and not _is_envelope(body)
    if is_success and (request := _request_id(body)):
        return Taken(request)  # whatever `message` stands beside it
    if limit := _rate_limit(answer, fault):
        return limit
    if answer.status == 401 or fault.is_about_keys:
        return NotAllowed(_reason(answer, fault))
    if fault.is_application:
        return TurnedDown(fault.text)
    return _read_submit_code(answer, fault)


def _read_submit_code(answer: Answer, fault: "_Fault") -> SubmitAnswer:
    match answer.status:
        case code if 200 <= code < 300:
            what = f"HTTP {code}, but the answer is not an acceptance"
            return Unanswered(f"{what}{': ' if fault.text else ''}{fault.text}")
        case 403 | 404 | 405:
            return NotAllowed(_reason(answer, fault))
        case code if 300 <= code < 400:
            return NotAllowed(f"HTTP {code}: a redirect, which is never followed")
        case 408:
            return Unanswered(_reason(answer, fault))
        case code if 400 <= code < 500:
            return TurnedDown(_reason(answer, fault))
        case _:
            return Unanswered(_reason(answer, fault))


def read_status(answer: Answer) -> StatusAnswer:
    """The verdict on a request, if the answer holds one."""
    body = _content(answer)
    task = _lookup(body, "TaskStatus")
    fault = _fault(body)
    if limit := _rate_limit(answer, fault):
        return limit
    is_told = isinstance(task, dict) and not _is_envelope(body)
    if answer.status != 200 or (fault.text and not is_told):
        refused = answer.status in (401, 403, 404, 405) or 300 <= answer.status < 400
        return NoVerdict(_reason(answer, fault), refused=refused or fault.is_about_keys)
    if not isinstance(task, dict):
        return NoVerdict("the CRM does not know this request, or says nothing of it")
    return _read_task(task)


def _read_task(task: Mapping[str, Any]) -> StatusAnswer:
    status = _clean(str(_lookup(task, "Status") or ""))
    reason = _clean(_lookup(task, "StatusReason"))
    inner = _inner_fault(task)
    match status.casefold():
        case "success" if inner.kind:
            return _failed("", inner)
        case "success":
            return Done()
        case "failure":
            return _failed(reason, inner)
        case "error" if _MX.search(reason) or inner.is_application:
            return _failed(reason, inner)
        case "in-queue":
            return Waiting(status, queued=True)
        case _:
            return Waiting(f"{status or 'no status'}{': ' if reason else ''}{reason}")


def _failed(reason: str, inner: "_Fault") -> Failed:
    told = f"{reason} ({inner.text})" if reason and inner.kind else reason or inner.text
    return Failed(told or "FAILURE without a reason", resend=_RATE_LIMIT.search(told) is not None)


def _inner_fault(task: Mapping[str, Any]) -> "_Fault":
    """What the worker's own call was answered, where that was an error."""
    message = _inner_message(task)
    fault = _fault(message)
    status = _clean(_lookup(message, "Status"))
    if not fault.kind and status.casefold() in ("error", "failure"):
        return _Fault(status, fault.message)
    return fault


def _inner_message(task: Mapping[str, Any]) -> Mapping[str, Any]:
    """`Message` is a string that holds JSON in every documented sample; an object is taken too."""
    message = _lookup(task, "Message")
    if isinstance(message, str):
        return _content(Answer(200, message.encode("utf-8", "replace")))
    return message if isinstance(message, dict) else {}


def read_metrics(answer: Answer) -> MetricsAnswer:
    """The queue's metrics; numbers may be whole or not, and the keys' case varies."""
    body = _content(answer)
    fault = _fault(body)
    if limit := _rate_limit(answer, fault):
        return limit
    pending = _lookup(body, "PendingMessages")
    if answer.status != 200 or fault.text or not _is_count(pending):
        refused = answer.status in (401, 403, 404, 405)
        return NoVerdict(_reason(answer, fault), refused=refused)
    delay, rate = _lookup(body, "MaxDelayInSeconds"), _lookup(body, "ProcessingRatePerMinute")
    return QueueMetrics(
        pending_messages=int(pending),
        max_delay_seconds=float(delay) if _is_count(delay) else 0.0,
        processing_rate_per_minute=float(rate) if _is_count(rate) else 0.0,
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12


# --- bodies


def _content(answer: Answer) -> Mapping[str, Any]:
    try:
        content = _without(answer.keys, json.loads(answer.body))
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _without(keys: Credentials, content: Any) -> Any:
    """A gateway may repeat the URL that it did not find, with the keys in it."""
    if isinstance(content, str):
        return keys.hidden_in(content)
    if isinstance(content, dict):
        return {name: _without(keys, value) for name, value in content.items()}
    return [_without(keys, value) for value in content] if isinstance(content, list) else content


def _lookup(content: Mapping[str, Any], key: str) -> Any:
    """A key whatever its case: `RequestID` and `RequestId` both occur in the documentation."""
    wanted = key.casefold()
    return next((value for name, value in content.items() if name.casefold() == wanted), None)


def _request_id(body: Mapping[str, Any]) -> RequestID | None:
    found = _lookup(body, "RequestID")
    if not isinstance(found, str | int) or isinstance(found, bool):
        return None
    text = str(found).strip()
    return RequestID(text) if _SAFE_ID.fullmatch(text) else None


_SAFE_ID = re.compile(r"[0-9A-Za-z._:{}+/=-]{1,200}")
_MX = re.compile(r"\bMX[A-Za-z]+")
_RATE_LIMIT = re.compile(
    r"MXAPIRateLimitExceeded|API calls exceeded the limit|limit of \d+ in [\d.]+ second",
    re.IGNORECASE,
)
_GATEWAY_LIMIT = re.compile(r"rate limit|too many requests|limit exceeded", re.IGNORECASE)
_LIMIT_NUMBERS = re.compile(r"limit of (\d{1,6}) in (\d{1,6}(?:\.\d{1,3})?) second", re.IGNORECASE)
_KEYS = re.compile(
    r"MX(?:InvalidAccessDetails|AuthenticationFailed|UnAuthorizedAccess)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Fault:
    """What an error envelope says; empty when the body is none."""

    kind: str = ""
    message: str = ""

    @property
    def text(self) -> str:
        return (
            f"{self.kind}: {self.message}"
            if self.kind and self.message
            else self.kind or self.message
        )

    @property
    def is_application(self) -> bool:
        return _MX.match(self.kind) is not None

    @property
    def is_about_keys(self) -> bool:
        return _KEYS.match(self.kind) is not None


def _fault(body: Mapping[str, Any]) -> _Fault:
    """What `ExceptionType` and `ExceptionMessage` say, or the gateway's bare `message`."""
    if _is_envelope(body):
        kind, message = _lookup(body, "ExceptionType"), _lookup(body, "ExceptionMessage")
        return _Fault(_clean(kind), _clean(message))
    gateway = _lookup(body, "message")
    return _Fault(message=_clean(gateway)) if isinstance(gateway, str) else _Fault()


def _is_envelope(body: Mapping[str, Any]) -> bool:
    return bool(_lookup(body, "ExceptionType") or _lookup(body, "ExceptionMessage"))


def _rate_limit(answer: Answer, fault: _Fault) -> TooFast | None:
    if answer.status != 429 and not _tells_of_a_limit(answer, fault):
        return None
    numbers = _LIMIT_NUMBERS.search(fault.text)
    calls, seconds = (int(numbers[1]), float(numbers[2])) if numbers else (None, None)
    return TooFast(_reason(answer, fault), calls or None, seconds or None)


def _tells_of_a_limit(answer: Answer, fault: _Fault) -> bool:
    """In the CRM's own words, or in a gateway's under the codes where those were met."""
    if _RATE_LIMIT.search(fault.text):
        return True
    is_gateway = not fault.kind and answer.status in (200, 403)
    return is_gateway and _GATEWAY_LIMIT.search(fault.message) is not None


def _reason(answer: Answer, fault: _Fault) -> str:
    return f"HTTP {answer.status}{': ' if fault.text else ''}{fault.text}"


def _clean(text: object) -> str:
    """Text from the CRM, cut to what anybody reads; what is shown is escaped where it is shown."""
    return text.strip()[:LONGEST_REASON] if isinstance(text, str) else ""
