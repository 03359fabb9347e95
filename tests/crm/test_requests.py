"""What a request looks like on the wire, byte for byte (contract 3.4)."""

import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.core.state import RequestID
from lsq_sync.crm.credentials import Credentials
from lsq_sync.crm.protocol import metrics_request, status_request, submit_request
from lsq_sync.crm.wire import Request

HOST = "https://async.example"
KEYS = Credentials("u$r+a/b&c=d", "s?cret#1%24~é", "x-api-key-0001")
ONE = "5ca5b042-51ea-4699-b6f0-84c40ab12770"


def submit(fields: dict[str, str], note: str | None = None, key: str = ONE) -> Request:
    return submit_request(HOST, KEYS, key, fields, note)


def body(request: Request) -> str:
    assert request.body is not None
    return request.body.decode("utf-8")


def test_the_whole_of_an_update() -> None:
    request = submit({"mx_Custom_6": "200000", "mx_Custom_9": ""}, "Update note")
    assert request.method == "POST"
    assert request.url == (
        f"{HOST}/opportunity/update"
        "?accessKey=u%24r%2Ba%2Fb%26c%3Dd&secretKey=s%3Fcret%231%2524~%C3%A9"
    )
    assert request.headers == {"x-api-key": "x-api-key-0001", "Content-Type": "application/json"}
    assert body(request) == (
        f'{{"ProspectOpportunityId": "{ONE}", "OpportunityNote": "Update note", "Fields": '
        '[{"SchemaName": "mx_Custom_6", "Value": "200000"}, '
        '{"SchemaName": "mx_Custom_9", "Value": ""}]}'
    )


def test_a_note_is_sent_only_when_it_changes() -> None:
    assert "OpportunityNote" not in body(submit({"a": "1"}))
    assert json.loads(body(submit({"a": "1"}, "")))["OpportunityNote"] == ""


def test_a_note_alone_has_no_fields() -> None:
    assert body(submit({}, "n")) == (
        f'{{"ProspectOpportunityId": "{ONE}", "OpportunityNote": "n", "Fields": []}}'
    )


def test_a_custom_field_set_is_one_field_with_its_parts_inside() -> None:
    fields = {
        "mx_Custom_1": "x",
        "mx_Custom_36~mx_CustomObject_1": "A",
        "mx_Custom_2": "y",
        "mx_Custom_36~mx_CustomObject_2": "",
        "mx_Custom_37~mx_CustomObject_1": "B",
    }
    assert json.loads(body(submit(fields)))["Fields"] == [
        {"SchemaName": "mx_Custom_1", "Value": "x"},
        {
            "SchemaName": "mx_Custom_36",
            "Value": "",
            "Fields": [
                {"SchemaName": "mx_CustomObject_1", "Value": "A"},
                {"SchemaName": "mx_CustomObject_2", "Value": ""},
            ],
        },
        {"SchemaName": "mx_Custom_2", "Value": "y"},
        {
            "SchemaName": "mx_Custom_37",
            "Value": "",
            "Fields": [{"SchemaName": "mx_CustomObject_1", "Value": "B"}],
        },
    ]


def test_letters_of_any_script_go_as_utf_8() -> None:
    request = submit({"a": "मुंबई – Ω 🙂"}, "“quoted”")
    assert request.body is not None
    assert "मुंबई – Ω 🙂".encode() in request.body
    assert "“quoted”".encode() in request.body


@pytest.mark.parametrize("value", ["\ud800", '"\\\n\t', "\u2028", "a\x00b", "NO", "0123", "1e3"])
def test_odd_values_arrive_as_they_are(value: str) -> None:
    found = json.loads(body(submit({"a": value}, value)))
    assert (found["Fields"][0]["Value"], found["OpportunityNote"]) == (value, value)


def test_an_opportunity_may_go_by_its_auto_id() -> None:
    assert json.loads(body(submit({}, "n", 'LN/2026 "7"')))["ProspectOpportunityId"] == (
        'LN/2026 "7"'
    )


@settings(deadline=None)
@given(st.text(), st.text())
def test_keys_survive_the_query_whatever_they_hold(access: str, secret: str) -> None:
    access, secret = (text.encode("utf-8", "replace").decode() or "x" for text in (access, secret))
    keys = Credentials(access, secret, "x")
    url = submit_request(HOST, keys, ONE, {}, None).url
    assert url.isascii()
    assert not set(' "<>#$+') & set(url.partition("?")[2])
    parts = urlsplit(url)
    assert (parts.scheme, parts.netloc, parts.path, parts.fragment) == (
        "https",
        "async.example",
        "/opportunity/update",
        "",
    )
    assert parse_qsl(parts.query, strict_parsing=True) == [
        ("accessKey", access),
        ("secretKey", secret),
    ]


def test_a_question_carries_the_gateway_key_alone() -> None:
    request = status_request(HOST, "/opportunity/update/status", KEYS, RequestID("{a}&b=c+d/e"))
    assert request == Request(
        "GET",
        f"{HOST}/opportunity/update/status?RequestID=%7Ba%7D%26b%3Dc%2Bd%2Fe",
        {"x-api-key": "x-api-key-0001"},
    )
    assert metrics_request(HOST, "/m", KEYS) == Request(
        "GET", f"{HOST}/m", {"x-api-key": "x-api-key-0001"}
    )


def test_no_representation_shows_a_key() -> None:
    request = submit({"a": "1"})
    for text in (repr(request), str(request), f"{request}", repr([request])):
        assert text.strip("[]") == "<POST request>"


@pytest.mark.parametrize("request_id", ["a b", "a/b", "a+b&c=d", "%41", "{é}"])
def test_a_request_id_survives_the_query_whatever_it_holds(request_id: str) -> None:
    url = status_request(HOST, "/status", KEYS, RequestID(request_id)).url
    assert parse_qsl(urlsplit(url).query) == [("RequestID", request_id)]
    assert "+" not in url
    assert " " not in url
