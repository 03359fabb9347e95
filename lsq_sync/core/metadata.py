"""What the CRM tells of an opportunity type: its fields, without their values."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FieldMetadata:
    """One field, or one sub-field of a custom field set, as the CRM describes it.

    `options` and `options_by_parent` are empty where the CRM tells none, which does not say that
    there are none; `others_allowed` when people may write something that is no option.
    """

    name: str
    title: str = ""
    data_type: str = "String"
    mandatory: bool = False
    read_only: bool = False
    masked: bool = False
    multi_select: bool = False
    others_allowed: bool = False
    max_length: int = 0
    options: tuple[str, ...] = ()
    parent: str = ""
    options_by_parent: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sub_fields: tuple["FieldMetadata", ...] = ()


@dataclass(frozen=True, slots=True)
class TypeMetadata:
    """One opportunity type. `left_out` tells in words what of it no spec can name."""

    code: int
    title: str
    fields: tuple[FieldMetadata, ...]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ListedType:
    """An opportunity type as the list of the account's types has it."""

    code: int
    title: str
