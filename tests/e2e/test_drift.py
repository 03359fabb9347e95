"""`drift`: what was changed in the CRM, told and never touched."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.world import LOANS, World

ONE, TWO, THREE = LOANS[:3]
AMOUNT = "mx_Custom_6"
HOUR = 3600


def _applied(world: World, *keys: str, **fields: Any) -> None:
    world.fields(*keys, **fields)
    world.apply()
    world.crm.skip(HOUR)


def _files(root: Path) -> dict[str, bytes]:
    local = {"pacing.json"}  # how many calls were made lately is no state
    return {
        str(path): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name not in local
    }


def _drifted(world: World, *arguments: str) -> dict[str, dict[str, str]]:
    rows = world.json("drift", *arguments).document["opportunities"]
    return {row["id"]: {part["name"]: part["live"] for part in row["fields"]} for row in rows}


def test_nothing_changed_is_no_drift(world: World) -> None:
    _applied(world, ONE, TWO, mx_Custom_6=1)
    ended = world.run("drift", "--detailed-exitcode")
    assert (ended.code, ended.out) == (0, "No drift in 2 opportunities.\n")


def test_a_change_is_told_with_what_was_recorded_and_what_is_there_now(world: World) -> None:
    _applied(world, ONE, TWO, mx_Custom_6=1)
    world.crm.change(ONE, AMOUNT, "77")
    before = _files(world.root)
    ended = world.json("drift", "--detailed-exitcode")
    assert ended.code == 2
    assert ended.document["format"] == "lsq-sync/drift/v1"
    assert ended.document["summary"] == {
        "checked": 2,
        "opportunities": 1,
        "fields": 1,
        "missing": 0,
        "unread": 0,
    }
    (row,) = ended.document["opportunities"]
    (part,) = row["fields"]
    assert (row["id"], row["action"], row["source"]["file"]) == (ONE, "conflict", "specs/a.yaml")
    assert (part["before"], part["live"], part["after"]) == ("1", "77", "1")
    assert "last edited" in row["reason"]
    assert ended.document["groups"] == [
        {"type": "loan", "name": AMOUNT, "title": "Expected Deal Size", "opportunities": 1}
    ]
    assert world.json("drift").code == 0
    text = world.run("drift")
    assert "Expected Deal Size (mx_Custom_6): 1 → 77" in text.out
    assert f"lsq-sync accept {ONE}" in text.err
    assert _files(world.root) == before
    assert len(world.sent()) == 2


def test_without_a_lock_there_is_nothing_to_drift_from(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    before = _files(world.root)
    assert _drifted(world) == {}
    assert set(_files(world.root)) - set(before) == set()


def test_what_the_specs_want_by_now_is_drift_to_adopt(world: World) -> None:
    _applied(world, ONE, mx_Custom_6=1)
    world.crm.change(ONE, AMOUNT, "2")
    world.fields(ONE, mx_Custom_6=2)
    (row,) = world.json("drift").document["opportunities"]
    assert (row["action"], row["fields"][0]["live"]) == ("adopt", "2")
    assert "as the specs want it" in world.run("drift").out


def test_a_spec_that_is_ahead_of_the_lock_is_no_drift(world: World) -> None:
    _applied(world, ONE, mx_Custom_6=1)
    world.fields(ONE, mx_Custom_6=2)
    assert _drifted(world) == {}


def test_what_is_on_its_way_is_no_drift_and_anything_else_is(world: World) -> None:
    _applied(world, ONE, mx_Custom_6=1)
    world.scenario(queue={"delay_seconds": HOUR})
    world.fields(ONE, mx_Custom_6=2)
    world.apply("--no-wait")
    assert _drifted(world) == {}
    world.crm.skip(2 * HOUR)
    assert _drifted(world) == {}
    world.crm.change(ONE, AMOUNT, "3")
    assert _drifted(world) == {ONE: {AMOUNT: "3"}}


def test_a_read_that_lags_behind_our_write_is_no_drift(world: World) -> None:
    _applied(world, ONE, mx_Custom_6=1)
    world.fields(ONE, mx_Custom_6=2)
    world.scenario(read_lag_seconds=60)
    world.apply("--no-wait")
    world.json("status", "--wait", "--timeout", "5")
    assert world.entries[ONE]["fields"] == {AMOUNT: "2"}
    assert _drifted(world) == {}


def test_missing_opportunities_are_named(world: World) -> None:
    _applied(world, ONE, TWO, mx_Custom_6=1)
    world.crm.delete(ONE)
    ended = world.json("drift", "--detailed-exitcode")
    assert (ended.code, ended.document["summary"]["missing"]) == (2, 1)
    assert [(row["id"], row["missing"]) for row in ended.document["opportunities"]] == [(ONE, True)]
    assert ONE in world.run("drift").out


def test_a_note_a_field_set_and_an_auto_id(world: World) -> None:
    world.spec(
        {
            ONE: {"note": "mine", "fields": {"mx_Custom_36": {"mx_CustomObject_1": "A"}}},
            "LN-000009": {"fields": {"mx_Custom_4": "x"}},
        },
        type="loan",
    )
    world.apply()
    world.crm.skip(HOUR)
    world.crm.change(ONE, "ActivityEvent_Note", "theirs")
    world.crm.change(ONE, "mx_Custom_36~mx_CustomObject_1", "B")
    world.crm.change("LN-000009", "mx_Custom_4", "y")
    rows = {row["id"]: row for row in world.json("drift").document["opportunities"]}
    assert rows[ONE]["note"]["live"] == "theirs"
    assert rows[ONE]["fields"][0]["live"] == "B"
    assert rows["LN-000009"]["fields"][0]["live"] == "y"


def test_an_auto_id_whose_guid_is_not_known_is_named_as_not_read(world: World) -> None:
    world.fields("LN-000009", mx_Custom_6=1)
    ended = world.json("drift")
    assert (ended.code, ended.document["unread"]) == (0, ["LN-000009"])
    assert "LN-000009" in world.run("drift").out


def test_a_sensitive_value_is_masked(world: World) -> None:
    _applied(world, ONE, mx_Custom_12="+91-9820098200")
    world.crm.change(ONE, "mx_Custom_12", "+91-1111111111")
    for ended in (world.run("drift"), world.json("drift")):
        assert "9820098200" not in ended.out + ended.err
        assert "1111111111" not in ended.out + ended.err
        assert ONE in ended.out


def test_a_selection_narrows_what_is_read(world: World) -> None:
    _applied(world, ONE, TWO, mx_Custom_6=1)
    world.crm.change(ONE, AMOUNT, "77")
    world.crm.change(TWO, AMOUNT, "78")
    assert _drifted(world, "--only", TWO) == {TWO: {AMOUNT: "78"}}
    assert _drifted(world, "--except", TWO[:9] + "*") == {ONE: {AMOUNT: "77"}}


def test_drift_needs_a_host_and_two_keys_only(world: World) -> None:
    _applied(world, ONE, mx_Custom_6=1)
    world.environment["LSQ_X_API_KEY"] = ""
    assert world.json("drift").code == 0
    world.environment["LSQ_ACCESS_KEY"] = ""
    ended = world.json("drift")
    assert (ended.code, ended.document["error"]["code"]) == (1, "credentials")


ECHOES: list[dict[str, Any]] = [
    {},
    {"numbers": "padded"},
    {"numbers": "comma_stripped"},
    {"untouched_numbers_read_zero": True},
    {"dates": {"by_ids": "plain", "details": "millis"}},
    {"dates": {"by_ids": "millis"}},
    {"dates": {"by_ids": "us"}},
    {"dates": {"by_ids": "epoch"}},
    {"placeholder_dates": True},
    {"booleans": "word"},
    {"empty": "blank"},
    {"empty": "absent"},
    {"user_ids": "upper"},
    {"custom_field_sets": "flat"},
    {"line_ends": "crlf"},
    {"trimmed": True},
]
EVERYTHING = {
    "note": "one\ntwo ",
    "fields": {
        "mx_Custom_1": " Name ",
        "Status": "Lost",
        "mx_Custom_2": "Not Eligible",
        "mx_Custom_19": "why",
        "mx_Custom_5": "two\nlines ünd हिन्दी",
        "mx_Custom_6": "2,00,000",
        "mx_Custom_7": None,
        "mx_Custom_8": "2026-12-16T12:13:44+05:30",
        "mx_Custom_9": None,
        "mx_Custom_12": "+91-9820098200",
        "mx_Custom_13": "2027-01-05",
        "mx_Custom_14": "yes",
        "mx_Custom_15": ["PAN", "Aadhaar"],
        "mx_Custom_36": {"mx_CustomObject_1": "Asha", "mx_CustomObject_3": "1,000"},
    },
}


@pytest.mark.parametrize("echo", ECHOES, ids=json.dumps)
@pytest.mark.parametrize("typed", [True, False], ids=["bulk", "one by one"])
def test_after_apply_nothing_is_planned_and_nothing_has_drifted(
    world: World, echo: dict[str, Any], typed: bool
) -> None:
    world.scenario(echo=echo)
    if typed:
        world.spec({ONE: EVERYTHING}, type="loan")
    else:
        world.spec({ONE: {"fields": {"mx_Custom_4": "plain text", "mx_Custom_9": None}}})
    ended = world.apply()
    assert ended.document["opportunities"][0]["verified"] is True
    world.crm.skip(HOUR)
    plan = world.json("plan", "--refresh", "--detailed-exitcode")
    assert (plan.code, plan.document["opportunities"]) == (0, []), plan.out
    assert _drifted(world) == {}
