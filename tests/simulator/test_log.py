import json

from lsq_sync.simulator.account import DEFAULT_KEYS
from lsq_sync.simulator.clock import Moment
from lsq_sync.simulator.http import Simulator
from lsq_sync.simulator.log import Entry, Log
from lsq_sync.simulator.scenario_file import scenario_from
from lsq_sync.simulator.wire import Request
from tests.simulator.support import ACCOUNT, GATEWAY, ONE, STARTED, Caller, update_body

SECRETS = (DEFAULT_KEYS.access_key, DEFAULT_KEYS.secret_key, DEFAULT_KEYS.x_api_key)


def test_a_call_in_full() -> None:
    lines: list[Entry] = []
    faults = [{"on": "submit", "call": 2, "do": "drop_after"}]
    simulator = Simulator(ACCOUNT, scenario_from({"faults": faults}), STARTED, sink=lines.append)
    caller = Caller()
    caller.simulator = simulator
    request_id = caller.update(ONE, {"mx_Custom_6": "1"}, OpportunityNote="hi")
    caller.submit(update_body(ONE.id, {}), at=1.5)
    first, second = (json.loads(entry.line()) for entry in lines)
    assert first == {
        "sequence": 1,
        "at": 0.0,
        "simulated": 0.0,
        "time": "2026-08-31T08:38:00.000+00:00",
        "kind": "submit",
        "number": 1,
        "method": "POST",
        "path": "/opportunity/update",
        "query": {},
        "keys": "valid",
        "x_api_key": "valid",
        "status": 200,
        "opportunity": ONE.id,
        "request_id": request_id,
        "fields": {"mx_Custom_6": "1"},
        "note": "hi",
        "limited": False,
        "fault": None,
        "delivered": True,
    }
    assert (second["time"][-9:], second["fault"], second["delivered"]) == (
        "500+00:00",
        "drop_after",
        False,
    )


def test_keys_are_never_in_it() -> None:
    caller = Caller()
    caller.update(ONE, {"mx_Custom_6": "1"})
    caller.details(ONE.id)
    caller.call(Request("GET", "/opportunity/update/metrics", {"key": SECRETS[2]}, GATEWAY))
    written = "".join(entry.line() for entry in caller.simulator.log.entries())
    assert ONE.id in written
    assert not any(secret in written for secret in SECRETS)


def test_what_became_of_the_keys_is_in_it() -> None:
    caller = Caller()
    wrong = {"accesskey": "a", "secretkey": "b"}
    caller.call(Request("POST", "/opportunity/update", wrong, {"x-api-key": "c"}))
    caller.call(Request("POST", "/opportunity/update"))
    states = [(one.keys, one.x_api_key, one.status) for one in caller.simulator.log.entries()]
    assert states == [("invalid", "invalid", 403), ("missing", "missing", 403)]


def test_real_and_simulated_time_are_both_in_it() -> None:
    caller = Caller()
    caller.simulator.handle(Request("GET", "/nowhere"), Moment(real=2, simulated=120))
    (entry,) = caller.simulator.log.entries()
    assert (entry.at, entry.simulated, entry.kind) == (2, 120, "other")


def test_memory_is_bounded() -> None:
    caller = Caller()
    caller.simulator.log = Log(kept=3)
    for _ in range(10):
        caller.metrics()
    assert [one.sequence for one in caller.simulator.log.entries()] == [8, 9, 10]
