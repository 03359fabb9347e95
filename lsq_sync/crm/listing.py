"""The feed of changes: what a request for a page of it looks like, and what a page says. Pure.

RetrieveRecentlyModified has no page of its own in the documentation that could be read; its shape
was seen in public code. An opportunity is an activity there, and its type the activity's event.
"""

import json
from collections.abc import Mapping
from typing import Any

from lsq_sync.core.answers import ListAnswer, ModifiedPage, ReadFailed
from lsq_sync.core.values import is_guid
from lsq_sync.crm.credentials import Credentials
from lsq_sync.crm.reading import failed, key_headers
from lsq_sync.crm.wire import Answer, Request, json_in, lookup

PAGE_SIZE = 1000
"""The most that the CRM takes; over that it answers HTTP 500 (seen in code)."""

_PATH = "/v2/ProspectActivity.svc/RetrieveRecentlyModified"
_ROWS = ("ProspectActivities", "List")
_EVENTS = ("EventCode", "ActivityEvent")


def modified_request(
    host: str, keys: Credentials, code: int, since: str, until: str, page: int
) -> Request:
    """One page of what was modified between two moments (UTC), both included.

    Sorted by the id: sorted by a time, rows that tie change places from page to page, which
    duplicates some and drops others (seen in code).
    """
    body = {
        "Parameter": {
            "FromDate": since,
            "ToDate": until,
            "ActivityEvent": code,
            "IncludeCustomFields": 0,
        },
        "Paging": {"PageIndex": page, "PageSize": PAGE_SIZE},
        "Sorting": {"ColumnName": "Id", "Direction": 0},
    }
    headers = {**key_headers(keys), "Content-Type": "application/json"}
    return Request("POST", f"{host}{_PATH}", headers, json.dumps(body).encode())


def read_modified(answer: Answer, code: int) -> ListAnswer:
    """The ids of a page. Rows of another event, such as the CRM's own 33, are no opportunities of
    the type (seen in code)."""
    content = json_in(answer)
    if fault := failed(answer, content):
        return fault
    rows = _rows(content)
    if answer.status != 200 or rows is None:
        return ReadFailed(f"HTTP {answer.status}, but the answer is no list of opportunities")
    total = lookup(content, "RecordCount")
    return ModifiedPage(
        ids=tuple(_id(row) for row in rows if _is_of(row, code) and _id(row)),
        others=tuple(_id(row) for row in rows if not _is_of(row, code)),
        rows=len(rows),
        total=total if isinstance(total, int) and not isinstance(total, bool) else None,
    )


def _rows(content: Any) -> list[Mapping[str, Any]] | None:
    if not isinstance(content, dict):
        return None
    found = next((rows for name in _ROWS if isinstance(rows := lookup(content, name), list)), None)
    return None if found is None else [row for row in found if isinstance(row, dict)]


def _id(row: Mapping[str, Any]) -> str:
    found = lookup(row, "Id")
    return found.lower() if isinstance(found, str) and is_guid(found) else ""


def _is_of(row: Mapping[str, Any], code: int) -> bool:
    told = next((event for name in _EVENTS if (event := lookup(row, name)) is not None), code)
    return str(told) == str(code)
