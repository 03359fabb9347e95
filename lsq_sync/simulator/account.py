"""An account's contents as values: types, fields, users, opportunities and keys. No behaviour.

A sub-field of a custom field set (CFS) is stored flat, under `mx_Custom_36~mx_CustomObject_1`;
how it is shown on the wire is `echo`'s business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SUB_FIELD_SEPARATOR: Final = "~"
NOTE: Final = "ActivityEvent_Note"
STATUS: Final = "Status"
STATUS_COMMENT: Final = "mx_Custom_19"
OWNER: Final = "Owner"
CREATED_ON: Final = "CreatedOn"
MODIFIED_ON: Final = "ModifiedOn"
CREATED_BY: Final = "CreatedBy"
MODIFIED_BY: Final = "ModifiedBy"


@dataclass(frozen=True, slots=True)
class Keys:
    """The three keys of section 1.2: the pair of a user, and the key of the async gateway."""

    access_key: str
    secret_key: str
    x_api_key: str


# Made up, of the documented form; the `$` is there to be percent-encoded.
DEFAULT_KEYS: Final = Keys(
    access_key="u$r" + "51a1a70700000000000000000000f00d",
    secret_key="5ec2e700000000000000000000000000000000ff",  # noqa: S106 - opens nothing but this simulator
    x_api_key="SimulatorOnly000000000000000000000ApiKey",
)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an opportunity type, or one sub-field of a custom field set."""

    schema_name: str
    display_name: str
    data_type: str
    is_mandatory: bool = False
    is_read_only: bool = False
    is_multi_select: bool = False
    is_masked: bool = False
    max_length: int = 0  # 0: no limit
    options: tuple[str, ...] = ()
    parent_field: str = ""
    dependent_options: tuple[tuple[str, tuple[str, ...]], ...] = ()  # parent's value, options
    sub_fields: tuple["Field", ...] = ()

    @property
    def is_custom_field_set(self) -> bool:
        return self.data_type == "CustomObject"


def _named(fields: tuple[Field, ...], schema_name: str) -> Field | None:
    return next((one for one in fields if one.schema_name == schema_name), None)


@dataclass(frozen=True, slots=True)
class OpportunityType:
    code: int
    display_name: str
    fields: tuple[Field, ...]
    auto_id_field: str | None = None

    def field(self, name: str) -> Field | None:
        """A field by its SchemaName, or a sub-field by its flat name."""
        owner_name, _, sub_name = name.partition(SUB_FIELD_SEPARATOR)
        owner = _named(self.fields, owner_name)
        return _named(owner.sub_fields, sub_name) if owner and sub_name else owner


@dataclass(frozen=True, slots=True)
class User:
    id: str
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Opportunity:
    """An opportunity as the account starts out with it. `fields` holds flat names and raw text."""

    id: str
    code: int
    lead_id: str
    lead_email: str
    fields: Mapping[str, str]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    types: tuple[OpportunityType, ...]
    opportunities: tuple[Opportunity, ...]
    users: tuple[User, ...]  # the first one is the user of the keys
    short_code: str = "10001"
    time_zone: str = "Asia/Kolkata"


def sub_field_name(field: str, sub_field: str) -> str:
    """The flat name of a sub-field."""
    return f"{field}{SUB_FIELD_SEPARATOR}{sub_field}"
