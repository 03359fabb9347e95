"""Field values: one canonical text per value and data type, how two values compare, what is sent.

A value is text, or None for empty. Values without a type schema stay as written. Sources of the
rules: apidocs.leadsquared.com/overview (dates are UTC, `YYYY-MM-DD HH:MM:SS`),
apidocs.leadsquared.com/update-an-opportunity (numbers with thousands commas).
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from enum import Enum, StrEnum
from functools import cache
from typing import Final

Value = str | None


class Absent(Enum):
    """The third state of a value that may be text, empty, or not there at all."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT

GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


class DataType(StrEnum):
    """How a field's values are written and compared."""

    TEXT = "text"
    NUMBER = "number"
    DATE_TIME = "date-time"
    DATE = "date"
    BOOLEAN = "boolean"
    USER = "user"
    OPTION = "option"
    OPTIONS = "options"


@dataclass(frozen=True, slots=True)
class ValueRules:
    """The account's settings that values depend on."""

    time_zone: tzinfo = UTC
    separator: str = ";"


class ValueProblemError(ValueError):
    """The text is no value of its data type; `hint` says how to write one."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def canonical(data_type: DataType, text: str, rules: ValueRules) -> Value:
    """The one form in which this value is compared, recorded and shown; None when it is empty.

    Raises ValueProblemError when `text` is no value of `data_type`.
    """
    return _CANONICAL[data_type](text, rules) if text else None


def reader(data_type: DataType, rules: ValueRules) -> Callable[[str], Value]:
    """`canonical` of one data type, for many texts."""
    read = _CANONICAL[data_type]
    if read is _as_written:
        return _or_none
    return lambda text: read(text, rules) if text else None


def _or_none(text: str) -> Value:
    return text or None


def canonical_options(items: tuple[str, ...], rules: ValueRules) -> Value:
    """A multi-select value from its options, in the order written, each once.

    Raises ValueProblemError when an option is empty or holds the separator.
    """
    for item in items:
        if not item.strip():
            raise ValueProblemError("an option of a multi-select value is empty", "delete it")
        if rules.separator in item:
            raise ValueProblemError(
                f"an option holds the separator {rules.separator!r}: {shown(item)}",
                "write it as several options, or change api.multi_select_separator",
            )
    return rules.separator.join(dict.fromkeys(items)) or None


def same(data_type: DataType, left: Value, right: Value, rules: ValueRules) -> bool:
    """Whether two values that we wrote ourselves mean the same."""
    if left == right or not (left or right):
        return True
    if left is None or right is None or _CANONICAL[data_type] is _as_written:
        return False
    return _comparable(data_type, left, rules) == _comparable(data_type, right, rules)


def same_as_live(data_type: DataType, live: Value, desired: Value, rules: ValueRules) -> bool:
    """Whether what the CRM says is what we want, in whichever of its ways it says it.

    Line ends and outer white space do not count, nothing and empty are one, a Number that was
    never set may read as 0, and a date as a moment before all dates.
    """
    seen = from_live(data_type, live, rules)
    wanted = _tidy(desired) if desired else None
    if not wanted:
        zero = data_type is DataType.NUMBER and seen == "0"
        return not seen or zero or _is_no_date(seen)
    return same(data_type, seen, wanted, rules)


def _is_no_date(text: str) -> bool:
    """How an empty date may read, also where nobody has said that the field is a date."""
    try:
        return _live_datetime(text) is None
    except (ValueProblemError, OverflowError):
        return False


def from_live(data_type: DataType, live: Value, rules: ValueRules) -> Value:
    """A live value in canonical form; as the CRM wrote it where it is no value of its type."""
    text = _tidy(live or "")
    if not text:
        return None
    try:
        match data_type:
            case DataType.DATE_TIME:
                return _live_datetime(text)
            case DataType.DATE:
                found = _live_datetime(text)
                return found and found[:10]
            case DataType.NUMBER:
                return _number(text, rules)
            case _:
                return canonical(data_type, text, rules)
    except (ValueProblemError, OverflowError):
        return text


def to_wire(data_type: DataType, value: Value) -> str:
    """The text that goes into `Value`: a cleared field is empty, a Date is midnight."""
    if value is None:
        return ""
    return f"{value} 00:00:00" if data_type is DataType.DATE else value


def _comparable(data_type: DataType, value: str, rules: ValueRules) -> object:
    """Recorded text may be older than the type schema, so it is read again before comparing.

    What we recorded is UTC already, so the account's time zone stays out of it.
    """
    try:
        text = canonical(data_type, value, _in_utc_with(rules.separator))
    except ValueProblemError:
        text = value
    if data_type is DataType.OPTIONS and text:
        return frozenset(item.strip() for item in text.split(rules.separator))
    return text


@cache
def _in_utc_with(separator: str) -> ValueRules:
    return ValueRules(separator=separator)


def _tidy(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _as_written(text: str, _: ValueRules) -> str:
    return text


# --- Number

_PLAIN_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")
_WESTERN_GROUPS = re.compile(r"[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?")
_INDIAN_GROUPS = re.compile(r"[+-]?[0-9]{1,2}(?:,[0-9]{2})*,[0-9]{3}(?:\.[0-9]*)?")
_DIGITS_AND_MARKS = re.compile(r"[0-9+.,-]+")
_EXPONENT = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?[eE][+-]?[0-9]{1,2}")
_LONGEST_NUMBER = 60
_CANONICAL_INTEGER = re.compile(r"-?[1-9][0-9]{0,15}")


def _number(text: str, _: ValueRules) -> str:
    if _CANONICAL_INTEGER.fullmatch(text):  # most are
        return text
    body = text.strip()
    if len(body) > _LONGEST_NUMBER:
        raise ValueProblemError(f"a number of {len(body)} characters", "check the value")
    if "," in body and _DIGITS_AND_MARKS.fullmatch(body):
        if not (_WESTERN_GROUPS.fullmatch(body) or _INDIAN_GROUPS.fullmatch(body)):
            raise ValueProblemError(
                f"{shown(text)} is not a number: a comma stands at an odd place",
                "write 200000, 200,000 or 2,00,000; a decimal point is a dot",
            )
        body = body.replace(",", "")
        if _CANONICAL_INTEGER.fullmatch(body):
            return body
    if not _PLAIN_NUMBER.fullmatch(body):
        raise ValueProblemError(f"{shown(text)} is not a number", _number_hint(body))
    return _plain_digits(Decimal(body))


def _number_hint(body: str) -> str:
    if _EXPONENT.fullmatch(body):
        return f"write the digits out: {_plain_digits(Decimal(body))}"
    if "_" in body and _PLAIN_NUMBER.fullmatch(body.replace("_", "")):
        return f"write {body.replace('_', '')}"
    return "write digits, such as 200000 or 1250.50"


def _plain_digits(number: Decimal) -> str:
    digits = f"{number:f}"
    if "." in digits:
        digits = digits.rstrip("0").rstrip(".")
    return "0" if digits in {"-0", ""} else digits


# --- DateTime and Date

_DATE = r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:\.(?P<part>[0-9]+))?)?"
_ZONE = r"(?P<zone>[Zz]|[+-][0-9]{2}(?::?[0-9]{2})?)"
_DATE_TIME = re.compile(rf"{_DATE}(?:(?:[Tt]|\s+){_TIME}\s*{_ZONE}?)?")
_US_DATE_TIME = re.compile(
    r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{1,4})"
    r"(?:\s+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:\.[0-9]+)?\s*([AaPp])\.?[Mm]\.?)?"
)
_JSON_DATE = re.compile(r"/Date\((-?[0-9]{1,15})(?:[+-][0-9]{4})?\)/")
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - UTC, like every live moment
_NO_DATE = date.min
_FIRST_YEAR = 1000
_PLAIN_DATE = re.compile(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}")
_PLAIN_DATE_TIME = re.compile(rf"{_PLAIN_DATE.pattern} [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}")
_DATE_TIME_WITH_OFFSET = re.compile(
    rf"{_PLAIN_DATE.pattern}[T ][0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}[+-](?:0[0-9]|1[0-3]):[0-5][0-9]"
)
_DATE_TIME_HINT = "write 2026-09-16 12:13:44 (in account.time_zone) or 2026-09-16T12:13:44+05:30"


def _date_time(text: str, rules: ValueRules) -> str:
    try:
        if _PLAIN_DATE_TIME.fullmatch(text):  # most are
            plain = datetime.fromisoformat(text)
            return _in_utc(_localised(plain, rules.time_zone, text), text)
        if _DATE_TIME_WITH_OFFSET.fullmatch(text):
            there = datetime.fromisoformat(text)
            return _in_utc((there.astimezone(UTC)).replace(tzinfo=None), text)
    except (ValueError, OverflowError):
        pass  # what is wrong with it is told below
    found = _DATE_TIME.fullmatch(text.strip())
    if found is None:
        raise ValueProblemError(f"{shown(text)} is not a date and time", _DATE_TIME_HINT)
    moment = _moment(found, text)
    zone = found["zone"]
    try:
        utc = moment - _offset(zone, text) if zone else _localised(moment, rules.time_zone, text)
    except OverflowError:
        raise _out_of_range(text) from None
    return _in_utc(utc, text)


def _moment(found: re.Match[str], text: str) -> datetime:
    if (found["part"] or "").strip("0"):
        raise ValueProblemError(
            f"{shown(text)} has parts of a second", "the CRM keeps whole seconds"
        )
    numbers = [
        int(found[name] or 0) for name in ("year", "month", "day", "hour", "minute", "second")
    ]
    try:
        return datetime(*numbers)  # type: ignore[arg-type]  # noqa: DTZ001 - zone follows
    except ValueError as error:
        raise ValueProblemError(f"{shown(text)} is no date of the calendar: {error}") from None


def _offset(zone: str, text: str) -> timedelta:
    if zone in "Zz":
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 14 or minutes > 59:
        raise ValueProblemError(f"{shown(text)} has no such offset: {zone}", "offsets go to +14:00")
    size = timedelta(hours=hours, minutes=minutes)
    return -size if zone[0] == "-" else size


def _localised(moment: datetime, zone: tzinfo, text: str) -> datetime:
    """The moment in UTC; a time that the zone skips or has twice is an error, not a guess."""
    if zone is UTC:
        return moment
    here = moment.replace(tzinfo=zone)
    offset = here.utcoffset()
    if offset is not None and offset == here.replace(fold=1).utcoffset():
        return moment - offset
    early = moment.replace(tzinfo=zone, fold=0).astimezone(UTC)
    late = moment.replace(tzinfo=zone, fold=1).astimezone(UTC)
    back = early.astimezone(zone).replace(tzinfo=None)
    if early != late:
        fault = "happens twice" if back == moment else "does not exist"
        raise ValueProblemError(
            f"{shown(text)} {fault} in {zone}: the clocks change then",
            "write it with an offset, such as 2026-10-25T02:30:00+01:00",
        )
    return early.replace(tzinfo=None)


def _in_utc(moment: datetime, text: str) -> str:
    if moment.year < _FIRST_YEAR:
        raise _out_of_range(text)
    return moment.isoformat(" ", "seconds")


def _out_of_range(text: str) -> ValueProblemError:
    return ValueProblemError(f"{shown(text)} is out of range", "check the year")


def _date(text: str, _: ValueRules) -> str:
    if _PLAIN_DATE.fullmatch(text):  # most are
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            pass  # what is wrong with it is told below
    found = _DATE_TIME.fullmatch(text.strip())
    if found is None:
        raise ValueProblemError(f"{shown(text)} is not a date", "write 2026-09-16")
    moment = _moment(found, text)
    if found["zone"] or moment != datetime(moment.year, moment.month, moment.day):  # noqa: DTZ001
        raise ValueProblemError(f"{shown(text)} is a date with a time", f"write {found[0][:10]}")
    if moment.year < _FIRST_YEAR:
        raise _out_of_range(text)
    return moment.date().isoformat()


def _live_datetime(text: str) -> Value:
    """A moment as the CRM writes it, in UTC; None where that stands for no date.

    Raises ValueProblemError or OverflowError for what is no moment.
    """
    at = _live_moment(text)
    return None if at.date() == _NO_DATE else _in_utc(at, text)


def _live_moment(text: str) -> datetime:
    """The forms in which the CRM writes a moment; all are UTC and none says so."""
    if stamp := _JSON_DATE.fullmatch(text):
        return _EPOCH + timedelta(milliseconds=int(stamp[1]))
    american = _US_DATE_TIME.fullmatch(text)
    plain = _from_american(american) if american else text
    found = _DATE_TIME.fullmatch(re.sub(r"\.[0-9]+", "", plain))
    if found is None:
        raise ValueProblemError(f"{shown(text)} is not a date and time")
    return _moment(found, text) - (_offset(found["zone"], text) if found["zone"] else timedelta())


def _from_american(found: re.Match[str]) -> str:
    month, day, year, hour, minute, second, half = found.groups()
    day_text = f"{int(year):04}-{int(month):02}-{int(day):02}"
    if half is None:
        return day_text
    in_day = int(hour) % 12 + (12 if half in "Pp" else 0)
    return f"{day_text} {in_day:02}:{minute}:{second or '00'}"


# --- the rest

_TRUE = frozenset({"true", "yes", "1", "on"})
_FALSE = frozenset({"false", "no", "0", "off"})


def _boolean(text: str, _: ValueRules) -> str:
    word = text.strip().lower()
    if word in _TRUE:
        return "true"
    if word in _FALSE:
        return "false"
    raise ValueProblemError(f"{shown(text)} is neither true nor false", "write true or false")


def _user(text: str, _: ValueRules) -> str:
    body = text.strip()
    if not GUID.fullmatch(body):
        raise ValueProblemError(
            f"{shown(text)} is not the id of a user",
            "write the user's id (a GUID such as 5ca5b042-51ea-4699-b6f0-84c40ab12770), "
            "not a name or an e-mail address",
        )
    return body.lower()


def _options(text: str, rules: ValueRules) -> Value:
    items = (item.strip() for item in text.split(rules.separator))
    return canonical_options(tuple(item for item in items if item), rules)


_CANONICAL: dict[DataType, Callable[[str, ValueRules], Value]] = {
    DataType.TEXT: _as_written,
    DataType.NUMBER: _number,
    DataType.DATE_TIME: _date_time,
    DataType.DATE: _date,
    DataType.BOOLEAN: _boolean,
    DataType.USER: _user,
    DataType.OPTION: _as_written,
    DataType.OPTIONS: _options,
}


_SHOWN = 60


def shown(text: str) -> str:
    """The text as a message quotes it: on one line, not endless, nothing invisible."""
    return repr(text) if len(text) <= _SHOWN else f"{text[:_SHOWN]!r}…"


_MASKED = re.compile(r"[*]{3,}|X{4,}|[*X]{6,}[0-9]{0,4}")


def is_masked(text: Value) -> bool:
    """Whether a live value looks like what the CRM shows instead of one that is hidden."""
    return bool(text) and _MASKED.fullmatch(text or "") is not None


def is_guid(text: str) -> bool:
    """Whether the text has the form of a GUID, in any case."""
    return GUID.fullmatch(text) is not None
