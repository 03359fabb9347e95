"""Type schemas: `schemas/types/<type>.schema.json` -> what is known of the fields of a type.

Such a file is a JSON Schema of the spec files of its type, so editors complete from it; its
`x-lsq-*` keys hold what JSON Schema has no word for (see `schemas/type.schema.json`).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lsq_sync.core.model import SUBFIELD, FieldRule
from lsq_sync.core.values import DataType, shown
from lsq_sync.errors import Diagnostic, Origin
from lsq_sync.spec.schemas import Schema
from lsq_sync.spec.validate import type_schema_problem

SUFFIX = ".schema.json"

_DATA_TYPES = {
    "Number": DataType.NUMBER,
    "DateTime": DataType.DATE_TIME,
    "Date": DataType.DATE,
    "Boolean": DataType.BOOLEAN,
    "ActiveUsers": DataType.USER,
    "Dropdown": DataType.OPTION,
    "SearchableDropdown": DataType.OPTION,
    "LargeOptionSet": DataType.OPTION,
    "Select": DataType.OPTION,
    "MultiSelect": DataType.OPTIONS,
}
"""The CRM's DataType names that are more than text (apidocs.leadsquared.com, type metadata)."""


_READ_ONLY_KINDS = {
    "File": "a file",
    "MediaLink": "a file",
    "Audio": "a file",
    "Form": "a form",
    "Process": "a process",
}
_UNREADABLE = ("x-lsq-masked", "x-lsq-encrypted", "x-lsq-view-restricted")


_HINT = "correct it, or make it again with lsq-sync schema pull"


@dataclass(frozen=True, slots=True)
class Dependency:
    """Which options of a field fit which value of its parent, such as stages by status."""

    parent: str
    options: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class OpportunityType:
    """One type: its event code, its fields, and the JSON Schema of the `fields` of a spec.

    `dependencies` are those of its fields by their flat names.
    """

    name: str
    title: str = ""
    code: int | None = None
    fields: Mapping[str, FieldRule] = field(default_factory=dict)
    fields_schema: Schema = field(default_factory=dict)
    dependencies: Mapping[str, Dependency] = field(default_factory=dict)

    @property
    def manageable(self) -> tuple[str, ...]:
        """Fields that a spec can set and read back, with the parts of field sets, in order."""
        return tuple(name for name, why in self._described() if not why)

    @property
    def unmanageable(self) -> dict[str, str]:
        """The other fields, and why they are none."""
        return {name: why for name, why in self._described() if why}

    def _described(self) -> Iterator[tuple[str, str]]:
        """Each field that holds a value of its own, and what speaks against managing it."""
        for name, rules in self.fields_schema.get("properties", {}).items():
            why, parts = _against(rules), rules.get("properties", {})
            if why or not parts:
                yield name, why
            else:
                yield from (
                    (f"{name}{SUBFIELD}{part}", _against(inner)) for part, inner in parts.items()
                )


def read_type(name: str, text: str, file: str) -> OpportunityType | Diagnostic:
    """The type in this text, or why it cannot be used."""
    try:
        content = json.loads(text, object_pairs_hook=_unique)
        fault = type_schema_problem(content)
    except json.JSONDecodeError as error:
        origin = Origin(file, error.lineno, error.colno)
        return Diagnostic(origin, "type-schema", f"not valid JSON: {error.msg}", _HINT)
    except _TwiceError as twice:
        message = f"the key {twice} stands in it twice"
        return Diagnostic(Origin(file), "type-schema", message, _HINT)
    except RecursionError:
        return Diagnostic(Origin(file), "type-schema", "nested too deep", _HINT)
    except ValueError:  # Python reads no integer of more than 4,300 digits
        return Diagnostic(Origin(file), "type-schema", "a number in it is too long", _HINT)
    if fault is not None:
        return Diagnostic(Origin(file), "type-schema", f"not a type schema: {fault}", _HINT)
    fields = content["$defs"]["fields"]
    _hand_down(fields["properties"])
    return OpportunityType(
        name=name,
        title=content["title"],
        code=int(content["x-lsq-code"]),
        fields=dict(_rules(fields["properties"], "")),
        fields_schema=fields,
        dependencies=dict(_dependencies(fields["properties"], "")),
    )


def _against(rules: Schema) -> str:
    """Why a field is not managed, if so; it may read back masked, and never as its value."""
    kind = rules["x-lsq-data-type"]
    if kind in _READ_ONLY_KINDS:
        return _READ_ONLY_KINDS[kind]
    if any(rules.get(mark) for mark in _UNREADABLE):
        return "masked"
    if kind == "CustomObject" and not rules.get("properties"):
        return "a custom field set whose parts are not known"
    return "read-only" if rules.get("readOnly") else ""


class _TwiceError(ValueError):
    """A key of the JSON, quoted."""


def _unique(pairs: list[tuple[str, Any]]) -> Schema:
    found: Schema = {}
    for key, value in pairs:
        if key in found:
            raise _TwiceError(shown(key))
        found[key] = value
    return found


def _hand_down(properties: Schema, inside: bool = False) -> None:
    """What stands inside of something sensitive is sensitive: sub-fields, and options."""
    for rules in properties.values():
        sensitive = inside or bool(rules.get("x-lsq-sensitive"))
        rules["x-lsq-sensitive"] = sensitive
        if "items" in rules:
            rules["items"] |= {"x-lsq-sensitive": sensitive, "title": rules.get("title", "")}
        _hand_down(rules.get("properties", {}), sensitive)


def _rules(properties: Schema, prefix: str, group: str = "") -> Iterator[tuple[str, FieldRule]]:
    for name, rules in properties.items():
        rule = _rule(rules, group)
        yield prefix + name, rule
        parts = rules.get("properties", {})
        yield from _rules(parts, f"{prefix}{name}{SUBFIELD}", f"{rule.title or name}: ")


def data_type_of(name: str, *, multi_select: bool) -> DataType:
    """How values are written and compared where the CRM says `name` for the DataType."""
    return DataType.OPTIONS if multi_select else _DATA_TYPES.get(name, DataType.TEXT)


def _rule(rules: Schema, group: str) -> FieldRule:
    return FieldRule(
        data_type=data_type_of(
            rules["x-lsq-data-type"], multi_select=bool(rules.get("x-lsq-multi-select"))
        ),
        title=f"{group}{rules['title']}" if rules.get("title") else "",
        sensitive=bool(rules.get("x-lsq-sensitive")),
        send_with=tuple(rules.get("x-lsq-send-with", ())),
    )


def _dependencies(properties: Schema, prefix: str) -> Iterator[tuple[str, Dependency]]:
    for name, rules in properties.items():
        options = rules.get("x-lsq-options-by-parent")
        if options and rules.get("x-lsq-parent"):
            by_parent = {parent: tuple(some) for parent, some in options.items()}
            yield prefix + name, Dependency(prefix + rules["x-lsq-parent"], by_parent)
        yield from _dependencies(rules.get("properties", {}), f"{prefix}{name}{SUBFIELD}")
