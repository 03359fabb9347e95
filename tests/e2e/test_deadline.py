"""`apply --deadline SECONDS`: over by then, everything recorded, and the next apply goes on."""

import signal
from pathlib import Path

import pytest

from tests.support.acting import Signalled, acted
from tests.support.world import LOANS, World, new_world

MANY = LOANS[:20]
SLOW_QUEUE = {"queue": {"delay_seconds": 3600}}
FEW_CALLS = {"rate_limit": {"calls": 2, "seconds": 20}}
"""Twenty updates take 200 s, and what is read besides."""

FAR = "60"


def sent(world: World) -> list[str]:
    return [body["ProspectOpportunityId"] for body in world.sent()]


@pytest.mark.parametrize("options", [(), ("--no-wait",)])
def test_one_in_the_middle_of_sending_stops_cleanly_with_4(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    with new_world(tmp_path, SLOW_QUEUE, api=FEW_CALLS) as world:
        world.fields(*MANY, mx_Custom_6=1)
        ended = world.apply("--deadline", FAR, *options, code=4)
        counts = ended.summary
        assert counts["pending"] == len(world.sent()) > 0
        assert counts["unsent"] == len(MANY) - counts["pending"] > 0
        reasons = {one["reason"] for one in ended.document["opportunities"]
                   if one["outcome"] == "unsent"}  # fmt: skip
        assert reasons == {"the deadline of 60 s came first"}
        assert f"came first: {counts['unsent']} of 20 updates not sent" in ended.err
        wait = "--no-wait " if options else ""
        assert f"\n    lsq-sync apply {wait}--deadline 60\n" in ended.err
        assert ended.document["elapsed_seconds"] < 90
        assert not (world.root / ".lsq-sync/journal").exists()
        assert world.actions() == {
            key: "pending" if key in sent(world) else "update" for key in MANY
        }


def test_the_next_apply_sends_the_rest_and_nothing_twice(tmp_path: Path) -> None:
    with new_world(tmp_path, api=FEW_CALLS) as world:
        world.fields(*MANY, mx_Custom_6=1)
        world.apply("--deadline", FAR, code=4)
        world.write("lsq-sync.yaml", (world.root / "lsq-sync.yaml").read_text().replace("20", "1"))
        world.run("status", "--wait")
        world.apply()
        assert sorted(sent(world)) == sorted(MANY)


def test_one_while_waiting_leaves_the_requests_open(tmp_path: Path) -> None:
    with new_world(tmp_path, SLOW_QUEUE) as world:
        world.fields(*MANY, mx_Custom_6=1)
        ended = world.apply("--deadline", FAR, code=4)
        assert (ended.summary["pending"], ended.summary["unsent"]) == (20, 0)
        assert ended.document["elapsed_seconds"] < 90
        assert "lsq-sync status --wait" in ended.err


def test_one_that_has_passed_before_the_first_send_sends_nothing(world: World) -> None:
    world.fields(*MANY, mx_Custom_6=1)
    ended = world.apply("--deadline", "0.1", code=4)
    assert ended.summary["unsent"] == 20
    assert "nothing was sent: the deadline of 0.1 s came first" in ended.err
    assert world.json("results").code == 4
    assert world.crm.crm.count("submit") == 0
    assert world.actions() == dict.fromkeys(MANY, "update")


def test_one_while_live_values_are_read_sends_nothing(world: World) -> None:
    world.scenario(faults=[{"on": "read", "every": 1, "do": "delay", "seconds": 30}])
    world.fields(*MANY, mx_Custom_6=1)
    ended = world.apply("--deadline", FAR, code=4)
    assert (ended.summary["unsent"], world.crm.crm.count("submit")) == (20, 0)
    assert world.crm.crm.count("read") >= 1
    assert ended.document["elapsed_seconds"] < 90


def test_one_that_has_passed_records_no_release_either(world: World) -> None:
    world.fields(*MANY, mx_Custom_6=1)
    world.apply()
    world.fields(*MANY[1:], mx_Custom_6=1)
    ended = world.apply("--deadline", "0.1", code=4)
    assert "nothing was sent: the deadline" in ended.err
    assert world.actions() == {MANY[0]: "release"}


def test_with_time_enough_nothing_is_different(world: World) -> None:
    world.fields(*MANY, mx_Custom_6=1)
    assert world.apply("--deadline", "9999").summary["succeeded"] == 20


def test_nothing_to_do_is_done_whatever_the_deadline(world: World) -> None:
    world.fields(*MANY, mx_Custom_6=1)
    world.apply()
    world.apply("--deadline", "0.1")


def test_a_rejection_comes_before_what_was_not_sent(tmp_path: Path) -> None:
    with new_world(tmp_path, SLOW_QUEUE, api=FEW_CALLS, account={"host": None}) as world:
        world.scenario(**SLOW_QUEUE, rules={"at_submit": "everything"})
        world.crm.delete(MANY[0])
        world.fields(*MANY, mx_Custom_6=1)
        ended = world.apply("--deadline", FAR, "--max-updates", "99", code=3)
        assert ended.summary["rejected"] == 1
        assert ended.summary["unsent"] > 0


def test_a_canary_that_is_open_at_the_deadline_keeps_the_rest_back(tmp_path: Path) -> None:
    with new_world(tmp_path, SLOW_QUEUE) as world:
        world.fields(*MANY, mx_Custom_6=1)
        ended = world.apply("--canary", "2", "--deadline", FAR, code=4)
        assert (ended.summary["pending"], ended.summary["unsent"]) == (2, 18)
        assert "is not known yet; the rest is not sent" in ended.err
        assert ended.document["elapsed_seconds"] < 90


def test_a_signal_comes_before_the_deadline(tmp_path: Path) -> None:
    with new_world(tmp_path, SLOW_QUEUE) as world:
        world.fields(*MANY, mx_Custom_6=1)
        waiting = Signalled("lsq_sync.poller:Poller.until_settled", (signal.SIGTERM,))
        ended = acted(world, waiting, "apply", "--yes", "--deadline", "999", "--format", "json")
        assert (ended.code, ended.summary["pending"]) == (143, 20), ended


@pytest.mark.parametrize("seconds", ["0", "-1", "soon"])
def test_one_that_is_none_is_wrong_usage(world: World, seconds: str) -> None:
    ended = world.json("apply", "--yes", "--deadline", seconds)
    assert (ended.code, ended.document["error"]["code"]) == (64, "usage")
