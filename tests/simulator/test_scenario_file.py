"""Scenarios from text, and that schema and dataclasses say the same."""

import json
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from jsonschema import Draft202012Validator

import lsq_sync.simulator
from lsq_sync.simulator.errors import SimulatorError
from lsq_sync.simulator.scenario import (
    Deletion,
    Fault,
    HumanEdit,
    LostUpdate,
    Reject,
    Scenario,
    SystemFault,
    Which,
)
from lsq_sync.simulator.scenario_file import (
    WHICH_KEYS,
    load_scenario,
    read_scenario,
    scenario_from,
)

REPOSITORY = Path(lsq_sync.simulator.__file__).resolve().parents[2]
SCHEMA = json.loads((REPOSITORY / "schemas" / "scenario.schema.json").read_text(encoding="utf-8"))
LISTED = {
    "fault": Fault,
    "reject": Reject,
    "system_fault": SystemFault,
    "lost_update": LostUpdate,
    "human_edit": HumanEdit,
    "deletion": Deletion,
}


def test_nothing_said_is_a_healthy_account() -> None:
    assert read_scenario("") == read_scenario("{}") == Scenario()


def test_a_scenario_as_people_write_it() -> None:
    scenario = read_scenario(
        """
        name: rough day
        time_scale: 60
        rate_limit: {calls: 20, seconds: 5, answer: 403}
        queue:
          per_minute: 24.8
          retry_seconds: [1, 2]
        echo: {numbers: padded, dates: {by_ids: plain}}
        answers: {words: {success: Done}}
        faults:
          - {on: submit, call: 3, do: drop_before}
          - {on: submit, calls: 5-8, do: drop_after}
          - {on: status, calls: [1, 4-], every: 2, do: delay, seconds: 0.5}
        human_edits:
          - {at: 1, id: 22222222-2222-2222-2222-222222222222, field: mx_Custom_8, value: 2026-08-31}
          - {at: 2, id: x, field: mx_Custom_12, value: 0123}
          - {at: 3, id: x, field: mx_Custom_5, value: no}
          - {at: 4, id: x, field: mx_Custom_6, value: 250000}
          - {at: 5, id: x, field: mx_Custom_5, value: null}
        """
    )
    assert scenario.name == "rough day"
    assert (scenario.rate_limit.calls, scenario.rate_limit.answer) == (20, 403)
    assert (scenario.queue.per_minute, scenario.queue.retry_seconds) == (24.8, (1, 2))
    assert (scenario.echo.numbers, scenario.echo.dates.by_ids) == ("padded", "plain")
    assert (scenario.answers.words.success, scenario.answers.words.failure) == ("Done", "FAILURE")
    assert [fault.which for fault in scenario.faults] == [
        Which(calls=((3, 3),)),
        Which(calls=((5, 8),)),
        Which(calls=((1, 1), (4, None)), every=2),
    ]
    values = [edit.value for edit in scenario.human_edits]
    assert values == ["2026-08-31", "0123", "no", "250000", ""]


def test_json_is_fine_as_well() -> None:
    scenario = read_scenario('{"faults": [{"on": "submit", "do": "empty"}], "seed": 4}')
    assert (scenario.seed, scenario.faults[0].do) == (4, "empty")


def test_a_scenario_is_called_like_its_file(tmp_path: Path) -> None:
    path = tmp_path / "slow-queue.yaml"
    path.write_text("queue: {delay_seconds: 5}", encoding="utf-8")
    assert load_scenario(path).name == "slow-queue"


