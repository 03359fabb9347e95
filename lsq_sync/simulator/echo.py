"""How stored values read back: the many forms of one value. Section 7.4 of the API notes. Pure."""

import json
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, assert_never

from lsq_sync.simulator.account import NOTE, OWNER, Field, OpportunityType, sub_field_name
from lsq_sync.simulator.scenario import DateForm, Echo

MASKED: Final = "XXXXXXXX"
NO_DATE: Final = "0001-01-01 00:00:00"  # treated as "no date" by the CRM's own client
DATE_TYPES: Final = frozenset({"Date", "DateTime"})
TEXT_TYPES: Final = frozenset({"String", "Text"})
_NOTE: Final = Field(NOTE, "Notes", "String")
_STORED_DATE: Final = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Mirror:
    """Shows the values of one type's records at one endpoint."""

    type: OpportunityType
    echo: Echo
    dates: DateForm

    def row(
        self, values: Mapping[str, str], touched: Set[str], columns: Iterable[str]
    ) -> dict[str, Any]:
        """The asked columns; those that the type does not have are left out. [inferred]"""
        row: dict[str, Any] = {}
        for column in columns:
            known = self.type.field(column)
            if known is not None:
                self._put_field(row, known, column, values, touched)
        return row

    def _put_field(
        self,
        row: dict[str, Any],
        known: Field,
        column: str,
        values: Mapping[str, str],
        touched: Set[str],
    ) -> None:
        flat = self.echo.custom_field_sets == "flat"
        if known.is_custom_field_set and flat:
            for sub in known.sub_fields:
                name = sub_field_name(column, sub.schema_name)
                put(row, name, self.text(sub, values.get(name, ""), name in touched), self.echo)
        elif known.is_custom_field_set:
            put(row, column, self.as_json(known, values, touched), self.echo)
        elif flat or column == known.schema_name:  # only "ESS" accounts know `~` columns
            text = self.text(known, values.get(column, ""), column in touched)
            put(row, column, text, self.echo)

    def note(self, values: Mapping[str, str]) -> str:
        """The note as it stands beside the fields."""
        return self.text(_NOTE, values.get(NOTE, ""), touched=True)

    def text(self, known: Field, value: str, touched: bool) -> str:
        """One value as it reads back; "" where there is nothing."""
        if not value:
            return self._nothing(known, touched)
        if known.is_masked:
            return MASKED
        if known.data_type == "Number":
            return number(value, self.echo)
        if known.data_type in DATE_TYPES:
            return date(value, self.dates)
        if known.data_type == "Boolean" and self.echo.booleans == "word":
            return "true" if value == "1" else "false"
        if known.schema_name == OWNER or known.data_type == "ActiveUsers":
            return value.upper() if self.echo.user_ids == "upper" else value
        if known.data_type in TEXT_TYPES:
            return self._prose(value)
        return value

    def _nothing(self, known: Field, touched: bool) -> str:
        if known.data_type == "Number" and self.echo.untouched_numbers_read_zero and not touched:
            return "0"
        if known.data_type in DATE_TYPES and self.echo.placeholder_dates:
            return date(NO_DATE, self.dates)
        return ""

    def _prose(self, value: str) -> str:
        text = value.strip() if self.echo.trimmed else value
        return re.sub(r"\r?\n", "\r\n", text) if self.echo.line_ends == "crlf" else text

    def as_json(self, known: Field, values: Mapping[str, str], touched: Set[str]) -> str:
        """A custom field set as JSON; `Status` is there even if unused. [seen in code]"""
        shown = {
            sub.schema_name: self.text(sub, values.get(name, ""), name in touched)
            for sub in known.sub_fields
            for name in (sub_field_name(known.schema_name, sub.schema_name),)
        }
        if not any(shown.values()):
            return ""
        return json.dumps({"Status": "", **shown}, ensure_ascii=False, separators=(",", ":"))


def put(row: dict[str, Any], name: str, text: str, echo: Echo) -> None:
    """Sets a key, with nothing shown as the scenario has it."""
    if text:
        row[name] = text
        return
    match echo.empty:
        case "null":
            row[name] = None
        case "blank":
            row[name] = ""
        case "absent":
            pass
        case unknown:
            assert_never(unknown)


def number(value: str, echo: Echo) -> str:
    match echo.numbers:
        case "raw":
            return value
        case "comma_stripped":
            return value.replace(",", "")
        case "padded":
            return _padded(value.replace(",", ""))
        case unknown:
            assert_never(unknown)


def _padded(value: str) -> str:
    """`50000.000` [seen in code]"""
    try:
        exact = Decimal(value)
    except InvalidOperation:
        return value
    return value if exact.as_tuple().exponent <= -3 else f"{exact:.3f}"  # type: ignore[operator]


def date(value: str, form: DateForm) -> str:
    """A stored date in one of its forms; text that is no date stays as it is."""
    try:
        at = datetime.strptime(value, _STORED_DATE).replace(tzinfo=UTC)
    except ValueError:
        return value
    match form:
        case "plain":
            return value
        case "millis":
            return f"{value}.000"
        case "us":
            hour = at.hour % 12 or 12
            half = "AM" if at.hour < 12 else "PM"
            return f"{at.month}/{at.day}/{at.year} {hour}:{at.minute:02}:{at.second:02} {half}"
        case "epoch":
            return f"/Date({int(at.timestamp() * 1000)}+0000)/"
        case unknown:
            assert_never(unknown)
