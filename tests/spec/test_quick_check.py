"""The quick check never lets pass what jsonschema refuses: whatever schema, whatever document."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from lsq_sync.spec.explain import _Validator
from lsq_sync.spec.load import load
from lsq_sync.spec.quick_check import quick_check
from lsq_sync.spec.schemas import schema
from lsq_sync.spec.types import OpportunityType, read_type

ROOT = Path(__file__).parents[2]


def _type(path: Path) -> OpportunityType:
    kind = read_type(path.name.partition(".")[0], path.read_text(encoding="utf-8"), path.name)
    assert isinstance(kind, OpportunityType)
    return kind


LOAN = _type(ROOT / "schemas/types/loan.schema.json").fields_schema
EVERY_KIND: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "mx_Text": {"x-lsq-data-type": "String", "type": ["string", "null"], "maxLength": 5},
        "mx_Must": {"x-lsq-data-type": "String", "type": "string", "minLength": 1},
        "mx_Option": {"x-lsq-data-type": "Dropdown", "enum": ["A", "B", "", None]},
        "mx_One": {"x-lsq-data-type": "Dropdown", "enum": ["A"], "x-lsq-mandatory": True},
        "mx_Some": {
            "x-lsq-data-type": "MultiSelect",
            "type": ["array", "string", "null"],
            "maxLength": 0,
            "minItems": 1,
            "uniqueItems": True,
            "items": {"type": "string", "enum": ["A", "B"]},
        },
        "mx_Set": {
            "x-lsq-data-type": "CustomObject",
            "type": ["object", "null"],
            "minProperties": 1,
            "additionalProperties": False,
            "properties": {"mx_CustomObject_1": {"type": ["string", "null"], "maxLength": 3}},
        },
        "mx_ReadOnly": {"x-lsq-data-type": "String", "readOnly": True},
    },
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "spec": schema("spec.schema.json"),
    "settings": schema("settings.schema.json"),
    "type": schema("type.schema.json"),
    "loan": LOAN,
    "every kind": EVERY_KIND,
}
SPECS = sorted((ROOT / "specs").glob("*.yaml"))
DOCUMENTS: dict[str, list[Any]] = {
    "spec": [load(path.read_bytes(), path.name).document for path in SPECS],
    "settings": [
        {
            "version": 1,
            "account": {"name": "a", "region": "in21", "time_zone": "Asia/Kolkata"},
            "api": {"rate_limit": {"calls": 10, "seconds": 5}, "late_window_hours": 2.5},
            "safety": {"max_updates": 500, "protected_fields": ["Owner"]},
        }
    ],
    "type": [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "schemas/types").glob("*.json"))
    ],
    "loan": [{"mx_Custom_6": "200000", "mx_Custom_3": "Website", "mx_Custom_5": None}],
    "every kind": [
        {
            "mx_Text": "abc", "mx_Must": "x", "mx_Option": "A", "mx_One": "A",
            "mx_Some": ["A", "B"], "mx_Set": {"mx_CustomObject_1": "abc"},
        }
    ],
}  # fmt: skip

SCALARS: list[Any] = [
    None, "", "A", "B", "x", "1", "200000", "true", "Website", "Websit", "a" * 201, "a\n", " a",
    "ActivityEvent_Note", "mx_Custom_6", True, False, 0, 1, 1.0, 2.5, -1, 10**12, "é", "\ud800",
]  # fmt: skip
VALUES = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([s for s in SCALARS if isinstance(s, str)]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def _refused(rules: dict[str, Any], document: Any) -> bool:
    return any(True for _ in _Validator(rules).iter_errors(document))


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_what_is_right_is_accepted_at_once(name: str) -> None:
    check = quick_check(SCHEMAS[name])
    for document in DOCUMENTS[name]:
        assert check(document) or _refused(SCHEMAS[name], document)
    assert any(map(check, DOCUMENTS[name]))


# --- documents of ours that were changed somewhere


def _places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(document, dict):
        found += [p for key in list(document)[:20] for p in _places(document[key], (*path, key))]
    elif isinstance(document, list):
        found += [p for at in range(len(document)) for p in _places(document[at], (*path, at))]
    return found


def _plain(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: _plain(value) for key, value in document.items()}
    return [_plain(one) for one in document] if isinstance(document, list) else document


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, Any]:
    name = draw(st.sampled_from(sorted(SCHEMAS)))
    document = copy.deepcopy(_plain(draw(st.sampled_from(DOCUMENTS[name]))))
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(_places(document)))
        what = draw(st.sampled_from(["replace", "rename", "add", "drop"]))
        if not path:
            continue
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        if what == "replace":
            parent[path[-1]] = draw(VALUES)
        elif isinstance(parent, dict):
            value = parent.pop(path[-1])
            if what == "rename":
                parent[draw(st.sampled_from(["x", "version", "mx_Custom_6", "mx_Text"]))] = value
            elif what == "add":
                parent |= {path[-1]: value, draw(st.text(max_size=4)): draw(VALUES)}
    return name, document


@given(mutated())
def test_of_a_changed_document_nothing_passes_that_jsonschema_refuses(
    found: tuple[str, Any],
) -> None:
    name, document = found
    if quick_check(SCHEMAS[name])(document):
        assert not _refused(SCHEMAS[name], document)


# --- any schema


KINDS = ["string", "number", "integer", "boolean", "null", "array", "object"]
COUNTS = st.integers(0, 3)
SCHEMAS_OF_ALL_SORTS: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.just({}),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(KINDS)
            | st.lists(st.sampled_from(KINDS), min_size=1, unique=True),
            "enum": st.lists(st.sampled_from(SCALARS), min_size=1, max_size=4),
            "const": st.sampled_from(SCALARS),
            "not": inner | st.builds(lambda text: {"const": text}, st.sampled_from(["A", "x"])),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "oneOf": st.lists(inner, min_size=1, max_size=2),
            "if": inner,
            "then": inner,
            "minLength": COUNTS,
            "maxLength": COUNTS,
            "pattern": st.sampled_from(["^a", "[A-B]", "^\\S+$", "1$"]),
            "minimum": st.sampled_from([0, 1, 2.5]),
            "maximum": st.sampled_from([0, 1, 2.5]),
            "exclusiveMinimum": st.sampled_from([0, 1]),
            "properties": st.dictionaries(st.sampled_from(["A", "B", "x"]), inner, max_size=2),
            "patternProperties": st.dictionaries(st.sampled_from(["^A", "x"]), inner, max_size=2),
            "additionalProperties": inner,
            "propertyNames": inner,
            "required": st.lists(st.sampled_from(["A", "B"]), unique=True, max_size=2),
            "minProperties": COUNTS,
            "maxProperties": COUNTS,
            "items": inner,
            "minItems": COUNTS,
            "uniqueItems": st.booleans(),
            "readOnly": st.booleans(),
            "$ref": st.sampled_from(["#/$defs/one", "#/$defs/none", "#"]),
        },
    ),
    max_leaves=5,
)


@given(SCHEMAS_OF_ALL_SORTS, SCHEMAS_OF_ALL_SORTS, st.lists(VALUES, min_size=1, max_size=4))
@example({"enum": [0, 1]}, {}, [False, True, 0.0, 1.0])
@example({"const": True}, {}, [1, True])
@example({"uniqueItems": True}, {}, [[1, True], ["a", "a"]])
@example({"$ref": "#/$defs/one"}, {"type": "string", "$ref": "#/$defs/one"}, ["A"])
def test_whatever_the_schema_nothing_passes_that_jsonschema_refuses(
    rules: Any, inner: Any, values: list[Any]
) -> None:
    whole = {**rules, "$defs": {"one": inner}} if isinstance(rules, dict) else rules
    check = quick_check(whole)
    for value in values:
        try:
            accepted = check(value)
        except RecursionError:
            continue  # a schema that only refers to itself; jsonschema does not end either
        if accepted:
            assert not any(True for _ in _Validator(whole).iter_errors(value))


def test_a_keyword_that_is_not_known_leaves_all_to_jsonschema() -> None:
    check = quick_check({"type": "object", "properties": {"a": {"maxItems": 1}}})
    assert check({})
    assert not check({"a": []})
    assert Draft202012Validator({"maxItems": 1}).is_valid([])
