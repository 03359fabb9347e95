"""At the limit: 25 calls in 5 s with answers of 200 ms, on virtual time; the server's log judges.

The least possible time from the first to the last of N calls is (ceil(N / 25) - 1) * 5 s. A slot is
free 5 s after its answer was read, so an answer time of 0.2 s leaves 5 / 5.2 = 0.96 of that speed.
Virtual time makes every figure exact: what holds here holds on any machine.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import loans
from lsq_sync.core.events import Accepted, Succeeded
from lsq_sync.simulator.scenario import Queue, Reject, Scenario, Which
from tests.support.clock import Timeline
from tests.support.virtual_crm import HOST, VirtualCRM, Way, jittered, steady
from tests.support.work import LIMIT, Work

ANSWER_SECONDS = 0.2

ways = pytest.mark.parametrize(
    ("way", "at_least"),
    [
        pytest.param(lambda: steady(ANSWER_SECONDS), 0.95, id="steady"),
        pytest.param(
            lambda: jittered(LIMIT.seconds, LIMIT.calls, ANSWER_SECONDS), 0.93, id="late arrivals"
        ),
    ],
)


@ways
def test_sending_comes_near_the_limit_and_never_over_it(
    way: Callable[[], Way], at_least: float
) -> None:
    work = Work(way(), 2500)
    work.run(work.send)
    assert work.ledger.count(Accepted) == 2500
    assert work.crm.calls == {"submit": 2500}
    assert work.crm.refused == 0
    assert work.crm.busiest_window == LIMIT.calls
    assert work.crm.utilisation() >= at_least


@ways
def test_sends_polls_and_reads_share_it(way: Callable[[], Way], at_least: float) -> None:
    work = Work(way(), 1250)
    work.run(work.send, lambda: work.poll(600), lambda: work.read(singles=650))
    assert work.ledger.count(Accepted) == 1250
    assert work.ledger.count(Succeeded) == 600
    assert work.crm.calls == {"submit": 1250, "status": 600, "read": 651}
    assert work.crm.refused == 0
    assert work.crm.busiest_window == LIMIT.calls
    assert work.crm.utilisation() >= at_least


def test_100_000_opportunities_are_read_in_50_calls_two_bursts_of_25() -> None:
    work = Work(steady(ANSWER_SECONDS), 1)
    work.run(lambda: work.read_in_bulk(100_000))
    assert work.crm.calls == {"read": 50}
    assert work.crm.utilisation() == pytest.approx(5.0 / 5.2)


def test_a_whole_apply_and_what_settling_it_costs(tmp_path: Path) -> None:
    """1,100 updates, one in a hundred rejected: what shows is settled by one bulk read."""
    account, keys = loans.account_with(1100)
    rejects = (Reject(Which(every=100)),)
    crm = VirtualCRM(
        Timeline(),
        account,
        Scenario(queue=Queue(delay_seconds=1.0), rejects=rejects),
        steady(ANSWER_SECONDS),
    )
    loans.loan_workspace(tmp_path, keys, HOST)
    code, out, _ = crm.run(
        tmp_path, "-q", "apply", "--yes", "--max-updates", "1100", "--format", "json"
    )
    summary = json.loads(out)["summary"]
    assert code == 3
    assert (summary["succeeded"], summary["rejected"]) == (1089, 11)
    whose_keys, before_sending, settling = 1, 1, 1
    assert crm.calls["read"] == whose_keys + before_sending + settling
    assert crm.calls["status"] == 11
    assert crm.calls["metrics"] == 2
    assert crm.refused == 0
    assert crm.busiest_window == LIMIT.calls
    assert crm.utilisation("submit", "read") >= 0.95
