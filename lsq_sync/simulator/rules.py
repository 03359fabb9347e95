"""What the CRM checks an update for. Pure: an update and a record in, changes or a refusal out.

Of a refusal only the exception names were seen; which rule answers with which name is inferred
where section 5.3 of the API notes does not say. Rules look at one field after the other, and the
first that does not hold decides.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from lsq_sync.simulator.account import (
    NOTE,
    OWNER,
    STATUS,
    STATUS_COMMENT,
    Field,
    OpportunityType,
    User,
    sub_field_name,
)
from lsq_sync.simulator.refusal import RefusedError
from lsq_sync.simulator.scenario import Rules
from lsq_sync.simulator.update import FieldWrite, Update

NUMBER: Final = re.compile(r"[+-]?(\d[\d,]*(\.\d*)?|\.\d+)")  # `200,000` is in the vendor's sample
BOOLEANS: Final = frozenset({"true", "false", "1", "0"})
FRACTION: Final = re.compile(r"(\.\d{1,7})?")
SCRIPT: Final = re.compile(r"<\s*/?\s*script|javascript\s*:|<[^>]*\son\w+\s*=", re.IGNORECASE)
DROPDOWNS: Final = frozenset({"Dropdown", "SearchableDropdown", "LargeOptionSet", "Select"})


@dataclass(frozen=True, slots=True)
class Changes:
    """What an update comes to: flat names with their new text, and options it adds."""

    values: Mapping[str, str] = field(default_factory=dict)
    new_options: tuple[tuple[str, str], ...] = ()  # field, option


@dataclass(frozen=True, slots=True)
class Check:
    """The rules of one account, for one record."""

    rules: Rules
    type: OpportunityType
    current: Mapping[str, str]
    users: tuple[User, ...] = ()

    def changes(self, update: Update) -> Changes:
        """What the update changes. Raises `RefusedError`."""
        if update.fields is None:
            # Seen with a wrapped body; note that it is not an MX name. [seen in code]
            raise RefusedError(
                "ArgumentNullException", "Value cannot be null.\r\nParameter name: source"
            )
        self._refuse_status_without_comment(update.fields)
        values = dict(self._values(update.fields))
        if update.note is not None:
            self._refuse_script(update.note)
            values[NOTE] = update.note
        return self._with_options(values)

    # One write after the other

    def _values(self, writes: tuple[FieldWrite, ...]) -> Iterator[tuple[str, str]]:
        for write in writes:
            known = self._writable(self.type.field(write.name), write.name)
            if known is None:
                continue
            if known.is_custom_field_set:
                yield from self._sub_values(known, write)
            else:
                value = self._value(known, write.value)
                if value is not None:
                    yield known.schema_name, value

    def _sub_values(self, owner: Field, write: FieldWrite) -> Iterator[tuple[str, str]]:
        """Only the sub-fields that are sent change. [inferred]"""
        by_name = {sub.schema_name: sub for sub in owner.sub_fields}
        for sub_write in write.sub_fields:
            flat = sub_field_name(owner.schema_name, sub_write.name)
            known = self._writable(by_name.get(sub_write.name), flat)
            value = self._value(known, sub_write.value) if known else None
            if value is not None:
                yield flat, value

    def _writable(self, known: Field | None, name: str) -> Field | None:
        """The field, or None where it is to be passed over."""
        if known is None:
            if self.rules.unknown_field == "ignore":
                return None
            raise RefusedError(
                "MXInvalidActivityFieldsException", f"Field name : '{name}' does not exist."
            )
        if known.is_read_only:
            if self.rules.read_only == "ignore":
                return None
            raise RefusedError(
                "MXInvalidActivityFieldsException", f"Field name : '{name}' is read only."
            )
        return known

    def _value(self, known: Field, value: str | None) -> str | None:
        """The text to store, or None where the write is to be passed over."""
        if value is None:
            if self.rules.null_value == "ignore":
                return None
            if self.rules.null_value == "reject":
                raise RefusedError(
                    "MXInvalidInputException", f"Value of '{known.schema_name}' cannot be null."
                )
            value = ""
        if value == "":
            self._refuse_clearing(known)
            return ""
        self._refuse_script(value)
        self._refuse_wrong_type(known, value)
        return self._shortened(known, _stored(known, value))

    # The rules

    def _refuse_clearing(self, known: Field) -> None:
        if known.is_mandatory and self.rules.mandatory_cleared == "reject":
            raise RefusedError("MXInvalidActivityFieldsException", _mandatory(known))

    def _refuse_script(self, value: str) -> None:
        if self.rules.script_text == "reject" and SCRIPT.search(value):
            raise RefusedError(
                "MXXSSException", "A potentially dangerous value was detected in the request."
            )

    def _refuse_wrong_type(self, known: Field, value: str) -> None:
        if not self._has_type(known, value):
            raise RefusedError(
                "MXInvalidDataTypeException",
                f"Invalid value for '{known.schema_name}' of datatype : '{known.data_type}'.",
            )
        if known.schema_name == OWNER:
            self._refuse_unknown_user(value)

    def _has_type(self, known: Field, value: str) -> bool:
        match known.data_type:
            case "Number":
                return NUMBER.fullmatch(value) is not None
            case "Boolean":
                return value.lower() in BOOLEANS
            case "DateTime":
                return self.rules.other_date_form == "store" or is_date_time(value)
            case "Date":
                return self.rules.other_date_form == "store" or is_date(value)
            case _:
                return True

    def _refuse_unknown_user(self, value: str) -> None:
        known = {user.id.lower() for user in self.users}
        if self.rules.unknown_user == "reject" and value.lower() not in known:
            raise RefusedError("MXInvalidEntityException", "User does not exist in the system")

    def _shortened(self, known: Field, value: str) -> str:
        if not known.max_length or len(value) <= known.max_length:
            return value
        match self.rules.too_long:
            case "store":
                return value
            case "truncate":
                return value[: known.max_length]
            case "reject":
                raise RefusedError(
                    "MXInvalidInputException",
                    f"Length of '{known.schema_name}' can not be more than {known.max_length}.",
                )

    def _refuse_status_without_comment(self, writes: tuple[FieldWrite, ...]) -> None:
        sent = {write.name: write.value for write in writes}
        changes = STATUS in sent and sent[STATUS] != self.current.get(STATUS)
        comment = self.type.field(STATUS_COMMENT)
        if self.rules.status_comment and changes and comment and not sent.get(STATUS_COMMENT):
            raise RefusedError("MXInvalidActivityFieldsException", _mandatory(comment))

    # Options, which depend on what else is in the update

    def _with_options(self, values: dict[str, str]) -> Changes:
        kept: dict[str, str] = {}
        added: list[tuple[str, str]] = []
        for name, value in values.items():
            known = self.type.field(name)
            missing = self._missing_options(known, value, values) if known and value else ()
            if missing and self.rules.unlisted_option == "ignore":
                continue
            if known and missing and self.rules.unlisted_option == "add":
                added += [(name, option) for option in missing]
            kept[name] = value
        self._refuse_homeless_stage(kept)
        return Changes(kept, tuple(added))

    def _missing_options(
        self, known: Field, value: str, values: Mapping[str, str]
    ) -> tuple[str, ...]:
        """Those of the value's parts that are not options. Raises where that is not allowed."""
        if known.parent_field:
            self._refuse_outside_parent(known, value, values)
        options = self._options(known)
        missing = tuple(part for part in self._parts(known, value) if part not in options)
        if not (_is_dropdown(known) and missing):
            return ()
        if self.rules.unlisted_option == "reject":
            raise RefusedError(
                "MXInvalidInputException",
                f"Invalid option '{missing[0]}' provided for '{known.schema_name}'.",
            )
        return missing

    def _parts(self, known: Field, value: str) -> tuple[str, ...]:
        if not known.is_multi_select:
            return (value,)
        parts = value.split(self.rules.multi_select_separator)
        return tuple(part.strip() for part in parts if part.strip())

    def _options(self, known: Field) -> frozenset[str]:
        dependent = (option for _, options in known.dependent_options for option in options)
        return frozenset(known.options) | frozenset(dependent)

    def _refuse_outside_parent(self, known: Field, value: str, values: Mapping[str, str]) -> None:
        parent = values.get(known.parent_field, self.current.get(known.parent_field, ""))
        fitting = dict(known.dependent_options).get(parent, ())
        elsewhere = value in self._options(known) and value not in fitting
        if elsewhere and self.rules.stage_outside_status == "reject":
            raise RefusedError(
                "MXInvalidInputException",
                f"Invalid option '{value}' provided for '{known.schema_name}': "
                f"'{known.parent_field}' is '{parent}'.",
            )

    def _refuse_homeless_stage(self, values: Mapping[str, str]) -> None:
        """A new status alone may leave the present stage without a home."""
        if self.rules.status_leaves_stage == "store":
            return
        for known in self.type.fields:
            stays = known.parent_field in values and known.schema_name not in values
            present = self.current.get(known.schema_name, "")
            if stays and present:
                self._refuse_outside_parent(known, present, values)


