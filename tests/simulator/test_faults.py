"""Which calls a fault hits, and what is left of the answer. How it looks on a socket is in
`test_server`.
"""

from typing import Any

import pytest

from lsq_sync.simulator.clock import moment
from tests.simulator.support import ONE, OTHER, Caller, decoded, update_body

NUMBER = "mx_Custom_6"
BODY = update_body(ONE.id, {NUMBER: "1"})


def hit(fault: dict[str, Any], calls: int = 10) -> list[int]:
    """Which of so many submits the fault hits."""
    caller = Caller(faults=[{"on": "submit", "do": "status", "status": 502, **fault}])
    return [number for number in range(1, calls + 1) if caller.submit(BODY).status == 502]


@pytest.mark.parametrize(
    ("which", "calls"),
    [
        ({}, list(range(1, 11))),
        ({"call": 3}, [3]),
        ({"calls": "5-8"}, [5, 6, 7, 8]),
        ({"calls": "9-"}, [9, 10]),
        ({"calls": [1, "4-5"]}, [1, 4, 5]),
        ({"every": 4}, [4, 8]),
        ({"every": 2, "times": 2}, [2, 4]),
        ({"id": OTHER.id}, []),
        ({"id": ONE.id, "times": 1}, [1]),
        ({"id": ONE.fields["mx_Custom_20"]}, []),  # it was addressed by GUID
        ({"field": NUMBER, "value": 1, "times": 1}, [1]),
        ({"value": "2"}, []),
    ],
)
def test_which_calls_are_hit(which: dict[str, Any], calls: list[int]) -> None:
    assert hit(which) == calls


def test_calls_are_counted_per_kind() -> None:
    caller = Caller(faults=[{"on": "status", "call": 2, "do": "status", "status": 502}])
    request_id = caller.update(ONE, {})
    caller.update(ONE, {})
    assert [caller.status_reply(request_id).status for _ in range(3)] == [200, 502, 200]


def test_a_fault_may_be_for_one_path() -> None:
    caller = Caller(faults=[{"on": "read", "path": "GetOpportunitiesById", "do": "status"}])
    assert caller.get("OpportunityManagement.svc/GetOpportunityTypes").status == 200
    assert caller.post("OpportunityManagement.svc/GetOpportunitiesById", {}).status == 500


def test_polls_and_reads_are_found_by_opportunity_too() -> None:
    faults = [{"on": kind, "id": ONE.id, "do": "status"} for kind in ("status", "read")]
    caller = Caller(faults=faults)
    ids = [caller.update(one, {}) for one in (ONE, OTHER)]
    assert [caller.status_reply(one).status for one in ids] == [500, 200]
    path = "OpportunityManagement.svc/GetOpportunityDetails"
    found = [caller.get(path, opportunityid=one.id).status for one in (ONE, OTHER)]
    assert found == [500, 200]


PROCESSED = ["drop_after", "delay", "truncated", "empty", "oversized", "slow_body"]
NOT_PROCESSED = [
    "drop_before",
    "status",
    "garbage",
    "rate_limit",
    "redirect",
    "forbidden",
    "unauthorized",
]


@pytest.mark.parametrize("do", PROCESSED + NOT_PROCESSED)
def test_whether_the_crm_does_its_part(do: str) -> None:
    caller = Caller(faults=[{"on": "submit", "do": do}])
    caller.submit(BODY)
    assert len(caller.simulator.crm.tasks()) == (1 if do in PROCESSED else 0)


@pytest.mark.parametrize("processed", [True, False])
def test_whether_the_crm_does_its_part_is_switchable(processed: bool) -> None:
    caller = Caller(faults=[{"on": "submit", "do": "garbage", "processed": processed}])
    assert b"<html>" in caller.submit(BODY).body
    assert len(caller.simulator.crm.tasks()) == int(processed)


@pytest.mark.parametrize(
    ("fault", "http", "body"),
    [
        ({"do": "status", "status": 503}, 503, b'{"message": "Internal server error"}'),
        ({"do": "status", "status": 418, "body": "tea"}, 418, b"tea"),
        ({"do": "garbage", "body": "<p>"}, 200, b"<p>"),
        ({"do": "empty"}, 200, b""),
        ({"do": "redirect"}, 302, b""),
        ({"do": "forbidden"}, 403, b'{"message": "Forbidden"}'),
    ],
)
def test_what_is_answered(fault: dict[str, Any], http: int, body: bytes) -> None:
    reply = Caller(faults=[{"on": "submit", **fault}]).submit(BODY)
    assert (reply.status, reply.body) == (http, body)


@pytest.mark.parametrize(("fault", "http"), [("unauthorized", 401), ("rate_limit", 429)])
def test_faults_with_an_mx_body(fault: str, http: int) -> None:
    reply = Caller(faults=[{"on": "submit", "do": fault}]).submit(BODY)
    assert reply.status == http
    assert decoded(reply)["ExceptionType"].startswith("MX")


@pytest.mark.parametrize(
    ("do", "delivery"),
    [
        ("drop_before", "closed"),
        ("drop_after", "reset"),
        ("truncated", "truncated"),
        ("slow_body", "slow"),
        ("oversized", "padded"),
    ],
)
def test_how_the_bytes_travel(do: str, delivery: str) -> None:
    assert Caller(faults=[{"on": "submit", "do": do}]).submit(BODY).delivery == delivery


def test_the_first_fault_that_fits_counts() -> None:
    faults = [
        {"on": "submit", "call": 2, "do": "forbidden"},
        {"on": "any", "do": "unauthorized"},
    ]
    caller = Caller(faults=faults)
    assert [caller.submit(BODY).status for _ in range(3)] == [401, 403, 401]


def test_a_new_scenario_counts_from_one_again() -> None:
    caller = Caller(faults=[{"on": "submit", "call": 1, "do": "forbidden"}])
    assert [caller.submit(BODY).status for _ in range(2)] == [403, 200]
    caller.simulator.set_scenario(caller.scenario, moment(0))
    assert [caller.submit(BODY).status for _ in range(2)] == [403, 200]
