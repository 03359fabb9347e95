"""What the CRM says now: conflicts, read lag, lost answers settled by reading, verification."""

from typing import Any

import pytest

from tests.support.world import INSURANCES, LOANS, World, new_world

ONE, TWO, THREE = LOANS[:3]
AMOUNT, CHANNEL = "mx_Custom_6", "mx_Custom_3"
HOUR = 3600


def _reads(world: World) -> int:
    return world.crm.crm.count("read")


def _applied(world: World, key: str = ONE, **fields: Any) -> None:
    """The values are in the CRM and in the lock, and no read lags behind them any more."""
    world.fields(key, **fields)
    world.apply()
    world.crm.skip(HOUR)


# --- conflicts


def test_a_change_made_in_the_crm_is_not_overwritten(world: World) -> None:
    _applied(world, mx_Custom_6=1)
    world.crm.change(ONE, AMOUNT, "77")
    world.fields(ONE, mx_Custom_6=2)
    ended = world.json("apply", "--yes")
    assert (ended.code, ended.document["error"]["code"]) == (5, "conflict")
    assert len(world.sent()) == 1
    assert world.crm.crm.opportunity(ONE).fields[AMOUNT] == "77"
    text = world.run("apply", "--yes")
    assert "--on-conflict" in text.err
    assert "(last edited 20" in text.out
    assert " by " in text.out.partition("(last edited 20")[2].partition(")")[0]
    assert "77" in text.out


def test_conflicts_can_be_skipped_and_the_rest_goes_out(world: World) -> None:
    world.fields(ONE, TWO, mx_Custom_6=1)
    world.apply()
    world.crm.skip(HOUR)
    world.crm.change(ONE, AMOUNT, "77")
    world.fields(ONE, TWO, mx_Custom_6=2)
    ended = world.apply("--on-conflict", "skip", code=5)
    assert [one["id"] for one in ended.document["opportunities"]] == [TWO]
    assert world.entries[TWO]["fields"][AMOUNT] == "2"
    assert (world.entries[ONE]["fields"][AMOUNT], len(world.sent())) == ("1", 3)


def test_conflicts_can_be_overwritten(world: World) -> None:
    _applied(world, mx_Custom_6=1)
    world.crm.change(ONE, AMOUNT, "77")
    world.fields(ONE, mx_Custom_6=2)
    assert "1 → 2, the CRM has 77" in world.run("plan", "--refresh").out
    text = world.run("apply", "--yes", "--on-conflict", "overwrite").out
    assert "1 → 2, over 77 in the CRM" in text
    assert world.crm.crm.opportunity(ONE).fields[AMOUNT] == "2"
    world.assert_nothing_to_do()


def test_a_change_of_what_is_not_about_to_be_sent_is_only_looked_for_with_refresh(
    world: World,
) -> None:
    _applied(world, mx_Custom_6=1)
    world.crm.change(ONE, AMOUNT, "77")
    assert world.json("apply", "--yes").code == 0
    assert world.actions("--refresh") == {ONE: "conflict"}
    assert world.json("apply", "--yes", "--refresh").code == 5


def test_a_field_that_was_never_recorded_is_an_update_over_a_live_value(world: World) -> None:
    world.crm.change(ONE, CHANNEL, "Branch")
    world.fields(ONE, mx_Custom_3="Website")
    plan = world.plan("--refresh")
    (field,) = plan["opportunities"][0]["fields"]
    assert (field["action"], field["before"], field["live"]) == ("update", "Branch", "Branch")
    assert (plan["summary"]["overwrites"], plan["refreshed"]) == (1, True)
    world.apply()


def test_what_the_crm_has_already_is_adopted_without_a_call(world: World) -> None:
    world.crm.change(ONE, AMOUNT, "5")
    world.fields(ONE, mx_Custom_6=5)
    assert world.actions() == {ONE: "update"}
    assert world.actions("--refresh") == {ONE: "adopt"}
    world.apply()
    assert world.sent() == []
    assert world.entries[ONE]["fields"] == {AMOUNT: "5"}


