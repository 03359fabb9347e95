"""Accepts most of what JSON Schema accepts, many times faster; what it does not, it leaves open.

A schema becomes functions, one for each kind of value, so that a document is walked once. Where a
schema uses a keyword that is not known here, nothing is accepted, and `jsonschema` decides. So a
mistake in here may cost time; tests show on mutated documents that it never lets pass what
`jsonschema` refuses.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
Check = Callable[[Any], bool]

_Member = tuple[frozenset[type], Check, Check]
"""The types of which every value is accepted, and the checks of texts and of all others."""

_ANNOTATIONS = frozenset(
    {"$schema", "$defs", "$comment", "title", "description", "default", "examples"}
)
_OF_MAPPINGS = frozenset(
    {
        "properties", "patternProperties", "additionalProperties", "propertyNames", "required",
        "minProperties",
    }
)  # fmt: skip
_NAMES_KEPT = 4096
"""Names that were found good; the same fields stand in every opportunity."""


def quick_check(schema: Schema) -> Check:
    """A function that is true only for what the schema accepts, and false for what it does not,
    and for whatever this module does not know."""
    return _Compiler(schema).check(schema)


def _never(_value: object) -> bool:
    return False


def _always(_value: object) -> bool:
    return True


class _Compiler:
    """Makes the functions of one schema; one that refers to itself is made once."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._referred: dict[str, Check] = {}
        self._parts: dict[Check, tuple[frozenset[type], Check]] = {}

    def check(self, schema: object) -> Check:
        """The function of a schema or of a part of it."""
        if isinstance(schema, bool):
            return _always if schema else _never
        if not isinstance(schema, Mapping) or not _is_known(schema):
            return _never
        kinds = _kinds(schema)
        also = tuple(self._also(schema))
        if len(also) == 1 and _ANNOTATIONS.issuperset(schema.keys() - {"$ref"}):
            return also[0]
        by_kind: dict[type, Check] = {
            str: _text(schema) if "string" in kinds else _never,
            type(None): _null(schema) if "null" in kinds else _never,
            bool: _null(schema) if "boolean" in kinds else _never,
            int: _number(schema) if kinds & {"integer", "number"} else _never,
            float: _number(schema) if "number" in kinds else _never,
            dict: self._mapping(schema) if "object" in kinds else _never,
            list: self._list(schema) if "array" in kinds else _never,
        }
        check = _dispatch(by_kind, also)
        free = frozenset(kind for kind, good in by_kind.items() if good is _always)
        if not also:
            self._parts[check] = (free, by_kind[str])
        return check

    def _also(self, schema: Schema) -> Iterator[Check]:
        """Keywords that look at a value of any kind through another schema."""
        if "$ref" in schema:
            yield self._reference(schema["$ref"])
        if "anyOf" in schema:
            ways = tuple(map(self.check, schema["anyOf"]))
            yield lambda value: any(way(value) for way in ways)

    def _reference(self, pointer: object) -> Check:
        if not isinstance(pointer, str) or not pointer.startswith("#/$defs/"):
            return _never
        name = pointer.removeprefix("#/$defs/")
        found = self._root.get("$defs", {}).get(name)
        if found is None:
            return _never
        if name not in self._referred:
            self._referred[name] = lambda value: self._referred[name](value)
            self._referred[name] = self.check(found)
        return self._referred[name]

    def _mapping(self, schema: Schema) -> Check:
        if not {"enum", "const"}.isdisjoint(schema):
            return _never
        if _OF_MAPPINGS.isdisjoint(schema):
            return _always
        members = {name: self._member(part) for name, part in schema.get("properties", {}).items()}
        patterns = [
            (re.compile(pattern), self.check(part))
            for pattern, part in schema.get("patternProperties", {}).items()
        ]
        others = self._member(schema.get("additionalProperties", True))
        names = self.check(schema["propertyNames"]) if "propertyNames" in schema else _always
        known: set[str] = set()
        required = frozenset(schema.get("required", ()))
        least = schema.get("minProperties", 0)

        def fits(value: Mapping[str, Any]) -> bool:
            if len(value) < least or not required <= value.keys():
                return False
            if names is not _always and not known.issuperset(value):
                if not all(map(names, value)):
                    return False
                if len(known) + len(value) < _NAMES_KEPT:
                    known.update(value)
            if patterns:
                return all(_member_fits(*item, members, patterns, others) for item in value.items())
            if not members and others[0].issuperset(map(type, value.values())):
                return True
            for name, member in value.items():
                free, of_texts, check = members.get(name, others)
                kind = type(member)
                if kind in free:
                    continue
                if not (of_texts(member) if kind is str else check(member)):
                    return False
            return True

        return fits

    def _member(self, schema: object) -> _Member:
        check = self.check(schema)
        free, of_texts = self._parts.get(check, (frozenset(), check))
        return free, of_texts, check

    def _list(self, schema: Schema) -> Check:
        if not {"enum", "const"}.isdisjoint(schema):
            return _never
        item_fits = self.check(schema.get("items", True))
        least, unique = schema.get("minItems", 0), schema.get("uniqueItems", False)

        def fits(value: list[Any]) -> bool:
            if len(value) < least or not all(map(item_fits, value)):
                return False
            return not unique or (
                all(isinstance(one, str) for one in value) and len({*value}) == len(value)
            )

        return fits


