"""`status`, `metrics` and `state`, end to end."""

from tests.support.world import LOANS, World

ONE, TWO = LOANS[:2]


def _open(world: World, *keys: str) -> None:
    world.scenario(queue={"delay_seconds": 3600})
    world.fields(*keys, mx_Custom_6=1)
    world.apply("--no-wait")


def test_nothing_open_needs_no_keys(world: World) -> None:
    world.environment.clear()
    ended = world.json("status")
    assert (ended.code, ended.document["opportunities"]) == (0, [])
    assert world.run("status").out == "No request is open.\n"


def test_asking_once_tells_what_is_still_open_and_why(world: World) -> None:
    _open(world, ONE, TWO)
    ended = world.json("status")
    assert (ended.code, ended.summary["pending"]) == (4, 2)
    assert ended.document["opportunities"][0]["reason"] == "the CRM says: In-Queue"
    assert ended.document["calls"] == {"send": 0, "status": 2, "read": 0, "rate_limited": 0}


def test_waiting_ends_when_all_is_settled(world: World) -> None:
    _open(world, ONE, TWO)
    world.scenario(queue={"delay_seconds": 1}, time_scale=20)
    world.crm.skip(3600)
    ended = world.json("status", "--wait")
    assert (ended.code, ended.summary["succeeded"]) == (0, 2)
    world.assert_nothing_to_do()


def test_a_rejection_ends_with_3_and_its_reason(world: World) -> None:
    _open(world, ONE)
    world.crm.delete(ONE)
    world.crm.skip(3600)
    ended = world.run("status")
    assert ended.code == 3
    assert "Activity does not exist" in ended.out


def test_offline_makes_no_call(world: World) -> None:
    _open(world, ONE)
    calls = world.crm.crm.count()
    world.environment.clear()
    ended = world.json("status", "--offline")
    assert (ended.code, ended.summary["pending"]) == (4, 1)
    assert world.crm.crm.count() == calls


def test_a_failing_question_settles_nothing(world: World) -> None:
    _open(world, ONE)
    for fault in ("garbage", "empty", "truncated", "drop_after"):
        world.scenario(
            queue={"delay_seconds": 3600}, faults=[{"on": "status", "every": 1, "do": fault}]
        )
        ended = world.json("status")
        assert (ended.code, ended.summary["pending"]) == (4, 1), fault


def test_questions_that_are_all_refused_end_with_1(world: World) -> None:
    _open(world, ONE)
    world.environment["LSQ_X_API_KEY"] = "wrong"
    ended = world.json("status")
    assert (ended.code, ended.document["error"]["code"]) == (1, "network")
    assert ended.summary["pending"] == 1
    assert "api.status_path" in ended.err


def test_status_needs_only_one_key(world: World) -> None:
    _open(world, ONE)
    world.environment.update(LSQ_ACCESS_KEY="", LSQ_SECRET_KEY="")
    assert world.json("status").code == 4
    world.environment["LSQ_X_API_KEY"] = ""
    ended = world.json("status")
    assert (ended.code, ended.document["error"]["code"]) == (1, "credentials")


def test_metrics_show_the_queue(world: World) -> None:
    _open(world, ONE, TWO)
    ended = world.json("metrics")
    assert ended.code == 0
    assert ended.document["format"] == "lsq-sync/metrics/v1"
    assert ended.document["pending_messages"] == 2
    assert world.run("metrics").out.startswith("Messages waiting: 2\n")


def test_metrics_that_are_refused_end_with_1(world: World) -> None:
    world.environment["LSQ_X_API_KEY"] = "wrong"
    ended = world.json("metrics")
    assert (ended.code, ended.document["error"]["code"]) == (1, "authentication")


def test_state_shows_entries_whole_or_by_their_beginning(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1, mx_Custom_12="+91-9820098200")
    world.apply()
    listed = world.json("state", "list").document
    assert listed["format"] == "lsq-sync/state/v1"
    assert list(listed["opportunities"]) == [ONE]
    shown = world.json("state", "show", ONE[:8].upper())
    assert shown.document["opportunities"][ONE]["fields"] == {
        "mx_Custom_12": "(sensitive)",
        "mx_Custom_6": "1",
    }
    text = world.run("state", "show", ONE).out
    assert "Expected Deal Size (mx_Custom_6): 1" in text
    assert "9820098200" not in text
    assert world.run("state", "list").out.endswith(
        "1 opportunity of test recorded, 0 with an open request.\n"
    )


def test_state_of_something_unknown_is_wrong_usage(world: World) -> None:
    ended = world.json("state", "show", "nobody")
    assert (ended.code, ended.document["error"]["code"]) == (64, "usage")
