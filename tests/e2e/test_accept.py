"""`accept`: what was changed in the CRM, into the spec in place, and into the lock."""

import os
import re
import signal
from pathlib import Path

import pytest

from tests.support.acting import acted
from tests.support.world import LOANS, World

ONE, TWO, THREE = LOANS[:3]
HOUR = 3600
SPEC = f"""\
# yaml-language-server: $schema=../schemas/types/loan.schema.json
version: 1
type: loan
defaults:
  fields:
    mx_Custom_3: Website   # for all
    mx_Custom_36: {{mx_CustomObject_1: Asha}}
opportunities:
  {ONE.upper()}:   # the first
    note: 'call'   # a note
    fields:
      mx_Custom_4: 'it''s late'   # why
      mx_Custom_6: "200,000"   # size

      # the date
      mx_Custom_8: 2026-09-16T12:13:44+05:30
      mx_Custom_5: |   # text
        one
        two
      mx_Custom_15:   # papers
        - PAN   # 1
        - Aadhaar

  {TWO}: {{label: Two, fields: {{mx_Custom_6: "5", mx_Custom_15: [PAN]}}}}
# the end
"""


@pytest.fixture
def applied(world: World) -> World:
    """Both opportunities are applied, and long enough ago."""
    world.write("specs/a.yaml", SPEC)
    world.apply()
    world.crm.skip(HOUR)
    return world


def _text(world: World) -> str:
    return (world.root / "specs/a.yaml").read_bytes().decode()


def _nothing_to_do(world: World) -> None:
    world.assert_nothing_to_do()
    plan = world.json("plan", "--refresh", "--detailed-exitcode")
    assert (plan.code, plan.document["opportunities"]) == (0, []), plan.out


# field, what the CRM has now, the line before and after
CHANGES = {
    "a number in quotes": ("mx_Custom_6", "77", '"200,000"', '"77"'),
    "text in single quotes": ("mx_Custom_4", "it's here", "'it''s late'", "'it''s here'"),
    "to nothing": (
        "mx_Custom_5", "", "|   # text\n        one\n        two\n", "null   # text\n"
    ),
    "a moment": (
        "mx_Custom_8",
        "2027-01-02 03:04:05",
        "2026-09-16T12:13:44+05:30",
        "2027-01-02 03:04:05",
    ),
    "text of lines": ("mx_Custom_5", "x\ny\nz", "        one\n        two\n",
                      "        x\n        y\n        z\n"),
    "options": ("mx_Custom_15", "PAN;Form 16", "        - Aadhaar\n", "        - Form 16\n"),
    "the note": ("ActivityEvent_Note", "call again", "'call'", "'call again'"),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["lf", "crlf"])
def test_one_value_changes_in_place_and_there_is_nothing_to_do(
    applied: World, case: str, ends: str
) -> None:
    name, live, before, after = CHANGES[case]
    (applied.root / "specs/a.yaml").write_bytes(SPEC.replace("\n", ends).encode())
    applied.crm.change(ONE, name, live)
    ended = applied.json("accept", ONE[:9])
    assert ended.code == 0, ended
    assert ended.document["format"] == "lsq-sync/accept/v1"
    assert ended.document["files"] == ["specs/a.yaml"]
    assert SPEC.count(before) == 1
    assert _text(applied) == SPEC.replace(before, after).replace("\n", ends)
    _nothing_to_do(applied)
    assert len(applied.sent()) == 2


def test_a_default_becomes_a_value_of_the_opportunity(applied: World) -> None:
    applied.crm.change(ONE, "mx_Custom_3", "Branch")
    applied.crm.change(TWO, "mx_Custom_36~mx_CustomObject_1", "Ravi")
    assert applied.json("accept", "--all").code == 0
    expected = SPEC.replace(
        "        - Aadhaar\n", "        - Aadhaar\n      mx_Custom_3: Branch\n"
    ).replace("[PAN]}}", '[PAN], "mx_Custom_36": {"mx_CustomObject_1": "Ravi"}}}')
    assert _text(applied) == expected
    _nothing_to_do(applied)


