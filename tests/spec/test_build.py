"""Documents -> opportunities with types: keys, values, defaults, and where each comes from."""

from zoneinfo import ZoneInfo

import pytest

from lsq_sync.core.model import UNTYPED, UNTYPED_OPTIONS, DesiredOpportunity
from lsq_sync.core.values import DataType, Value, ValueRules
from lsq_sync.errors import Origin
from lsq_sync.spec.build import build, rules_by_type
from lsq_sync.spec.load import load
from lsq_sync.spec.types import OpportunityType, read_type
from tests.spec.support import FILE, GUID, LOAN, loan, spec, told

INDIA = ValueRules(time_zone=ZoneInfo("Asia/Kolkata"))


def loan_type() -> OpportunityType:
    found = read_type("loan", LOAN.read_text(encoding="utf-8"), "schemas/types/loan.schema.json")
    assert isinstance(found, OpportunityType)
    return found


LOAN_TYPE = loan_type()


def built(
    text: str, kind: OpportunityType | None = None, rules: ValueRules | None = None
) -> tuple[DesiredOpportunity, ...]:
    found = build(load(text.encode(), FILE).document, FILE, kind, rules or ValueRules())
    assert found.problems == ()
    return found.opportunities


def values(text: str, kind: OpportunityType | None = None) -> dict[str, Value]:
    (one,) = built(text, kind, INDIA)
    return dict(one.values)


def wrong(text: str, kind: OpportunityType | None = None) -> list[str]:
    return told(build(load(text.encode(), FILE).document, FILE, kind, ValueRules()).problems)


# --- values


def test_untyped_values_stay_as_written() -> None:
    text = spec(
        "a: NO\nb: 0123\nc: 2020-09-16\nd: '  x '\ne: 200,000\nf: ~\ng: ''\nh: |-\n  x\n  y"
    )
    assert values(text) == {
        "a": "NO", "b": "0123", "c": "2020-09-16", "d": "  x ", "e": "200,000",
        "f": None, "g": None, "h": "x\ny",
    }  # fmt: skip


def test_typed_values_become_canonical() -> None:
    text = loan(
        "mx_Custom_6: '2,00,000.00'\nmx_Custom_8: 2020-09-16 12:13:44\nmx_Custom_13: 2026-09-16\n"
        "mx_Custom_14: YES\nmx_Custom_15: [PAN, Form 16, PAN]\nOwner: "
        f"{GUID.upper()}\nmx_Custom_2: Invalid/ Junk\nmx_Custom_5: 0123"
    )
    assert values(text, LOAN_TYPE) == {
        "mx_Custom_6": "200000",
        "mx_Custom_8": "2020-09-16 06:43:44",
        "mx_Custom_13": "2026-09-16",
        "mx_Custom_14": "true",
        "mx_Custom_15": "PAN;Form 16",
        "Owner": GUID,
        "mx_Custom_2": "Invalid/ Junk",
        "mx_Custom_5": "0123",
    }


def test_an_untyped_list_is_a_multi_select_value() -> None:
    (one,) = built(spec("a: [x, y]\nb: []\nc: x;y"), None, ValueRules(separator="|"))
    assert one.values == {"a": "x|y", "b": None, "c": "x;y"}
    assert [field.rule for field in one.fields] == [UNTYPED_OPTIONS, UNTYPED_OPTIONS, UNTYPED]


def test_a_mapping_is_a_custom_field_set_part_by_part() -> None:
    text = loan("mx_Custom_36:\n  mx_CustomObject_1: Asha\n  mx_CustomObject_3: '1,000'")
    (one,) = built(text, LOAN_TYPE)
    assert one.values == {
        "mx_Custom_36~mx_CustomObject_1": "Asha",
        "mx_Custom_36~mx_CustomObject_3": "1000",
    }
    assert [field.origin for field in one.fields] == [Origin(FILE, 7, 9), Origin(FILE, 8, 9)]
    assert one.fields[1].rule.data_type is DataType.NUMBER
    assert values(loan("mx_Custom_36: ~"), LOAN_TYPE) == {"mx_Custom_36": None}


