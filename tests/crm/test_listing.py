"""The feed of changes: what is asked, and what a page says."""

import json
from typing import Any

import pytest

from lsq_sync.core.answers import ModifiedPage, NotAllowed, ReadFailed, TooFast
from lsq_sync.crm.listing import modified_request, read_modified
from tests.crm.test_reading import HOST, KEYS, ONE, TWO, answer

CODE = 12005


def _row(key: str, **more: Any) -> dict[str, Any]:
    return {"Id": key, "EventCode": CODE, "ModifiedOn": "2026-08-31 08:38:00", **more}


def _page(*rows: Any, **more: Any) -> object:
    return read_modified(answer({"ProspectActivities": list(rows), **more}), CODE)


def test_a_page_is_asked_for_in_the_order_of_the_ids_and_no_more_than_the_crm_gives() -> None:
    request = modified_request(HOST, KEYS, CODE, "2026-08-01 00:00:00", "2026-08-02 00:00:00", 3)
    assert request.method == "POST"
    assert request.url == f"{HOST}/v2/ProspectActivity.svc/RetrieveRecentlyModified"
    assert request.body is not None
    body = json.loads(request.body)
    assert body["Parameter"] == {
        "FromDate": "2026-08-01 00:00:00",
        "ToDate": "2026-08-02 00:00:00",
        "ActivityEvent": CODE,
        "IncludeCustomFields": 0,
    }
    assert body["Paging"] == {"PageIndex": 3, "PageSize": 1000}
    assert body["Sorting"]["ColumnName"] == "Id"
    assert KEYS.secret_key not in request.url


def test_a_page_names_the_opportunities_of_the_type() -> None:
    found = _page(_row(ONE.upper()), _row(TWO, EventCode="12005"), RecordCount=7)
    assert found == ModifiedPage((ONE, TWO), (), rows=2, total=7)


def test_the_activities_that_come_along_are_no_opportunities() -> None:
    found = _page(_row(ONE), _row(TWO, EventCode=33), {"Id": TWO, "ActivityEvent": 3011})
    assert found == ModifiedPage((ONE,), (TWO, TWO), rows=3)


def test_the_rows_may_have_another_name_and_no_event() -> None:
    found = read_modified(answer({"list": [{"id": ONE}, {"Id": "x"}]}), CODE)
    assert found == ModifiedPage((ONE,), (), rows=2)


@pytest.mark.parametrize(
    ("content", "status", "kind"),
    [
        ({"ExceptionType": "MXAPIRateLimitExceededException"}, 429, TooFast),
        ({"ExceptionType": "MXInvalidInputException", "ExceptionMessage": "x"}, 500, ReadFailed),
        ({}, 401, NotAllowed),
        ({"RecordCount": 3}, 200, ReadFailed),
        ([], 200, ReadFailed),
        (b"<html>", 503, ReadFailed),
    ],
)
def test_anything_else_is_no_page(content: Any, status: int, kind: type) -> None:
    assert isinstance(read_modified(answer(content, status), CODE), kind)