def test_a_value_from_an_anchor_is_written_out_for_this_one(world: World) -> None:
    text = (
        f"version: 1\ntype: loan\nopportunities:\n  {ONE}:\n    fields: &k\n      mx_Custom_4: x\n"
        f"  {TWO}:\n    fields: *k   # the same\n"
    )
    world.write("specs/a.yaml", text)
    world.apply()
    world.crm.skip(HOUR)
    world.crm.change(TWO, "mx_Custom_4", "y z")
    assert world.json("accept", TWO).code == 0
    assert _text(world) == text.replace(
        " *k   # the same\n", "   # the same\n      mx_Custom_4: y z\n"
    )
    _nothing_to_do(world)
    world.write("specs/a.yaml", text)
    world.crm.change(TWO, "mx_Custom_4", "x")
    assert world.json("accept", TWO).code == 0
    world.crm.change(ONE, "mx_Custom_4", "other")
    ended = world.json("accept", ONE)
    assert (ended.code, "&k" in ended.document["refused"][0]["reason"]) == (5, True)
    assert _text(world) == text


def test_only_the_named_fields_are_taken(applied: World) -> None:
    applied.crm.change(ONE, "mx_Custom_6", "77")
    applied.crm.change(ONE, "mx_Custom_4", "there")
    assert applied.json("accept", ONE, "expected deal size").code == 0
    assert _text(applied) == SPEC.replace('"200,000"', '"77"')
    wrong = applied.json("accept", ONE, "mx_Custom_66")
    assert (wrong.code, "mx_Custom_6" in wrong.document["error"]["hint"]) == (64, True)
    ended = applied.run("accept", ONE)
    assert "Loss Reason (mx_Custom_4): it's late → there" in ended.out
    assert "specs/a.yaml:9" in ended.out
    _nothing_to_do(applied)


def test_where_the_specs_are_ahead_only_a_named_field_gives_way(applied: World) -> None:
    ahead = SPEC.replace("200,000", "300,000")
    applied.write("specs/a.yaml", ahead)
    ended = applied.json("accept", ONE)
    assert (ended.code, ended.document["summary"]["ahead"]) == (0, 1)
    assert _text(applied) == ahead
    assert "specs are ahead" in applied.run("accept", "--all").out
    assert applied.json("accept", ONE, "mx_Custom_6").code == 0
    assert _text(applied) == ahead.replace('"300,000"', '"200000"')
    _nothing_to_do(applied)


def test_what_the_specs_want_by_now_is_only_recorded(applied: World) -> None:
    applied.crm.change(ONE, "mx_Custom_6", "77")
    changed = SPEC.replace("200,000", "77.0")
    applied.write("specs/a.yaml", changed)
    ended = applied.json("accept", ONE)
    assert ended.document["opportunities"][0]["fields"][0]["in_spec"] is False
    assert (ended.document["files"], _text(applied)) == ([], changed)
    _nothing_to_do(applied)


def test_a_value_that_no_spec_can_have_is_refused_with_its_place_and_the_others_go(
    applied: World,
) -> None:
    applied.crm.change(ONE, "mx_Custom_6", "many")
    applied.crm.change(ONE, "mx_Custom_4", "a\x07b")
    applied.crm.change(ONE, "mx_Custom_8", "2027-01-02 03:04:05")
    applied.crm.change(TWO, "mx_Custom_6", "6")
    ended = applied.json("accept", "--all")
    assert ended.code == 5
    refused = {one["name"]: one["source"]["line"] for one in ended.document["refused"]}
    assert refused == {"mx_Custom_4": 12, "mx_Custom_6": 13}
    assert _text(applied) == SPEC.replace(
        "2026-09-16T12:13:44+05:30", "2027-01-02 03:04:05"
    ).replace('"5"', '"6"')
    assert applied.actions("--refresh") == {ONE: "conflict"}


def test_masked_values_are_refused_and_sensitive_ones_not_shown(world: World) -> None:
    world.fields(ONE, TWO, mx_Custom_12="+91-9820098200")
    world.apply()
    world.crm.skip(HOUR)
    world.crm.change(ONE, "mx_Custom_12", "XXXXXXXX")
    world.crm.change(TWO, "mx_Custom_12", "+91-1111111111")
    ended = world.run("accept", "--all")
    assert (ended.code, "masked" in ended.out) == (5, True)
    assert not re.search("9820098200|1111111111", ended.out + ended.err)
    assert "+91-1111111111" in _text(world)