def _member_fits(
    name: str,
    value: object,
    members: Mapping[str, _Member],
    patterns: list[tuple[re.Pattern[str], Check]],
    others: _Member,
) -> bool:
    """Whether a member fits all that its name and patterns of it ask for, else what is left."""
    checks = [part for pattern, part in patterns if pattern.search(name)]
    if name in members:
        checks.append(members[name][2])
    return all(check(value) for check in checks or [others[2]])


def _dispatch(by_kind: dict[type, Check], also: tuple[Check, ...]) -> Check:
    text, mapping = by_kind[str], by_kind[dict]

    def fits(value: object) -> bool:
        kind = type(value)
        if kind is str:
            good = text(value)
        elif isinstance(value, dict):
            good = mapping(value)
        elif isinstance(value, list):
            good = by_kind[list](value)
        else:
            good = by_kind.get(kind, _never)(value)
        return good and all(check(value) for check in also) if also else good

    return fits


def _is_known(schema: Schema) -> bool:
    if schema.get("readOnly"):  # our own rule: a spec sets no such field
        return False
    return all(
        keyword in _KEYWORDS or keyword in _ANNOTATIONS or keyword.startswith("x-")
        for keyword in schema
    ) and ("not" not in schema or _is_one_text(schema["not"]))


def _is_one_text(schema: object) -> bool:
    return isinstance(schema, Mapping) and [*schema] == ["const"] and type(schema["const"]) is str


_KEYWORDS = frozenset(
    {
        "type", "enum", "const", "not", "anyOf", "$ref", "readOnly",
        "minLength", "maxLength", "pattern",
        "minimum", "maximum", "exclusiveMinimum",
        "properties", "patternProperties", "additionalProperties", "propertyNames", "required",
        "minProperties", "items", "minItems", "uniqueItems",
    }
)  # fmt: skip

_EVERY_KIND = frozenset({"string", "null", "boolean", "integer", "number", "object", "array"})


def _kinds(schema: Schema) -> frozenset[str]:
    told = schema.get("type")
    if told is None:
        return _EVERY_KIND
    return frozenset([told] if isinstance(told, str) else told)


def _listed(schema: Schema) -> list[Any] | None:
    """The values that are allowed; None where any is."""
    if "const" in schema:
        return [schema["const"]] if "enum" not in schema else []
    return schema.get("enum")


def _text(schema: Schema) -> Check:
    listed = _listed(schema)
    refused = schema.get("not", {}).get("const")
    checks: list[Check] = []
    if listed is not None:
        checks.append(frozenset(one for one in listed if type(one) is str).__contains__)
    if "pattern" in schema:
        search = re.compile(schema["pattern"]).search
        checks.append(lambda text: search(text) is not None)
    if "minLength" in schema or "maxLength" in schema:
        least, most = schema.get("minLength", 0), schema.get("maxLength", float("inf"))
        checks.append(lambda text: least <= len(text) <= most)
    if refused is not None:
        checks.append(lambda text: text != refused)
    if not checks:
        return _always
    first, *others = checks
    if not others:
        return first
    if len(others) == 1:
        second = others[0]
        return lambda text: first(text) and second(text)
    return lambda text: all(one(text) for one in checks)


def _null(schema: Schema) -> Check:
    """Null, or a truth value: a listed one is itself, never 0 or 1."""
    listed = _listed(schema)
    if listed is None:
        return _always
    return lambda value: any(one is value for one in listed)


def _number(schema: Schema) -> Check:
    """A listed number is no truth value, though Python says that 1 is True."""
    listed = _listed(schema)
    known = None if listed is None else [one for one in listed if type(one) in (int, float)]
    least, most = schema.get("minimum", -float("inf")), schema.get("maximum", float("inf"))
    above = schema.get("exclusiveMinimum", -float("inf"))

    def fits(number: float) -> bool:
        return least <= number <= most and number > above and (known is None or number in known)

    return fits
