"""What the CRM tells of a type -> its type schema, as `schemas/types/<type>.schema.json`. Pure.

The CRM decides about what it tells. What it cannot know stays as it stands in the file before:
descriptions, comments, marks of sensitivity, keys of others (`x-…`), fields to send along, and
the options or sub-fields of a field for which the CRM tells none.
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from lsq_sync.core.metadata import FieldMetadata, TypeMetadata
from lsq_sync.core.values import DataType
from lsq_sync.spec.schemas import Schema
from lsq_sync.spec.types import data_type_of

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_STATUS = "Status"
_STATUS_COMMENT = "mx_Custom_19"
"""Where comments on a status change are on, the CRM wants one with every status
(apidocs.leadsquared.com/capture-opportunities)."""

_FIELD_SET = "CustomObject"
_NO_VALUE = frozenset({"File", "MediaLink", "Audio", "Title", "Form", "Process"})
"""Uploads, and parts of a form: nothing that an update could set."""

_KINDS = {
    DataType.NUMBER: ["string", "number"],
    DataType.DATE_TIME: ["string"],
    DataType.DATE: ["string"],
    DataType.USER: ["string"],
}
_ANY_SCALAR = ["string", "number", "boolean"]
_LIMITED = (DataType.TEXT, DataType.OPTION)

_MADE_BY_HAND = ("description", "$comment")
_ORDER = (
    "title",
    "description",
    "$comment",
    "readOnly",
    "type",
    "enum",
    "examples",
    "minLength",
    "maxLength",
    "minProperties",
    "minItems",
    "items",
    "uniqueItems",
    "additionalProperties",
    "x-lsq-data-type",
    "x-lsq-multi-select",
    "x-lsq-mandatory",
    "x-lsq-sensitive",
    "x-lsq-masked",
    "x-lsq-parent",
    "x-lsq-options-by-parent",
    "x-lsq-send-with",
)


def type_schema(name: str, told: TypeMetadata, before: Schema | None = None) -> Schema:
    """The schema of a type. `before` is the valid one that it replaces.

    Fields stand in the order of their names, options in the CRM's, so that a change in the CRM is
    a change of the lines that it is about.
    """
    old = before or {}
    fields = _fields(told.fields, _properties(old.get("$defs", {}).get("fields", {})))
    dependent = _dependent(fields)
    content: Schema = {
        "$schema": _DIALECT,
        "title": told.title,
        "description": _description(told.title, told.code),
        "x-lsq-code": told.code,
        "allOf": [{"$ref": "../spec.schema.json"}],
        "properties": _document_properties(name, is_dependent=bool(dependent)),
        "$defs": {
            "fields": {"type": "object", "additionalProperties": False, "properties": fields},
            **({"dependent": {"allOf": dependent}} if dependent else {}),
        },
    }
    return {**content, **_kept_of_type(old)}


def to_text(content: Schema) -> str:
    """A schema as its file holds it."""
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _description(title: str, code: int) -> str:
    return f"Spec files of the opportunity type {title} (event code {code})."


def _kept_of_type(old: Schema) -> Schema:
    """The description that somebody wrote, and keys of others."""
    kept = {key: value for key, value in old.items() if _is_of_others(key)}
    kept |= {key: old[key] for key in _MADE_BY_HAND if key in old}
    if kept.get("description") == _description(old.get("title", ""), old.get("x-lsq-code", 0)):
        del kept["description"]
    return kept


def _words_for(rules: Schema) -> str:
    """The description of a field: the only text that editors show beside a name they offer."""
    marks = {
        "x-lsq-multi-select": "multi-select",
        "x-lsq-mandatory": "mandatory",
        "x-lsq-masked": "masked",
        "readOnly": "read-only",
    }
    words = [rules["x-lsq-data-type"], *(word for key, word in marks.items() if rules.get(key))]
    return f"{rules.get('title', '')} ({', '.join(words)})".lstrip()


def _is_of_others(key: str) -> bool:
    return key.startswith("x-") and not key.startswith("x-lsq-")


def _document_properties(name: str, *, is_dependent: bool) -> Schema:
    every: Schema = {"$ref": "#/$defs/fields"}
    own = {"allOf": [every, {"$ref": "#/$defs/dependent"}]} if is_dependent else every
    return {
        "type": {"const": name},
        "defaults": {"properties": {"fields": every}},
        "opportunities": {"additionalProperties": {"properties": {"fields": own}}},
    }


# --- fields


def _properties(schema: Any) -> Schema:
    found = schema.get("properties") if isinstance(schema, dict) else None
    return found if isinstance(found, dict) else {}


def _fields(told: Iterable[FieldMetadata], old: Schema, *, inside: bool = False) -> Schema:
    listed = sorted(told, key=lambda one: _by_name(one.name))
    made = {
        one.name: _kept(_field(one, old.get(one.name, {}), inside=inside), old, one.name)
        for one in listed
    }
    for name, rules in made.items():
        if companions := _companions(name, made, old):
            rules["x-lsq-send-with"] = companions
    return {name: _in_order(rules) for name, rules in made.items()}


def _by_name(name: str) -> tuple[object, ...]:
    """mx_Custom_2 before mx_Custom_10."""
    parts = re.split("([0-9]+)", name)
    return tuple(int(part) if part.isdecimal() else part for part in parts)


def _in_order(rules: Schema) -> Schema:
    """Keys of others, and sub-fields, at the end."""
    known = {key: rules[key] for key in _ORDER if key in rules}
    others = {key: rules[key] for key in sorted(rules) if key not in known and key != "properties"}
    inner = {"properties": rules["properties"]} if "properties" in rules else {}
    return {**known, **others, **inner}


def _kept(rules: Schema, old: Schema, name: str) -> Schema:
    """The rules with what only the file knows."""
    mine: Schema = old.get(name, {})
    rules["description"] = _words_for(rules)
    kept = {key: mine[key] for key in mine if key in _MADE_BY_HAND or _is_of_others(key)}
    if mine and kept.get("description") == _words_for(mine):
        del kept["description"]
    rules |= kept
    if mine.get("x-lsq-sensitive"):
        rules["x-lsq-sensitive"] = True
    return rules


def _field(told: FieldMetadata, old: Schema, *, inside: bool) -> Schema:
    """`inside` of a custom field set, whose sub-fields are scalars in a spec."""
    rules: Schema = {"title": told.title} if told.title else {}
    rules["x-lsq-data-type"] = told.data_type
    if told.masked:
        rules |= {"x-lsq-masked": True, "x-lsq-sensitive": True}
    if told.read_only or told.masked or told.data_type in _NO_VALUE:
        return {**rules, "readOnly": True}
    if told.mandatory:
        rules["x-lsq-mandatory"] = True
    if told.data_type == _FIELD_SET or told.sub_fields:
        return {**rules, **_field_set(told, old)}
    if told.parent:
        rules["x-lsq-parent"] = told.parent
    data_type = data_type_of(told.data_type, multi_select=told.multi_select)
    if data_type is DataType.OPTIONS:
        choices = _several_in_text(told) if inside else _multi_select(told, old)
        rules |= {"x-lsq-multi-select": True, **choices}
    elif told.options and data_type in _LIMITED:
        rules |= _one_of(told)
    elif data_type is DataType.OPTION and "enum" in old:
        rules |= _written_options(old, mandatory=told.mandatory)
    else:
        rules |= _scalar(told, data_type)
    return rules


def _scalar(told: FieldMetadata, data_type: DataType) -> Schema:
    rules: Schema = {"type": _or_null(_KINDS.get(data_type, _ANY_SCALAR), told)}
    if told.mandatory:
        rules["minLength"] = 1
    if told.max_length and data_type in _LIMITED:
        rules["maxLength"] = told.max_length
    return rules


def _or_null(kinds: list[str], told: FieldMetadata) -> list[str]:
    return kinds if told.mandatory else [*kinds, "null"]


def _one_of(told: FieldMetadata) -> Schema:
    rules: Schema = {}
    if told.options_by_parent:
        rules["x-lsq-options-by-parent"] = {
            parent: list(options) for parent, options in told.options_by_parent.items()
        }
    if told.others_allowed:
        return {**_scalar(told, DataType.TEXT), "examples": list(told.options)}
    return {**rules, "enum": _or_empty(told.options, mandatory=told.mandatory)}


def _or_empty(options: Iterable[str], *, mandatory: bool) -> list[str | None]:
    return [*options] if mandatory else [*options, "", None]


def _written_options(old: Schema, *, mandatory: bool) -> Schema:
    """The options that stand in the file, for a field of which the CRM tells none."""
    options = [option for option in old["enum"] if option]
    kept: Schema = {
        key: old[key] for key in ("x-lsq-parent", "x-lsq-options-by-parent") if key in old
    }
    return {**kept, "enum": _or_empty(options, mandatory=mandatory)}


def _multi_select(told: FieldMetadata, old: Schema) -> Schema:
    """A list; the only text is the empty one, which clears."""
    any_text: Schema = {"type": _ANY_SCALAR, "minLength": 1}
    items: Schema = old.get("items", any_text)
    if told.options and told.others_allowed:
        items = {**any_text, "examples": list(told.options)}
    elif told.options:
        items = {"enum": list(told.options)}
    rules: Schema = {"items": items, "uniqueItems": True}
    if told.mandatory:
        return {"type": ["array"], "minItems": 1, **rules}
    return {"type": ["array", "string", "null"], "maxLength": 0, **rules}


def _several_in_text(told: FieldMetadata) -> Schema:
    """With the account's separator between them."""
    rules = _scalar(told, DataType.OPTION)
    return {**rules, "examples": list(told.options)} if told.options else rules


