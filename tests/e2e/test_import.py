"""`import`: from the CRM into specs and lock, after which there is nothing to do."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lsq_sync.simulator import SimulatorThread, sample_account
from lsq_sync.simulator.sample import LOAN_TYPE
from lsq_sync.simulator.scenario_file import scenario_from
from tests.e2e.test_drift import ECHOES, EVERYTHING
from tests.support.acting import acted
from tests.support.world import INSURANCES, LOANS, World

ONE, TWO, THREE = LOANS[:3]
OUT = "specs/loan.yaml"
HOUR = 3600
READ_ONLY = {field.schema_name for field in LOAN_TYPE.fields if field.is_read_only}


def _text(world: World, file: str = OUT) -> str:
    return (world.root / file).read_bytes().decode()


def _nothing_to_do(world: World) -> None:
    world.assert_nothing_to_do()
    plan = world.json("plan", "--refresh", "--detailed-exitcode")
    assert (plan.code, plan.document["opportunities"]) == (0, []), plan.out
    assert world.run("drift", "--detailed-exitcode").code == 0
    assert world.sent() == []


def test_opportunities_are_imported_and_there_is_nothing_to_do(world: World) -> None:
    ended = world.json("import", ONE.upper(), TWO)
    assert ended.code == 0, ended
    assert ended.document["format"] == "lsq-sync/import/v1"
    assert [one["id"] for one in ended.document["opportunities"]] == [ONE, TWO]
    text = _text(world)
    assert text.startswith("# yaml-language-server: $schema=../schemas/types/loan.schema.json\n")
    name = world.crm.crm.opportunity(ONE).fields["mx_Custom_1"]
    assert f"  {ONE}:\n    label: {name}\n    fields:\n" in text
    assert re.search(r"\n#   mx_Custom_6 +Expected Deal Size\n", text)
    assert not any(f"{field}:" in text for field in (*READ_ONLY, "mx_Custom_21"))
    assert world.run("validate").code == 0
    assert world.entries[ONE]["type"] == "loan"
    assert world.entries[ONE]["fields"]["mx_Custom_1"] == name
    _nothing_to_do(world)


def test_a_value_that_is_changed_afterwards_is_sent_alone(world: World) -> None:
    world.run("import", ONE)
    source = world.crm.crm.opportunity(ONE).fields["mx_Custom_6"]
    world.write(OUT, _text(world).replace(f"mx_Custom_6: {source}", "mx_Custom_6: 5"))
    world.apply()
    (sent,) = world.sent()
    assert sent["Fields"] == [{"SchemaName": "mx_Custom_6", "Value": "5"}]


@pytest.mark.parametrize("echo", ECHOES, ids=json.dumps)
def test_every_data_type_and_every_echo_imports_to_nothing_to_do(
    world: World, echo: dict[str, Any]
) -> None:
    world.spec({ONE: EVERYTHING}, type="loan")
    world.apply()
    world.crm.skip(HOUR)
    (world.root / "specs/a.yaml").unlink()
    (world.root / "lsq-sync.lock").unlink()
    world.scenario(echo=echo)
    done = len(world.sent())
    keys = (ONE, *LOANS[1:12])
    ended = world.json("import", *keys, "--type", "loan")
    assert (ended.code, ended.document["summary"]["left_out"]) == (0, 0), ended
    world.assert_nothing_to_do()
    plan = world.json("plan", "--refresh", "--detailed-exitcode")
    assert (plan.code, plan.document["opportunities"]) == (0, []), plan.out
    assert world.run("drift", "--detailed-exitcode").code == 0
    assert len(world.sent()) == done
    fields = world.entries[ONE]["fields"]
    assert fields["mx_Custom_6"] == "200000"
    assert fields["mx_Custom_8"] == "2026-12-16 06:43:44"
    assert fields["mx_Custom_36~mx_CustomObject_3"] == "1000"


def test_dates_mean_the_same_in_an_account_of_another_time_zone(tmp_path: Path) -> None:
    from tests.support.world import new_world

    with new_world(tmp_path, account={"time_zone": "Asia/Kolkata"}) as world:
        world.run("import", *LOANS[:8])
        moment = world.entries[ONE]["fields"]["mx_Custom_8"]
        assert f"mx_Custom_8: {moment}Z\n" in _text(world)
        _nothing_to_do(world)


@pytest.mark.parametrize(
    "text", ["NO", "0123", "1_000", "null", "~", "a: b # c", "two\nlines", "'", '"', "- x", "+91-8",
             "a\u2028x", "=1+1", "😀", "x" * 150],
)  # fmt: skip
def test_any_text_is_imported_as_exactly_that_text(world: World, text: str) -> None:
    world.crm.change(ONE, "mx_Custom_5", text)
    world.crm.change(ONE, "mx_Custom_1", text)
    world.run("import", ONE)
    assert world.entries[ONE]["fields"]["mx_Custom_5"] == text
    _nothing_to_do(world)


def test_only_the_fields_that_were_asked_for_are_managed_also_empty_ones(world: World) -> None:
    ended = world.json("import", ONE, "--fields", "mx_Custom_6,mx_Custom_13", "--fields", "note",
                       "--fields", "mx_Custom_36")  # fmt: skip
    assert ended.code == 0, ended
    assert set(world.entries[ONE]["fields"]) == {
        "mx_Custom_6",
        "mx_Custom_13",
        *(f"mx_Custom_36~mx_CustomObject_{part}" for part in (1, 2, 3)),
    }
    assert "mx_Custom_13: null\n" in _text(world)
    assert "    note: " in _text(world)
    _nothing_to_do(world)


@pytest.mark.parametrize(
    ("name", "why"), [("mx_Custom_20", "read-only"), ("mx_Custom_21", "a file"), ("mx", "no field")]
)
def test_fields_that_no_spec_can_set_are_refused_by_name(world: World, name: str, why: str) -> None:
    ended = world.json("import", ONE, "--fields", name)
    assert (ended.code, ended.document["error"]["code"]) == (64, "usage")
    assert why in ended.document["error"]["message"]


def test_what_is_left_out_of_every_opportunity_is_told_in_one_line(world: World) -> None:
    ended = world.run("import", ONE)
    (told,) = [line for line in ended.out.splitlines() if line.startswith("Fields that no spec")]
    assert "read-only: " in told
    assert "Loan Number (mx_Custom_20)" in told
    assert "a file: Agreement (mx_Custom_21)" in told


def test_a_value_that_the_type_refuses_is_left_out_and_told(world: World) -> None:
    world.crm.change(ONE, "mx_Custom_3", "Gone Option")
    world.crm.change(ONE, "mx_Custom_6", "many")
    world.crm.change(ONE, "mx_Custom_12", "XXXXXXXX")
    world.crm.change(ONE, "mx_Custom_5", "a\x07b")
    ended = world.json("import", ONE)
    assert ended.code == 0
    left = {one["name"] for one in ended.document["left_out"]}
    assert left == {"mx_Custom_3", "mx_Custom_6", "mx_Custom_12", "mx_Custom_5"}
    assert world.run("validate").code == 0
    _nothing_to_do(world)


def test_missing_opportunities_are_named_and_the_rest_is_imported(world: World) -> None:
    world.crm.delete(TWO)
    unknown = "00000000-0000-4000-8000-000000000000"
    ended = world.json("import", ONE, TWO, unknown, INSURANCES[0])
    assert ended.code == 1
    assert ended.document["missing"] == [TWO, unknown, INSURANCES[0]]
    assert list(world.entries) == [ONE]
    text = world.run("import", TWO)
    assert (text.code, TWO in text.out) == (1, True)
    assert "no file was changed" in text.out
    _nothing_to_do(world)


# --- into a file that is there


def test_a_file_that_is_there_is_added_to_and_nothing_else_changes(world: World) -> None:
    before = (
        "# mine\r\nversion: 1\r\ntype: loan\r\n\r\nopportunities:\r\n"
        f"    '{ONE}':   # the first\r\n        fields: {{mx_Custom_4: 'x'}}\r\n\r\n# the end\r\n"
    )
    world.write(OUT, "")
    (world.root / OUT).write_bytes(before.encode())
    ended = world.json("import", ONE, TWO)
    assert ended.document["skipped"] == [
        {"id": ONE, "reason": "a spec has it already: specs/loan.yaml:6:5"}
    ]
    head, tail = before.split("\r\n\r\n# the end")
    after = _text(world)
    assert after.startswith(head + f"\r\n    {TWO}:\r\n      label: ")
    assert after.endswith("\r\n\r\n# the end" + tail)
    assert "\n" not in after.replace("\r\n", "")
    assert list(world.entries) == [TWO]
    assert world.actions() == {ONE: "update"}


def test_json_specs_and_empty_ones_are_added_to(world: World) -> None:
    world.write(OUT, '{"version": 1, "type": "loan", "opportunities": {}}')
    assert world.run("import", ONE).code == 0
    assert world.run("import", TWO).code == 0
    assert sorted(json.loads(_text(world))["opportunities"]) == sorted([ONE, TWO])
    _nothing_to_do(world)


def test_defaults_of_the_file_change_nothing_of_what_is_imported(world: World) -> None:
    world.write(
        OUT,
        "version: 1\ntype: loan\ndefaults:\n  fields:\n    mx_Custom_13: 2026-01-01\n"
        "    mx_Custom_36: {mx_CustomObject_2: x}\n"
        f"opportunities:\n  {THREE}: {{note: x}}\n",
    )
    assert world.run("import", ONE, TWO, "--fields", "mx_Custom_6").code == 0
    assert set(world.actions()) == {THREE}
    assert set(world.actions("--refresh")) == {THREE}


def test_a_default_for_what_no_spec_can_say_keeps_the_opportunity_out(world: World) -> None:
    world.crm.change(ONE, "mx_Custom_3", "Gone Option")
    world.write(
        OUT,
        "version: 1\ntype: loan\ndefaults: {fields: {mx_Custom_3: Website}}\n"
        f"opportunities:\n  {THREE}: {{note: x}}\n",
    )
    ended = world.json("import", ONE, TWO)
    assert [one["id"] for one in ended.document["opportunities"]] == [TWO]
    assert "default" in ended.document["skipped"][0]["reason"]


def test_the_same_import_twice_changes_nothing(world: World) -> None:
    world.run("import", ONE, TWO)
    before = _text(world), (world.root / "lsq-sync.lock").read_bytes()
    ended = world.json("import", ONE, TWO)
    assert (ended.code, ended.document["summary"]["skipped"]) == (0, 2)
    assert before == (_text(world), (world.root / "lsq-sync.lock").read_bytes())


def test_an_opportunity_that_a_spec_has_under_its_auto_id_is_skipped(world: World) -> None:
    number = world.crm.crm.opportunity(ONE).fields["mx_Custom_20"]
    world.spec({number: {"fields": {"mx_Custom_4": "x"}}}, type="loan")
    world.apply()
    ended = world.json("import", ONE)
    assert ended.document["summary"]["imported"] == 0
    assert number in ended.document["skipped"][0]["reason"]


def test_an_auto_id_that_only_the_lock_knows_gives_way_to_the_guid(world: World) -> None:
    number = world.crm.crm.opportunity(ONE).fields["mx_Custom_20"]
    world.spec({number: {"fields": {"mx_Custom_4": "x"}}}, type="loan")
    world.apply()
    (world.root / "specs/a.yaml").unlink()
    assert world.json("import", ONE).document["summary"]["imported"] == 1
    assert list(world.entries) == [ONE]
    world.assert_nothing_to_do()


def test_one_that_a_request_is_on_its_way_to_is_skipped(world: World) -> None:
    world.scenario(queue={"delay_seconds": HOUR})
    world.fields(ONE, mx_Custom_6=1)
    world.json("apply", "--yes", "--no-wait")
    (world.root / "specs/a.yaml").unlink()
    ended = world.json("import", ONE)
    assert "request" in ended.document["skipped"][0]["reason"]


def test_what_the_lock_knew_beyond_the_import_is_forgotten(world: World) -> None:
    world.spec({ONE: {"note": "x", "fields": {"mx_Custom_4": "x", "mx_Custom_6": 1}}}, type="loan")
    world.apply()
    (world.root / "specs/a.yaml").unlink()
    world.run("import", ONE, "--fields", "mx_Custom_6")
    assert world.entries[ONE]["fields"] == {"mx_Custom_6": "1"}
    world.assert_nothing_to_do()


# --- which


def test_ids_come_from_files_columns_and_standard_input(world: World) -> None:
    base = world.root
    (base / "ids.txt").write_text(
        f"\ufeff# mine\n{ONE}\n\n  {TWO.upper()}  # two\n{ONE}\n", "utf-8"
    )
    (base / "people.csv").write_text(f'name;"Opp Id"\n"a; b";{THREE}\nx;\n', "utf-8")
    first = world.json("import", "--ids-file", "ids.txt")
    assert [one["id"] for one in first.document["opportunities"]] == [ONE, TWO]
    second = world.json("import", "--ids-file", "people.csv", "--column", "Opp Id")
    assert [one["id"] for one in second.document["opportunities"]] == [THREE]
    wrong = world.json("import", "--ids-file", "people.csv", "--column", "Opp ID")
    assert (wrong.code, wrong.document["error"]["hint"]) == (64, "did you mean 'Opp Id'?")
    table = world.json("import", "--ids-file", "people.csv")
    assert (table.code, "--column" in table.document["error"]["message"]) == (1, True)
    ended = world.json("import", "LN-000001")
    assert (ended.code, ended.document["error"]["code"]) == (1, "ids")
    assert len(world.entries) == 3


def test_everything_that_was_modified_since_is_imported(world: World) -> None:
    ended = world.json("import", "--type", "loan", "--modified-since", "2001-01-01")
    assert ended.code == 0, ended
    assert ended.document["summary"]["imported"] == len(LOANS)
    assert ended.document["calls"]["read"] == 3  # whose keys, one page, one bulk read
    _nothing_to_do(world)
    world.crm.skip(2 * HOUR)
    later = world.json("import", "--modified-since", "2999-01-01")
    assert later.document["summary"]["imported"] == 0
    wrong = world.json("import", "--modified-since", "yesterday")
    assert wrong.code == 64


def test_more_than_a_page_is_listed_whole_and_progress_is_shown(tmp_path: Path) -> None:
    account = sample_account(1400, seed=3)
    loans = {one.id for one in account.opportunities if one.code == 12005}
    assert len(loans) > 1000
    with SimulatorThread(account, scenario_from({"rate_limit": {"enabled": False}})) as crm:
        world = World(tmp_path / "ws", crm, {})
        ended = world.run("import", "--modified-since", "2001-01-01", "--fields", "mx_Custom_6")
        assert ended.code == 0, ended
        assert set(world.entries) == loans
        assert f"reading: {len(loans):,} of {len(loans):,} read\n" in ended.err
        assert crm.crm.count() == 4  # whose keys, two pages, one bulk read


def test_a_code_without_a_type_needs_the_fields(world: World) -> None:
    key = INSURANCES[0]
    assert world.json("import", key, "--code", "12006").code == 64
    ended = world.json("import", key, "--code", "12006", "--fields", "mx_Custom_6,mx_Custom_8")
    assert ended.code == 0, ended
    assert _text(world, "specs/12006.yaml").count("\ncode: 12006\n") == 1
    _nothing_to_do(world)
    assert world.json("import", key, "--code", "12006", "--type", "loan").code == 64
    assert world.json("import", key, "--type", "lona").code == 64
    other = world.json("import", ONE, "--type", "loan", "--out", "specs/12006.yaml")
    assert (other.code, "the code 12006" in other.document["error"]["message"]) == (64, True)


@pytest.mark.parametrize("out", ["elsewhere.yaml", "specs/a.txt", "specs/.a.yaml", "../a.yaml"])
def test_a_file_that_no_command_would_read_is_refused(world: World, out: str) -> None:
    assert world.json("import", ONE, "--out", out).code == 64


def test_the_keys_of_another_account_are_refused(world: World) -> None:
    world.run("import", ONE)
    lock = world.root / "lsq-sync.lock"
    code = world.lock["account"]["short_code"]
    lock.write_text(lock.read_text("utf-8").replace(code, "other"), "utf-8")
    ended = world.json("import", TWO)
    assert (ended.code, ended.document["error"]["code"]) == (1, "lock")


# --- being cut short


def _killed_before_the_spec(_root: Path) -> None:
    import os
    import signal

    from lsq_sync.commands import importing

    importing.replace_file = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[attr-defined]


def test_killed_between_lock_and_spec_the_same_import_works_again(world: World) -> None:
    ended = acted(world, _killed_before_the_spec, "import", ONE, TWO)
    assert ended.code == -9
    assert not (world.root / OUT).exists()
    assert set(world.actions().values()) == {"release"}
    again = world.json("import", ONE, TWO)
    assert (again.code, again.document["summary"]["imported"]) == (0, 2), again
    _nothing_to_do(world)


def test_nothing_is_written_when_a_read_fails(world: World) -> None:
    world.scenario(faults=[{"on": "read", "do": "unauthorized"}])
    ended = world.json("import", ONE)
    assert (ended.code, ended.document["error"]["code"]) == (1, "authentication")
    assert not (world.root / OUT).exists()
    assert not (world.root / "lsq-sync.lock").exists()


def test_an_import_needs_no_keys_of_the_asynchronous_api(world: World) -> None:
    world.environment["LSQ_X_API_KEY"] = ""
    assert world.run("import", ONE).code == 0