def test_what_is_known_of_an_opportunity() -> None:
    text = loan("Status: Open", more="    label: Acme, home loan\n    note: a\n")
    (one,) = built(text, LOAN_TYPE)
    assert (one.key, one.type, one.code, one.label) == (GUID, "loan", 12005, "Acme, home loan")
    assert one.origin == Origin(FILE, 4, 3)
    assert one.fields[0].origin == Origin(FILE, 8, 7)
    assert one.note is not None
    assert (one.note.value, one.note.origin) == ("a", Origin(FILE, 6, 5))


@pytest.mark.parametrize(
    ("written", "note"), [("~", None), ("''", None), ("null", None), ("1", "1")]
)
def test_notes(written: str, note: Value) -> None:
    (one,) = built(spec("a: b", more=f"    note: {written}\n"))
    assert one.note is not None
    assert one.note.value == note
    (without,) = built(spec("a: b"))
    assert without.note is None


def test_the_code_of_a_file_without_a_type() -> None:
    (one,) = built(spec("a: b", head="version: 1\ncode: 12005"))
    assert (one.code, one.type) == (12005, "")
    (other,) = built(spec("a: b"))
    assert other.code is None


# --- ids


@pytest.mark.parametrize(
    "key", [GUID, GUID.upper(), "LN-000123", "123", "a b", "A:b", "कर्ज़-1", "x" * 200, "deadbeef"]
)
def test_the_id_of_an_opportunity(key: str) -> None:
    (one,) = built(spec("a: b", key=f"'{key}'"))
    assert one.key == (key.lower() if key.lower() == GUID else key)


NOT_QUITE = [
    GUID[:-1],
    f"{GUID}0",
    f"{{{GUID}}}",
    GUID.replace("-", ""),
    GUID.replace("-", "–"),
    GUID.replace("-", " "),
    GUID.replace("0", "O"),
    GUID.replace("1", "l"),
    f"urn:{GUID}"[4:-1] + "g",
]


@pytest.mark.parametrize("key", NOT_QUITE)
def test_what_is_almost_a_guid(key: str) -> None:
    assert wrong(spec("a: b", key=f"'{key}'")) == [
        f"3:3: {key!r} is almost a GUID, but not quite [opportunity-id]"
    ]


@pytest.mark.parametrize(
    "key",
    [
        "LN-2026-09-16-000000000000000000000012",
        "20260916000000000000000000000012",
        "1234-5678-9012-3456",
        "AB-CD-EF-AB",
    ],
)
def test_an_auto_id_is_not_taken_for_a_guid(key: str) -> None:
    assert wrong(spec("a: b", key=f"'{key}'")) == []


@pytest.mark.parametrize("hidden", ["\u200b", "\u202e", "\u00ad", "\u00a0", "\u3000", "\u2060"])
def test_an_id_with_something_invisible_in_it(hidden: str) -> None:
    for key in (f"LN-{hidden}1", f"{GUID[:20]}{hidden}{GUID[20:]}"):
        (found,) = wrong(spec("a: b", key=f"'{key}'"))
        assert f"holds the invisible character U+{ord(hidden):04X}" in found
        assert found.endswith("[opportunity-id]")


# --- defaults


def with_defaults(
    defaults: str, fields: str, kind: OpportunityType | None = None
) -> dict[str, Value]:
    text = spec(fields, head=f"version: 1\ndefaults: {{fields: {defaults}}}")
    return values(text, kind)


DEFAULTS: dict[str, tuple[str, str, dict[str, Value]]] = {
    # the defaults, the fields, what comes of both
    "taken": ("{b: 1}", "a: 2", {"a": "2", "b": "1"}),
    "said otherwise": ("{a: 1, b: 1}", "a: 2", {"a": "2", "b": "1"}),
    "cleared instead": ("{a: 1}", "a: ~", {"a": None}),
    "a default that clears": ("{a: ~}", "b: 1", {"b": "1", "a": None}),
    "a list": ("{a: [x, y]}", "a: [z]", {"a": "z"}),
    "another part of a set": ("{s: {b: 1}}", "s: {c: 2}", {"s~c": "2", "s~b": "1"}),
    "the same part of a set": ("{s: {b: 1, c: 1}}", "s: {c: 2}", {"s~c": "2", "s~b": "1"}),
    "the set is cleared": ("{s: {b: 1, c: 1}}", "s: ~", {"s": None}),
    "the default clears the set": ("{s: ~}", "s: {b: 1}", {"s~b": "1"}),
    "a longer name is another": ("{set: {b: 1}}", "s: ~", {"s": None, "set~b": "1"}),
}


