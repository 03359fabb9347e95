"""Submit, status and metrics: shapes, words, switches."""

import json

import pytest

from lsq_sync.simulator.wire import Request
from tests.simulator.support import (
    GATEWAY,
    ONE,
    OTHER,
    Caller,
    decoded,
    submit_request,
    update_body,
)

NUMBER = "mx_Custom_6"
UNKNOWN_ID = "00000000-0000-0000-0000-000000000001"


def test_an_accepted_update() -> None:
    reply = Caller().submit(update_body(ONE.id, {NUMBER: "1"}))
    assert reply.status == 200
    assert list(decoded(reply)) == ["Status", "RequestID"]
    assert decoded(reply)["Status"] == (
        "Request accepted. Please use below request id to check the status"
    )


def test_success_in_the_documented_shape() -> None:
    caller = Caller()
    raw = b'{\r\n\t"ProspectOpportunityId": "%s",\r\n\t"Fields": []\r\n}' % ONE.id.encode()
    request_id = str(decoded(caller.submit(raw))["RequestID"])
    reply = decoded(caller.status_reply(request_id))
    assert reply["RequestID"] == request_id
    status = reply["TaskStatus"]
    assert json.loads(status.pop("Message")) == {"Status": "Success", "Message": {"Id": ONE.id}}
    assert status == {
        "TaskType": "Opportunity Update",
        "Status": "Success",
        "StatusReason": "Request was successfully completed",
        "TaskCurrentStep": None,
        "TaskLastStep": "In-Process-Queue",
        "RequestBody": raw.decode(),  # to the letter, line ends and tabs included
    }


def test_waiting() -> None:
    caller = Caller(queue={"delay_seconds": 60})
    request_id = caller.update(ONE, {NUMBER: "1"}, at=0)
    status = caller.status(request_id, at=59)
    assert (status["Status"], status["StatusReason"], status["Message"]) == ("In-Queue", None, None)
    assert caller.word(request_id, at=60) == "Success"


def test_failure_names_the_exception() -> None:
    caller = Caller()
    status = caller.status(caller.update(ONE, {NUMBER: "much"}))
    assert (status["Status"], status["Message"]) == ("FAILURE", None)
    assert status["StatusReason"].startswith("MXInvalidDataTypeException: ")


@pytest.mark.parametrize("shown", ["In-Queue", "ERROR"])
def test_between_retries_the_status_says_what_the_scenario_says(shown: str) -> None:
    caller = Caller(queue={"retrying_status": shown}, system_faults=[{"failures": 1}])
    request_id = caller.update(ONE, {NUMBER: "1"}, at=0)
    assert caller.word(request_id, at=29) == shown
    assert caller.word(request_id, at=30) == "Success"
    assert caller.stored(ONE.id, NUMBER) == "1"


def test_a_system_fault_past_the_ladder_ends_as_error() -> None:
    caller = Caller(queue={"retry_seconds": [5, 10]}, system_faults=[{"failures": 3}])
    request_id = caller.update(ONE, {NUMBER: "1"}, at=0)
    assert caller.word(request_id, at=14) == "In-Queue"
    assert caller.word(request_id, at=15) == "ERROR"
    assert caller.stored(ONE.id, NUMBER) == ONE.fields[NUMBER]


def test_the_words_are_switchable() -> None:
    caller = Caller(answers={"words": {"success": "Completed", "failure": "Error"}})
    assert caller.word(caller.update(ONE, {NUMBER: "1"})) == "Completed"
    assert caller.word(caller.update(ONE, {NUMBER: "much"})) == "Error"


@pytest.mark.parametrize("key", ["RequestID", "RequestId", "requestid"])
def test_the_key_of_the_request_id_is_switchable(key: str) -> None:
    caller = Caller(answers={"request_id_key": key})
    reply = decoded(caller.submit(update_body(ONE.id, {NUMBER: "1"})))
    assert decoded(caller.status_reply(reply[key]))[key] == reply[key]


def test_strings_may_be_objects_as_the_docs_type_them() -> None:
    caller = Caller(answers={"request_body": "object", "message": "object"})
    status = caller.status(caller.update(ONE, {NUMBER: "1"}))
    assert status["RequestBody"] == update_body(ONE.id, {NUMBER: "1"})
    assert status["Message"] == {"Status": "Success", "Message": {"Id": ONE.id}}


@pytest.mark.parametrize(("style", "http"), [("null", 200), (400, 400), (404, 404), (500, 500)])
def test_an_unknown_request_id(style: object, http: int) -> None:
    reply = Caller(answers={"unknown_request_id": style}).status_reply(UNKNOWN_ID)
    assert reply.status == http
    if style == "null":
        assert decoded(reply)["TaskStatus"] is None


def test_a_request_id_expires() -> None:
    caller = Caller(queue={"request_id_seconds": 100})
    request_id = caller.update(ONE, {NUMBER: "1"}, at=0)
    assert caller.word(request_id, at=100) == "Success"
    assert decoded(caller.status_reply(request_id, at=101))["TaskStatus"] is None


def test_request_ids_differ_between_updates_and_starts() -> None:
    caller = Caller()
    ids = {caller.update(ONE, {NUMBER: str(number)}) for number in range(50)}
    assert len(ids) == 50


