"""The asynchronous API: what a request looks like and what an answer means. Pure.

Sources: apidocs.leadsquared.com/update-an-opportunity-async (submit),
/update-an-opportunity-status-api (status), /get-create-lead-and-activity-metrics (metrics),
/error-handling (errors). What a body says (`wire.py`) comes before its status code.
"""

import json
import re
from collections.abc import Mapping
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
    TurnedDown,
    Unanswered,
    Waiting,
)
from lsq_sync.core.model import SUBFIELD
from lsq_sync.core.state import RequestID
from lsq_sync.core.values import is_guid
from lsq_sync.crm.credentials import Credentials
from lsq_sync.crm.wire import (
    MX,
    Answer,
    Fault,
    Request,
    clean,
    content_of,
    fault_in,
    is_envelope,
    lookup,
    rate_limit,
    reason_of,
    tells_of_the_limit,
)

SUBMIT_PATH = "/opportunity/update"


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
    body = content_of(answer)
    fault = fault_in(body)
    requests = _request_ids(body)
    if requests and 200 <= answer.status < 300:
        return _read_acceptance(answer, requests, fault if is_envelope(body) else Fault())
    if limit := rate_limit(answer, fault):
        return limit
    if answer.status in (401, 403, 404) or fault.is_about_keys:
        return NotAllowed(reason_of(answer, fault))
    if fault.is_application:
        return TurnedDown(fault.text)
    return _read_submit_code(answer, fault, requests)


def _read_acceptance(
    answer: Answer, requests: tuple[RequestID, ...], fault: Fault
) -> Taken | Unanswered:
    """An acceptance may hold a `message` beside; one that contradicts itself is none."""
    if fault.text:
        return _contradiction(answer, f"it names request {requests[0]}, and {fault.text}")
    if len(requests) > 1:
        return _contradiction(answer, f"it names requests {' and '.join(requests)}")
    return Taken(requests[0])


def _contradiction(answer: Answer, what: str) -> Unanswered:
    return Unanswered(clean(f"HTTP {answer.status}, but the answer contradicts itself: {what}"))


def _read_submit_code(
    answer: Answer, fault: Fault, requests: tuple[RequestID, ...]
) -> SubmitAnswer:
    if requests and not fault.text and answer.status != 405:
        return _contradiction(answer, f"it names request {requests[0]}")
    match answer.status:
        case code if 200 <= code < 300:
            what = f"HTTP {code}, but the answer is not an acceptance"
            return Unanswered(f"{what}{': ' if fault.text else ''}{fault.text}")
        case 405:
            return NotAllowed(reason_of(answer, fault))
        case code if 300 <= code < 400:
            return NotAllowed(f"HTTP {code}: a redirect, which is never followed")
        case 408:
            return Unanswered(reason_of(answer, fault))
        case code if 400 <= code < 500:
            return TurnedDown(reason_of(answer, fault))
        case _:
            return Unanswered(reason_of(answer, fault))


def read_status(answer: Answer, asked: RequestID | None = None) -> StatusAnswer:
    """The verdict on a request, if the answer holds one; one on another than `asked` is none."""
    body = content_of(answer)
    task = lookup(body, "TaskStatus")
    fault = fault_in(body)
    if limit := rate_limit(answer, fault):
        return limit
    is_told = isinstance(task, dict) and not is_envelope(body)
    if answer.status != 200 or (fault.text and not is_told):
        refused = answer.status in (401, 403, 404, 405) or 300 <= answer.status < 400
        return NoVerdict(reason_of(answer, fault), refused=refused or fault.is_about_keys)
    if not isinstance(task, dict):
        return NoVerdict("the CRM does not know this request, or says nothing of it")
    if asked and any(_bare(told) != _bare(asked) for told in _request_ids(body)):
        return NoVerdict("the answer is about another request")
    return _read_task(task)


def _bare(request: RequestID) -> str:
    """GUIDs are written in either case, and with braces or without."""
    return request.strip("{}").casefold()


def _read_task(task: Mapping[str, Any]) -> StatusAnswer:
    status = clean(str(lookup(task, "Status") or ""))
    reason = clean(lookup(task, "StatusReason"))
    inner = _inner_fault(task)
    match status.casefold():
        case "success" if inner.kind:
            return _failed("", inner)
        case "success":
            return Done(_guid_in(task))
        case "failure":
            return _failed(reason, inner)
        case "error" if MX.search(reason) or inner.is_application:
            return _failed(reason, inner)
        case "in-queue":
            return Waiting(status, queued=True)
        case _:
            return Waiting(f"{status or 'no status'}{': ' if reason else ''}{reason}")


def _failed(reason: str, inner: Fault) -> Failed:
    told = f"{reason} ({inner.text})" if reason and inner.kind else reason or inner.text
    return Failed(told or "FAILURE without a reason", resend=tells_of_the_limit(told))


def _inner_fault(task: Mapping[str, Any]) -> Fault:
    """What the worker's own call was answered, where that was an error."""
    message = _inner_message(task)
    fault = fault_in(message)
    status = clean(lookup(message, "Status"))
    if not fault.kind and status.casefold() in ("error", "failure"):
        return Fault(status, fault.message)
    return fault


def _guid_in(task: Mapping[str, Any]) -> str:
    """The opportunity that was updated, as the synchronous API names it; "" where it does not."""
    told = lookup(_inner_message(task), "Message")
    found = lookup(told, "Id") if isinstance(told, dict) else None
    return found.lower() if isinstance(found, str) and is_guid(found) else ""


def _inner_message(task: Mapping[str, Any]) -> Mapping[str, Any]:
    """`Message` is a string that holds JSON in every documented sample; an object is taken too."""
    message = lookup(task, "Message")
    if isinstance(message, str):
        return content_of(Answer(200, message.encode("utf-8", "replace")))
    return message if isinstance(message, dict) else {}


def read_metrics(answer: Answer) -> MetricsAnswer:
    """The queue's metrics; numbers may be whole or not, and the keys' case varies."""
    body = content_of(answer)
    fault = fault_in(body)
    if limit := rate_limit(answer, fault):
        return limit
    pending = lookup(body, "PendingMessages")
    if answer.status != 200 or fault.text or not _is_count(pending):
        refused = answer.status in (401, 403, 404, 405)
        return NoVerdict(reason_of(answer, fault), refused=refused)
    delay, rate = lookup(body, "MaxDelayInSeconds"), lookup(body, "ProcessingRatePerMinute")
    return QueueMetrics(
        pending_messages=int(pending),
        max_delay_seconds=float(delay) if _is_count(delay) else 0.0,
        processing_rate_per_minute=float(rate) if _is_count(rate) else 0.0,
    )


def _is_count(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e12


def _request_ids(body: Mapping[str, Any]) -> tuple[RequestID, ...]:
    """The usable ones: the documentation writes the key in two ways, so there may be two."""
    told = (value for name, value in body.items() if name.casefold() == "requestid")
    return tuple(dict.fromkeys(found for value in told if (found := _request_id(value))))


def _request_id(told: object) -> RequestID | None:
    if not isinstance(told, str | int) or isinstance(told, bool):
        return None
    text = str(told).strip()
    return RequestID(text) if _SAFE_ID.fullmatch(text) else None


_SAFE_ID = re.compile(r"[0-9A-Za-z._:{}+/=-]{1,200}")
