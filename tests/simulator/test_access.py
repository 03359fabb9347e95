"""Keys, verbs, paths: what is said to a call before anything else."""

from dataclasses import replace

import pytest

from lsq_sync.simulator.wire import Request
from tests.simulator.support import (
    GATEWAY,
    JSON,
    MANAGEMENT,
    ONE,
    PAIR,
    Caller,
    decoded,
    submit_request,
    update_body,
)

SUBMIT = submit_request(update_body(ONE.id, {"mx_Custom_6": "1"}))
HEADER_PAIR = {
    "x-lsq-accesskey": PAIR["accesskey"],
    "x-lsq-secretkey": PAIR["secretkey"],
}
BAD_PAIR = {**PAIR, "secretkey": "wrong"}
BAD_GATEWAY = {"x-api-key": "wrong"}
TYPES = f"{MANAGEMENT}/GetOpportunityTypes"
STATUS, METRICS = "/opportunity/update/status", "/opportunity/update/metrics"

CASES: list[tuple[str, Request, int]] = [
    ("submit with everything", SUBMIT, 200),
    ("submit without x-api-key", replace(SUBMIT, headers=JSON), 403),
    ("submit with a wrong x-api-key", replace(SUBMIT, headers={**BAD_GATEWAY, **JSON}), 403),
    ("submit without the pair", replace(SUBMIT, query={}), 401),
    ("submit with a wrong pair", replace(SUBMIT, query=BAD_PAIR), 401),
    (
        "submit with half a pair",
        replace(SUBMIT, query={"accesskey": PAIR["accesskey"]}),
        401,
    ),
    (
        "submit with the pair in headers",
        replace(SUBMIT, query={}, headers={**GATEWAY, **HEADER_PAIR, **JSON}),
        401,
    ),
    ("status with x-api-key alone", Request("GET", STATUS, {}, GATEWAY), 200),
    ("status without x-api-key", Request("GET", STATUS, PAIR, {}), 403),
    ("metrics with x-api-key alone", Request("GET", METRICS, {}, GATEWAY), 200),
    ("metrics with a wrong x-api-key", Request("GET", METRICS, {}, BAD_GATEWAY), 403),
    ("read with the pair in the query", Request("GET", TYPES, PAIR, {}), 200),
    ("read with the pair in headers", Request("GET", TYPES, {}, HEADER_PAIR), 200),
    ("read with a wrong pair", Request("GET", TYPES, BAD_PAIR, {}), 401),
    ("read without keys", Request("GET", TYPES, {}, {}), 401),
    ("read with x-api-key alone", Request("GET", TYPES, {}, GATEWAY), 401),
    ("GET of a submit", replace(SUBMIT, method="GET"), 405),
    ("POST of a status", Request("POST", STATUS, {}, GATEWAY), 405),
    ("GET of a list", Request("GET", f"{MANAGEMENT}/GetOpportunitiesOfLead", PAIR, {}), 405),
    ("POST of types", Request("POST", TYPES, PAIR, {}), 405),
    ("no such path", Request("GET", "/v2/Nothing.svc", PAIR, {}), 404),
    ("no such async path", Request("GET", "/opportunity/nothing", {}, GATEWAY), 404),
    ("a path in another case", Request("GET", "/Opportunity/Update/Status", {}, GATEWAY), 404),
]


@pytest.mark.parametrize(("name", "request_", "http"), CASES, ids=[case[0] for case in CASES])
def test_access(name: str, request_: Request, http: int) -> None:
    assert Caller().call(request_).status == http, name


def test_the_gateway_refuses_without_an_mx_body() -> None:
    reply = Caller().call(replace(SUBMIT, headers=JSON))
    assert decoded(reply) == {"message": "Forbidden"}


def test_bad_keys_are_refused_with_an_mx_body() -> None:
    reply = Caller().call(replace(SUBMIT, query=BAD_PAIR))
    assert decoded(reply) == {
        "Status": "Error",
        "ExceptionType": "MXInvalidAccessDetailsException",
        "ExceptionMessage": "Invalid Access Details provided.",
    }


def test_the_async_host_may_take_the_pair_in_headers() -> None:
    request = replace(SUBMIT, query={}, headers={**GATEWAY, **HEADER_PAIR, **JSON})
    assert Caller(access={"async_header_keys": True}).call(request).status == 200


@pytest.mark.parametrize("http", [429, 403, 200])
def test_the_limit_is_refused_with_the_same_body_under_three_codes(http: int) -> None:
    caller = Caller(rate_limit={"calls": 2, "seconds": 10, "answer": http})
    replies = [caller.submit(update_body(ONE.id, {}), at=0) for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, http]
    assert decoded(replies[2]) == {
        "Status": "Error",
        "ExceptionType": "MXAPIRateLimitExceededException",
        "ExceptionMessage": "API calls exceeded the limit of 2 in 10 second(s)",
    }


def test_one_limit_for_calls_of_every_kind() -> None:
    caller = Caller(rate_limit={"calls": 3, "seconds": 5})
    request_id = caller.update(ONE, {})
    assert caller.word(request_id) == "Success"
    assert caller.get("OpportunityManagement.svc/GetOpportunityTypes").status == 200
    assert caller.status_reply(request_id).status == 429
    assert caller.status_reply(request_id, at=5).status == 200


def test_a_refused_submit_is_not_queued() -> None:
    caller = Caller(rate_limit={"calls": 1})
    caller.update(ONE, {})
    assert caller.submit(update_body(ONE.id, {})).status == 429
    assert len(caller.simulator.crm.tasks()) == 1


def test_a_submit_that_is_not_let_in_changes_nothing() -> None:
    caller = Caller()
    caller.call(replace(SUBMIT, query=BAD_PAIR))
    assert caller.simulator.crm.tasks() == ()
