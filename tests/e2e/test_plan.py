"""`plan`, end to end: the document of the contract, and its exit codes."""

import json
import stat
from pathlib import Path

from tests.support.world import LOANS, World

ONE, TWO = LOANS[:2]


def test_the_document_is_that_of_the_contract(world: World) -> None:
    world.spec(
        {
            ONE: {
                "label": "Acme",
                "note": "Update note",
                "fields": {"mx_Custom_6": "200,000", "mx_Custom_9": None},
            }
        },
        type="loan",
    )
    plan = world.plan()
    assert list(plan) == [
        "format", "id", "created_at", "account", "async_host", "refreshed", "summary", "budget",
        "refusals", "opportunities",
    ]  # fmt: skip
    assert plan["format"] == "lsq-sync/plan/v1"
    assert plan["refreshed"] is False
    assert plan["summary"] == {
        "update": 1, "unchanged": 0, "pending": 0, "held": 0, "rejected": 0, "conflict": 0,
        "adopt": 0, "release": 0, "fields": 2, "clears": 1, "overwrites": 0,
    }  # fmt: skip
    assert plan["budget"] == {
        "send_calls": 1, "read_calls": 3, "poll_calls": 1, "seconds": 0.2, "settle_seconds": 3,
    }  # fmt: skip
    (one,) = plan["opportunities"]
    assert {key: one[key] for key in ("id", "type", "label", "action", "reason", "source")} == {
        "id": ONE,
        "type": "loan",
        "label": "Acme",
        "action": "update",
        "reason": "",
        "source": {"file": "specs/a.yaml", "line": 5},
    }
    assert one["fields"][0] == {
        "name": "mx_Custom_6",
        "title": "Expected Deal Size",
        "action": "update",
        "before": None,
        "after": "200000",
        "live": None,
        "known": False,
        "source": {"file": "specs/a.yaml", "line": 9},
    }
    assert one["note"]["after"] == "Update note"
    assert one["note"]["known"] is False


def test_a_recorded_value_is_known_also_when_it_is_empty(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1, mx_Custom_9=None)
    world.apply()
    world.fields(ONE, mx_Custom_6=None, mx_Custom_9="2026-01-01")
    fields = world.plan()["opportunities"][0]["fields"]
    assert [(part["before"], part["after"], part["known"]) for part in fields] == [
        ("1", None, True),
        (None, "2026-01-01 00:00:00", True),
    ]


def test_the_same_inputs_give_the_same_bytes(world: World) -> None:
    world.fields(ONE, TWO, mx_Custom_6=1)
    world.apply("--no-wait")
    world.fields(ONE, TWO, mx_Custom_6=2)
    first, second = (world.plan() for _ in range(2))
    for plan in (first, second):
        del plan["created_at"]
    assert json.dumps(first) == json.dumps(second)


def test_planning_reads_only(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    before = sorted(world.root.rglob("*"))
    world.environment.clear()
    assert world.run("plan").code == 0
    assert sorted(world.root.rglob("*")) == before
    assert world.crm.crm.count() == 0


def test_only_with_detailed_exitcode_a_change_is_2(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    assert world.run("plan").code == 0
    assert world.run("plan", "--detailed-exitcode").code == 2
    world.scenario(queue={"delay_seconds": 60})
    world.apply("--no-wait")
    assert world.actions() == {ONE: "pending"}
    assert world.run("plan", "--detailed-exitcode").code == 0
    world.spec({})
    assert world.run("plan", "--detailed-exitcode").code == 2


def test_unchanged_opportunities_are_counted_and_listed_on_request(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    plan = world.plan("--show-unchanged")
    assert [one["action"] for one in plan["opportunities"]] == ["unchanged"]
    assert world.plan()["summary"]["unchanged"] == 1
    assert world.run("plan").out == "Nothing to do: 1 opportunity is as the specs want.\n"


def test_saved_plans_are_private_and_hold_no_sensitive_value(world: World, tmp_path: Path) -> None:
    world.fields(ONE, mx_Custom_12="+91-9820098200", mx_Custom_6=1)
    out = tmp_path / "plan.json"
    ended = world.run("plan", "--out", str(out))
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert "lsq-sync apply" in ended.err
    for text in (out.read_text("utf-8"), ended.out, world.run("plan", "--format", "json").out):
        assert "98200" not in text
        assert "(sensitive)" in text


def test_a_plan_that_cannot_be_saved_says_so(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    ended = world.json("plan", "--out", "no/such/folder/plan.json")
    assert (ended.code, ended.document["error"]["code"]) == (1, "storage")


def test_an_unknown_path_is_wrong_usage(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    assert world.json("plan", "elsewhere").code == 64


def test_a_pattern_that_matches_nothing_is_told(world: World) -> None:
    world.fields(*LOANS[:2], mx_Custom_6=1)
    ended = world.run("plan", "--only", "zzz*")
    assert "--only zzz* leaves none of 2 opportunities" in ended.err
    assert "leaves none" not in world.run("plan", "--only", f"{LOANS[0]}").err
