"""What the schemas refuse, in words."""

import pytest

from lsq_sync.spec.schemas import schema, schema_text
from lsq_sync.spec.validate import problems, spec_problems
from tests.spec.support import FILE, GUID, block, told

WORDS: dict[str, tuple[str, list[str]]] = {
    # the rest of a spec, what is said of it
    "a code that is a list": (
        "code: [12005]",
        ["2:7: code must be a whole number, not a list [wrong-type]"],
    ),
    "a code that is null": ("code: ~", ["2:7: code must be a whole number, not null [wrong-type]"]),
    "a code with a sign": ("code: -5", ["2:7: code cannot be '-5' [form]"]),
    "a code of other digits": ("code: '１２'", ["2:7: code cannot be '１２' [form]"]),
    "a code with a line end": ('code: "5\\n"', ["2:7: code cannot be '5\\n' [form]"]),
    "a type that is a list": ("type: [a]", ["2:7: type must be text, not a list [wrong-type]"]),
    "defaults that are text": (
        "defaults: a",
        ["2:11: defaults must be a mapping, not 'a' [wrong-type]"],
    ),
    "a label among the defaults": (
        "defaults: {label: a}",
        ["2:12: unknown key 'label' [unknown-key]"],
    ),
    "a key that is not known": ("x: 1", ["2:1: unknown key 'x' [unknown-key]"]),
    "everything at once": (
        "type: [a]\ncode: x\nfoo: bar",
        [
            "2:7: type must be text, not a list [wrong-type]",
            "3:7: code cannot be 'x' [form]",
            "4:1: unknown key 'foo' [unknown-key]",
        ],
    ),
}


@pytest.mark.parametrize("case", WORDS)
def test_the_head_of_a_spec(case: str) -> None:
    text, expected = WORDS[case]
    document = block(f"version: 1\n{text}\nopportunities: {{}}\n")
    assert told(spec_problems(document, FILE)) == expected


ENTRIES: dict[str, tuple[str, list[str]]] = {
    # an opportunity, what is said of it
    "empty": ("{}", []),
    "text": ("a", [f"3:41: {GUID} must be a mapping, not 'a' [wrong-type]"]),
    "null": ("~", [f"3:41: {GUID} must be a mapping, not null [wrong-type]"]),
    "fields that are text": (
        "{fields: a}",
        ["3:50: fields must be a mapping, not 'a' [wrong-type]"],
    ),
    "a note that is a list": (
        "{note: [a]}",
        ["3:48: note must be text or null, not a list [wrong-type]"],
    ),
    "a label that is null": ("{label: ~}", ["3:49: label must be text, not null [wrong-type]"]),
    "lists in a list": (
        "{fields: {a: [[b], ~, {c: d}]}}",
        [
            "3:55: an item of a must be text, not a list [wrong-type]",
            "3:60: an item of a must be text, not null [wrong-type]",
            "3:63: an item of a must be text, not a mapping [wrong-type]",
        ],
    ),
    "a list in a field set": (
        "{fields: {a: {b: [c]}}}",
        ["3:58: b must be text or null, not a list [wrong-type]"],
    ),
    "names": (
        "{fields: {'a b': 1, 1a: 2, 'a~b': 3, ActivityEvent_Note: 4, ü: 5, 'a\u200b': 6}}",
        [
            "3:51: 'a b' is not the schema name of a field [field-name]",
            "3:61: '1a' is not the schema name of a field [field-name]",
            "3:68: 'a~b' is not the schema name of a field [field-name]",
            "3:78: ActivityEvent_Note is not set among the fields [note-field]",
            "3:101: 'ü' is not the schema name of a field [field-name]",
            "3:107: 'a\\u200b' is not the schema name of a field [field-name]",
        ],
    ),
    "names of sub-fields": (
        "{fields: {a: {'b c': 1, ActivityEvent_Note: 2}}}",
        ["3:55: 'b c' is not the schema name of a field [field-name]"],
    ),
}


@pytest.mark.parametrize("case", ENTRIES)
def test_an_opportunity_of_a_spec(case: str) -> None:
    text, expected = ENTRIES[case]
    document = block(f"version: 1\nopportunities:\n  {GUID}: {text}\n")
    assert told(spec_problems(document, FILE)) == expected


def test_a_field_called_version_is_a_field_like_others() -> None:
    rules = {"properties": {"version": {"enum": ["2"], "x-lsq-data-type": "Dropdown"}}}
    (found,) = problems(block("version: 3"), FILE, rules)
    assert found.message == "'3' is not an option of version"


def test_what_nobody_thought_of_is_told_without_the_value() -> None:
    (found,) = problems(block("a: secret"), FILE, {"properties": {"a": {"not": {}}}})
    assert (found.code, found.message) == ("schema", "a breaks the rule not of its schema")
    assert found.hint


def test_the_schemas_travel_with_the_package() -> None:
    for name in ("spec.schema.json", "settings.schema.json", "type.schema.json"):
        assert schema_text(name).startswith("{")
        assert schema(name)["$schema"] == "https://json-schema.org/draft/2020-12/schema"
