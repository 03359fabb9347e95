"""The body of an update, read as the CRM's JSON reader would. [documented] update-an-opportunity

Lenient where .NET is (numbers and booleans become text, names without case), and strict where it
is strict (`Fields` must be an array).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


class UnparsableError(ValueError):
    """The body does not parse; the text is what the answer says."""


@dataclass(frozen=True, slots=True)
class FieldWrite:
    """One entry of `Fields`. None: JSON null. `sub_fields` of a custom field set."""

    name: str
    value: str | None
    sub_fields: tuple["FieldWrite", ...] = ()


@dataclass(frozen=True, slots=True)
class Update:
    key: str  # GUID or AutoId; empty: missing
    note: str | None
    fields: tuple[FieldWrite, ...] | None  # None: missing

    def flat(self) -> dict[str, str]:
        """Names and texts, sub-fields as `field~sub_field`; for logs and for picking."""
        return dict(_flat(self.fields or ()))


def _flat(writes: tuple[FieldWrite, ...], prefix: str = "") -> Iterator[tuple[str, str]]:
    for write in writes:
        if write.sub_fields:
            yield from _flat(write.sub_fields, f"{prefix}{write.name}~")
        else:
            yield f"{prefix}{write.name}", write.value or ""


def parse_json(body: bytes) -> Any:
    """The body as JSON; `UnparsableError` in the words of the CRM's parser. [seen in code]"""
    try:
        return json.loads(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise UnparsableError(
            f"Unable to translate bytes at index {error.start} from specified code page to Unicode."
        ) from None
    except (json.JSONDecodeError, RecursionError) as error:
        line, column = getattr(error, "lineno", 1), getattr(error, "colno", 1)
        raise UnparsableError(
            "Unexpected character encountered while parsing value. "
            f"Path '', line {line}, position {column}."
        ) from None


def parse_object(body: bytes) -> Mapping[str, Any]:
    """A JSON object with its keys in lower case."""
    document = parse_json(body)
    if not isinstance(document, dict):
        raise UnparsableError(_cannot_deserialize(document, "object", "OpportunityRequest"))
    return {str(key).lower(): value for key, value in document.items()}


def parse_update(body: bytes) -> Update:
    document = parse_object(body)
    note = document.get("opportunitynote")
    return Update(
        key=_text(document.get("prospectopportunityid")) or "",
        note=_text(note),
        fields=_writes(document["fields"]) if document.get("fields") is not None else None,
    )


def _writes(entries: Any) -> tuple[FieldWrite, ...]:
    if not isinstance(entries, list):
        raise UnparsableError(_cannot_deserialize(entries, "array", "List`1[OpportunityField]"))
    return tuple(_write(entry) for entry in entries)


def _write(entry: Any) -> FieldWrite:
    if not isinstance(entry, dict):
        raise UnparsableError(_cannot_deserialize(entry, "object", "OpportunityField"))
    keys = {str(key).lower(): value for key, value in entry.items()}
    # Nested entries are called SchemaName or, on the lead and activity pages, Attribute.
    name = _text(keys.get("schemaname", keys.get("attribute"))) or ""
    return FieldWrite(name, _text(keys.get("value")), _writes(keys.get("fields") or []))


def _text(value: Any) -> str | None:
    """A scalar as .NET turns it into a string."""
    match value:
        case None | str():
            return value
        case bool():
            return "True" if value else "False"
        case int() | float():
            return json.dumps(value)
        case _:
            raise UnparsableError(_cannot_deserialize(value, "string", "System.String"))


def _cannot_deserialize(value: Any, wanted: str, name: str) -> str:
    match value:
        case list():
            found = "array"
        case dict():
            found = "object"
        case _:
            return f"Error converting value {json.dumps(value)} to type '{name}'. Path ''."
    return (
        f"Cannot deserialize the current JSON {found} into type '{name}' "
        f"because the type requires a JSON {wanted} to deserialize correctly."
    )
