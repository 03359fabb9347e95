"""Opportunity types: how the CRM is asked for them and what it tells. Pure.

Sources: apidocs.leadsquared.com/get-metadata-of-an-opportunity-type (the keys of a field; options
are a JSON string inside the JSON) and /get-opportunity-types. What the vendor does not document is
read in every form that makes sense: the options of a dependent field, and the sub-fields of a
custom field set. What no spec could name is left out, and said.
"""

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from lsq_sync.core.answers import MetadataAnswer, ReadFailed, TypesAnswer, TypesFound
from lsq_sync.core.metadata import FieldMetadata, ListedType, TypeMetadata
from lsq_sync.core.model import is_field_name
from lsq_sync.core.values import shown
from lsq_sync.crm.credentials import Credentials
from lsq_sync.crm.reading import NOTE_COLUMN, OPPORTUNITIES, UNREADABLE, failed, key_headers
from lsq_sync.crm.wire import Answer, Request, json_in, lookup

MOST_FIELDS = 2_000
MOST_OPTIONS = 5_000
"""A field with more is described without them: no editor shows so many, no review reads them."""

_LONGEST_TITLE = 200
_LARGEST_CODE = 999_999_999
_LONGEST_TEXT = 1_000_000
_HIDDEN = ("Cc", "Cs", "Cn", "Zl", "Zp")


# --- requests


def types_request(host: str, keys: Credentials) -> Request:
    """The opportunity types of the account."""
    return Request("GET", f"{host}{OPPORTUNITIES}/GetOpportunityTypes", key_headers(keys))


def metadata_request(host: str, keys: Credentials, code: int) -> Request:
    """One type with its fields."""
    query = urlencode({"code": str(code)}, quote_via=quote)
    url = f"{host}{OPPORTUNITIES}/GetOpportunityTypeMetadata?{query}"
    return Request("GET", url, key_headers(keys))


# --- answers


def read_types(answer: Answer) -> TypesAnswer:
    """The list of types; an entry that is none is passed over."""
    content = json_in(answer)
    if problem := failed(answer, content):
        return problem
    if answer.status != 200 or not isinstance(content, list):
        return ReadFailed(f"HTTP {answer.status}, but the answer is no list of opportunity types")
    found = (_listed(one) for one in content if isinstance(one, dict))
    return TypesFound(tuple(one for one in found if one))


def _listed(one: Mapping[str, Any]) -> ListedType | None:
    code = _code(lookup(one, "EventCode"))
    return ListedType(code, title_of(lookup(one, "DisplayName"))) if code else None


def read_metadata(answer: Answer, code: int) -> MetadataAnswer:
    """The type of this code. Metadata of another type, or of another shape, are a failure."""
    content = json_in(answer)
    if problem := failed(answer, content):
        return problem
    body = content if isinstance(content, dict) else {}
    told, fields = _code(lookup(body, "EventCode")), lookup(body, "Fields")
    if answer.status != 200 or told is None or not isinstance(fields, list):
        return ReadFailed(f"HTTP {answer.status}, but the answer describes no opportunity type")
    if told != code:
        return ReadFailed(f"the CRM was asked for the type {code} and describes {told}")
    if len(fields) > MOST_FIELDS:
        return ReadFailed(f"the CRM tells of {len(fields):,} fields, the limit is {MOST_FIELDS:,}")
    try:
        return _Reader().type(code, title_of(lookup(body, "DisplayName")), fields)
    except _ShapeError as error:
        return ReadFailed(str(error))


class _ShapeError(ValueError):
    """The metadata cannot be understood without guessing."""