def _field_set(told: FieldMetadata, old: Schema) -> Schema:
    """A mapping; the only text is the empty one, which clears."""
    rules: Schema = {"type": ["object"], "minProperties": 1}
    if not told.mandatory:
        rules |= {"type": ["object", "string", "null"], "maxLength": 0}
    inner = _properties(old)
    if told.sub_fields:
        inner = _fields(told.sub_fields, inner, inside=True)
    return {**rules, "additionalProperties": False, "properties": inner} if inner else rules


# --- fields that depend on each other


def _companions(name: str, fields: Mapping[str, Schema], old: Schema) -> list[str]:
    """What the CRM wants in the same update: of a dependent field its parent, and the other way.

    Whether it wants a comment with a status it does not tell: a new Status gets it, and then the
    file decides.
    """
    rules = fields[name]
    if rules.get("readOnly"):
        return []
    linked = [child for child, one in fields.items() if one.get("x-lsq-parent") == name]
    linked += [rules["x-lsq-parent"]] if "x-lsq-parent" in rules else []
    if name in old:
        linked += old[name].get("x-lsq-send-with", [])
    elif name == _STATUS:
        linked.append(_STATUS_COMMENT)
    return [one for one in dict.fromkeys(linked) if _can_be_sent(one, fields) and one != name]


def _can_be_sent(name: str, fields: Mapping[str, Schema]) -> bool:
    return name in fields and not fields[name].get("readOnly")


def _dependent(fields: Mapping[str, Schema]) -> list[Schema]:
    """For editors: which options fit which value of the parent. Ours are checked in `build`."""
    return [
        {
            "if": {"properties": {rules["x-lsq-parent"]: {"const": value}}, "required": [parent]},
            "then": {"properties": {name: {"enum": _as_in(rules["enum"], options)}}},
        }
        for name, rules in fields.items()
        if (parent := rules.get("x-lsq-parent")) and "enum" in rules
        for value, options in rules.get("x-lsq-options-by-parent", {}).items()
    ]


def _as_in(enum: Iterable[Any], options: Iterable[str]) -> list[Any]:
    """The options, and whatever clears the field."""
    return [*options, *(one for one in enum if not one)]