def test_without_reading_it_is_sent_blindly(world: World) -> None:
    _applied(world, mx_Custom_6=1)
    world.crm.change(ONE, AMOUNT, "77")
    world.fields(ONE, mx_Custom_6=2)
    before = _reads(world)
    world.apply("--no-refresh")
    assert _reads(world) == before
    assert world.crm.crm.opportunity(ONE).fields[AMOUNT] == "2"


def test_a_deleted_opportunity_is_told_in_the_plan(world: World) -> None:
    world.crm.delete(ONE)
    world.fields(ONE, mx_Custom_6=2)
    (change,) = world.plan("--refresh")["opportunities"]
    assert change["reason"].startswith("the CRM does not show it")


# --- read lag


def test_what_our_own_write_replaced_is_no_conflict_while_reads_lag(world: World) -> None:
    world.crm.change(ONE, AMOUNT, "5")
    world.crm.skip(HOUR)
    world.scenario(read_lag_seconds=60)
    world.fields(ONE, mx_Custom_6=1)
    world.apply("--no-wait")
    world.json("status", "--wait", "--timeout", "5")
    assert world.entries[ONE]["fields"] == {AMOUNT: "1"}
    world.assert_nothing_to_do()
    assert world.actions("--refresh") == {}
    world.fields(ONE, mx_Custom_6=2)
    assert world.actions("--refresh") == {ONE: "update"}


def test_any_other_value_is_news_also_right_after_our_write(world: World) -> None:
    world.crm.change(ONE, AMOUNT, "5")
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    world.crm.change(ONE, AMOUNT, "77")
    assert world.actions("--refresh") == {ONE: "conflict"}


# --- lost answers


def test_a_lost_answer_is_settled_by_reading_back(world: World) -> None:
    world.scenario(faults=[{"on": "submit", "calls": "1", "do": "drop_after"}])
    world.fields(ONE, mx_Custom_6=1)
    ended = world.apply()
    (result,) = ended.document["opportunities"]
    assert (result["outcome"], result["verified"], result.get("request_id")) == (
        "succeeded",
        True,
        None,
    )
    assert len(world.sent()) == 1
    assert world.entries[ONE]["fields"] == {AMOUNT: "1"}
    assert world.entries[ONE]["pending"]["seen"] is True


def test_what_was_seen_holds_only_a_different_payload(world: World) -> None:
    world.scenario(faults=[{"on": "submit", "calls": "1", "do": "drop_after"}])
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    world.fields(ONE, mx_Custom_6=2)
    assert world.actions() == {ONE: "held"}
    assert world.actions("--resend-unknown") == {ONE: "held"}
    world.fields(ONE, mx_Custom_6=1)
    world.assert_nothing_to_do()


def test_a_lost_answer_that_is_not_visible_stays_unknown(world: World) -> None:
    world.scenario(
        queue={"delay_seconds": HOUR},
        faults=[{"on": "submit", "calls": "1", "do": "drop_after"}],
    )
    world.fields(ONE, mx_Custom_6=1)
    ended = world.json("apply", "--yes", "--timeout", "1")
    assert (ended.code, ended.summary["unknown"]) == (4, 1)
    assert world.entries[ONE]["pending"].get("request_id") is None
    assert "seen" not in world.entries[ONE]["pending"]
    world.crm.skip(2 * HOUR)
    ended = world.json("status")
    assert (ended.code, ended.summary["succeeded"]) == (0, 1)
    world.assert_nothing_to_do()


def test_a_request_that_the_crm_forgot_is_settled_by_reading_back(world: World) -> None:
    world.scenario(queue={"delay_seconds": 60, "request_id_seconds": 100})
    world.fields(ONE, mx_Custom_6=1)
    world.apply("--no-wait")
    world.crm.skip(HOUR)
    ended = world.json("status", "--wait", "--timeout", "10")
    assert (ended.code, ended.summary["succeeded"]) == (0, 1)
    assert world.entries[ONE]["pending"]["seen"] is True


# --- verification