@pytest.mark.parametrize(
    "key", ["ProcessingRatePerMinute", "ProcessingratePerMinute", "processingrateperminute"]
)
def test_metrics(key: str) -> None:
    caller = Caller(queue={"per_minute": 6}, answers={"rate_key": key})
    for _ in range(3):
        caller.update(ONE, {NUMBER: "1"}, at=0)
    assert caller.metrics(at=12) == {"PendingMessages": 2, "MaxDelayInSeconds": 12, key: 0.1}


@pytest.mark.parametrize(
    ("at_submit", "body", "http"),
    [
        ("json", b"nonsense", 400),
        ("json", b'{"Fields": 5}', 200),
        ("nothing", b"nonsense", 200),
        ("everything", b"nonsense", 400),
        ("everything", b'{"ProspectOpportunityId": "no", "Fields": []}', 500),
    ],
)
def test_how_much_the_gateway_looks_at(at_submit: str, body: bytes, http: int) -> None:
    caller = Caller(rules={"at_submit": at_submit})
    assert caller.submit(body).status == http


def test_what_the_gateway_did_not_look_at_the_worker_refuses() -> None:
    caller = Caller(rules={"at_submit": "nothing"})
    request_id = str(decoded(caller.submit(b"nonsense"))["RequestID"])
    assert caller.word(request_id) == "FAILURE"
    assert caller.status(request_id)["RequestBody"] == "nonsense"


def test_rejects_are_chosen_by_id_field_value_or_number() -> None:
    caller = Caller(
        rejects=[
            {"id": ONE.id.upper(), "field": NUMBER, "type": "MXFirstException", "message": "one"},
            {"value": "13", "type": "MXSecondException", "outcome": "ERROR", "times": 1},
            {"calls": "5-", "type": "MXThirdException"},
        ]
    )
    assert caller.verdict(ONE, {NUMBER: "1"}) == "MXFirstException: one"
    unlucky = caller.status(caller.update(OTHER, {NUMBER: "13"}))
    assert (unlucky["Status"], unlucky["StatusReason"][:17]) == ("ERROR", "MXSecondException")
    assert caller.verdict(OTHER, {NUMBER: "13"}) == "Success"
    assert caller.verdict(ONE, {"mx_Custom_10": "x"}) == "Success"
    assert caller.verdict(ONE, {"mx_Custom_10": "x"}).startswith("MXThirdException")


def test_a_reject_by_id_also_finds_the_auto_id() -> None:
    caller = Caller(rejects=[{"id": ONE.id}])
    assert caller.verdict(ONE.fields["mx_Custom_20"], {NUMBER: "1"}) != "Success"


def test_a_lost_update_reports_success_and_changes_nothing() -> None:
    caller = Caller(lost_updates=[{"call": 1}])
    assert caller.verdict(ONE, {NUMBER: "1"}) == "Success"
    assert caller.stored(ONE.id, NUMBER) == ONE.fields[NUMBER]
    assert caller.verdict(ONE, {NUMBER: "1"}) == "Success"
    assert caller.stored(ONE.id, NUMBER) == "1"


def test_an_older_update_may_land_after_a_newer_one() -> None:
    caller = Caller(system_faults=[{"call": 1, "failures": 1}])
    caller.update(ONE, {NUMBER: "1"}, at=0)
    caller.update(ONE, {NUMBER: "2"}, at=10)
    caller.metrics(at=20)
    assert caller.stored(ONE.id, NUMBER) == "2"
    caller.metrics(at=30)
    assert caller.stored(ONE.id, NUMBER) == "1"


def test_jitter_lets_later_ones_overtake_the_same_way_every_time() -> None:
    def settled() -> list[int]:
        caller = Caller(queue={"jitter_seconds": 60}, seed=3)
        for number in range(20):
            caller.update(ONE, {NUMBER: str(number)}, at=number)
        caller.metrics(at=1000)
        tasks = sorted(caller.simulator.crm.tasks(), key=lambda task: task.settled_at or 0)
        return [task.number for task in tasks]

    assert settled() == settled()
    assert settled() != sorted(settled())


@pytest.mark.parametrize("switch", ["status", "metrics"])
def test_a_path_may_be_served_elsewhere(switch: str) -> None:
    caller = Caller(paths={switch: None, f"{switch}_alias": f"/opportunity/{switch}"})
    served = Request("GET", f"/opportunity/{switch}", {"requestid": UNKNOWN_ID}, GATEWAY)
    silent = Request("GET", f"/opportunity/update/{switch}", {}, GATEWAY)
    assert caller.call(served).status == 200
    assert caller.call(silent).status == 404


def test_a_wrong_path_may_answer_like_an_aws_gateway() -> None:
    reply = Caller(paths={"missing": 403}).call(Request("GET", "/nowhere", {}, GATEWAY))
    assert (reply.status, decoded(reply)) == (403, {"message": "Missing Authentication Token"})


def test_a_body_must_be_announced_as_json() -> None:
    request = submit_request(update_body(ONE.id, {NUMBER: "1"}))
    plain = Request(request.method, request.path, request.query, GATEWAY, request.body)
    assert Caller().call(plain).status == 400
