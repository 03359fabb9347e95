"""A value of a sensitive field stands in no message, whatever is wrong with it."""

from pathlib import Path
from typing import Any

import pytest

from tests.spec.support import type_schema, typed

SECRET = "98765"

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    # what the type says of the field `a`, what the spec says of it
    "a number": ({"x-lsq-data-type": "Number"}, f"{SECRET}_0"),
    "a number with an exponent": ({"x-lsq-data-type": "Number"}, f"{SECRET}e2"),
    "a long number": ({"x-lsq-data-type": "Number"}, SECRET * 20),
    "a date": ({"x-lsq-data-type": "Date"}, f"{SECRET[:4]}-01-01 10:00:00"),
    "a date and time": ({"x-lsq-data-type": "DateTime"}, SECRET),
    "a boolean": ({"x-lsq-data-type": "Boolean"}, SECRET),
    "a user": ({"x-lsq-data-type": "ActiveUsers"}, SECRET),
    "an option": ({"enum": ["x", "y"]}, SECRET),
    "nearly an option": ({"enum": ["x", f"{SECRET}0"]}, SECRET),
    "options": ({"x-lsq-multi-select": True, "items": {"enum": ["x"]}}, f"[x, {SECRET}]"),
    "options with a separator": ({"x-lsq-multi-select": True}, f"['{SECRET};x']"),
    "too long": ({"maxLength": 3}, SECRET),
    "the wrong type": ({"type": "boolean"}, SECRET),
    "a list": ({"type": "string"}, f"[{SECRET}]"),
    "a mapping": ({"type": "string"}, f"{{b: {SECRET}}}"),
    "a sub-field": (
        {"properties": {"b": {"x-lsq-data-type": "Number"}}},
        f"{{b: x{SECRET}}}",
    ),
    "a sub-field's option": (
        {"properties": {"b": {"x-lsq-data-type": "String", "enum": ["x"]}}},
        f"{{b: {SECRET}}}",
    ),
    "read-only": ({"readOnly": True}, SECRET),
}


@pytest.mark.parametrize("case", WRONG)
def test_the_value_is_in_no_message(tmp_path: Path, case: str) -> None:
    rules, value = WRONG[case]
    schema = type_schema({"a": {**rules, "x-lsq-sensitive": True, "title": "Salary"}})
    found = typed(tmp_path, schema, f"a: {value}")
    assert found
    known = f"known: 'x', '{SECRET}0'"  # the options stand in the type schema
    assert SECRET[:4] not in " ".join(found).replace(known, "")


@pytest.mark.parametrize("case", WRONG)
def test_it_is_in_the_message_where_it_is_not_sensitive(tmp_path: Path, case: str) -> None:
    """So the test above looks for the right thing."""
    rules, value = WRONG[case]
    (found,) = typed(tmp_path, type_schema({"a": rules}), f"a: {value}")
    assert SECRET[:4] in found or case in {
        "a long number", "too long", "a list", "a mapping", "read-only",
    }  # fmt: skip


WORDS = {
    "a number": "a (Salary): (sensitive) is not a number | write digits, such as 200000 or 1250.50",
    "a date": "a (Salary): (sensitive) is not a date | write 2026-09-16",
    "a date and time": "a (Salary): (sensitive) is not a date and time | write 2026-09-16 12:13:44",
    "a boolean": "a (Salary): (sensitive) is neither true nor false | write true or false",
    "a user": "a (Salary): (sensitive) is not the id of a user | write the user's id",
    "an option": "(sensitive) is not an option of a (Salary) | known: 'x', 'y'",
    "options": "(sensitive) is not an option of a (Salary) | known: 'x'",
    "options with a separator": "a (Salary): (sensitive) is not a list of options | write it as",
    "the wrong type": "a (Salary) must be true or false, not (sensitive)",
}


@pytest.mark.parametrize("case", WORDS)
def test_what_is_said_instead(tmp_path: Path, case: str) -> None:
    rules, value = WRONG[case]
    schema = type_schema({"a": {**rules, "x-lsq-sensitive": True, "title": "Salary"}})
    assert typed(tmp_path, schema, f"a: {value}")[0].startswith(WORDS[case])