class _Reader:
    """Reads the fields of one type and remembers what was left out."""

    def __init__(self) -> None:
        self._left_out: list[str] = []

    def type(self, code: int, title: str, fields: Iterable[Any]) -> TypeMetadata:
        read = tuple(self._fields(fields, ""))
        return TypeMetadata(code, title or str(code), read, tuple(self._left_out))

    def _fields(self, fields: Iterable[Any], owner: str) -> Iterator[FieldMetadata]:
        """The note is no field of a spec: it has a place of its own there."""
        seen: set[str] = set()
        for one in fields:
            if not isinstance(one, dict):
                raise _ShapeError("one of the fields that the CRM tells of is no object")
            described = {name.casefold(): value for name, value in one.items()}
            name = described.get("schemaname")
            if name == NOTE_COLUMN:
                continue
            if not isinstance(name, str) or not is_field_name(name):
                self._leave_out(f"the field {_quoted(name)}{owner}: no spec can name it")
                continue
            if name in seen:
                raise _ShapeError(f"the CRM tells of two fields {name}{owner}")
            seen.add(name)
            yield self._field(name, described, owner)

    def _field(self, name: str, told: Mapping[str, Any], owner: str) -> FieldMetadata:
        by_parent = self._options_by_parent(name, told.get("dependentoptionset"))
        options = self._options(name, told.get("optionset"))
        dependent = [option for some in by_parent.values() for option in some]
        listed = tuple(dict.fromkeys((*options, *dependent)))
        if len(listed) > MOST_OPTIONS:
            self._leave_out(f"the options of {name}: {len(listed):,}, more than {MOST_OPTIONS:,}")
            listed, by_parent = (), {}
        parent = told.get("parentfield")
        return FieldMetadata(
            name=name,
            title=title_of(told.get("displayname")),
            data_type=title_of(told.get("datatype")) or "String",
            mandatory=_is_set(told.get("ismandatory")),
            read_only=_is_set(told.get("isreadonly")),
            masked=any(_is_set(told.get(key.casefold())) for key in UNREADABLE),
            multi_select=_is_set(told.get("ismultiselectdropdown")),
            others_allowed=_is_set(told.get("includeothersoption")),
            max_length=_length(told.get("maxfieldlength")),
            options=listed,
            parent=parent if isinstance(parent, str) and is_field_name(parent) else "",
            options_by_parent=by_parent,
            sub_fields=() if owner else self._sub_fields(name, told.get("fields")),
        )

    def _sub_fields(self, name: str, fields: Any) -> tuple[FieldMetadata, ...]:
        if fields is None:
            return ()
        if not isinstance(fields, list) or len(fields) > MOST_FIELDS:
            raise _ShapeError(f"the sub-fields of {name} are no list, or too many")
        return tuple(self._fields(fields, f" in {name}"))

    def _options(self, name: str, told: Any) -> tuple[str, ...]:
        content = self._opened(name, told)
        if content is None:
            return ()
        if not isinstance(content, list):
            self._leave_out(f"the options of {name}: they are no list")
            return ()
        return tuple(dict.fromkeys(self._values(name, content)))

    def _values(self, name: str, listed: Iterable[Any]) -> Iterator[str]:
        """In the CRM's order; an option that is empty is how a field is cleared."""
        for one in sorted(listed, key=_order):
            text = lookup(one, "Value") if isinstance(one, dict) else one
            if isinstance(text, int | float) and not isinstance(text, bool):
                text = str(text)
            if not isinstance(text, str):
                self._leave_out(f"an option of {name}: it is no text")
            elif not _is_visible(text):
                self._leave_out(f"the option {_quoted(text)} of {name}: it is not all visible")
            elif text:
                yield text

    def _options_by_parent(self, name: str, told: Any) -> dict[str, tuple[str, ...]]:
        """By value of the parent, or a list in which every option names its parent's value."""
        content = self._opened(name, told)
        if content is None:
            return {}
        if isinstance(content, list):
            content = _by_parent(content)
        if not isinstance(content, dict):
            self._leave_out(f"the dependent options of {name}: their form is not known")
            return {}
        found = {
            parent: tuple(dict.fromkeys(self._values(name, options)))
            for parent, options in content.items()
            if isinstance(options, list) and _is_visible(parent)
        }
        return {parent: options for parent, options in found.items() if parent and options}

    def _opened(self, name: str, told: Any) -> Any:
        """JSON inside a string, or as it is; None where nothing is told."""
        if isinstance(told, str):
            if not told.strip():
                return None
            told = _inner_json(told)
            if told is None:
                self._leave_out(f"the options of {name}: they cannot be read")
        return told or None

    def _leave_out(self, what: str) -> None:
        self._left_out.append(what)


def _is_visible(text: str) -> bool:
    """Whether a spec can hold this text on one line."""
    return not any(unicodedata.category(letter) in _HIDDEN for letter in text)


def _inner_json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _by_parent(listed: Iterable[Any]) -> dict[str, list[Any]] | None:
    """None where an option does not say whose it is."""
    found: dict[str, list[Any]] = {}
    for one in listed:
        parent = lookup(one, "ParentValue") if isinstance(one, dict) else None
        if not isinstance(parent, str):
            return None
        found.setdefault(parent, []).append(one)
    return found


def _order(option: Any) -> int:
    order = lookup(option, "Order") if isinstance(option, dict) else None
    return order if isinstance(order, int) else 0


def _code(told: Any) -> int | None:
    """An int in metadata, a string in lists."""
    return _whole(told, _LARGEST_CODE)


def _length(told: Any) -> int:
    """0 where there is no limit to speak of."""
    return _whole(told, _LONGEST_TEXT) or 0


def _whole(told: Any, most: int) -> int | None:
    """A number from 1 to `most`, also where it is written as text."""
    if isinstance(told, str) and told.isascii() and told.isdecimal():
        told = int(told[:20])
    fits = isinstance(told, int) and not isinstance(told, bool) and 0 < told <= most
    return told if fits else None


def _is_set(told: Any) -> bool:
    """A switch, which other answers of the CRM write as text or as a number."""
    return told is True or told == 1 or (isinstance(told, str) and told.lower() in ("true", "1"))


def title_of(told: Any) -> str:
    """A name for people on one line: what is invisible is a blank, blanks are one."""
    if not isinstance(told, str):
        return ""
    hidden = (*_HIDDEN, "Cf", "Co")
    plain = "".join(
        " " if unicodedata.category(letter) in hidden else letter for letter in told[:2000]
    )
    return " ".join(plain.split())[:_LONGEST_TITLE].rstrip()


def _quoted(told: Any) -> str:
    return shown(told) if isinstance(told, str) else "without a name"
