"""Type schemas: what is known of the fields of a type, and what cannot be one."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.core.model import FieldRule
from lsq_sync.core.values import DataType
from lsq_sync.errors import Diagnostic
from lsq_sync.spec.types import OpportunityType, read_type
from lsq_sync.spec.validate import problems
from tests.spec.support import LOAN, block, type_schema, typed

FILE = "schemas/types/test.schema.json"


def read(text: str) -> OpportunityType:
    found = read_type("test", text, FILE)
    assert isinstance(found, OpportunityType), found
    return found


def fault(text: str) -> str:
    found = read_type("test", text, FILE)
    assert isinstance(found, Diagnostic), found
    assert found.code == "type-schema"
    assert found.hint == "correct it, or make it again with lsq-sync schema pull"
    return f"{found.origin}: {found.message}"


def with_field(**rules: Any) -> str:
    return type_schema({"a": rules})


# --- what is known


def test_the_loan() -> None:
    loan = read(LOAN.read_text(encoding="utf-8"))
    assert (loan.name, loan.title, loan.code) == ("test", "Loan", 12005)
    assert loan.fields["Status"] == FieldRule(
        DataType.OPTION, "Status", send_with=("mx_Custom_2", "mx_Custom_19")
    )
    assert loan.fields["mx_Custom_6"] == FieldRule(DataType.NUMBER, "Expected Deal Size")
    assert loan.fields["mx_Custom_12"] == FieldRule(DataType.TEXT, "Mobile", sensitive=True)
    assert loan.fields["mx_Custom_15"].data_type is DataType.OPTIONS
    assert loan.fields["mx_Custom_36~mx_CustomObject_3"] == FieldRule(
        DataType.NUMBER, "Co-applicant: Monthly Income"
    )
    assert loan.fields["mx_Custom_36~mx_CustomObject_2"].sensitive


DATA_TYPES = [
    ("String", DataType.TEXT),
    ("Text", DataType.TEXT),
    ("Phone", DataType.TEXT),
    ("Number", DataType.NUMBER),
    ("DateTime", DataType.DATE_TIME),
    ("Date", DataType.DATE),
    ("Boolean", DataType.BOOLEAN),
    ("ActiveUsers", DataType.USER),
    ("Dropdown", DataType.OPTION),
    ("SearchableDropdown", DataType.OPTION),
    ("LargeOptionSet", DataType.OPTION),
    ("Select", DataType.OPTION),
    ("MultiSelect", DataType.OPTIONS),
    ("A type of next year", DataType.TEXT),
    ("number", DataType.TEXT),
]


@pytest.mark.parametrize(("name", "expected"), DATA_TYPES)
def test_the_data_types_of_the_crm(name: str, expected: DataType) -> None:
    assert read(with_field(**{"x-lsq-data-type": name})).fields["a"].data_type is expected


def test_a_multi_select_dropdown_holds_options() -> None:
    rules = {"x-lsq-data-type": "Dropdown", "x-lsq-multi-select": True}
    assert read(with_field(**rules)).fields["a"].data_type is DataType.OPTIONS


def test_a_field_without_a_title_has_none() -> None:
    sub_fields = {"b": {"x-lsq-data-type": "String"}}
    found = read(with_field(properties=sub_fields)).fields
    assert (found["a"].title, found["a~b"].title) == ("", "")


def test_what_is_inside_of_something_sensitive_is_sensitive() -> None:
    inner = {"b": {"x-lsq-data-type": "Number", "properties": {}}}
    found = read(with_field(properties=inner, **{"x-lsq-sensitive": True})).fields
    assert found["a"].sensitive
    assert found["a~b"].sensitive


def test_keys_of_others_are_allowed() -> None:
    rules = {"$comment": "b", "description": "c", "x-team": {"owner": "d"}, "x-lsq-new": [1]}
    assert "a" in read(type_schema({"a": rules}, **{"x-other": 1, "allOf": []})).fields


def test_a_whole_number_may_look_like_a_fraction() -> None:
    found = read(type_schema({}, **{"x-lsq-code": 12005.0}))
    assert repr(found.code) == "12005"


# --- what cannot be one

FAULTS: dict[str, tuple[str, str]] = {
    "empty": ("", f"{FILE}:1:1: not valid JSON: Expecting value"),
    "cut off": ('{"title": "T",\n', f"{FILE}:2:1: not valid JSON: Expecting property name"),
    "a conflict of git": ("<<<<<<< HEAD\n{}", f"{FILE}:1:1: not valid JSON: Expecting value"),
    "a list": ("[]", f"{FILE}: not a type schema: at /: [] is not of type 'object'"),
    "nothing in it": ("{}", f"{FILE}: not a type schema: at /: 'title' is a required property"),
    "no code": (
        type_schema({}).replace("x-lsq-code", "x-code"),
        f"{FILE}: not a type schema: at /: 'x-lsq-code' is a required property",
    ),
    "code 0": (
        type_schema({}, **{"x-lsq-code": 0}),
        f"{FILE}: not a type schema: at /x-lsq-code: 0 is less than the minimum of 1",
    ),
    "code as text": (
        type_schema({}, **{"x-lsq-code": "7"}),
        f"{FILE}: not a type schema: at /x-lsq-code: '7' is not of type 'integer'",
    ),
    "not a number": (
        type_schema({}).replace("7", "NaN"),
        f"{FILE}: not a type schema: at /x-lsq-code: nan is not of type 'integer'",
    ),
    "infinity": (
        type_schema({}).replace("7", "1e999"),
        f"{FILE}: not a type schema: at /x-lsq-code: inf is not of type 'integer'",
    ),
    "a code too long": (
        type_schema({}).replace("7", "1e9"),
        f"{FILE}: not a type schema: at /x-lsq-code: 1000000000.0 is greater than the maximum of "
        "999999999",
    ),
    "a field twice": (
        type_schema({"a": {}, "b": {}}).replace('"b": ', '"a": '),
        f"{FILE}: the key 'a' stands in it twice",
    ),
    "a number without end": (
        type_schema({}).replace("7", "9" * 5000),
        f"{FILE}: a number in it is too long",
    ),
    "nested without end": ("[" * 100_000, f"{FILE}: nested too deep"),
    "other fields allowed": (
        type_schema({}).replace("false", "true"),
        f"{FILE}: not a type schema: at /$defs/fields/additionalProperties: False was expected",
    ),
    "no data type": (
        type_schema({"a": {}}).replace("x-lsq-data-type", "x-type"),
        f"{FILE}: not a type schema: at /$defs/fields/properties/a: "
        "'x-lsq-data-type' is a required property",
    ),
    "a field of no name": (
        type_schema({"mx Custom": {}}),
        f"{FILE}: not a type schema: at /$defs/fields/properties: 'mx Custom' does not match",
    ),
    "a type that is none": (
        with_field(type="strin"),
        f"{FILE}: not a type schema: at /$defs/fields/properties/a/type: 'strin' is not a type",
    ),
    "a regular expression": (
        with_field(pattern="(a+)+$"),
        f"{FILE}: not a type schema: at /$defs/fields/properties/a: "
        "the keyword 'pattern' is not supported here",
    ),
    "alternatives": (
        with_field(anyOf=[]),
        f"{FILE}: not a type schema: at /$defs/fields/properties/a: "
        "the keyword 'anyOf' is not supported here",
    ),
    "demands on all fields": (
        type_schema({}).replace('"type": "object"', '"required": ["a"]'),
        f"{FILE}: not a type schema: at /$defs/fields: the keyword 'required' is not supported",
    ),
    "a reference": (
        with_field(**{"$ref": "file:///etc/passwd"}),
        f"{FILE}: not a type schema: at /$defs/fields/properties/a: "
        "the keyword '$ref' is not supported here",
    ),
    "a reference in an option": (
        with_field(items={"$ref": "#/$defs/b"}),
        f"{FILE}: not a type schema: at /$defs/fields/properties/a/items: "
        "the keyword '$ref' is not supported here",
    ),
    "a reference in a sub-field": (
        with_field(properties={"b": {"x-lsq-data-type": "", "$dynamicRef": "#b"}}),
        f"{FILE}: not a type schema: at /$defs/fields/properties/a/properties/b: "
        "the keyword '$dynamicRef' is not supported here",
    ),
    "a base for references": (
        with_field(**{"$id": "https://evil.example/"}),
        f"{FILE}: not a type schema: at /$defs/fields/properties/a: "
        "the keyword '$id' is not supported here",
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_no_type_schema(case: str) -> None:
    text, expected = FAULTS[case]
    found = fault(text)
    assert found.startswith(expected)
    assert len(found) < 300


def test_fields_nested_without_end() -> None:
    inner = "{}"
    for _ in range(300):
        inner = f'{{"a": {{"x-lsq-data-type": "CustomObject", "properties": {inner}}}}}'
    text = with_field(properties=1).replace('"properties": 1', f'"properties": {inner}')
    assert fault(text) == f"{FILE}: nested too deep"


@settings(deadline=None)
@given(st.text(max_size=30) | st.binary(max_size=30).map(lambda data: data.decode("latin-1")))
def test_any_text_is_a_type_or_a_fault(text: str) -> None:
    assert isinstance(read_type("test", text, FILE), Diagnostic)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
KINDS = st.sampled_from(["string", "number", "integer", "boolean", "null", "array", "object"])
LENGTHS = st.integers(0, 3) | st.sampled_from([0.0, 2.0])
OPTIONS = st.lists(st.sampled_from(["x", "b", "", None]), max_size=3)
ITEMS = {"type": KINDS | st.lists(KINDS, min_size=1), "enum": OPTIONS, "maxLength": LENGTHS}
SUB_FIELDS = st.fixed_dictionaries({"x-lsq-data-type": st.just("Number")}, optional=ITEMS)
GOOD_RULES = st.fixed_dictionaries(
    {"x-lsq-data-type": st.sampled_from([name for name, _ in DATA_TYPES])},
    optional={
        **ITEMS,
        "title": st.text(max_size=3),
        "minLength": LENGTHS,
        "minProperties": LENGTHS,
        "minItems": LENGTHS,
        "examples": OPTIONS,
        "items": st.fixed_dictionaries({}, optional=ITEMS),
        "uniqueItems": st.booleans(),
        "readOnly": st.booleans(),
        "additionalProperties": st.just(False),
        "properties": st.dictionaries(st.sampled_from("bd"), SUB_FIELDS),
        "x-lsq-multi-select": st.booleans(),
        "x-lsq-sensitive": st.booleans(),
        "x-lsq-mandatory": st.booleans(),
    },
)
KEYWORDS = st.sampled_from(
    [*ITEMS, "items", "properties", "title", "pattern", "$ref", "x-lsq-parent"]
)
ANY_RULES = st.dictionaries(KEYWORDS, JSON, max_size=4)


SPEC_FIELDS = ["a: x", "a: ''", "a: ~", "a: [x, y, x, '']", "a: {b: c, d: ~}", "a: {}", "b: c"]


@settings(deadline=None)
@given(GOOD_RULES | ANY_RULES)
def test_any_rules_of_a_field_make_a_type_or_a_fault(rules: dict[str, Any]) -> None:
    """And what is a type explains whatever stands in a spec."""
    found = read_type("test", type_schema({"a": rules}), FILE)
    if isinstance(found, OpportunityType):
        for fields in SPEC_FIELDS:
            for problem in problems(block(fields), FILE, found.fields_schema):
                assert problem.message
    else:
        assert found.code == "type-schema"


# --- what a stranger could have it do


@pytest.fixture
def server() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as found:
        thread = Thread(target=found.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{found.server_port}", asked
        found.shutdown()
        thread.join()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef", "$schema", "$id"])
def test_a_type_schema_never_makes_a_call(
    server: tuple[str, list[str]], tmp_path: Path, keyword: str
) -> None:
    """A plan is offline, also that of a stranger's branch."""
    url, asked = server
    for schema in (
        with_field(**{keyword: f"{url}/field"}),
        with_field(items={keyword: f"{url}/items"}),
        type_schema({"a": {}}, **{keyword: f"{url}/root"}),
    ):
        typed(tmp_path, schema, "a: x\nb: [y]")
    assert asked == []


def test_the_format_of_a_type_schema_is_itself_a_schema() -> None:
    content = json.loads((LOAN.parents[1] / "type.schema.json").read_text(encoding="utf-8"))
    assert content["$defs"]["field"]["additionalProperties"] is False