@pytest.mark.parametrize("case", DEFAULTS)
def test_defaults(case: str) -> None:
    defaults, fields, expected = DEFAULTS[case]
    assert with_defaults(defaults, fields) == expected


def test_a_default_comes_from_where_it_stands() -> None:
    text = spec("a: 2", head="version: 1\ndefaults: {fields: {b: 1}}")
    (one,) = built(text)
    assert [field.origin for field in one.fields] == [Origin(FILE, 6, 7), Origin(FILE, 2, 21)]


def test_defaults_are_typed() -> None:
    text = loan("Status: Open").replace(
        "opportunities", "defaults: {fields: {mx_Custom_6: '1,000'}}\nopportunities"
    )
    assert values(text, LOAN_TYPE) == {"Status": "Open", "mx_Custom_6": "1000"}


def test_every_opportunity_gets_the_defaults() -> None:
    text = "defaults: {fields: {a: 1}}\nopportunities:\n  LN-1: {}\n  LN-2: {fields: {a: 2}}\n"
    assert [one.values for one in built(text)] == [{"a": "1"}, {"a": "2"}]


# --- what is wrong with values


def test_a_wrong_value_is_told_at_its_place_and_the_rest_is_built() -> None:
    text = loan("mx_Custom_6: 1e3\nmx_Custom_7: 5\nmx_Custom_36: {mx_CustomObject_3: x}")
    found = build(load(text.encode(), FILE).document, FILE, LOAN_TYPE, ValueRules())
    assert told(found.problems) == [
        "6:20: mx_Custom_6 (Expected Deal Size): '1e3' is not a number [wrong-value]",
        "8:41: mx_CustomObject_3 (Co-applicant: Monthly Income): 'x' is not a number [wrong-value]",
    ]
    assert found.opportunities[0].values == {"mx_Custom_7": "5"}


def test_every_wrong_option_is_told_at_its_place() -> None:
    assert wrong(spec("a: [x, 'b;c', ' ', y, 'd;e']")) == [
        "5:14: a: an option holds the separator ';': 'b;c' [wrong-value]",
        "5:21: a: an option of a multi-select value is empty [wrong-value]",
        "5:29: a: an option holds the separator ';': 'd;e' [wrong-value]",
    ]


ODD = [
    "",
    "x",
    "[a]",
    "opportunities: [a]",
    "opportunities: {a: x, b: [], c: ~}",
    "opportunities: {a: {fields: x, note: [], label: {}}}",
    "opportunities: {a: {fields: {b: {c: {d: e}}, f: [[g], ~, {}]}}}",
    "defaults: x\nopportunities: {a: {}}",
    "defaults: {fields: []}\nopportunities: {a: {}}",
    "code: [1]\nopportunities: {a: {}}",
    f"code: {'9' * 5000}\nopportunities: {{a: {{}}}}",
    "code: ²\nopportunities: {a: {}}",
    "code: 0\nopportunities: {a: {}}",
]


@pytest.mark.parametrize("text", ODD, ids=[text[:50] for text in ODD])
@pytest.mark.parametrize("kind", [None, LOAN_TYPE], ids=["untyped", "loan"])
def test_what_has_the_wrong_shape_is_passed_over(text: str, kind: OpportunityType | None) -> None:
    """It was told by spec/validate; this only must not break."""
    build(load(text.encode(), FILE).document, FILE, kind, ValueRules())


def test_the_rules_of_every_type_for_the_planner() -> None:
    assert rules_by_type({"loan": LOAN_TYPE})["loan"]["mx_Custom_6"].data_type is DataType.NUMBER