def test_what_an_open_request_carries_is_refused_and_the_rest_is_taken(applied: World) -> None:
    applied.scenario(queue={"delay_seconds": 2 * HOUR})
    applied.write("specs/a.yaml", SPEC.replace("200,000", "300,000"))
    applied.json("apply", "--yes", "--no-wait")
    applied.crm.change(ONE, "mx_Custom_6", "77")
    applied.crm.change(ONE, "mx_Custom_4", "there")
    ended = applied.json("accept", ONE)
    assert ended.code == 5
    (refused,) = ended.document["refused"]
    assert (refused["name"], "open request" in refused["reason"]) == ("mx_Custom_6", True)
    assert "'there'" in _text(applied)
    assert applied.actions() == {ONE: "pending"}


def test_a_read_that_lags_behind_our_write_is_not_taken_back(applied: World) -> None:
    applied.scenario(read_lag_seconds=60)
    changed = SPEC.replace("200,000", "300,000")
    applied.write("specs/a.yaml", changed)
    applied.json("apply", "--yes", "--no-wait")
    applied.json("status", "--wait", "--timeout", "5")
    assert applied.json("accept", ONE).document["summary"]["fields"] == 0
    assert applied.json("accept", ONE, "mx_Custom_6").code == 5
    assert _text(applied) == changed


def test_missing_opportunities_are_told(applied: World) -> None:
    applied.crm.delete(ONE)
    ended = applied.json("accept", "--all")
    assert (ended.code, ended.document["missing"]) == (1, [ONE])


def test_a_selection_narrows_what_is_taken(applied: World) -> None:
    applied.crm.change(ONE, "mx_Custom_6", "77")
    applied.crm.change(TWO, "mx_Custom_6", "78")
    assert applied.json("accept", "--all", "--only", "Two").code == 0
    assert _text(applied) == SPEC.replace('"5"', '"78"')


@pytest.mark.parametrize("arguments", [[], [ONE, "--all"], [ONE, "--only", "x"], ["nobody"]])
def test_wrong_usage_is_told(applied: World, arguments: list[str]) -> None:
    assert applied.json("accept", *arguments).code == 64


def _killed_before_the_lock(_root: Path) -> None:
    from lsq_sync.lock.writer import Writer

    Writer.record = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]


def test_killed_between_spec_and_lock_nothing_is_written_over(applied: World) -> None:
    applied.crm.change(ONE, "mx_Custom_6", "77")
    assert acted(applied, _killed_before_the_lock, "accept", ONE).code == -9
    assert _text(applied) == SPEC.replace('"200,000"', '"77"')
    assert applied.actions("--refresh") == {ONE: "adopt"}
    assert applied.json("accept", ONE).code == 0
    _nothing_to_do(applied)


def test_accept_sends_nothing_and_needs_no_key_for_it(applied: World) -> None:
    applied.environment["LSQ_X_API_KEY"] = ""
    applied.crm.change(ONE, "mx_Custom_6", "77")
    assert applied.json("accept", ONE).code == 0
    assert len(applied.sent()) == 2


def test_all_leaves_what_the_specs_want_otherwise_and_one_alone_takes_it(world: World) -> None:
    world.fields(ONE, TWO, mx_Custom_5="first")
    world.apply()
    world.crm.skip(3600)
    world.crm.change(ONE, "mx_Custom_5", "by hand")
    world.crm.change(TWO, "mx_Custom_5", "by hand")
    world.spec(
        {ONE: {"fields": {"mx_Custom_5": "by spec"}}, TWO: {"fields": {"mx_Custom_5": "first"}}}
    )
    ended = world.json("accept", "--all")
    assert ended.code == 5
    assert [one["id"] for one in ended.document["opportunities"]] == [TWO]
    (kept,) = ended.document["refused"]
    assert (kept["id"], kept["name"]) == (ONE, "mx_Custom_5")
    assert f"lsq-sync accept {ONE}" in kept["reason"]
    assert "by spec" in (world.root / "specs/a.yaml").read_text("utf-8")
    assert world.json("accept", ONE).code == 0
    assert "by spec" not in (world.root / "specs/a.yaml").read_text("utf-8")