def test_what_succeeded_is_read_back(world: World) -> None:
    world.fields(ONE, TWO, mx_Custom_6=1)
    result = world.apply().document
    assert [one["verified"] for one in result["opportunities"]] == [True, True]
    assert result["calls"]["read"] <= 3


def test_a_success_that_changed_nothing_is_told(world: World) -> None:
    world.scenario(lost_updates=[{"id": ONE}])
    world.fields(ONE, TWO, mx_Custom_6=1)
    ended = world.json("apply", "--yes", "--timeout", "3")
    verified = {one["id"]: one["verified"] for one in ended.document["opportunities"]}
    assert (ended.code, verified) == (0, {ONE: False, TWO: True})
    world.fields(ONE, mx_Custom_6=2)
    ended = world.run("apply", "--yes", "--timeout", "3")
    assert "Succeeded, but the values are not visible" in ended.out
    assert ended.out.count(ONE) >= 2


def test_without_a_synchronous_host_nothing_is_read(tmp_path: object) -> None:
    with new_world(tmp_path, account={"host": None}) as world:  # type: ignore[arg-type]
        world.fields(ONE, mx_Custom_6=1)
        (result,) = world.apply().document["opportunities"]
        assert (result["verified"], _reads(world)) == (None, 0)
        ended = world.json("plan", "--refresh")
        assert (ended.code, ended.document["error"]["code"]) == (1, "settings")


# --- what is read, and how


def test_many_of_one_type_are_read_in_one_call(world: World) -> None:
    world.fields(*LOANS[:20], mx_Custom_6=1)
    before = world.crm.crm.count()
    world.plan("--refresh")
    assert world.crm.crm.count() - before == 2  # whose keys, and one bulk read


def test_without_type_or_code_they_are_read_one_by_one(world: World) -> None:
    world.spec({key: {"fields": {"mx_Custom_4": "x"}} for key in INSURANCES[:3]})
    before = world.crm.crm.count()
    assert set(world.actions("--refresh").values()) == {"update"}
    assert world.crm.crm.count() - before == 4


def test_a_code_in_the_spec_is_enough_for_the_bulk_read(world: World) -> None:
    world.spec({key: {"fields": {"mx_Custom_4": "x"}} for key in INSURANCES[:3]}, code=12006)
    before = world.crm.crm.count()
    assert set(world.actions("--refresh").values()) == {"update"}
    assert world.crm.crm.count() - before == 2


def test_the_plan_tells_what_reading_costs(world: World) -> None:
    world.fields(*LOANS[:20], mx_Custom_6=1)
    assert world.plan()["budget"]["read_calls"] == 3  # whose keys, before, after
    world.spec({key: {"fields": {"mx_Custom_4": "x"}} for key in INSURANCES[:3]})
    assert world.plan()["budget"]["read_calls"] == 7


@pytest.mark.parametrize("command", [("plan", "--refresh"), ("apply", "--yes")])
def test_keys_of_another_account_are_refused(world: World, command: tuple[str, ...]) -> None:
    _applied(world, mx_Custom_6=1)
    lock = (world.root / "lsq-sync.lock").read_text()
    code = world.lock["account"]["short_code"]
    world.write("lsq-sync.lock", lock.replace(f'"{code}"', '"99999"'))
    world.fields(ONE, mx_Custom_6=2)
    ended = world.json(*command)
    assert (ended.code, ended.document["error"]["code"]) == (1, "lock")
    assert len(world.sent()) == 1


@pytest.mark.parametrize("fault", ["garbage", "empty", "truncated", "forbidden"])
def test_a_read_that_fails_stops_apply_before_anything_is_sent(world: World, fault: str) -> None:
    world.scenario(faults=[{"on": "read", "every": 1, "do": fault}])
    world.fields(ONE, mx_Custom_6=2)
    ended = world.json("apply", "--yes")
    assert (ended.code, world.sent()) == (1, [])
    assert ended.document["error"]["code"] in ("network", "authentication")


