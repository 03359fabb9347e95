"""`apply`, end to end: what reaches the CRM, what is recorded, how it ends."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.world import INSURANCES, LOANS, World, new_world

ONE, TWO, THREE = LOANS[:3]


def test_sends_one_request_an_opportunity_with_only_its_changed_fields(world: World) -> None:
    world.fields(ONE, mx_Custom_6="2,00,000", mx_Custom_3="Website", mx_Custom_8=None)
    world.apply()
    world.fields(ONE, mx_Custom_6="200000.00", mx_Custom_3="Branch", mx_Custom_8=None)
    world.apply()
    assert world.sent() == [
        {
            "ProspectOpportunityId": ONE,
            "Fields": [
                {"SchemaName": "mx_Custom_6", "Value": "200000"},
                {"SchemaName": "mx_Custom_3", "Value": "Website"},
                {"SchemaName": "mx_Custom_8", "Value": ""},
            ],
        },
        {
            "ProspectOpportunityId": ONE,
            "Fields": [{"SchemaName": "mx_Custom_3", "Value": "Branch"}],
        },
    ]


def test_a_note_is_sent_only_when_it_changes_and_alone_with_no_fields(world: World) -> None:
    world.spec({ONE: {"note": "Called", "fields": {"mx_Custom_4": "a"}}})
    world.apply()
    world.spec({ONE: {"note": "Called", "fields": {"mx_Custom_4": "b"}}})
    world.apply()
    world.spec({ONE: {"note": None, "fields": {"mx_Custom_4": "b"}}})
    world.apply()
    first, second, third = world.sent()
    assert (first["OpportunityNote"], "OpportunityNote" in second) == ("Called", False)
    assert third == {"ProspectOpportunityId": ONE, "OpportunityNote": "", "Fields": []}


def test_every_data_type_applies_and_leaves_nothing_to_do(world: World) -> None:
    world.spec(
        {
            ONE: {
                "label": "everything",
                "note": "note",
                "fields": {
                    "mx_Custom_1": "Name",
                    "Status": "Lost",
                    "mx_Custom_2": "Not Eligible",
                    "mx_Custom_19": "why",
                    "mx_Custom_5": "two\nlines ünd हिन्दी",
                    "mx_Custom_6": 1000,
                    "mx_Custom_8": "2026-12-16T12:13:44+05:30",
                    "mx_Custom_12": "+91-9820098200",
                    "mx_Custom_13": "2027-01-05",
                    "mx_Custom_14": "yes",
                    "mx_Custom_15": ["PAN", "Aadhaar"],
                    "mx_Custom_36": {"mx_CustomObject_1": "Asha", "mx_CustomObject_3": "1,000"},
                },
            }
        },
        type="loan",
    )
    world.apply()
    live = world.crm.crm.opportunity(ONE)
    assert live.fields["mx_Custom_8"] == "2026-12-16 06:43:44"
    assert live.fields["mx_Custom_13"] == "2027-01-05 00:00:00"
    assert live.fields["mx_Custom_36~mx_CustomObject_1"] == "Asha"
    assert live.note == "note"


def test_a_custom_field_set_is_sent_part_by_part(world: World) -> None:
    world.fields(ONE, mx_Custom_36={"mx_CustomObject_1": "Asha", "mx_CustomObject_3": "1"})
    world.apply()
    world.fields(ONE, mx_Custom_36={"mx_CustomObject_1": "Asha", "mx_CustomObject_3": "2"})
    world.apply()
    assert world.sent()[-1]["Fields"] == [
        {
            "SchemaName": "mx_Custom_36",
            "Value": "",
            "Fields": [{"SchemaName": "mx_CustomObject_3", "Value": "2"}],
        }
    ]


def test_fields_that_the_crm_wants_along_are_sent_and_listed(world: World) -> None:
    fields = {"Status": "Lost", "mx_Custom_2": "Not Eligible", "mx_Custom_19": "no income"}
    world.fields(ONE, **fields)
    world.apply()
    world.fields(ONE, **{**fields, "mx_Custom_2": "Not Interested"})
    planned = world.plan()["opportunities"][0]["fields"]
    assert [(part["name"], part.get("companion", False)) for part in planned] == [
        ("mx_Custom_2", False),
        ("Status", True),
    ]
    world.apply()
    sent = world.sent()[-1]["Fields"]
    assert [one["SchemaName"] for one in sent] == ["mx_Custom_2", "Status"]


def test_an_opportunity_may_be_named_by_its_auto_id(world: World) -> None:
    world.fields("LN-000001", mx_Custom_6=7)
    world.apply()
    assert world.crm.crm.opportunity("LN-000001").fields["mx_Custom_6"] == "7"


def test_the_result_document_tells_every_update(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    result = world.apply().document
    assert result["format"] == "lsq-sync/result/v1"
    assert result["summary"] == {
        "succeeded": 1,
        "rejected": 0,
        "pending": 0,
        "unknown": 0,
        "unsent": 0,
    }
    assert result["calls"]["send"] == 1
    (update,) = result["opportunities"]
    assert update == {
        "id": ONE,
        "label": "",
        "outcome": "succeeded",
        "request_id": world.crm.crm.tasks()[0].request_id,
        "reason": "",
        "verified": True,
        "fields": ["mx_Custom_6"],
        "note": False,
        "source": {"file": "specs/a.yaml", "line": 5},
        "culprit": None,
    }


def test_the_lock_holds_what_was_confirmed_one_opportunity_a_line(world: World) -> None:
    world.fields(ONE, TWO, mx_Custom_6=1)
    world.apply()
    lines = (world.root / "lsq-sync.lock").read_text("utf-8").splitlines()
    assert lines[2] == ","
    assert [line.partition(":")[0] for line in (lines[1], lines[3])] == [
        json.dumps(key) for key in sorted([ONE, TWO])
    ]
    entry = world.entries[ONE]
    assert entry["fields"] == {"mx_Custom_6": "1"}
    assert entry["request"]["outcome"] == "succeeded"
    assert not (world.root / ".lsq-sync/journal").exists()


def test_a_rejection_ends_with_3_names_the_spec_line_and_is_not_resent(world: World) -> None:
    world.crm.delete(ONE)
    world.fields(ONE, TWO, mx_Custom_6=1)
    first = world.apply(code=3).document
    rejected = next(one for one in first["opportunities"] if one["outcome"] == "rejected")
    assert rejected["reason"] == "MXUnknownProspectActivityException: Activity does not exist."
    assert rejected["source"] == {"file": "specs/a.yaml", "line": 5}
    assert world.actions() == {ONE: "rejected"}
    again = world.apply(code=3).document
    assert [one["id"] for one in again["left"]] == [ONE]
    assert len(world.sent()) == 2
    world.apply("--retry-rejected", code=3)
    assert len(world.sent()) == 3
    world.fields(ONE, mx_Custom_6=2)
    assert world.actions()[ONE] == "update"


def test_a_rejection_for_the_rate_limit_is_sent_again(world: World) -> None:
    world.scenario(
        rejects=[
            {
                "id": ONE,
                "times": 1,
                "type": "MXAPIRateLimitExceededException",
                "message": "API calls exceeded the limit of 20 in 5 second(s)",
            }
        ]
    )
    world.fields(ONE, mx_Custom_6=1)
    world.apply(code=3)
    assert world.actions() == {ONE: "update"}
    world.apply()


def test_without_waiting_accepted_is_enough_and_status_goes_on(world: World) -> None:
    world.scenario(queue={"delay_seconds": 3600})
    world.fields(ONE, TWO, mx_Custom_6=1)
    result = world.apply("--no-wait").document
    assert (result["summary"]["pending"], result["calls"]["status"]) == (2, 0)
    assert "fields" not in world.entries[ONE]
    assert world.actions() == {ONE: "pending", TWO: "pending"}
    assert world.apply("--no-wait").summary["pending"] == 0
    assert len(world.sent()) == 2
    assert world.json("status").code == 4
    world.crm.skip(3600)
    settled = world.json("status")
    assert (settled.code, settled.summary["succeeded"]) == (0, 2)
    world.assert_nothing_to_do()


def test_a_timeout_leaves_what_is_open_pending_and_ends_with_4(world: World) -> None:
    world.scenario(queue={"delay_seconds": 3600})
    world.fields(ONE, mx_Custom_6=1)
    ended = world.apply("--timeout", "3", code=4)
    assert ended.summary["pending"] == 1
    assert "status --wait" in ended.err


def test_a_change_of_what_is_on_its_way_is_held_and_sends_nothing(world: World) -> None:
    world.scenario(queue={"delay_seconds": 3600})
    world.fields(ONE, mx_Custom_6=1)
    world.apply("--no-wait")
    world.fields(ONE, mx_Custom_6=2)
    assert world.actions() == {ONE: "held"}
    ended = world.json("apply", "--yes")
    assert (ended.code, ended.document["error"]["code"]) == (5, "held")
    assert len(world.sent()) == 1


def test_what_is_held_is_settled_first_and_then_sent(world: World) -> None:
    world.scenario(queue={"delay_seconds": 3600})
    world.fields(ONE, mx_Custom_6=1)
    world.apply("--no-wait")
    world.crm.skip(3600)
    world.scenario()
    world.fields(ONE, mx_Custom_6=2)
    world.apply()
    assert world.crm.crm.opportunity(ONE).fields["mx_Custom_6"] == "2"


def test_a_lost_answer_is_unknown_held_and_resent_only_when_asked(tmp_path: Path) -> None:
    with new_world(tmp_path, account={"host": None}) as world:
        world.scenario(faults=[{"on": "submit", "call": 1, "do": "drop_after"}])
        world.fields(ONE, mx_Custom_6=1)
        ended = world.apply(code=4)
        assert ended.summary["unknown"] == 1
        assert world.entries[ONE]["pending"]["request_id"] is None
        assert world.actions() == {ONE: "pending"}
        assert world.apply(code=4).summary["unknown"] == 0
        assert len(world.sent()) == 1
        world.fields(ONE, mx_Custom_6=2)
        assert world.actions() == {ONE: "held"}
        world.json("apply", "--yes", "--resend-unknown")
        assert world.crm.crm.opportunity(ONE).fields["mx_Custom_6"] == "2"
        world.assert_nothing_to_do()


@pytest.mark.parametrize("answer", [429, 403, 200])
def test_the_rate_limit_is_waited_out_whatever_the_status_code(world: World, answer: int) -> None:
    world.scenario(faults=[{"on": "submit", "calls": "1-3", "do": "rate_limit", "answer": answer}])
    world.fields(*LOANS[:5], mx_Custom_6=1)
    result = world.apply().document
    assert (result["summary"]["succeeded"], result["calls"]["rate_limited"]) == (5, 3)


@pytest.mark.parametrize("fault", ["unauthorized", "forbidden"])
def test_keys_that_are_not_accepted_stop_the_run_at_once(world: World, fault: str) -> None:
    world.scenario(faults=[{"on": "submit", "every": 1, "do": fault}])
    world.write("lsq-sync.yaml", _with_limit(world, calls=1))
    world.fields(*LOANS[:5], mx_Custom_6=1)
    ended = world.apply(code=1)
    assert ended.document["error"]["code"] == "authentication"
    assert ended.summary["unsent"] == 5
    assert ended.document["calls"]["send"] == 1
    assert world.actions() == dict.fromkeys(LOANS[:5], "update")


def test_a_server_that_is_not_there_costs_few_calls_and_nothing_is_unknown(world: World) -> None:
    world.fields(*LOANS[:9], mx_Custom_6=1)
    world.environment["LSQ_ASYNC_HOST"] = "http://127.0.0.1:9"
    ended = world.apply(code=1)
    assert ended.document["error"]["code"] == "network"
    assert ended.summary["unsent"] == 9
    assert ended.document["calls"]["send"] <= 9 + 6


def test_a_redirect_is_not_followed(world: World) -> None:
    world.scenario(faults=[{"on": "submit", "every": 1, "do": "redirect"}])
    world.fields(ONE, mx_Custom_6=1)
    ended = world.apply(code=1)
    assert "redirect" in ended.document["error"]["message"]
    assert world.crm.crm.count("submit") == 1


def test_a_wrong_status_path_is_reported_and_the_requests_stay_open(tmp_path: Path) -> None:
    with new_world(tmp_path, api={"status_path": "/elsewhere"}) as world:
        world.fields(ONE, mx_Custom_6=1)
        ended = world.apply("--timeout", "30", code=4)
        assert "api.status_path" in ended.err
        asked = world.json("status")
        assert (asked.code, asked.document["error"]["code"]) == (1, "network")


def test_missing_keys_are_all_named_before_any_call(world: World) -> None:
    world.environment["LSQ_ACCESS_KEY"] = ""
    world.environment["LSQ_X_API_KEY"] = ""
    world.fields(ONE, mx_Custom_6=1)
    ended = world.json("apply", "--yes")
    assert (ended.code, ended.document["format"]) == (1, "lsq-sync/error/v1")
    assert ended.document["error"]["message"] == "LSQ_ACCESS_KEY and LSQ_X_API_KEY are not set"
    assert world.crm.crm.count() == 0


def test_nothing_to_do_needs_no_keys_and_ends_with_0(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    world.environment.update(LSQ_ACCESS_KEY="", LSQ_SECRET_KEY="", LSQ_X_API_KEY="")
    assert world.json("apply", "--yes").code == 0


def test_without_a_terminal_it_wants_to_be_told_how_to_decide(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    ended = world.json("apply")
    assert (ended.code, ended.document["error"]["code"]) == (64, "usage")


@pytest.mark.parametrize("reading", [{"account": {"host": None}}, {}])
def test_a_first_apply_of_many_that_reads_nothing_needs_a_limit(
    tmp_path: Path, reading: dict[str, Any]
) -> None:
    with new_world(tmp_path, **reading) as world:
        world.fields(*LOANS[:11], mx_Custom_6=1)
        ended = world.json("apply", "--yes", "--no-refresh")
        assert (ended.code, ended.document["error"]["code"]) == (5, "first-apply")
        assert world.crm.crm.count() == 0
        assert world.apply("--no-refresh", "--max-updates", "11").summary["succeeded"] == 11


def test_a_first_apply_of_many_that_reads_needs_none(world: World) -> None:
    world.fields(*LOANS[:11], mx_Custom_6=1)
    assert world.apply().summary["succeeded"] == 11


def test_a_second_apply_of_many_does_not(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    world.fields(*LOANS[:20], mx_Custom_6=1)
    assert world.apply().summary["succeeded"] == 19


def test_limits_refuse_and_their_flags_allow(tmp_path: Path) -> None:
    safety = {"max_updates": 1, "protected_fields": ["Owner"]}
    with new_world(tmp_path, safety=safety) as world:
        world.fields(ONE, TWO, Owner="7dbbb9bd-633b-5bd9-a0e2-86b03ded8b2b")
        refusals = world.plan()["refusals"]
        assert [one["code"] for one in refusals] == ["max-updates", "protected-field"]
        assert world.json("apply", "--yes").code == 5
        assert world.json("apply", "--yes", "--max-updates", "2").code == 5
        assert world.crm.crm.count("submit") == 0
        world.scenario(rules={"unknown_user": "store"})
        world.apply("--max-updates", "2", "--allow-protected")


def test_a_refusal_names_limit_number_setting_and_flag_in_plan_and_in_apply(
    tmp_path: Path,
) -> None:
    safety = {"max_updates": 3, "max_update_percent": 25, "protected_fields": ["Owner"]}
    with new_world(tmp_path, safety=safety) as world:
        world.fields(*LOANS[:12], mx_Custom_6=1)
        world.apply("--max-updates", "12")
        world.fields(*LOANS[:4], Owner="7dbbb9bd-633b-5bd9-a0e2-86b03ded8b2b")
        ended = world.run("apply", "--yes", "--only", ",".join(LOANS[:4]))
        planned = world.run("plan", "--only", ",".join(LOANS[:4]))
        assert (ended.code, planned.code) == (5, 0)
        for words in (
            "the plan has 4 updates, the limit is 3 (--max-updates or safety.max_updates)",
            "the plan has 4 updates, which is 33.3 % of the 12 recorded opportunities, "
            "the limit is 25 % (safety.max_update_percent)",
            "the plan changes the protected field Owner of 4 opportunities "
            "(--allow-protected or safety.protected_fields)",
        ):
            assert words in ended.err
            assert f"apply will refuse: {words}" in planned.out


@pytest.mark.parametrize(("recorded", "refused"), [(9, False), (10, True)])
def test_a_share_counts_from_the_least_population_on(
    tmp_path: Path, recorded: int, refused: bool
) -> None:
    with new_world(tmp_path, safety={"max_update_percent": 5}) as world:
        world.fields(*LOANS[:recorded], mx_Custom_6=1)
        assert world.apply().summary["succeeded"] == recorded
        world.fields(*LOANS[:recorded], mx_Custom_6=2)
        assert bool(world.plan()["refusals"]) == refused
        assert world.json("apply", "--yes").code == (5 if refused else 0)


def test_expect_sends_only_the_plan_with_that_id(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    plan = world.plan()["id"]
    world.fields(ONE, mx_Custom_6=2)
    ended = world.json("apply", "--expect", plan)
    assert (ended.code, ended.document["error"]["code"]) == (5, "stale-plan")
    assert world.crm.crm.count("submit") == 0
    world.fields(ONE, mx_Custom_6=1)
    assert world.json("apply", "--expect", plan).code == 0


def test_a_saved_plan_applies_once(world: World) -> None:
    world.fields(*LOANS[:12], mx_Custom_6=1)
    world.run("plan", "--out", "plan.json")
    world.spec({THREE: {"label": "a new label", "fields": {"mx_Custom_6": 1}}}, "specs/b.yaml")
    world.write("specs/b.yaml", "version: 1\nopportunities: {}\n")
    assert world.json("apply", "plan.json").code == 0
    world.assert_nothing_to_do()
    ended = world.json("apply", "plan.json")
    assert (ended.code, ended.document["error"]["code"]) == (5, "stale-plan")
    assert len(ended.document["error"]["details"]) == 12
    assert len(world.sent()) == 12


def test_a_saved_plan_is_stale_when_its_records_move_and_only_then(world: World) -> None:
    world.fields(ONE, TWO, mx_Custom_6=1)
    world.run("plan", "--out", "plan.json")
    world.fields(ONE, mx_Custom_6=1)
    world.fields(TWO, mx_Custom_6=9, name="specs/b.yaml")
    ended = world.json("apply", "plan.json")
    assert ended.code == 5
    assert [
        detail["message"].partition(":")[0] for detail in ended.document["error"]["details"]
    ] == [TWO]
    world.fields(TWO, mx_Custom_6=1, name="specs/b.yaml")
    world.fields(THREE, mx_Custom_6=5, name="specs/c.yaml")
    assert world.json("apply", "plan.json").code == 0
    assert world.actions() == {THREE: "update"}


def test_releasing_sends_nothing_and_the_lock_forgets(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1, mx_Custom_3="Branch")
    world.fields(TWO, mx_Custom_6=1, name="specs/b.yaml")
    world.apply()
    calls = world.crm.crm.count()
    world.fields(ONE, mx_Custom_6=1)
    (world.root / "specs/b.yaml").unlink()
    assert world.actions() == {ONE: "release", TWO: "release"}
    world.apply()
    assert world.crm.crm.count() == calls
    assert world.entries.keys() == {ONE}
    assert world.entries[ONE]["fields"] == {"mx_Custom_6": "1"}


def test_an_open_request_outlives_its_release_and_is_then_forgotten(world: World) -> None:
    world.scenario(queue={"delay_seconds": 3600})
    world.fields(ONE, mx_Custom_6=1)
    world.apply("--no-wait")
    world.spec({})
    assert world.actions() == {ONE: "release"}
    world.apply("--no-wait")
    assert world.entries[ONE]["pending"]["request_id"]
    assert world.actions() == {}
    world.crm.skip(3600)
    assert world.json("status").code == 0
    assert world.entries == {}


def test_selections_narrow_what_is_sent_and_release_nothing_else(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    world.spec({TWO: {"label": "Acme, two", "fields": {"mx_Custom_6": 1}}}, "specs/b.yaml")
    world.spec({INSURANCES[0]: {"fields": {"mx_Custom_22": "x"}}}, "specs/c.yaml")
    assert world.actions("--only", "type:loan") == {ONE: "update"}
    assert world.actions("--only", "acme*") == {TWO: "update"}
    assert world.actions("--only", f"{ONE},file:specs/c*") == {
        ONE: "update",
        INSURANCES[0]: "update",
    }
    assert world.actions("--except", "file:specs/*") == {}
    assert world.actions(str(world.root / "specs/b.yaml")) == {TWO: "update"}
    result = world.apply("--only", "acme*")
    assert [one["id"] for one in result.document["opportunities"]] == [TWO]


def test_another_writer_is_named(world: World) -> None:
    import fcntl

    world.fields(ONE, mx_Custom_6=1)
    (world.root / ".lsq-sync").mkdir()
    with (world.root / ".lsq-sync/writer.lock").open("w") as held:
        held.write('{"host": "there", "pid": 42, "since": "2026-11-23T10:00:00Z"}')
        held.flush()
        fcntl.flock(held, fcntl.LOCK_EX)
        ended = world.json("apply", "--yes")
        assert (ended.code, ended.document["error"]["code"]) == (1, "busy")
        assert "process 42 on there, since 2026-11-23T10:00:00Z" in ended.err
        assert world.json("plan").code == 0
        assert world.json("status", "--offline").code == 0


def test_another_account_is_refused_without_a_call(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    calls = world.crm.crm.count()
    world.environment["LSQ_ASYNC_HOST"] = "http://127.0.0.1:9"
    for arguments in (["plan"], ["apply", "--yes"], ["status"]):
        ended = world.json(*arguments)
        assert (ended.code, ended.document["error"]["code"]) == (1, "lock")
    assert world.crm.crm.count() == calls


def _with_limit(world: World, calls: int) -> str:
    content = json.loads((world.root / "lsq-sync.yaml").read_text("utf-8"))
    content["api"] = {"rate_limit": {"calls": calls, "seconds": 0.1}}
    return json.dumps(content)
