"""The specs of the repository show every feature of the format; here is what each comes to."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from lsq_sync.core.model import DesiredOpportunity
from lsq_sync.core.values import Value, ValueRules
from lsq_sync.spec.read import find_specs, read_specs

ROOT = Path(__file__).parents[1]
SPECS = read_specs(
    ROOT, find_specs(ROOT, "specs"), "schemas", ValueRules(ZoneInfo("Asia/Kolkata"), ";")
)
BY_KEY: dict[str, DesiredOpportunity] = {one.key: one for one in SPECS.opportunities}
ACME = "5ca5b042-51ea-4699-b6f0-84c40ab12770"
BLUE = "7d0e4a54-3a6f-4c0e-9a53-1f2b3c4d5e6f"
STEEL = "9b2e6f1a-0c4d-4e8b-b1a7-2d3e4f5a6b7c"


def test_they_are_valid() -> None:
    assert SPECS.problems == ()
    assert len(SPECS.files) == 3


@pytest.mark.parametrize(
    ("feature", "key", "field", "value"),
    [
        ("a default of the file", ACME, "mx_Custom_3", "Website"),
        ("a default of the file, not set elsewhere", BLUE, "mx_Custom_3", "Website"),
        ("text", ACME, "mx_Custom_1", "Acme Industries, home loan"),
        ("an option", ACME, "mx_Custom_2", "Sanctioned"),
        ("an option with an odd blank", BLUE, "mx_Custom_2", "Invalid/ Junk"),
        ("a user id, whatever its case", ACME, "Owner", "0f4c11d2-9c5e-4b7a-8d36-6a1b2c3d4e5f"),
        ("a number with Indian grouping", ACME, "mx_Custom_6", "200000"),
        ("a plain number", ACME, "mx_Custom_7", "180000"),
        ("a time in account.time_zone", ACME, "mx_Custom_8", "2026-12-16 06:43:44"),
        ("a time with its offset", BLUE, "mx_Custom_8", "2026-12-16 06:43:44"),
        ("a cleared field", ACME, "mx_Custom_9", None),
        ("a phone number keeps its plus", ACME, "mx_Custom_12", "+91-9820098200"),
        ("a date", ACME, "mx_Custom_13", "2027-01-05"),
        ("a boolean", ACME, "mx_Custom_14", "true"),
        ("a multi-select value", ACME, "mx_Custom_15", "PAN;Aadhaar"),
        ("a sub-field", ACME, "mx_Custom_36~mx_CustomObject_1", "Asha Acme"),
        ("a sub-field from the defaults", ACME, "mx_Custom_36~mx_CustomObject_3", "0"),
        ("several lines", BLUE, "mx_Custom_5", "Called on Monday.\nCalled again on Friday.\n"),
        ("an anchor", "LN-000123", "mx_Custom_3", "Branch"),
        ("an alias", "LN-000124", "mx_Custom_11", "Walk-in"),
        ("NO stays NO", STEEL, "mx_Custom_22", "NO"),
        ("a leading zero stays", STEEL, "mx_Custom_23", "0123"),
        ("an underscore stays", STEEL, "mx_Custom_24", "1_000"),
        ("a colon stays", STEEL, "mx_Custom_25", "12:30"),
        ("an exponent stays", STEEL, "mx_Custom_26", "1e3"),
        ("a date without a type stays", STEEL, "mx_Custom_27", "2020-09-16"),
        ("true stays", STEEL, "mx_Custom_28", "true"),
        ("a plus stays", STEEL, "mx_Custom_29", "+91-827"),
        ("a quoted null is text", STEEL, "mx_Custom_30", "null"),
        ("an untyped list", STEEL, "mx_Custom_31", "Fire;Flood"),
        ("an untyped field set", STEEL, "mx_Custom_32~mx_CustomObject_1", "Asha"),
        ("a cleared sub-field", STEEL, "mx_Custom_32~mx_CustomObject_2", None),
    ],
)
def test_each_feature_comes_to(feature: str, key: str, field: str, value: Value) -> None:
    assert BY_KEY[key].values[field] == value, feature


def test_notes_are_set_cleared_or_left_alone() -> None:
    notes = {key: one.note.value for key, one in BY_KEY.items() if one.note is not None}
    assert notes == {ACME: "Documents complete, to sanction", "LN-000125": None}


def test_labels_types_and_codes() -> None:
    assert (BY_KEY[ACME].label, BY_KEY[ACME].type, BY_KEY[ACME].code) == (
        "Acme, home loan",
        "loan",
        12005,
    )
    assert (BY_KEY[STEEL].type, BY_KEY[STEEL].code) == ("", 12006)
