"""The synchronous reads: what a request looks like and what an answer means. Pure.

Sources: apidocs.leadsquared.com/get-opportunities-in-bulk-by-ids (many of one type),
/get-opportunity-by-id (one, complete), /user-authentication (the account behind the keys). The
keys go in headers, as apidocs.leadsquared.com/authentication recommends.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from lsq_sync.core.answers import (
    AccountAnswer,
    AccountFound,
    NotAllowed,
    NotRead,
    ReadAnswer,
    ReadFailed,
    Rows,
)
from lsq_sync.core.model import SUBFIELD, LiveOpportunity
from lsq_sync.core.reading import Wanted
from lsq_sync.core.state import NOTE
from lsq_sync.core.values import (
    ABSENT,
    Absent,
    DataType,
    Value,
    ValueRules,
    from_live,
    is_guid,
)
from lsq_sync.crm.credentials import Credentials
from lsq_sync.crm.wire import (
    Answer,
    Request,
    clean,
    fault_in,
    is_envelope,
    json_in,
    lookup,
    rate_limit,
    reason_of,
)

OPPORTUNITIES = "/v2/OpportunityManagement.svc"
_ACCOUNT_PATH = "/v2/Authentication.svc/UserByAccessKey.Get"

NOTE_COLUMN = "ActivityEvent_Note"
"""How the note is called among the fields of an opportunity."""

_ESCAPED_SUBFIELD = "x007e"
"""`~` as some accounts write it (apidocs.leadsquared.com/opportunity-advanced-search)."""

_IDS = ("prospectactivityid", "opportunityid", "id")
UNREADABLE = ("IsMasked", "IsEncrypted", "IsViewRestrictedField")
"""Where a field is marked so, what reads back may not be its value (seen in code)."""

_AS_WRITTEN: Mapping[str, Any] = {"parse_int": str, "parse_float": str, "parse_constant": str}
"""Numbers keep their digits; `NaN`, which is no JSON but is read as a number, is a text too."""

_UNKNOWN = "MXUnknownProspectActivityException"
"""Of an opportunity that is deleted or never was (seen in code)."""


# --- requests


def bulk_request(host: str, keys: Credentials, group: Iterable[Wanted]) -> Request:
    """Many opportunities of one type, with the columns that any of them needs."""
    listed = tuple(group)
    columns = dict.fromkeys(column for one in listed for column in _columns(one.names))
    parameters = {
        "EventCode": str(listed[0].code),
        "ProspectActivityId": [one.identifier for one in listed],
        "Columns": {"Include_CSV": ",".join(columns)},
    }
    body = json.dumps({"SearchParameters": [parameters]}).encode()
    headers = {**key_headers(keys), "Content-Type": "application/json"}
    return Request("POST", f"{host}{OPPORTUNITIES}/GetOpportunitiesById", headers, body)


def details_request(host: str, keys: Credentials, one: Wanted) -> Request:
    """One opportunity, whatever its type."""
    query = urlencode(
        {"OpportunityId": one.identifier, "getFileURL": "false"}, quote_via=quote, safe=""
    )
    url = f"{host}{OPPORTUNITIES}/GetOpportunityDetails?{query}"
    return Request("GET", url, key_headers(keys))


def account_request(host: str, keys: Credentials) -> Request:
    """Whose keys these are."""
    return Request("GET", f"{host}{_ACCOUNT_PATH}", key_headers(keys))


def key_headers(keys: Credentials) -> dict[str, str]:
    """The keys of a synchronous call."""
    return {"x-LSQ-AccessKey": keys.access_key, "x-LSQ-SecretKey": keys.secret_key}


def _columns(names: Iterable[str]) -> Iterator[str]:
    """A sub-field comes with its custom field set."""
    for name in names:
        yield NOTE_COLUMN if name == NOTE else name.partition(SUBFIELD)[0]


# --- answers


def read_bulk(answer: Answer, group: Iterable[Wanted]) -> ReadAnswer:
    """The opportunities of a bulk read by key; one that is not among the rows is missing."""
    content = json_in(answer, **_AS_WRITTEN)
    if problem := failed(answer, content):
        return problem
    rows = _rows(content)
    if answer.status != 200 or rows is None:
        return ReadFailed(f"HTTP {answer.status}, but the answer is no list of opportunities")
    by_id = {identifier: row for row in map(_folded, rows) if (identifier := _identifier(row))}
    return Rows({one.key: _of_row(by_id.get(one.identifier.lower()), one) for one in group})


def _rows(content: Any) -> list[Mapping[str, Any]] | None:
    """A list of groups, each with its opportunities; None where it is something else."""
    groups = content if isinstance(content, list) else [content]
    rows: list[Mapping[str, Any]] = []
    for group in groups:
        found = lookup(group, "Opportunities") if isinstance(group, dict) else None
        if not isinstance(found, list):
            return None
        rows += [row for row in found if isinstance(row, dict)]
    return rows


def _folded(values: Mapping[str, Any]) -> dict[str, Any]:
    """By name in lower case."""
    return {name.casefold(): value for name, value in values.items()}


def _identifier(row: Mapping[str, Any]) -> str:
    told = (row.get(name) for name in _IDS)
    return next((one.lower() for one in told if isinstance(one, str) and is_guid(one)), "")


def _of_row(row: Mapping[str, Any] | None, one: Wanted) -> LiveOpportunity:
    if row is None:
        return LiveOpportunity(missing=True)
    return _live(row, one.names, one.identifier)


def read_details(answer: Answer, one: Wanted) -> ReadAnswer:
    """One opportunity by its details. Deleted and unknown ones were met in two forms: HTTP 500
    with an MX body, and an empty envelope."""
    content = json_in(answer, **_AS_WRITTEN)
    body = content if isinstance(content, dict) else {}
    if fault_in(body).kind == _UNKNOWN:
        return Rows({one.key: LiveOpportunity(missing=True)})
    if problem := failed(answer, content):
        return problem
    fields = lookup(body, "Fields")
    if answer.status != 200 or not isinstance(fields, list):
        return ReadFailed(f"HTTP {answer.status}, but the answer is no opportunity")
    identifier = lookup(body, "ID")
    if not isinstance(identifier, str) or not identifier:
        return Rows({one.key: LiveOpportunity(missing=True)})
    return Rows({one.key: _of_details(body, fields, one, identifier.lower())})


def _of_details(
    body: Mapping[str, Any], fields: Iterable[Any], one: Wanted, identifier: str
) -> LiveOpportunity:
    described = [field for field in fields if isinstance(field, dict)]
    hidden = {_name(field) for field in described if any(map(field.get, UNREADABLE))}
    values = {_name(field): lookup(field, "Value") for field in described}
    note = lookup(body, NOTE)
    if note is not None:
        values[NOTE_COLUMN.casefold()] = note
    names = tuple(n for n in one.names if n.partition(SUBFIELD)[0].casefold() not in hidden)
    guid = identifier if is_guid(identifier) else ""
    edited_at = from_live(DataType.DATE_TIME, clean(lookup(body, "ModifiedOn")), ValueRules())
    return replace(
        _live(values, names, guid),
        edited_at=edited_at,
        edited_by=clean(lookup(body, "ModifiedByName")),
    )


def _name(field: Mapping[str, Any]) -> str:
    return str(lookup(field, "SchemaName") or "").casefold()


_NOTES = (NOTE_COLUMN.casefold(), NOTE.casefold())


def _live(values: Mapping[str, Any], names: Iterable[str], guid: str) -> LiveOpportunity:
    """`values` by name in lower case. What was asked for and is not there is empty."""
    fields: dict[str, Value] = {}
    note: Value | Absent = ABSENT
    sets: dict[str, Mapping[str, Any]] = {}
    for name in names:
        if name == NOTE:
            note = _text(next((values[one] for one in _NOTES if one in values), None))
        else:
            fields[name] = _text(_value(values, _place(name), sets))
    return LiveOpportunity(fields, note, guid=guid)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a value stands, in lower case: a field, or the part of a custom field set that reads
    under one of the `flat` names or inside of the set."""

    field: str
    part: str
    flat: tuple[str, ...]