def _is_dropdown(known: Field) -> bool:
    return known.data_type in DROPDOWNS or known.is_multi_select


def _stored(known: Field, value: str) -> str:
    """The form in which a value is kept where the CRM does not keep the text."""
    match known.data_type:
        case "Boolean":
            return "1" if value.lower() in ("true", "1") else "0"
        case "Date" if is_date(value):
            return f"{value[:10]} 00:00:00"  # read back as midnight [seen in code]
        case "DateTime" if is_date_time(value):
            return value[:19]
        case _:
            return value


def is_date_time(value: str) -> bool:
    """`YYYY-MM-DD HH:MM:SS`, perhaps with a fraction. [documented] overview"""
    return _fits(value[:19], "%Y-%m-%d %H:%M:%S") and FRACTION.fullmatch(value[19:]) is not None


def is_date(value: str) -> bool:
    """A day, or any time of it."""
    return is_date_time(value) or (len(value) == 10 and _fits(value, "%Y-%m-%d"))


def _fits(value: str, form: str) -> bool:
    try:
        return datetime.strptime(value, form).strftime(form) == value  # noqa: DTZ007 - form only
    except ValueError:
        return False


def _mandatory(known: Field) -> str:
    """[documented] capture-opportunities"""
    return f"Field name : '{known.schema_name}' of datatype : '{known.data_type}' is mandatory."