def test_a_read_that_fails_for_now_is_repeated(world: World) -> None:
    world.scenario(faults=[{"on": "read", "calls": "1-2", "do": "status", "status": 503}])
    world.fields(ONE, mx_Custom_6=2)
    world.apply()


def test_the_guid_of_an_auto_id_is_learnt_from_its_success(world: World) -> None:
    world.fields("LN-000001", mx_Custom_6=7)
    world.apply()
    guid = world.entries["LN-000001"]["guid"]
    assert world.crm.crm.opportunity(guid).fields[AMOUNT] == "7"
    world.crm.change(guid, AMOUNT, "9")
    world.crm.skip(HOUR)
    assert world.actions("--refresh") == {"LN-000001": "conflict"}


def test_a_read_back_that_fails_is_told_and_settles_nothing(world: World) -> None:
    world.scenario(queue={"delay_seconds": HOUR})
    world.fields(ONE, mx_Custom_6=1)
    world.scenario(
        queue={"delay_seconds": HOUR},
        faults=[
            {"on": "submit", "calls": "1", "do": "drop_after"},
            {"on": "read", "calls": "3-", "do": "garbage"},
        ],
    )
    ended = world.json("apply", "--yes", "--timeout", "4")
    assert (ended.code, ended.summary["unknown"]) == (4, 1)
    assert "could not be read back" in ended.err
    ended = world.json("status")
    assert (ended.code, ended.summary["unknown"]) == (4, 1)
    assert "could not be read back" in ended.err


def test_who_changed_it_and_when_is_told_if_the_crm_says(world: World) -> None:
    world.fields(*LOANS[:30], mx_Custom_6=1)
    world.apply()
    for key in LOANS[:30]:
        world.crm.change(key, AMOUNT, "77")
    before = world.crm.crm.count()
    reasons = [one["reason"] for one in world.plan("--refresh")["opportunities"]]
    assert sum("last edited" in reason for reason in reasons) == 20
    assert world.crm.crm.count() - before == 2 + 1 + 20
    world.scenario(faults=[{"on": "read", "path": "Details", "every": 1, "do": "garbage"}])
    assert set(world.actions("--refresh").values()) == {"conflict"}


# --- what a read does not show is said


WHY = "deleted, of another type, or out of reach of the keys' user"


def test_an_opportunity_that_the_crm_does_not_show_is_named_beside_a_plan_of_nothing(
    world: World,
) -> None:
    world.fields(ONE, TWO, mx_Custom_6=1)
    world.apply()
    world.crm.delete(ONE)
    for words in (("plan", "--refresh"), ("apply", "--refresh", "--yes")):
        ended = world.run(*words)
        assert "Nothing to do" in ended.out
        assert f"Not shown by the CRM: {WHY}: {ONE}" in ended.err
        assert TWO not in ended.err


def test_an_auto_id_that_nothing_can_be_read_by_is_named(world: World) -> None:
    world.spec({"LN-000003": {"fields": {"mx_Custom_6": 1}}})
    for words in (("plan", "--refresh"), ("apply", "--yes", "--no-wait")):
        assert "not read: LN-000003: no read takes an AutoId" in world.run(*words).err
    world.fields(ONE, mx_Custom_6=1)
    assert "not read" not in world.run("plan", "--refresh").err


# --- an apply looks at what it sends, and at nothing else


def test_a_change_of_a_field_that_is_not_sent_does_not_stop_an_apply(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1, mx_Custom_5="text")
    world.apply()
    world.crm.skip(3600)
    world.crm.change(ONE, "mx_Custom_6", "31337")
    world.fields(ONE, mx_Custom_6=1, mx_Custom_5="other")
    ended = world.json("apply", "--yes", "--on-conflict", "overwrite")
    assert (ended.code, ended.summary["succeeded"]) == (0, 1)
    assert ended.document["opportunities"][0]["fields"] == ["mx_Custom_5"]
    assert world.crm.crm.opportunity(ONE).fields["mx_Custom_6"] == "31337"
    assert world.json("plan", "--refresh").summary["conflict"] == 1
    assert world.json("apply", "--refresh", "--yes").code == 5
