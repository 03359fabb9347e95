"""The JSON Schemas of the simulator's own files, and what they find wrong, in words.

A message names the key, what is wrong with it and what is allowed.
"""

import json
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, relevance

from lsq_sync.simulator.errors import SimulatorError

SCENARIO: Final = "scenario.schema.json"
DATA: Final = "simulator-data.schema.json"
SHOWN: Final = 10


def check(document: object, schema_name: str, place: str, remedy: str) -> None:
    """Raises `SimulatorError` with everything that is wrong, up to ten things."""
    errors = sorted(
        _validator(schema_name).iter_errors(document), key=lambda one: list(map(str, one.path))
    )
    problems = [problem for error in errors for problem in _problems(error)]
    if not problems:
        return
    more = [f"... and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
    raise SimulatorError(place, "\n  ".join(["", *problems[:SHOWN], *more]).lstrip("\n "), remedy)


@cache
def _validator(schema_name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(_schema_file(schema_name).read_text(encoding="utf-8")))


def _schema_file(name: str) -> Path:
    """Inside a wheel the schemas stand in the package, in the repository beside it."""
    package = Path(__file__).resolve().parent.parent
    inside, beside = package / "schemas" / name, package.parent / "schemas" / name
    return inside if inside.is_file() else beside


def _problems(error: ValidationError) -> Iterator[str]:
    schema: Any = error.schema
    if error.validator == "anyOf" and "description" in schema:
        yield f"{_key(error)}: {_shown(error.instance)} is not one of {schema['description']}"
        return
    deepest = _deepest(error)
    key, instance = _key(deepest), _shown(deepest.instance)
    schema = deepest.schema
    wanted: Any = deepest.validator_value
    match deepest.validator:
        case "additionalProperties":
            yield from _unknown_keys(key, deepest.instance, sorted(schema["properties"]))
        case "enum":
            yield f"{key}: {instance} is not one of {', '.join(_shown(one) for one in wanted)}"
        case "type":
            yield f"{key}: {instance} is not {_type_words(wanted)}"
        case "pattern":
            allowed = schema.get("description", f"text like {wanted}")
            yield f"{key}: {instance} is not allowed here; what is: {allowed}"
        case _:
            yield f"{key}: {deepest.message}"


def _deepest(error: ValidationError) -> ValidationError:
    """The most telling one of nested alternatives."""
    while error.context:
        error = max(error.context, key=relevance)
    return error


def _unknown_keys(key: str, instance: Any, allowed: list[str]) -> Iterator[str]:
    for name in sorted(set(instance) - set(allowed)):
        close = get_close_matches(str(name), allowed, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"Allowed are {', '.join(allowed)}."
        yield f"{_joined(key, name)}: there is no such key. {hint}"


def _key(error: ValidationError) -> str:
    key = ""
    for part in error.absolute_path:
        key = f"{key}[{part}]" if isinstance(part, int) else _joined(key, part)
    return key or "the document"


def _joined(key: str, part: object) -> str:
    return f"{key}.{part}" if key and key != "the document" else str(part)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _type_words(types: Any) -> str:
    words = {
        "object": "a mapping",
        "array": "a list",
        "string": "text",
        "integer": "a whole number",
        "number": "a number",
        "boolean": "true or false",
        "null": "null",
    }
    names = [types] if isinstance(types, str) else types
    return " or ".join(words[name] for name in names)
