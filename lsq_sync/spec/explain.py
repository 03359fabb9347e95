"""What JSON Schema refuses, worded for people; the one importer of jsonschema.

Each message names the place in the file, what is wrong and what to do, with the nearest known
name where one is misspelt. It takes a while to import, and is only where something is refused.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from lsq_sync.core.model import MASK, SUBFIELD
from lsq_sync.core.values import shown
from lsq_sync.errors import Diagnostic, Origin
from lsq_sync.spec.document import Block, Items, Node, Place
from lsq_sync.spec.names import nearest, suggestion
from lsq_sync.spec.schemas import Schema

_NOTE_FIELD = "ActivityEvent_Note"


def explained(document: Node, file: str, rules: Schema) -> list[Diagnostic]:
    """Everything in the document that the schema refuses, at most one problem a place.

    What is missing in a mapping is told beside what is wrong at the same place, its first key.
    """
    found: dict[tuple[Origin, bool], Diagnostic] = {}
    for error in _Validator(rules).iter_errors(document):
        for diagnostic in _explain(error, document, file):
            found.setdefault((diagnostic.origin, error.validator == "required"), diagnostic)
    return list(found.values())


def type_schema_fault(content: object, rules: Schema) -> str | None:
    """The first thing that the schema of type schemas refuses, with a pointer to it."""
    for error in Draft202012Validator(rules).iter_errors(content):
        pointer = "/".join(map(str, error.absolute_path))
        return f"at /{pointer}: {_about_type(error)}"
    return None


def _about_type(error: ValidationError) -> str:
    known = _rules_of(error).get("properties", {})
    if error.validator == "additionalProperties" and isinstance(error.instance, dict):
        strange = next(k for k in error.instance if k not in known and not k.startswith("x-"))
        return f"the keyword {shown(strange)} is not supported here"
    if error.validator == "anyOf":
        return f"{shown(str(error.instance))} is not a type"
    return error.message[:_LONGEST_MESSAGE]


_LONGEST_MESSAGE = 200


def _read_only(
    _validator: object, value: object, _instance: object, _schema: object
) -> Iterator[ValidationError]:
    if value:
        yield ValidationError("read-only")


_Validator: type[Draft202012Validator] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, {"readOnly": _read_only}
)


# --- places


def _at(document: Node, path: list[str | int]) -> Node:
    node: Any = document
    for step in path:
        node = node[step]
    return node  # type: ignore[no-any-return]


def _value_place(document: Node, path: list[str | int]) -> Place:
    if not path:
        return document.place if isinstance(document, Block | Items) else Place(1, 1)
    parent: Any = _at(document, path[:-1])
    place: Place = parent.value_place(path[-1])
    return place


# --- words


def _explain(error: ValidationError, document: Node, file: str) -> Iterator[Diagnostic]:
    path = list(error.absolute_path)
    node = _at(document, path)
    if isinstance(node, Block) and isinstance(error.instance, str):  # of propertyNames: a key
        place = node.key_place(error.instance)
        yield Diagnostic(Origin(file, *place), *_bad_name(error.instance, path))
    elif error.validator == "additionalProperties":
        yield from _unknown_keys(error, document, path, file)
    else:
        explain = _EXPLAIN.get(str(error.validator), _unexpected)
        origin = Origin(file, *_value_place(document, path))
        yield Diagnostic(origin, *explain(error, _subject(error, path)))


_Words = tuple[str, str, str]


def _subject(error: ValidationError, path: list[str | int]) -> str:
    """The thing that is wrong, as people call it."""
    named = [step for step in path if isinstance(step, str)]
    if not named:
        return "the file"
    title = _rules_of(error).get("title")
    return f"{named[-1]} ({title})" if title not in (None, "", named[-1]) else named[-1]


def _unknown_keys(
    error: ValidationError, document: Node, path: list[str | int], file: str
) -> Iterator[Diagnostic]:
    block = _at(document, path)
    assert isinstance(block, Block)
    known: dict[str, Schema] = _rules_of(error).get("properties", {})
    kind = "field" if path and path[-1] == "fields" else "key"
    if any("x-lsq-data-type" in field for field in known.values()):
        kind = "field"
    for name in block:
        if name not in known:
            origin = Origin(file, *block.key_place(name))
            yield Diagnostic(origin, *_unknown(name, kind, known))


def _unknown(name: str, kind: str, known: dict[str, Schema]) -> _Words:
    if kind == "field" and (name == _NOTE_FIELD or SUBFIELD in name):
        return _bad_name(name, [])
    hint = _known_field(name, known) if kind == "field" else suggestion(name, known)
    if kind == "key" and _SECRET.search(name):
        hint = (
            "keys of the account are never read from a file of the workspace: set "
            "LSQ_ACCESS_KEY, LSQ_X_API_KEY and LSQ_SECRET_KEY in the environment"
        )
    return (f"unknown-{kind}", f"unknown {kind} {shown(name)}", hint)


_SECRET = re.compile("(access|secret|api).?key|password|token", re.IGNORECASE)


def _known_field(name: str, known: dict[str, Schema]) -> str:
    """A field may have been written by its display name, so that is searched too."""
    by_title = {str(rules.get("title", "")): field for field, rules in known.items()}
    hit = nearest(name, by_title)
    if hit and hit != by_title[hit]:
        return f"did you mean {by_title[hit]} ({hit})?"
    return suggestion(name, known)


def _bad_name(name: str, path: list[str | int]) -> _Words:
    if name == _NOTE_FIELD:
        hint = "write it as note: beside fields:"
        return ("note-field", f"{_NOTE_FIELD} is not set among the fields", hint)
    if path and path[-1] == "opportunities":
        hint = "write the opportunity's GUID or the value of its AutoId field"
        return ("opportunity-id", f"{shown(name)} is not the id of an opportunity", hint)
    hint = "write the schema name, such as Status or mx_Custom_6"
    if SUBFIELD in name:
        field, _, sub_field = name.partition(SUBFIELD)
        hint = f"write the sub-field below its field: {field}: {{{sub_field}: …}}"
    return ("field-name", f"{shown(name)} is not the schema name of a field", hint)


def _listing(error: ValidationError) -> list[Any]:
    """What the keyword allows, as a list also where the schema gives one value."""
    value: Any = error.validator_value
    return value if isinstance(value, list) else [value]


def _rules_of(error: ValidationError) -> Schema:
    return error.schema if isinstance(error.schema, dict) else {}


def _is_mandatory(error: ValidationError) -> bool:
    return bool(_rules_of(error).get("x-lsq-mandatory"))


def _is_sensitive(error: ValidationError) -> bool:
    return bool(_rules_of(error).get("x-lsq-sensitive"))


def _mandatory(subject: str) -> _Words:
    hint = "give it a value, or delete the line to leave it alone"
    return ("mandatory", f"{subject} is mandatory in the CRM and cannot be cleared", hint)


_KINDS = {
    "string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false",
    "null": "null", "array": "a list", "object": "a mapping",
}  # fmt: skip


def _wrong_type(error: ValidationError, subject: str) -> _Words:
    if error.instance is None and _is_mandatory(error):
        return _mandatory(subject)
    if error.instance is None and not error.absolute_path:
        return ("empty", "the file is empty", "begin with version: 1")
    kinds = _kinds_of(_listing(error))
    message = f"{_item(error, subject)} must be {_listed(kinds, 'or')}, not {_kind(error)}"
    hint = "delete the line, or give it a value" if error.instance is None else _WAYS[kinds[0]]
    return ("wrong-type", message, hint)


def _kinds_of(names: list[str]) -> list[str]:
    """What may stand there, in words. A scalar of a spec is text, whatever else it may be."""
    if "integer" in names and "string" in names:  # the event code
        names = [name for name in names if name != "string"]
    elif "string" in names:
        names = [name for name in names if name not in ("number", "boolean")]
    return list(dict.fromkeys(_KINDS[name] for name in names))


_WAYS = {
    "text": "write one value",
    "a number": "write digits, such as 25 or 2.5",
    "a whole number": "write digits, such as 25",
    "true or false": "write true or false",
    "null": "write null",
    "a list": "write it in brackets: [one] or [one, another]",
    "a mapping": "write lines of name: value below it, indented and without dashes",
}


def _item(error: ValidationError, subject: str) -> str:
    """The subject, or the member of it that is meant."""
    inside = bool(error.absolute_path) and isinstance(error.absolute_path[-1], int)
    return f"an item of {subject}" if inside else subject


def _listed(words: list[str], word: str) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {word} {words[-1]}"


def _kind(error: ValidationError) -> str:
    if error.instance is None:
        return "null"
    if isinstance(error.instance, dict):
        return "a mapping"
    return "a list" if isinstance(error.instance, list) else _quoted(error)


def _quoted(error: ValidationError) -> str:
    """The value as a message may show it."""
    return MASK if _is_sensitive(error) else shown(str(error.instance))


def _missing(error: ValidationError, subject: str) -> _Words:
    assert isinstance(error.instance, dict)
    names = [name for name in _listing(error) if name not in error.instance]
    listed = _listed([repr(name) for name in names], "and")
    message = f"{listed} {'is' if len(names) == 1 else 'are'} missing in {subject}"
    hint = "write version: 1" if "version" in names else f"add {names[0]}:"
    return ("missing-key", message, hint)


def _not_an_option(error: ValidationError, subject: str) -> _Words:
    if _is_mandatory(error) and not error.instance:
        return _mandatory(subject)
    if subject == "version" and "x-lsq-data-type" not in _rules_of(error):
        hint = "write version: 1, or install a newer lsq-sync"
        return ("version", "this version of lsq-sync reads version: 1", hint)
    if not isinstance(error.instance, str):
        message = f"{_item(error, subject)} must be text, not {_kind(error)}"
        return ("wrong-type", message, "write one of the options")
    options = [option for option in _listing(error) if isinstance(option, str)]
    guessed_from = "" if _is_sensitive(error) else error.instance  # the nearest gives it away
    message = f"{_quoted(error)} is not an option of {subject}"
    return ("not-an-option", message, suggestion(guessed_from, options))


def _too_long(error: ValidationError, subject: str) -> _Words:
    limit: Any = error.validator_value
    if limit == 0 and "items" in _rules_of(error):
        hint = "write [one option] or [several, options]"
        return ("wrong-type", f"{subject} is a multi-select field: it takes a list", hint)
    if limit == 0:
        hint = "write its sub-fields below it, one a line, or null to clear it"
        return ("wrong-type", f"{subject} is a custom field set", hint)
    message = f"{subject} has {len(str(error.instance))} characters, the limit is {int(limit)}"
    return ("too-long", message, "shorten it")


def _too_short(error: ValidationError, subject: str) -> _Words:
    if _is_mandatory(error):
        return _mandatory(subject)
    return ("empty", f"{_item(error, subject)} is empty", "give it a value, or delete it")


def _too_few(error: ValidationError, subject: str) -> _Words:
    if _is_mandatory(error):
        return _mandatory(subject)
    listed: Any = error.instance
    message = f"{subject} names {len(listed)} options, it must be {error.validator_value} or more"
    return ("empty", message, "name more")


def _empty_mapping(_error: ValidationError, subject: str) -> _Words:
    return ("empty", f"{subject} names no sub-field", "name one, or write null to clear the field")


def _pattern(error: ValidationError, subject: str) -> _Words:
    hints = {
        "type": "write lower-case letters, digits, - and _, as in the name of the type schema",
        "code": "write the event code, such as 12005",
        "status_path": "write a path such as /opportunity/update/status",
        "metrics_path": "write a path such as /opportunity/update/metrics",
        **dict.fromkeys(("specs", "schemas", "lock"), "write a path relative to lsq-sync.yaml"),
    }
    return ("form", f"{subject} cannot be {_quoted(error)}", hints.get(subject, ""))


def _out_of_range(error: ValidationError, subject: str) -> _Words:
    words = {"minimum": "at least", "maximum": "at most", "exclusiveMinimum": "more than"}
    limit = f"{words[str(error.validator)]} {error.validator_value}"
    number: Any = error.instance
    digits = str(int(number) if number % 1 == 0 else number)[:_SHOWN_DIGITS]
    hint = "change it, or delete the line: it has a default"
    return ("out-of-range", f"{subject} is {digits}, it must be {limit}", hint)


_SHOWN_DIGITS = 30


def _cannot_write(error: ValidationError, subject: str) -> _Words:
    if _rules_of(error).get("x-lsq-masked"):
        hint = "delete the line: what reads back is not its value"
        return ("read-only-field", f"{subject} is masked in the CRM", hint)
    hint = "delete the line: only the CRM sets it"
    return ("read-only-field", f"{subject} is read-only", hint)


def _not_unique(_error: ValidationError, subject: str) -> _Words:
    return ("duplicate-option", f"{subject} names an option twice", "delete one of the two")


def _unexpected(error: ValidationError, subject: str) -> _Words:
    """No keyword of our schemas comes here; the value is not shown, as it may be sensitive."""
    message = f"{subject} breaks the rule {error.validator} of its schema"
    return ("schema", message, "change the value, or the schema")


_EXPLAIN: dict[str, Callable[[ValidationError, str], _Words]] = {
    "type": _wrong_type,
    "required": _missing,
    "enum": _not_an_option,
    "const": _not_an_option,
    "maxLength": _too_long,
    "minLength": _too_short,
    "minProperties": _empty_mapping,
    "minItems": _too_few,
    "pattern": _pattern,
    "minimum": _out_of_range,
    "maximum": _out_of_range,
    "exclusiveMinimum": _out_of_range,
    "readOnly": _cannot_write,
    "uniqueItems": _not_unique,
}
