"""`apply --canary N`: the first N go out, and the rest follows only if they went well."""

import signal
from pathlib import Path

import pytest

from tests.support.acting import Signalled, acted
from tests.support.world import LOANS, World, new_world

SEVEN = LOANS[:7]
ONE, TWO, THREE = SEVEN[:3]
SLOW = {"queue": {"delay_seconds": 3600}}


def sent(world: World) -> list[str]:
    return [body["ProspectOpportunityId"] for body in world.sent()]


def test_a_canary_that_succeeds_is_followed_by_the_rest(world: World) -> None:
    world.fields(*SEVEN, mx_Custom_6=1)
    ended = world.run("apply", "--yes", "--canary", "3")
    assert ended.code == 0, ended
    assert "3 of 7 updates go out first; the rest waits for the outcome" in ended.err
    assert "3 of 7 went out first; all succeeded; sending the rest" in ended.err
    assert "7 updates: 7 succeeded." in ended.out
    assert sent(world)[:3] == list(SEVEN[:3])
    world.assert_nothing_to_do()


def test_its_outcomes_are_known_before_another_call_is_made(tmp_path: Path) -> None:
    with new_world(tmp_path, account={"host": None}) as world:
        world.fields(*SEVEN, mx_Custom_6=1)
        ended = world.run("-v", "apply", "--yes", "--canary", "2", "--max-updates", "9")
        assert ended.code == 0, ended
        calls = [line[:4] for line in ended.err.splitlines() if line.startswith(("POST:", "GET:"))]
        first_question = calls.index("GET:")
        assert calls[:first_question] == ["POST"] * 2
        assert calls.count("POST") == 7


def test_a_rejection_stops_the_rest_and_ends_with_3(world: World) -> None:
    world.crm.delete(TWO)
    world.fields(*SEVEN, mx_Custom_6=1)
    ended = world.apply("--canary", "3", code=3)
    assert ended.summary == {
        "succeeded": 2, "rejected": 1, "pending": 0, "unknown": 0, "unsent": 4,
    }  # fmt: skip
    reasons = {one["reason"] for one in ended.document["opportunities"] if one["id"] in SEVEN[3:]}
    (reason,) = reasons
    assert reason == (
        "1 of the 3 that went out first was rejected: 33.3 %, and "
        "safety.canary_max_rejected_percent allows 0 %"
    )
    assert f"{reason}; the rest is not sent" in ended.err
    assert "mend the specs of what was rejected, then go on with the rest (4 updates)" in ended.err
    assert "\n    lsq-sync apply --canary 3\n" in ended.err
    assert world.crm.crm.count("submit") == 3
    assert world.actions() == {TWO: "rejected", **dict.fromkeys(SEVEN[3:], "update")}


def test_the_reason_is_said_once_in_the_text(world: World) -> None:
    world.crm.delete(TWO)
    world.fields(*SEVEN, mx_Custom_6=1)
    out = world.run("apply", "--yes", "--canary", "3").out
    assert out.count("allows 0 %") == 1
    assert "7 updates: 2 succeeded, 1 rejected, 4 not sent." in out
    assert world.run("results").out.count("allows 0 %") == 1


@pytest.mark.parametrize(("percent", "code", "posts"), [(33, 3, 3), (34, 3, 7)])
def test_the_settings_may_allow_a_share_of_rejections(
    tmp_path: Path, percent: float, code: int, posts: int
) -> None:
    with new_world(tmp_path, safety={"canary_max_rejected_percent": percent}) as world:
        world.crm.delete(TWO)
        world.fields(*SEVEN, mx_Custom_6=1)
        ended = world.apply("--canary", "3", code=code)
        assert world.crm.crm.count("submit") == posts
        assert ended.summary["unsent"] == 7 - posts
        went_on = "1 was rejected, as allowed; sending the rest" in ended.err
        assert went_on == (posts == 7)


