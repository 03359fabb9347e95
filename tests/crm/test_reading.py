"""Synchronous reads: what a request looks like on the wire, and what each answer means."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsq_sync.core.answers import AccountFound, NotAllowed, ReadFailed, Rows, TooFast
from lsq_sync.core.model import LiveOpportunity
from lsq_sync.core.reading import Wanted
from lsq_sync.core.state import NOTE
from lsq_sync.core.values import ABSENT
from lsq_sync.crm.credentials import Credentials
from lsq_sync.crm.reading import (
    account_request,
    bulk_request,
    details_request,
    read_account,
    read_bulk,
    read_details,
)
from lsq_sync.crm.wire import Answer

HOST = "https://api.example"
KEYS = Credentials("u$r+a/b&c=d", "s?cret#1%24~", "x-api-key-0001")
ONE = "5ca5b042-51ea-4699-b6f0-84c40ab12770"
TWO = "5ca5b042-51ea-4699-b6f0-84c40ab12771"
NAMES = ("mx_Custom_6", "mx_Custom_36~mx_CustomObject_1", NOTE)


def wanted(identifier: str = ONE, names: tuple[str, ...] = NAMES, key: str = "k1") -> Wanted:
    return Wanted(key, identifier, names, 12005)


def answer(content: Any, status: int = 200) -> Answer:
    return Answer(status, content if isinstance(content, bytes) else json.dumps(content).encode())


def rows(*found: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"EventCode": 12005, "Opportunities": list(found)}]


# --- requests


def test_a_bulk_read_asks_for_the_columns_that_any_of_them_needs() -> None:
    request = bulk_request(HOST, KEYS, [wanted(), wanted(TWO, ("mx_Custom_9",), "k2")])
    assert (request.method, request.url) == (
        "POST",
        f"{HOST}/v2/OpportunityManagement.svc/GetOpportunitiesById",
    )
    assert json.loads(request.body or b"") == {
        "SearchParameters": [
            {
                "EventCode": "12005",
                "ProspectActivityId": [ONE, TWO],
                "Columns": {
                    "Include_CSV": "mx_Custom_6,mx_Custom_36,ActivityEvent_Note,mx_Custom_9"
                },
            }
        ]
    }


def test_the_keys_of_a_read_stand_in_headers_and_not_in_the_url() -> None:
    for request in (
        bulk_request(HOST, KEYS, [wanted()]),
        details_request(HOST, KEYS, wanted()),
        account_request(HOST, KEYS),
    ):
        assert request.headers["x-LSQ-AccessKey"] == KEYS.access_key
        assert request.headers["x-LSQ-SecretKey"] == KEYS.secret_key
        assert "x-api-key" not in request.headers
        assert "cret" not in request.url


def test_details_are_asked_for_by_the_id_encoded() -> None:
    request = details_request(HOST, KEYS, wanted("LN 1&x=ü"))
    assert request.url == (
        f"{HOST}/v2/OpportunityManagement.svc/GetOpportunityDetails"
        "?OpportunityId=LN%201%26x%3D%C3%BC&getFileURL=false"
    )


# --- bulk


def test_rows_are_found_by_id_without_case_and_names_without_case() -> None:
    content = rows(
        {"ProspectActivityId": TWO.upper(), "MX_CUSTOM_6": "2"},
        {"opportunityid": ONE, "mx_custom_6": 1.50, "ActivityEvent_Note": "hi"},
    )
    found = read_bulk(answer(content), [wanted(), wanted(TWO, ("mx_Custom_6",), "k2")])
    assert found == Rows(
        {
            "k1": LiveOpportunity(
                {"mx_Custom_6": "1.5", "mx_Custom_36~mx_CustomObject_1": None}, "hi", guid=ONE
            ),
            "k2": LiveOpportunity({"mx_Custom_6": "2"}, ABSENT, guid=TWO),
        }
    )


def test_numbers_keep_the_digits_that_the_crm_wrote() -> None:
    content = b'[{"Opportunities":[{"Id":"%s","a":100000000000000000000.10,"b":1e3}]}]' % (
        ONE.encode()
    )
    found = read_bulk(Answer(200, content), [wanted(names=("a", "b"))])
    assert isinstance(found, Rows)
    assert found.live["k1"].fields == {"a": "100000000000000000000.10", "b": "1e3"}


@pytest.mark.parametrize("word", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_in_json_is_a_text(word: str) -> None:
    content = f'[{{"Opportunities": [{{"Id": "{ONE}", "a": {word}}}]}}]'.encode()
    found = read_bulk(Answer(200, content), [wanted(names=("a",))])
    assert isinstance(found, Rows)
    assert found.live["k1"].fields == {"a": word}


def test_one_that_is_not_among_the_rows_is_missing() -> None:
    found = read_bulk(answer(rows({"Id": TWO})), [wanted()])
    assert found == Rows({"k1": LiveOpportunity(missing=True)})


FIELD_SETS = [
    # how it reads, the value of mx_CustomObject_1
    ({"mx_Custom_36": '{"mx_CustomObject_1": "A"}'}, "A"),
    ({"mx_Custom_36": {"mx_CustomObject_1": "A"}}, "A"),
    ({"mx_Custom_36": '{"MX_customobject_1": 7}'}, "7"),
    ({"mx_Custom_36~mx_CustomObject_1": "A"}, "A"),
    ({"mx_Custom_36x007Emx_CustomObject_1": "A"}, "A"),
    ({"mx_Custom_36": "no JSON"}, None),
    ({"mx_Custom_36": "[1]"}, None),
    ({"mx_Custom_36": "\ud800 is half of a letter"}, None),
    ({"mx_Custom_36": None}, None),
    ({}, None),
]


@pytest.mark.parametrize(("row", "expected"), FIELD_SETS)
def test_a_sub_field_in_each_form_of_its_set(row: dict[str, Any], expected: str | None) -> None:
    name = "mx_Custom_36~mx_CustomObject_1"
    found = read_bulk(answer(rows({"Id": ONE, **row})), [wanted(names=(name,))])
    assert isinstance(found, Rows)
    assert found.live["k1"].fields == {name: expected}


VALUES = [
    (True, "true"),
    (False, "false"),
    ("", None),
    (None, None),
    (0, "0"),
    (" x ", " x "),
    (["a", "b"], '["a", "b"]'),
]


@pytest.mark.parametrize(("value", "expected"), VALUES)
def test_any_value_reads_as_text(value: Any, expected: str | None) -> None:
    found = read_bulk(answer(rows({"Id": ONE, "a": value})), [wanted(names=("a",))])
    assert isinstance(found, Rows)
    assert found.live["k1"].fields["a"] == expected


# --- details


def details(**more: Any) -> dict[str, Any]:
    fields = [
        {"SchemaName": "mx_Custom_6", "Value": "200000"},
        {"SchemaName": "mx_Custom_36", "Value": '{"mx_CustomObject_1": "A"}'},
    ]
    return {"Id": ONE.upper(), "Fields": fields, **more}


def test_details_of_one_opportunity_with_its_note() -> None:
    found = read_details(answer(details(OpportunityNote="hi")), wanted("LN-1"))
    values = {"mx_Custom_6": "200000", "mx_Custom_36~mx_CustomObject_1": "A"}
    assert found == Rows({"k1": LiveOpportunity(values, "hi", guid=ONE)})


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("/Date(1785350199000+0000)/", "2026-07-29 18:36:39"),
        ("2026-08-31 08:38:00.000", "2026-08-31 08:38:00"),
        (None, None),
    ],
)
def test_details_tell_of_the_last_edit(stamp: str | None, expected: str | None) -> None:
    found = read_details(
        answer(details(ModifiedOn=stamp, ModifiedByName="Asha")), wanted(names=("mx_Custom_6",))
    )
    assert isinstance(found, Rows)
    one = found.live["k1"]
    assert (one.edited_at, one.edited_by) == (expected, "Asha")
    assert one.last_edit == (f" (last edited {expected} UTC by Asha)" if expected else "")


@pytest.mark.parametrize("mark", ["IsMasked", "IsEncrypted", "IsViewRestrictedField"])
def test_what_may_not_be_the_value_is_not_read(mark: str) -> None:
    fields = [{"SchemaName": "mx_Custom_6", "Value": "XXXX", mark: True}]
    found = read_details(answer(details(Fields=fields)), wanted(names=("mx_Custom_6", "b")))
    assert isinstance(found, Rows)
    assert found.live["k1"].fields == {"b": None}


UNKNOWN = {
    "Status": "Error",
    "ExceptionType": "MXUnknownProspectActivityException",
    "ExceptionMessage": "Activity does not exist",
}


@pytest.mark.parametrize(
    ("content", "status"), [(UNKNOWN, 500), (UNKNOWN, 200), ({"Id": None, "Fields": []}, 200)]
)
def test_a_deleted_or_unknown_one_is_missing(content: dict[str, Any], status: int) -> None:
    assert read_details(answer(content, status), wanted()) == Rows(
        {"k1": LiveOpportunity(missing=True)}
    )


# --- what goes wrong, the same for each kind of read

LIMIT = {
    "Status": "Error",
    "ExceptionType": "MXAPIRateLimitExceededException",
    "ExceptionMessage": "API calls exceeded the limit of 25 in 5 second(s)",
}
FAULT = {"Status": "Error", "ExceptionType": "MXInvalidInputException", "ExceptionMessage": "no"}
KEYS_FAULT = {
    "Status": "Error",
    "ExceptionType": "MXInvalidAccessDetailsException",
    "ExceptionMessage": "wrong",
}
WRONG = [
    (LIMIT, 429, TooFast),
    (LIMIT, 403, TooFast),
    (LIMIT, 200, TooFast),
    ({}, 401, NotAllowed),
    (KEYS_FAULT, 500, NotAllowed),
    ({"message": "Forbidden"}, 403, NotAllowed),
    ({}, 404, NotAllowed),
    ({}, 405, NotAllowed),
    ({}, 302, NotAllowed),
    (FAULT, 500, ReadFailed),
    (FAULT, 200, ReadFailed),
    ({}, 400, ReadFailed),
]
AGAIN = [
    (b"<html>", 503),
    (b"", 502),
    (b"{}", 504),
    (b"", 500),
    (b"", 408),
]
NO_ANSWER = [b"", b"<html>", b"null", b"[1", b'"text"', b"{}", b'[{"Opportunities": 7}]', b"\xff"]


def every_kind(given_answer: Answer) -> list[Any]:
    return [
        read_bulk(given_answer, [wanted()]),
        read_details(given_answer, wanted()),
        read_account(given_answer),
    ]


@pytest.mark.parametrize(("content", "status", "kind"), WRONG)
def test_what_is_final(content: Any, status: int, kind: type) -> None:
    for found in every_kind(answer(content, status)):
        assert isinstance(found, kind), found
        assert not getattr(found, "retry", False)


@pytest.mark.parametrize(("body", "status"), AGAIN)
def test_what_may_go_well_when_asked_again(body: bytes, status: int) -> None:
    for found in every_kind(Answer(status, body)):
        assert isinstance(found, ReadFailed)
        assert found.retry


@pytest.mark.parametrize("body", NO_ANSWER)
def test_a_200_that_is_no_answer_reads_nothing(body: bytes) -> None:
    for found in every_kind(Answer(200, body)):
        assert isinstance(found, ReadFailed)


@given(st.binary(max_size=200), st.sampled_from([200, 400, 403, 429, 500, 503]))
def test_no_answer_is_taken_for_live_values_by_accident(body: bytes, status: int) -> None:
    for found in every_kind(Answer(status, body)):
        assert not isinstance(found, Rows | AccountFound)


# --- the account


@pytest.mark.parametrize("code", ["60000", 60000])
def test_the_account_is_known_by_its_short_code(code: Any) -> None:
    assert read_account(answer({"OrgShortCode": code, "EmailAddress": "x"})) == AccountFound(
        "60000"
    )


@pytest.mark.parametrize("code", [None, True, [], {}])
def test_an_account_without_a_short_code_is_none(code: Any) -> None:
    assert isinstance(read_account(answer({"OrgShortCode": code})), ReadFailed)