@lru_cache(maxsize=4096)
def _place(name: str) -> _Place:
    field, _, part = name.casefold().partition(SUBFIELD)
    betweens = (SUBFIELD, _ESCAPED_SUBFIELD) if part else ()
    return _Place(field, part, tuple(f"{field}{between}{part}" for between in betweens))


def _value(values: Mapping[str, Any], place: _Place, sets: dict[str, Mapping[str, Any]]) -> Any:
    """`sets` are the custom field sets of these values that were opened before."""
    if not place.part:
        return values.get(place.field)
    for flat in place.flat:
        if flat in values:
            return values[flat]
    if place.field not in sets:
        sets[place.field] = _opened(values.get(place.field))
    return sets[place.field].get(place.part)


def _opened(field_set: Any) -> Mapping[str, Any]:
    """A custom field set reads as a string that holds JSON; an object is taken too."""
    if isinstance(field_set, str):
        field_set = json_in(Answer(200, field_set.encode("utf-8", "replace")), **_AS_WRITTEN)
    return _folded(field_set) if isinstance(field_set, dict) else {}


def _text(value: Any) -> Value:
    """Numbers were read as their text already."""
    if isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return value or None


def read_account(answer: Answer) -> AccountAnswer:
    """Whose keys these are, by the short code of the account."""
    content = json_in(answer)
    if problem := failed(answer, content):
        return problem
    code = lookup(content, "OrgShortCode") if isinstance(content, dict) else None
    if answer.status != 200 or not isinstance(code, str | int) or isinstance(code, bool):
        return ReadFailed(f"HTTP {answer.status}, but the answer names no account")
    hosts = lookup(content, "LSQCommonServiceURLs")
    return AccountFound(
        clean(str(code)),
        host=clean(lookup(hosts, "api")) if isinstance(hosts, dict) else "",
        role=clean(lookup(content, "Role")),
        time_zone=clean(lookup(content, "TimeZone")),
    )


def failed(answer: Answer, content: Any) -> NotRead | None:
    """What went wrong, if anything; `retry` where asking again may help."""
    body = content if isinstance(content, dict) else {}
    fault = fault_in(body)
    if limit := rate_limit(answer, fault):
        return limit
    if answer.status == 401 or fault.is_about_keys:
        return NotAllowed(reason_of(answer, fault))
    if fault.is_application:
        return ReadFailed(fault.text)
    if answer.status in (403, 404, 405) or 300 <= answer.status < 400:
        return NotAllowed(reason_of(answer, fault))
    if answer.status >= 500 or answer.status == 408:
        return ReadFailed(reason_of(answer, fault), retry=True)
    if answer.status >= 400 or is_envelope(body):
        return ReadFailed(reason_of(answer, fault))
    return None
