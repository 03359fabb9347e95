"""What the specs say, once it has types: opportunities, their fields, and what is known of each."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from lsq_sync.core.lazy import LazyTuple
from lsq_sync.core.values import ABSENT, Absent, DataType, Value
from lsq_sync.errors import Origin

SUBFIELD = "~"
"""Between a custom field set and its sub-field, as in `mx_Custom_36~mx_CustomObject_1`."""

_FIELD_NAME = re.compile("[A-Za-z][A-Za-z0-9_]{0,127}")

MASK = "(sensitive)"
"""Stands for the value of a field that its type schema marks `x-lsq-sensitive`."""


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What a type schema knows of one field; the default is a field nobody has described."""

    data_type: DataType = DataType.TEXT
    title: str = ""
    sensitive: bool = False
    send_with: tuple[str, ...] = ()


UNTYPED = FieldRule()
UNTYPED_OPTIONS = FieldRule(DataType.OPTIONS)


class DesiredField(NamedTuple):
    """One field that the specs manage, in canonical form; None clears it."""

    name: str
    value: Value
    origin: Origin
    rule: FieldRule = UNTYPED


class ReadFields(LazyTuple[DesiredField]):
    """Fields of a spec, of which only the values are known before somebody looks at them."""

    __slots__ = ("values",)

    def __init__(self, values: Mapping[str, Value]) -> None:
        super().__init__()
        self.values = values


@dataclass(frozen=True, slots=True)
class DesiredNote:
    """The OpportunityNote that the specs want; None clears it."""

    value: Value
    origin: Origin


class DesiredOpportunity(NamedTuple):
    """One opportunity of the specs; its key is a GUID in lower case or an AutoId value."""

    key: str
    origin: Origin
    fields: Sequence[DesiredField]
    note: DesiredNote | None = None
    type: str = ""
    code: int | None = None
    label: str = ""

    def each_field(self) -> Iterable[DesiredField]:
        """The fields for somebody who needs them once: all of them take much memory together."""
        return self.fields.make() if isinstance(self.fields, ReadFields) else self.fields

    @property
    def values(self) -> Mapping[str, Value]:
        """What every managed field should be."""
        if isinstance(self.fields, ReadFields):
            return self.fields.values
        return {field.name: field.value for field in self.fields}


@dataclass(frozen=True, slots=True)
class LiveOpportunity:
    """What the CRM said of one opportunity.

    What was asked for and has nothing in it is None; what was not read is absent, and the plan
    does not take that for empty. `missing`: the CRM does not have it; `guid`: as the CRM names it;
    `edited_at` (UTC) and `edited_by`: its last change, where the CRM was asked about that.
    """

    fields: Mapping[str, Value] = field(default_factory=dict)
    note: Value | Absent = ABSENT
    guid: str = ""
    missing: bool = False
    edited_at: Value = None
    edited_by: str = ""

    @property
    def last_edit(self) -> str:
        """In brackets, to stand behind a reason; empty where nobody has asked."""
        if not self.edited_at:
            return ""
        who = f" by {self.edited_by}" if self.edited_by else ""
        return f" (last edited {self.edited_at} UTC{who})"


Live = Mapping[str, LiveOpportunity]
"""What was read, by key."""


@dataclass(frozen=True, slots=True)
class Account:
    """The CRM account that a workspace belongs to. `name` is only a label."""

    name: str
    async_host: str
    host: str | None = None
    short_code: str | None = None

    def is_same_as(self, other: "Account") -> bool:
        """Short codes decide; where one is unknown, the hosts that both know."""
        if self.short_code and other.short_code:
            return self.short_code == other.short_code
        if self.host and other.host and self.host != other.host:
            return False
        return self.async_host == other.async_host

    def with_what_is_known(self, recorded: "Account | None") -> "Account":
        """This account, with what was recorded of it and cannot be read from the settings."""
        if recorded is None:
            return self
        host = self.host or recorded.host
        return replace(self, host=host, short_code=self.short_code or recorded.short_code)


def is_field_name(text: str) -> bool:
    """Whether a spec can name such a field, as in `schemas/spec.schema.json`."""
    return _FIELD_NAME.fullmatch(text) is not None