def test_one_that_is_pending_at_the_timeout_stops_the_rest_and_ends_with_4(world: World) -> None:
    world.scenario(**SLOW)
    world.fields(*SEVEN, mx_Custom_6=1)
    ended = world.apply("--canary", "2", "--timeout", "3", code=4)
    assert (ended.summary["pending"], ended.summary["unsent"]) == (2, 5)
    assert "the outcome of 2 of the 2 that went out first is not known yet" in ended.err
    assert "\n    lsq-sync status --wait\n" in ended.err
    assert "\n    lsq-sync apply --timeout 3 --canary 2\n" in ended.err
    assert sent(world) == [ONE, TWO]
    world.crm.skip(3600)
    world.scenario()
    assert world.json("status", "--wait").code == 0
    world.apply()
    assert sorted(sent(world)) == sorted(SEVEN)


def test_one_whose_answer_was_lost_stops_the_rest(tmp_path: Path) -> None:
    lost = {"faults": [{"on": "submit", "call": 1, "do": "drop_after"}]}
    with new_world(tmp_path, lost, account={"host": None}) as world:
        world.fields(*SEVEN, mx_Custom_6=1)
        ended = world.apply("--canary", "1", code=4)
        assert (ended.summary["unknown"], ended.summary["unsent"]) == (1, 6)
        assert world.crm.crm.count("submit") == 1


@pytest.mark.parametrize("size", ["7", "99"])
def test_a_canary_of_all_updates_is_the_whole(world: World, size: str) -> None:
    world.fields(*SEVEN, mx_Custom_6=1)
    ended = world.apply("--canary", size)
    assert ended.summary["succeeded"] == 7
    assert "first" not in ended.err


def test_values_that_do_not_show_are_told_and_looked_for_again_at_the_end(world: World) -> None:
    world.scenario(lost_updates=[{"id": ONE}])
    world.fields(*SEVEN[:3], mx_Custom_6=1)
    ended = world.apply("--canary", "1")
    assert "all succeeded, but the values of 1 do not show in the CRM yet" in ended.err
    verified = {one["id"]: one["verified"] for one in ended.document["opportunities"]}
    assert verified == {ONE: False, TWO: True, THREE: True}


def test_the_command_to_go_on_with_is_the_same_without_yes(world: World) -> None:
    world.crm.delete(ONE)
    world.fields(*SEVEN, mx_Custom_6=1)
    ended = world.apply(
        "--canary", "1", "--only", "type:loan", "--except", "a b", "--no-refresh", code=3
    )
    assert (
        "\n    lsq-sync apply --canary 1 --no-refresh --only type:loan --except 'a b'\n"
        in ended.err
    )


@pytest.mark.parametrize("options", [("--no-wait", "--canary", "1"), ("--canary", "0")])
def test_a_canary_that_cannot_be_is_wrong_usage(world: World, options: tuple[str, ...]) -> None:
    world.fields(*SEVEN, mx_Custom_6=1)
    ended = world.json("apply", "--yes", *options)
    assert (ended.code, ended.document["error"]["code"]) == (64, "usage")
    assert "--canary" in ended.err


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_an_end_between_canary_and_rest_loses_nothing(world: World, number: int) -> None:
    world.fields(*SEVEN, mx_Custom_6=1)
    between = Signalled("lsq_sync.executor:Executor.send", (number,), call=2)
    ended = acted(world, between, "apply", "--yes", "--canary", "3", "--format", "json")
    assert ended.code == (-9 if number == signal.SIGKILL else 143), ended
    assert sent(world) == list(SEVEN[:3])
    world.apply("--canary", "2")
    assert sorted(sent(world)) == sorted(SEVEN)
    world.assert_nothing_to_do()


def test_a_signal_while_the_canary_is_awaited_sends_no_rest(tmp_path: Path) -> None:
    with new_world(tmp_path, SLOW) as world:
        world.fields(*SEVEN, mx_Custom_6=1)
        waiting = Signalled("lsq_sync.poller:Poller.until_settled")
        ended = acted(world, waiting, "apply", "--yes", "--canary", "3", "--format", "json")
        assert ended.code == 130, ended
        assert (ended.summary["pending"], ended.summary["unsent"]) == (3, 4)
        assert "that went out first" not in ended.err
