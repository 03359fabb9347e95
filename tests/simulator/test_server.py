"""The simulator on a real socket of loopback."""

import asyncio
import http.client
import json
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import Message
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from lsq_sync.simulator import RunningSimulator, SimulatorError, SimulatorThread, serving
from lsq_sync.simulator.scenario import RateLimit, Scenario
from lsq_sync.simulator.scenario_file import scenario_from
from tests.simulator.support import ACCOUNT, GATEWAY, ONE, update_body, url_with_keys

NUMBER = "mx_Custom_6"
UNLIMITED = Scenario(rate_limit=RateLimit(enabled=False))


@pytest.fixture(scope="module")
def sim() -> Iterator[RunningSimulator]:
    with SimulatorThread(ACCOUNT, UNLIMITED) as running:
        yield running


def faulty(sim: RunningSimulator, **fault: Any) -> None:
    faults = [{"on": "submit", **fault}]
    sim.set_scenario(scenario_from({"rate_limit": {"enabled": False}, "faults": faults}))


@dataclass(frozen=True)
class Answer:
    """A whole answer."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def call(url: str, body: object = None) -> Answer:
    data = None if body is None else json.dumps(body).encode()
    headers = {**GATEWAY, "Content-Type": "application/json"}
    request = urllib.request.Request(url, data, headers)
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=10) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


def submit(sim: RunningSimulator, value: str = "1") -> Answer:
    url = url_with_keys(sim.url, "/opportunity/update")
    return call(url, update_body(ONE.id, {NUMBER: value}))


# What it is for


def test_an_update_from_submit_to_read_back(sim: RunningSimulator) -> None:
    sim.set_scenario(UNLIMITED)
    request_id = submit(sim, "4711").json["RequestID"]
    status = call(f"{sim.url}/opportunity/update/status?RequestID={request_id}").json
    assert status["TaskStatus"]["Status"] == "Success"
    details = url_with_keys(
        sim.url, "/v2/OpportunityManagement.svc/GetOpportunityDetails", OpportunityId=ONE.id
    )
    fields = {one["SchemaName"]: one["Value"] for one in call(details).json["Fields"]}
    assert fields[NUMBER] == sim.crm.opportunity(ONE.id).fields[NUMBER] == "4711"


def test_a_dollar_in_a_key_may_be_percent_encoded_or_not(sim: RunningSimulator) -> None:
    path = "/v2/OpportunityManagement.svc/GetOpportunityTypes"
    encoded = url_with_keys(sim.url, path)
    assert "%24" in encoded
    assert call(encoded).status == call(encoded.replace("%24", "$")).status == 200


def test_simulated_time_can_be_skipped(sim: RunningSimulator) -> None:
    sim.set_scenario(scenario_from({"queue": {"delay_seconds": 3600}}))
    request_id = submit(sim, "99").json["RequestID"]
    url = f"{sim.url}/opportunity/update/status?RequestID={request_id}"
    assert call(url).json["TaskStatus"]["Status"] == "In-Queue"
    assert sim.crm.pending == 1
    sim.skip(3601)
    assert call(url).json["TaskStatus"]["Status"] == "Success"
    assert sim.crm.pending == 0


def test_simulated_time_can_run_faster(sim: RunningSimulator) -> None:
    sim.set_scenario(scenario_from({"time_scale": 36_000, "queue": {"delay_seconds": 360}}))
    request_id = submit(sim, "98").json["RequestID"]
    url = f"{sim.url}/opportunity/update/status?RequestID={request_id}"
    time.sleep(0.02)
    assert call(url).json["TaskStatus"]["Status"] == "Success"


def test_the_limit_counts_real_seconds_unless_told_otherwise() -> None:
    rough = {"time_scale": 1_000_000, "rate_limit": {"calls": 2, "seconds": 5}}
    with SimulatorThread(ACCOUNT, scenario_from(rough)) as sim:
        assert [submit(sim).status for _ in range(3)] == [200, 200, 429]
        assert sim.crm.rate_limited() == 1
        assert (sim.crm.busiest_window(), sim.crm.count("submit")) == (3, 3)
        scaled = {"time_scale": 1_000_000, "rate_limit": {"calls": 1, "scaled": True}}
        sim.set_scenario(scenario_from(scaled))
        statuses = []
        for _ in range(3):
            statuses.append(submit(sim).status)
            time.sleep(0.001)
        assert statuses == [200, 200, 200]


def test_people_edit_and_delete(sim: RunningSimulator) -> None:
    sim.set_scenario(UNLIMITED)
    other = ACCOUNT.opportunities[-1].id
    sim.change(other, NUMBER, "12345")
    assert sim.crm.opportunity(other).fields[NUMBER] == "12345"
    sim.delete(other)
    assert sim.crm.opportunity(other).deleted
    with pytest.raises(KeyError):
        sim.change("nobody", NUMBER, "1")
    with pytest.raises(KeyError):
        sim.delete("nobody")
    with pytest.raises(KeyError):
        sim.crm.opportunity("nobody")


def test_what_a_test_may_look_at(sim: RunningSimulator) -> None:
    sim.set_scenario(UNLIMITED)
    request_id = submit(sim, "5").json["RequestID"]
    task = sim.crm.tasks()[-1]
    assert (task.request_id, task.opportunity, task.outcome) == (request_id, ONE.id, "succeeded")
    assert sim.crm.log("submit")[-1].request_id == request_id
    assert sim.crm.log()[-1].fields == {NUMBER: "5"}
    assert len(sim.crm.opportunities()) == len(ACCOUNT.opportunities)
    assert sim.environment["LSQ_HOST"] == sim.environment["LSQ_ASYNC_HOST"] == sim.url


def test_what_became_of_updates_can_be_looked_at() -> None:
    scenario = scenario_from(
        {
            "queue": {"retry_seconds": [1]},
            "system_faults": [{"call": 3, "failures": 2}, {"call": 4, "failures": 1}],
        }
    )
    with SimulatorThread(ACCOUNT, scenario) as sim:
        for value in ("1", "much", "3"):
            submit(sim, value)
        sim.skip(1)
        submit(sim, "4")
        seen = [(task.outcome, task.reason) for task in sim.crm.tasks()]
    assert [outcome for outcome, _ in seen] == ["succeeded", "failed", "broke down", "waiting"]
    assert str(seen[1][1]).startswith("MXInvalidDataTypeException")
    assert seen[2][1] == "Unable to connect to the database."


# Faults on the wire


def test_dropped_before(sim: RunningSimulator) -> None:
    faulty(sim, do="drop_before")
    before = len(sim.crm.tasks())
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        submit(sim)
    assert len(sim.crm.tasks()) == before


def test_dropped_after_the_update_was_accepted(sim: RunningSimulator) -> None:
    faulty(sim, do="drop_after")
    with pytest.raises(ConnectionResetError):
        submit(sim, "8080")
    assert sim.crm.opportunity(ONE.id).fields[NUMBER] == "8080"
    assert not sim.crm.log()[-1].delivered


def test_delayed(sim: RunningSimulator) -> None:
    faulty(sim, do="delay", seconds=0.15)
    before = time.monotonic()
    assert submit(sim).status == 200
    assert time.monotonic() - before >= 0.15


def test_truncated(sim: RunningSimulator) -> None:
    faulty(sim, do="truncated")
    with pytest.raises(http.client.IncompleteRead):
        submit(sim)


def test_empty(sim: RunningSimulator) -> None:
    faulty(sim, do="empty")
    answer = submit(sim)
    assert (answer.status, answer.body) == (200, b"")


def test_garbage(sim: RunningSimulator) -> None:
    faulty(sim, do="garbage")
    answer = submit(sim)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert answer.body.startswith(b"<html>")


def test_status(sim: RunningSimulator) -> None:
    faulty(sim, do="status", status=502, body="Bad Gateway")
    answer = submit(sim)
    assert (answer.status, answer.body) == (502, b"Bad Gateway")


def test_redirect(sim: RunningSimulator) -> None:
    faulty(sim, do="redirect", location="https://elsewhere.example/")
    answer = submit(sim)
    assert (answer.status, answer.headers["Location"]) == (302, "https://elsewhere.example/")


def test_slow(sim: RunningSimulator) -> None:
    faulty(sim, do="slow_body", seconds=0.2)
    before = time.monotonic()
    assert "RequestID" in submit(sim).json
    assert time.monotonic() - before >= 0.2


def test_oversized(sim: RunningSimulator) -> None:
    faulty(sim, do="oversized", bytes=1_000_000)
    answer = submit(sim)
    assert len(answer.body) == 1_000_000
    assert "RequestID" in answer.json  # white space does no harm but by its size


@pytest.mark.parametrize(
    ("do", "status"), [("rate_limit", 429), ("forbidden", 403), ("unauthorized", 401)]
)
def test_refusals(sim: RunningSimulator, do: str, status: int) -> None:
    faulty(sim, do=do)
    assert submit(sim).status == status


# How it runs


def test_a_client_that_goes_away_does_no_harm(
    sim: RunningSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    faulty(sim, do="oversized")
    url = url_with_keys(sim.url, "/opportunity/update")
    body = json.dumps(update_body(ONE.id, {})).encode()
    headers = {**GATEWAY, "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=10) as answer:
        answer.read(1000)
    sim.set_scenario(UNLIMITED)
    assert submit(sim).status == 200
    assert caplog.records == []


def test_it_stops_at_once_while_an_answer_is_delayed() -> None:
    scenario = scenario_from({"faults": [{"on": "submit", "do": "delay", "seconds": 60}]})
    outcome: list[object] = []

    def impatient(sim: RunningSimulator) -> None:
        try:
            outcome.append(submit(sim).status)
        except OSError as error:
            outcome.append(error)

    before = time.monotonic()
    with SimulatorThread(ACCOUNT, scenario) as sim:
        caller = threading.Thread(target=impatient, args=(sim,))
        caller.start()
        while sim.crm.count() == 0:
            time.sleep(0.005)
    caller.join(5)
    assert not caller.is_alive()
    assert time.monotonic() - before < 3


def test_no_thread_and_no_socket_stays_behind() -> None:
    before = threading.enumerate()
    with SimulatorThread(ACCOUNT) as sim:
        port = int(sim.url.rpartition(":")[2])
        assert threading.enumerate() != before
    assert threading.enumerate() == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


def test_a_busy_port_is_said_so() -> None:
    with SimulatorThread(ACCOUNT) as sim:
        port = int(sim.url.rpartition(":")[2])
        with pytest.raises(SimulatorError, match=f"port {port}: cannot be listened on"):
            SimulatorThread(ACCOUNT, port=port).__enter__()


def test_the_log_goes_to_a_file(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    with SimulatorThread(ACCOUNT, log_path=path) as sim:
        submit(sim)
        submit(sim)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["sequence"] for line in lines] == [1, 2]


def test_a_log_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(SimulatorError, match="cannot be written"):
        SimulatorThread(ACCOUNT, log_path=tmp_path).__enter__()


def test_inside_a_loop_that_is_already_there() -> None:
    async def scene() -> tuple[int, Any]:
        async with serving(ACCOUNT, UNLIMITED) as sim, aiohttp.ClientSession() as session:
            url = f"{sim.url}/opportunity/update/metrics"
            async with session.get(url, headers=GATEWAY) as response:
                return response.status, await response.json()

    status, metrics = asyncio.run(scene())
    assert (status, metrics["PendingMessages"]) == (200, 0)


def test_many_calls_at_once() -> None:
    """Calls of one account, over many connections: none is lost, none is counted twice."""

    async def scene() -> None:
        async with serving(ACCOUNT, UNLIMITED) as sim, aiohttp.ClientSession() as session:

            async def one(number: int) -> str:
                body = update_body(ONE.id, {NUMBER: str(number)})
                url = url_with_keys(sim.url, "/opportunity/update")
                async with session.post(url, json=body, headers=GATEWAY) as response:
                    return str((await response.json())["RequestID"])

            ids = await asyncio.gather(*(one(number) for number in range(300)))
            assert len(set(ids)) == 300
            assert {task.request_id for task in sim.crm.tasks()} == set(ids)
            assert [entry.sequence for entry in sim.crm.log()] == list(range(1, 301))

    asyncio.run(scene())


def test_a_scenario_can_be_changed_while_it_runs(sim: RunningSimulator) -> None:
    sim.set_scenario(replace(UNLIMITED, read_lag_seconds=1000.0))
    submit(sim, "31415")
    details = url_with_keys(
        sim.url, "/v2/OpportunityManagement.svc/GetOpportunityDetails", OpportunityId=ONE.id
    )

    def shown() -> str:
        fields = call(details).json["Fields"]
        return str(next(one["Value"] for one in fields if one["SchemaName"] == NUMBER))

    assert shown() != "31415"
    sim.set_scenario(UNLIMITED)
    assert shown() == "31415"
