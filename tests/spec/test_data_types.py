"""Every data type of the CRM, from its metadata to what a spec may say: what fits, what does not.

The names are those of the vendor's pages and of its own client; what a type means for a value is
told by one row each.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lsq_sync.core.metadata import FieldMetadata, TypeMetadata
from lsq_sync.spec.type_schema import to_text, type_schema
from tests.spec.support import FILE, specs, typed

GUID = "5ca5b042-51ea-4699-b6f0-84c40ab12770"


def schema_of(*fields: FieldMetadata) -> str:
    return to_text(type_schema("test", TypeMetadata(12009, "Test", fields)))


def said(root: Path, field: FieldMetadata, value: str) -> list[str]:
    """What is said of a value, less the hint."""
    return said_of_all(root, field, [value])[value]


def said_of_all(root: Path, field: FieldMetadata, values: Iterable[str]) -> dict[str, list[str]]:
    """What is said of each, from one spec with an opportunity a line."""
    listed = list(values)
    lines = [f"  K{number}: {{fields: {{a: {one}}}}}" for number, one in enumerate(listed)]
    text = "\n".join(("version: 1", "type: test", "opportunities:", *lines))
    files = {"schemas/types/test.schema.json": schema_of(replace(field, name="a")), FILE: text}
    told: dict[str, list[str]] = {value: [] for value in listed}
    for problem in specs(root, files).problems:
        told[listed[problem.origin.line - 4]].append(problem.message)
    return told


TEXTS = (
    "String", "Text", "Phone", "Product", "Lead", "ActivityEvent_Note", "Email", "Website", "Url",
    "IP", "Time", "TimeZone", "Country", "GeoLocation", "DueDate", "A type of next year",
)  # fmt: skip
LISTS = ("Dropdown", "SearchableDropdown", "LargeOptionSet", "Select")
WITHOUT_VALUE = ("File", "MediaLink", "Audio", "Title", "Form", "Process")


IN_A_TEXT: Mapping[str, list[str]] = {
    "0123": [],
    "yes": [],
    "null": [],
    '""': [],
    "कर्ज़ 😀 12": [],
    "much too long": ["a has 13 characters, the limit is 12"],
    "[b]": ["a must be text or null, not a list"],
    "{b: c}": ["a must be text or null, not a mapping"],
}


@pytest.mark.parametrize("name", TEXTS)
def test_text(tmp_path: Path, name: str) -> None:
    field = FieldMetadata("a", data_type=name, max_length=12)
    assert said_of_all(tmp_path, field, IN_A_TEXT) == IN_A_TEXT


IN_A_LIST: Mapping[str, list[str]] = {
    "Home Loan": [],
    "Invalid/ Junk": [],
    "007": [],
    "null": [],
    '""': [],
    "home loan": ["'home loan' is not an option of a"],
    '"Home Loan "': ["'Home Loan ' is not an option of a"],
    "7": ["'7' is not an option of a"],
    "[Home Loan]": ["a must be text, not a list"],
}


@pytest.mark.parametrize("name", LISTS)
def test_one_of_a_list(tmp_path: Path, name: str) -> None:
    field = FieldMetadata("a", data_type=name, options=("Home Loan", "Invalid/ Junk", "007"))
    assert said_of_all(tmp_path, field, IN_A_LIST) == IN_A_LIST


SEVERAL_OF_A_LIST: Mapping[str, list[str]] = {
    "[PAN, Form 16]": [],
    "[]": [],
    "null": [],
    '""': [],
    "[Pan]": ["'Pan' is not an option of a"],
    "[PAN, PAN]": ["a names an option twice"],
    "PAN": ["a is a multi-select field: it takes a list"],
    "{PAN: PAN}": ["a must be a list, text or null, not a mapping"],
}


@pytest.mark.parametrize("name", ["MultiSelect", *LISTS])
def test_several_of_a_list(tmp_path: Path, name: str) -> None:
    field = FieldMetadata("a", data_type=name, multi_select=True, options=("PAN", "Form 16"))
    assert said_of_all(tmp_path, field, SEVERAL_OF_A_LIST) == SEVERAL_OF_A_LIST


VALUES: Mapping[str, Mapping[str, list[str]]] = {
    "Number": {
        "'2,00,000.50'": [],
        "-3": [],
        "null": [],
        "'20,00'": ["a: '20,00' is not a number: a comma stands at an odd place"],
        "1e3": ["a: '1e3' is not a number"],
        "1_000": ["a: '1_000' is not a number"],
        "[1]": ["a must be text or null, not a list"],
    },
    "DateTime": {
        "2026-09-16 12:13:44": [],
        "2026-09-16T12:13Z": [],
        "2026-09-16": [],
        "null": [],
        "16/09/2026": ["a: '16/09/2026' is not a date and time"],
        "2026-02-30 00:00:00": [
            "a: '2026-02-30 00:00:00' is no date of the calendar: day is out of range for month"
        ],
    },
    "Date": {
        "2026-09-16": [],
        "2026-09-16 00:00:00": [],
        "null": [],
        "2026-09-16 10:00:00": ["a: '2026-09-16 10:00:00' is a date with a time"],
        "tomorrow": ["a: 'tomorrow' is not a date"],
    },
    "Boolean": {
        "yes": [],
        "0": [],
        "null": [],
        "maybe": ["a: 'maybe' is neither true nor false"],
    },
    "ActiveUsers": {
        GUID.upper(): [],
        "null": [],
        "asha@lender.example": ["a: 'asha@lender.example' is not the id of a user"],
    },
}


@pytest.mark.parametrize("name", VALUES)
def test_a_value_of_a_type(tmp_path: Path, name: str) -> None:
    field = FieldMetadata("a", data_type=name)
    assert said_of_all(tmp_path, field, VALUES[name]) == VALUES[name]


@pytest.mark.parametrize("name", WITHOUT_VALUE)
def test_what_has_no_value_that_an_update_could_set(tmp_path: Path, name: str) -> None:
    assert said(tmp_path, FieldMetadata("a", data_type=name), "b") == ["a is read-only"]


@pytest.mark.parametrize("name", [*TEXTS, *LISTS, "Number", "DateTime", "Boolean", "CustomObject"])
def test_read_only_and_masked_fields_of_any_type(tmp_path: Path, name: str) -> None:
    field = FieldMetadata("a", data_type=name, options=("b",))
    assert said(tmp_path, replace(field, read_only=True), "b") == ["a is read-only"]
    assert said(tmp_path, replace(field, masked=True), "b") == ["a is masked in the CRM"]


MANDATORY = {
    "String": "b",
    "Number": "5",
    "DateTime": "2026-09-16",
    "Date": "2026-09-16",
    "Boolean": "true",
    "ActiveUsers": GUID,
    "Dropdown": "x",
    "MultiSelect": "[x]",
    "CustomObject": "{b: x}",
}


@pytest.mark.parametrize("name", MANDATORY)
def test_a_mandatory_field_takes_a_value_and_cannot_be_cleared(tmp_path: Path, name: str) -> None:
    listed = name in ("Dropdown", "MultiSelect")
    field = FieldMetadata(
        "a",
        data_type=name,
        mandatory=True,
        options=("x",) if listed else (),
        sub_fields=(FieldMetadata("b"),) if name == "CustomObject" else (),
    )
    assert said(tmp_path, field, MANDATORY[name]) == []
    assert said(tmp_path, field, "null") == ["a is mandatory in the CRM and cannot be cleared"]
    if name not in ("MultiSelect", "CustomObject"):
        assert said(tmp_path, field, '""') == ["a is mandatory in the CRM and cannot be cleared"]
    if name == "MultiSelect":
        assert said(tmp_path, field, "[]") == ["a is mandatory in the CRM and cannot be cleared"]


FIELD_SET = FieldMetadata(
    "a",
    data_type="CustomObject",
    sub_fields=(
        FieldMetadata("n", "Income", "Number"),
        FieldMetadata("t", "Name", max_length=5),
        FieldMetadata("o", "Kind", "Dropdown", options=("Wife", "Son")),
        FieldMetadata("m", "Papers", "Dropdown", multi_select=True, options=("PAN", "Visa")),
        FieldMetadata("f", "Scan", "File"),
        FieldMetadata("d", "Born", "Date", mandatory=True),
    ),
)


IN_A_FIELD_SET: Mapping[str, list[str]] = {
    "{n: '1,000', t: Asha, o: Wife, d: 2000-01-31}": [],
    "{n: ~, t: '', o: ~}": [],
    "{m: PAN;Visa}": [],
    "{m: ~}": [],
    "null": [],
    "{n: many}": ["n (a: Income): 'many' is not a number"],
    "{t: Ashalata}": ["t (Name) has 8 characters, the limit is 5"],
    "{o: Uncle}": ["'Uncle' is not an option of o (Kind)"],
    "{f: scan.pdf}": ["f (Scan) is read-only"],
    "{d: ~}": ["d (Born) is mandatory in the CRM and cannot be cleared"],
    "{x: y}": ["unknown field 'x'"],
    "{}": ["a names no sub-field"],
    "b": ["a is a custom field set"],
}


def test_a_custom_field_set_part_by_part(tmp_path: Path) -> None:
    assert said_of_all(tmp_path, FIELD_SET, IN_A_FIELD_SET) == IN_A_FIELD_SET


def test_a_field_set_whose_parts_the_crm_does_not_tell_takes_any(tmp_path: Path) -> None:
    field = FieldMetadata("a", data_type="CustomObject")
    assert said(tmp_path, field, "{mx_CustomObject_1: b}") == []
    assert said(tmp_path, field, "b") == ["a is a custom field set"]


def test_where_others_are_allowed_the_options_are_only_offered(tmp_path: Path) -> None:
    field = FieldMetadata("a", data_type="Dropdown", options=("x",), others_allowed=True)
    assert said(tmp_path, field, "y") == []
    several = replace(field, multi_select=True)
    assert said(tmp_path, several, "[x, y]") == []
    fields = json.loads(schema_of(field))["$defs"]["fields"]["properties"]
    assert fields["a"]["examples"] == ["x"]


# --- fields that depend on each other

STAGES = {"Open": ("New", "Both"), "Lost": ("Junk", "Both")}
STATUS = FieldMetadata("Status", "Status", "Dropdown", options=("Open", "Lost", "Odd"))
STAGE = FieldMetadata(
    "Stage",
    "Stage",
    "Dropdown",
    parent="Status",
    options=("New", "Both", "Junk"),
    options_by_parent=STAGES,
)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("Status: Open\nStage: New", []),
        ("Status: Lost\nStage: Both", []),
        ("Stage: Junk", []),
        ("Status: Open", []),
        ("Status: Odd\nStage: New", []),
        ("Status: Lost\nStage: ~", []),
        ("Status: ~\nStage: New", []),
        ("Status: Open\nStage: Jnk", ["'Jnk' is not an option of Stage"]),
        ("Status: Open\nStage: Junk", ["'Junk' is not an option of Stage where Status is 'Open'"]),
        ("Stage: New\nStatus: Lost", ["'New' is not an option of Stage where Status is 'Lost'"]),
    ],
)
def test_a_stage_within_its_status(tmp_path: Path, fields: str, expected: list[str]) -> None:
    found = typed(tmp_path, schema_of(STATUS, STAGE), fields)
    assert [one.partition(" | ")[0] for one in found] == expected


def test_a_sensitive_stage_is_not_shown(tmp_path: Path) -> None:
    content = json.loads(schema_of(STATUS, STAGE))
    content["$defs"]["fields"]["properties"]["Stage"]["x-lsq-sensitive"] = True
    (found,) = typed(tmp_path, json.dumps(content), "Status: Open\nStage: Junk")
    assert found == "(sensitive) is not an option of Stage where Status is (sensitive) | "


def test_parts_of_a_field_set_depend_on_each_other_too(tmp_path: Path) -> None:
    field_set = FieldMetadata("a", data_type="CustomObject", sub_fields=(STATUS, STAGE))
    good, bad = ("{Status: Open, Stage: New}", "{Status: Open, Stage: Junk}")
    assert said(tmp_path, field_set, good) == []
    assert said(tmp_path, field_set, bad) == [
        "'Junk' is not an option of a~Stage (a: Stage) where a~Status (a: Status) is 'Open'"
    ]


def companions(*fields: FieldMetadata, before: dict[str, Any] | None = None) -> dict[str, Any]:
    made = type_schema("test", TypeMetadata(12009, "Test", fields), before)
    described = made["$defs"]["fields"]["properties"]
    return {name: rules.get("x-lsq-send-with") for name, rules in described.items()}


COMMENT = FieldMetadata("mx_Custom_19")


def test_what_is_sent_along() -> None:
    """A stage with its status, a status with its stage and its comment."""
    assert companions(STATUS, STAGE, COMMENT) == {
        "Stage": ["Status"],
        "Status": ["Stage", "mx_Custom_19"],
        "mx_Custom_19": None,
    }
    assert companions(STATUS) == {"Status": None}
    assert companions(replace(STATUS, read_only=True), STAGE) == {"Stage": None, "Status": None}


def test_what_is_sent_along_is_the_files_decision_but_for_parents() -> None:
    before = type_schema("test", TypeMetadata(12009, "Test", (STATUS, STAGE, COMMENT)))
    before["$defs"]["fields"]["properties"]["Status"]["x-lsq-send-with"] = []
    found = companions(STATUS, STAGE, COMMENT, before=before)
    assert found["Status"] == ["Stage"]


# --- what the CRM does not tell


def test_options_that_the_crm_does_not_tell_stay() -> None:
    told = TypeMetadata(12009, "Test", (STATUS, STAGE, FIELD_SET))
    before = type_schema("test", told)
    untold = (
        STATUS,
        replace(STAGE, options=(), options_by_parent={}),
        replace(FIELD_SET, sub_fields=()),
    )
    assert type_schema("test", replace(told, fields=untold), before) == before


def test_a_list_that_nobody_knows_takes_any_text(tmp_path: Path) -> None:
    assert said(tmp_path, FieldMetadata("a", data_type="Dropdown"), "b") == []
    several = FieldMetadata("a", data_type="Dropdown", multi_select=True)
    assert said(tmp_path, several, "[b, c]") == []
