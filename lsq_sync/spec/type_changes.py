"""Two schemas of one type -> what changed, in words for people. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any

from lsq_sync.core.model import SUBFIELD
from lsq_sync.core.type_change import Detail, FieldTurn, Turn
from lsq_sync.spec.schemas import Schema

_WORDS = {
    "title": "title",
    "x-lsq-data-type": "data type",
    "maxLength": "longest text",
    "x-lsq-mandatory": "mandatory",
    "readOnly": "read-only",
    "x-lsq-multi-select": "multi-select",
    "x-lsq-masked": "masked",
    "x-lsq-sensitive": "sensitive",
    "x-lsq-parent": "depends on",
}


def changes(before: Schema, after: Schema) -> tuple[FieldTurn, ...]:
    """What became of the fields, in the order of the new schema, what is gone at the end."""
    return tuple(_of_fields(_fields_of(before), _fields_of(after), ""))


def _fields_of(content: Schema) -> Schema:
    found: Schema = content.get("$defs", {}).get("fields", {}).get("properties", {})
    return found


def _of_fields(before: Schema, after: Schema, prefix: str) -> Iterator[FieldTurn]:
    for name, rules in after.items():
        if name not in before:
            yield _turn(prefix + name, rules, Turn.ADDED, _described(rules))
            continue
        if details := tuple(_details(before[name], rules)):
            yield _turn(prefix + name, rules, Turn.CHANGED, details)
        inner = (before[name].get("properties", {}), rules.get("properties", {}))
        yield from _of_fields(*inner, f"{prefix}{name}{SUBFIELD}")
    for name, rules in before.items():
        if name not in after:
            yield _turn(prefix + name, rules, Turn.REMOVED)


def _turn(name: str, rules: Schema, turn: Turn, details: Iterable[Detail] = ()) -> FieldTurn:
    return FieldTurn(name, rules.get("title", ""), turn, tuple(details))


def _described(rules: Schema) -> Iterator[Detail]:
    """Of a new field: what it is."""
    yield Detail("data type", after=rules["x-lsq-data-type"])
    if options := _options(rules):
        yield Detail("options", added=tuple(options))


def _details(before: Schema, after: Schema) -> Iterator[Detail]:
    for key, word in _WORDS.items():
        if before.get(key) != after.get(key):
            yield Detail(word, _word(before.get(key)), _word(after.get(key)))
    yield from _of_lists("options", _options(before), _options(after))
    old, new = (one.get("x-lsq-options-by-parent", {}) for one in (before, after))
    for parent in dict.fromkeys((*old, *new)):
        yield from _of_lists(f"options for {parent}", old.get(parent, []), new.get(parent, []))
    sent = [one.get("x-lsq-send-with", []) for one in (before, after)]
    yield from _of_lists("sent along", *sent)


def _of_lists(what: str, before: list[str], after: list[str]) -> Iterator[Detail]:
    added = tuple(one for one in after if one not in set(before))
    removed = tuple(one for one in before if one not in set(after))
    if added or removed:
        yield Detail(what, added=added, removed=removed)
    elif before != after:
        yield Detail(f"order of the {what}", ", ".join(before), ", ".join(after))


def _options(rules: Schema) -> list[str]:
    inner = rules.get("items", rules)
    return [one for one in inner.get("enum", inner.get("examples", [])) if one]


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