WRONG = [
    # text, what the message says
    ("tme_scale: 60", "tme_scale: there is no such key. Did you mean time_scale?"),
    ("zzz: 1", "zzz: there is no such key. Allowed are $schema, access, answers"),
    ("time_scale: 0", "time_scale: 0 is less than or equal to the minimum of 0"),
    ("queue: 5", "queue: 5 is not a mapping"),
    ("rate_limit: {answer: 418}", "rate_limit.answer: 418 is not one of 429, 403, 200"),
    ("rate_limit: {calls: many}", 'rate_limit.calls: "many" is not a whole number'),
    ("echo: {dates: {by_ids: iso}}", 'echo.dates.by_ids: "iso" is not one of "plain"'),
    ("faults: [{on: submit}]", "faults[0]: 'do' is a required property"),
    ("faults: [{on: submits, do: empty}]", 'faults[0].on: "submits" is not one of "submit"'),
    ("faults: [{on: submit, do: empty, calls: x}]", 'faults[0].calls: "x" is not one of Calls by'),
    (
        "human_edits: [{at: 1, id: x, field: y, value: 1.5}]",
        "human_edits[0].value: 1.5 is not text",
    ),
    ("paths: {status: status}", 'paths.status: "status" is not allowed here'),
    ("- 1", "the document: [1] is not a mapping"),
    ("seed: [", "is not YAML"),
    ("seed: 1\nseed: 2", "the key seed stands twice"),
    ("1: 2", "the key 1 is not text"),
]


@pytest.mark.parametrize(("text", "words"), WRONG)
def test_a_mistake_is_named_with_what_is_allowed(text: str, words: str) -> None:
    with pytest.raises(SimulatorError) as caught:
        read_scenario(text, "bad.yaml")
    assert str(caught.value).startswith("bad.yaml: ")
    assert words in str(caught.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(SimulatorError) as caught:
        read_scenario("queue: 5\nseed: x\nrules: {too_long: cut}")
    assert str(caught.value).count("\n  ") == 2


@pytest.mark.parametrize(("name", "words"), [("no.yaml", "cannot be read"), ("x.yaml", "UTF-8")])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, words: str) -> None:
    (tmp_path / "x.yaml").write_bytes(b"name: \xff")
    with pytest.raises(SimulatorError, match=words):
        load_scenario(tmp_path / name)


# The schema documents the switches: it must say what the code does.


def plain(value: Any) -> Any:
    """A default as JSON would have it."""
    return [plain(one) for one in value] if isinstance(value, tuple) else value


def compare(kind: type[Any], schema: dict[str, Any], place: str) -> None:
    described = dict(schema["properties"])
    described.pop("$schema", None)
    hints = get_type_hints(kind)
    if "which" in hints:
        for name in WHICH_KEYS:
            described.pop(name)
    names = {one.name for one in fields(kind)} - {"which"}
    assert names == set(described), place
    for one in fields(kind):
        if one.name in names:
            compare_field(one.default, hints[one.name], described[one.name], f"{place}.{one.name}")


def compare_field(default: Any, hint: Any, described: dict[str, Any], place: str) -> None:
    if is_dataclass(hint) and isinstance(hint, type):
        compare(hint, described, place)
        return
    if "enum" in described:
        assert set(described["enum"]) == literals(hint), place
    if default is not MISSING and default is not None and "default" in described:
        assert described["default"] == plain(default), place
    elif default is not MISSING:
        assert described.get("default") is None, place


def literals(hint: Any) -> set[Any]:
    arguments = get_args(hint)
    return set().union(*(literals(one) if get_args(one) else {one} for one in arguments))


@pytest.mark.parametrize("name", ["scenario.schema.json", "simulator-data.schema.json"])
def test_the_schemas_are_schemas(name: str) -> None:
    text = (REPOSITORY / "schemas" / name).read_text(encoding="utf-8")
    Draft202012Validator.check_schema(json.loads(text))


def test_the_schema_has_every_switch_with_its_default() -> None:
    compare(Scenario, SCHEMA, "scenario")


@pytest.mark.parametrize("name", LISTED)
def test_the_schema_has_every_key_of_the_lists(name: str) -> None:
    compare(LISTED[name], SCHEMA["$defs"][name], name)


def test_every_default_spelt_out_is_the_default() -> None:
    def defaults(schema: dict[str, Any]) -> dict[str, Any]:
        return {
            name: defaults(one) if "properties" in one else one["default"]
            for name, one in schema["properties"].items()
            if "properties" in one or "default" in one
        }

    assert scenario_from(defaults(SCHEMA)) == Scenario()
