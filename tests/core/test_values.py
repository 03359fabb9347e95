"""Canonical forms: each data type's table of what is taken, and of what is refused and why."""

from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.core.values import (
    DataType,
    Value,
    ValueProblemError,
    ValueRules,
    canonical,
    canonical_options,
    is_guid,
    same,
    shown,
    to_wire,
)

UTC_RULES = ValueRules()
INDIA = ValueRules(time_zone=ZoneInfo("Asia/Kolkata"))
BERLIN = ValueRules(time_zone=ZoneInfo("Europe/Berlin"))
GUID = "5ca5b042-51ea-4699-b6f0-84c40ab12770"

NUMBERS = [
    # written, canonical
    ("200000", "200000"),
    ("200,000", "200000"),
    ("2,00,000", "200000"),
    ("200000.00", "200000"),
    ("200,000.50", "200000.5"),
    ("2,00,000.50", "200000.5"),
    ("1,000", "1000"),
    ("10,00,000", "1000000"),
    ("1,00,00,000", "10000000"),
    ("1,000,000", "1000000"),
    ("12,345,678.90", "12345678.9"),
    ("-1,00,000", "-100000"),
    ("+5", "5"),
    ("-5", "-5"),
    ("0", "0"),
    ("-0", "0"),
    ("-0.00", "0"),
    ("000", "0"),
    ("0123", "123"),
    (".5", "0.5"),
    ("-.5", "-0.5"),
    ("5.", "5"),
    ("100", "100"),
    (" 7 ", "7"),
    ("\u00a07", "7"),
    ("9" * 60, "9" * 60),
    ("0." + "0" * 40 + "1", "0." + "0" * 40 + "1"),
]

NOT_NUMBERS = [
    # written, part of the message, part of the hint
    ("1e3", "'1e3' is not a number", "write the digits out: 1000"),
    ("1.5E2", "is not a number", "write the digits out: 150"),
    ("1_000", "is not a number", "write 1000"),
    ("1__0", "is not a number", "write 10"),
    ("2,0000", "a comma stands at an odd place", "200,000 or 2,00,000"),
    ("1,5", "a comma stands at an odd place", "a decimal point is a dot"),
    ("1.234,5", "a comma stands at an odd place", "a decimal point is a dot"),
    (",5", "a comma stands at an odd place", ""),
    ("5,", "a comma stands at an odd place", ""),
    ("1,,000", "a comma stands at an odd place", ""),
    ("0,1,000", "a comma stands at an odd place", ""),
    ("1,000,00", "a comma stands at an odd place", ""),
    ("100,00,000", "a comma stands at an odd place", ""),
    ("1 000", "is not a number", "write digits"),
    ("a lot", "is not a number", "write digits"),
    ("NaN", "is not a number", "write digits"),
    ("Infinity", "is not a number", "write digits"),
    ("-", "is not a number", "write digits"),
    (".", "is not a number", "write digits"),
    ("--5", "is not a number", "write digits"),
    ("1.2.3", "is not a number", "write digits"),
    ("0x10", "is not a number", "write digits"),
    ("₹200", "is not a number", "write digits"),
    ("200 INR", "is not a number", "write digits"),
    ("१२३", "is not a number", "write digits"),
    ("１２３", "is not a number", "write digits"),
    ("½", "is not a number", "write digits"),
    (" ", "is not a number", "write digits"),
    ("9" * 61, "a number of 61 characters", "check the value"),
]

DATE_TIMES = [
    # rules, written, canonical
    (UTC_RULES, "2020-09-16 12:13:44", "2020-09-16 12:13:44"),
    (UTC_RULES, "2020-09-16T12:13:44", "2020-09-16 12:13:44"),
    (UTC_RULES, "2020-09-16t12:13:44z", "2020-09-16 12:13:44"),
    (UTC_RULES, "2020-09-16 12:13", "2020-09-16 12:13:00"),
    (UTC_RULES, "2020-09-16", "2020-09-16 00:00:00"),
    (UTC_RULES, "2020-09-16 12:13:44.000", "2020-09-16 12:13:44"),
    (UTC_RULES, " 2020-09-16  12:13:44 ", "2020-09-16 12:13:44"),
    (UTC_RULES, "2020-09-16T12:13:44Z", "2020-09-16 12:13:44"),
    (UTC_RULES, "2020-09-16 12:13:44 Z", "2020-09-16 12:13:44"),
    (UTC_RULES, "2020-09-16T12:13:44+05:30", "2020-09-16 06:43:44"),
    (UTC_RULES, "2020-09-16T12:13:44+0530", "2020-09-16 06:43:44"),
    (UTC_RULES, "2020-09-16T12:13:44+05", "2020-09-16 07:13:44"),
    (UTC_RULES, "2020-09-16 12:13:44 -08:00", "2020-09-16 20:13:44"),
    (UTC_RULES, "2020-09-16T12:13:44-14:00", "2020-09-17 02:13:44"),
    (UTC_RULES, "2020-01-01T00:00:00+14:00", "2019-12-31 10:00:00"),
    (UTC_RULES, "2024-02-29 00:00:00", "2024-02-29 00:00:00"),
    (INDIA, "2020-09-16 12:13:44", "2020-09-16 06:43:44"),
    (INDIA, "2020-09-16", "2020-09-15 18:30:00"),
    (INDIA, "2020-09-16T12:13:44Z", "2020-09-16 12:13:44"),
    (INDIA, "2020-09-16T12:13:44+00:00", "2020-09-16 12:13:44"),
    (BERLIN, "2026-07-01 12:00:00", "2026-07-01 10:00:00"),
    (BERLIN, "2026-01-01 12:00:00", "2026-01-01 11:00:00"),
    # just outside of the gap (02:00 to 03:00) and of the overlap (02:00 to 03:00)
    (BERLIN, "2026-03-29 01:59:59", "2026-03-29 00:59:59"),
    (BERLIN, "2026-03-29 03:00:00", "2026-03-29 01:00:00"),
    (BERLIN, "2026-10-25 01:59:59", "2026-10-24 23:59:59"),
    (BERLIN, "2026-10-25 03:00:00", "2026-10-25 02:00:00"),
    (BERLIN, "2026-10-25T02:30:00+01:00", "2026-10-25 01:30:00"),
    (BERLIN, "2026-10-25T02:30:00+02:00", "2026-10-25 00:30:00"),
    (UTC_RULES, "9999-12-31 23:59:59", "9999-12-31 23:59:59"),
    (UTC_RULES, "1000-01-01 00:00:00", "1000-01-01 00:00:00"),
]

NOT_DATE_TIMES = [
    # rules, written, part of the message, part of the hint
    (UTC_RULES, "tomorrow", "is not a date and time", "account.time_zone"),
    (UTC_RULES, "16/09/2020", "is not a date and time", "write 2026-09-16 12:13:44"),
    (UTC_RULES, "2020-9-16", "is not a date and time", "write 2026-09-16 12:13:44"),
    (UTC_RULES, "2020-09-16 12", "is not a date and time", ""),
    (UTC_RULES, "2020-09-16 9:13:44", "is not a date and time", ""),
    (UTC_RULES, "2020-09-16 12:13:44 PM", "is not a date and time", ""),
    (UTC_RULES, "2020-09-16 12:13:44 IST", "is not a date and time", ""),
    (UTC_RULES, "２０２０-09-16", "is not a date and time", ""),
    (UTC_RULES, "2020-09-16Z", "is not a date and time", ""),
    (UTC_RULES, "2020-02-30 00:00:00", "is no date of the calendar", ""),
    (UTC_RULES, "2023-02-29 00:00:00", "is no date of the calendar", ""),
    (UTC_RULES, "2020-13-01", "is no date of the calendar", ""),
    (UTC_RULES, "2020-09-16 24:00:00", "is no date of the calendar", ""),
    (UTC_RULES, "2020-09-16 12:60:00", "is no date of the calendar", ""),
    (UTC_RULES, "2020-09-16 12:13:60", "is no date of the calendar", ""),
    (UTC_RULES, "0000-01-01", "is no date of the calendar", ""),
    (UTC_RULES, "2020-09-16 12:13:44.5", "has parts of a second", "whole seconds"),
    (UTC_RULES, "2020-09-16T12:13:44+15:00", "has no such offset", "+14:00"),
    (UTC_RULES, "2020-09-16T12:13:44+05:60", "has no such offset", ""),
    (UTC_RULES, "0999-12-31 00:00:00", "out of range", "check the year"),
    (UTC_RULES, "0001-01-01 00:00:00", "out of range", "check the year"),
    (UTC_RULES, "0001-01-01T00:00:00+05:30", "out of range", "check the year"),
    (UTC_RULES, "9999-12-31T23:59:59-05:00", "out of range", "check the year"),
    (INDIA, "0001-01-01 00:00:00", "out of range", "check the year"),
    (ValueRules(time_zone=ZoneInfo("America/New_York")), "9999-12-31 23:59:59", "out of range", ""),
    (BERLIN, "2026-03-29 02:00:00", "does not exist in Europe/Berlin", "with an offset"),
    (BERLIN, "2026-03-29 02:59:59", "does not exist in Europe/Berlin", "with an offset"),
    (BERLIN, "2026-10-25 02:00:00", "happens twice in Europe/Berlin", "with an offset"),
    (BERLIN, "2026-10-25 02:59:59", "happens twice in Europe/Berlin", "with an offset"),
]

DATES = [
    ("2026-09-16", "2026-09-16"),
    ("2026-09-16 00:00:00", "2026-09-16"),
    ("2026-09-16T00:00:00.000", "2026-09-16"),
    (" 2026-09-16 ", "2026-09-16"),
    ("2024-02-29", "2024-02-29"),
]

NOT_DATES = [
    ("16-09-2026", "is not a date", "write 2026-09-16"),
    ("2026-09-16 12:00:00", "is a date with a time", "write 2026-09-16"),
    ("2026-09-16T00:00:00Z", "is a date with a time", "write 2026-09-16"),
    ("2026-02-30", "is no date of the calendar", ""),
    ("2026-09-16 00:00:00.5", "has parts of a second", ""),
    ("0001-01-01", "out of range", "check the year"),
]

BOOLEANS = [
    *((word, "true") for word in ("true", "True", "TRUE", "yes", "Yes", "1", "on", " true ")),
    *((word, "false") for word in ("false", "False", "no", "NO", "0", "off", "Off")),
]

OPTIONS = [
    ("PAN", "PAN"),
    ("PAN;Aadhaar", "PAN;Aadhaar"),
    (" PAN ; Aadhaar ", "PAN;Aadhaar"),
    ("PAN;;Aadhaar;", "PAN;Aadhaar"),
    ("Aadhaar;PAN;Aadhaar", "Aadhaar;PAN"),
    (";", None),
]


@pytest.mark.parametrize(("written", "expected"), NUMBERS)
def test_numbers(written: str, expected: str) -> None:
    assert canonical(DataType.NUMBER, written, UTC_RULES) == expected


@pytest.mark.parametrize(("written", "message", "hint"), NOT_NUMBERS)
def test_what_is_no_number_is_refused(written: str, message: str, hint: str) -> None:
    refuses(DataType.NUMBER, written, UTC_RULES, message, hint)


@pytest.mark.parametrize("written", ["₹2,00,000", "2,00,000/-", "Rs. 2,00,000", "2,00,000 INR"])
def test_a_comma_is_not_blamed_for_what_stands_around_the_number(written: str) -> None:
    refuses(DataType.NUMBER, written, UTC_RULES, "is not a number", "write digits, such as 200000")
    with pytest.raises(ValueProblemError, match=r"is not a number$"):
        canonical(DataType.NUMBER, written, UTC_RULES)


@pytest.mark.parametrize(("rules", "written", "expected"), DATE_TIMES)
def test_date_times_become_utc(rules: ValueRules, written: str, expected: str) -> None:
    assert canonical(DataType.DATE_TIME, written, rules) == expected


@pytest.mark.parametrize(("rules", "written", "message", "hint"), NOT_DATE_TIMES)
def test_what_is_no_date_time_is_refused(
    rules: ValueRules, written: str, message: str, hint: str
) -> None:
    refuses(DataType.DATE_TIME, written, rules, message, hint)


@pytest.mark.parametrize(("written", "expected"), DATES)
@pytest.mark.parametrize("rules", [UTC_RULES, INDIA])
def test_dates_know_no_time_zone(rules: ValueRules, written: str, expected: str) -> None:
    assert canonical(DataType.DATE, written, rules) == expected


@pytest.mark.parametrize(("written", "message", "hint"), NOT_DATES)
def test_what_is_no_date_is_refused(written: str, message: str, hint: str) -> None:
    refuses(DataType.DATE, written, UTC_RULES, message, hint)


@pytest.mark.parametrize(("written", "expected"), BOOLEANS)
def test_booleans(written: str, expected: str) -> None:
    assert canonical(DataType.BOOLEAN, written, UTC_RULES) == expected


@pytest.mark.parametrize("written", ["maybe", "2", "y", "ja", "-1", " "])
def test_what_is_no_boolean_is_refused(written: str) -> None:
    refuses(DataType.BOOLEAN, written, UTC_RULES, "is neither true nor false", "write true or")


def test_user_ids_are_guids_without_case() -> None:
    assert canonical(DataType.USER, f" {GUID.upper()} ", UTC_RULES) == GUID


@pytest.mark.parametrize("written", ["Asha Rao", "asha@example.com", GUID[:-1], f"{{{GUID}}}"])
def test_who_is_no_user_id_is_refused(written: str) -> None:
    refuses(DataType.USER, written, UTC_RULES, "is not the id of a user", "not a name or an e-mail")


@pytest.mark.parametrize("kind", [DataType.TEXT, DataType.OPTION])
@pytest.mark.parametrize("written", [" a ", "NO", "0123", "200,000", "two\nlines", "Invalid/ Junk"])
def test_text_and_options_stay_as_written(kind: DataType, written: str) -> None:
    assert canonical(kind, written, INDIA) == written


@pytest.mark.parametrize(("written", "expected"), OPTIONS)
def test_a_multi_select_as_text(written: str, expected: Value) -> None:
    assert canonical(DataType.OPTIONS, written, UTC_RULES) == expected


@pytest.mark.parametrize("kind", DataType)
def test_empty_text_is_no_value(kind: DataType) -> None:
    assert canonical(kind, "", INDIA) is None


def refuses(kind: DataType, written: str, rules: ValueRules, message: str, hint: str) -> None:
    with pytest.raises(ValueProblemError) as caught:
        canonical(kind, written, rules)
    assert message in caught.value.message
    assert hint in caught.value.hint


# --- lists


def test_options_keep_the_order_written_each_once() -> None:
    items = ("Form 16", "PAN", "Form 16", "Aadhaar")
    assert canonical_options(items, UTC_RULES) == "Form 16;PAN;Aadhaar"
    assert canonical_options(("a", "b;c"), ValueRules(separator="|")) == "a|b;c"
    assert canonical_options((), UTC_RULES) is None


@pytest.mark.parametrize("empty", ["", " ", "\t"])
def test_an_empty_option_is_refused(empty: str) -> None:
    with pytest.raises(ValueProblemError) as caught:
        canonical_options(("PAN", empty), UTC_RULES)
    assert caught.value.message == "an option of a multi-select value is empty"
    assert caught.value.hint == "delete it"


def test_an_option_with_the_separator_is_refused() -> None:
    with pytest.raises(ValueProblemError) as caught:
        canonical_options(("PAN;Aadhaar",), UTC_RULES)
    assert caught.value.message == "an option holds the separator ';': 'PAN;Aadhaar'"
    assert "api.multi_select_separator" in caught.value.hint


# --- the same or not, among values of our own

SAME = [
    (DataType.TEXT, "a", "a"),
    (DataType.TEXT, None, ""),
    (DataType.TEXT, None, None),
    (DataType.NUMBER, "200,000", "200000.0"),
    (DataType.DATE_TIME, "2026-09-16T12:00:00Z", "2026-09-16 12:00:00"),
    (DataType.DATE, "2026-09-16 00:00:00", "2026-09-16"),
    (DataType.BOOLEAN, "1", "true"),
    (DataType.USER, GUID.upper(), GUID),
    (DataType.OPTIONS, "PAN;Aadhaar", "Aadhaar;PAN"),
    (DataType.OPTIONS, "PAN; Aadhaar", "Aadhaar;PAN;PAN"),
    (DataType.NUMBER, "a lot", "a lot"),
]

DIFFERENT = [
    (DataType.TEXT, "a", "A"),
    (DataType.TEXT, "a", " a"),
    (DataType.TEXT, "a", None),
    (DataType.TEXT, "1", "1.0"),
    (DataType.OPTION, "Open", "open"),
    (DataType.NUMBER, "0", None),
    (DataType.NUMBER, "1", "2"),
    (DataType.BOOLEAN, "false", None),
    (DataType.OPTIONS, "PAN", "PAN;Aadhaar"),
    (DataType.NUMBER, "a lot", "1"),
]


@pytest.mark.parametrize(("kind", "left", "right"), SAME)
def test_the_same_value_in_two_forms(kind: DataType, left: Value, right: Value) -> None:
    assert same(kind, left, right, INDIA)
    assert same(kind, right, left, INDIA)


@pytest.mark.parametrize(("kind", "left", "right"), DIFFERENT)
def test_different_values(kind: DataType, left: Value, right: Value) -> None:
    assert not same(kind, left, right, INDIA)
    assert not same(kind, right, left, INDIA)


def test_recorded_moments_are_utc_whatever_the_time_zone() -> None:
    """Else every recorded DateTime would move with the setting, and update without end."""
    assert same(DataType.DATE_TIME, "2026-09-16 12:00:00", "2026-09-16 12:00:00", INDIA)
    assert not same(DataType.DATE_TIME, "2026-09-16 12:00:00", "2026-09-16 06:30:00", INDIA)


# --- to the wire

WIRE = [
    (DataType.TEXT, "a\nb", "a\nb"),
    (DataType.NUMBER, "200000", "200000"),
    (DataType.DATE_TIME, "2026-09-16 12:00:00", "2026-09-16 12:00:00"),
    (DataType.DATE, "2026-09-16", "2026-09-16 00:00:00"),
    (DataType.BOOLEAN, "true", "true"),
    (DataType.USER, GUID, GUID),
    (DataType.OPTIONS, "b;a", "b;a"),
]


@pytest.mark.parametrize(("kind", "value", "sent"), WIRE)
def test_what_is_sent(kind: DataType, value: str, sent: str) -> None:
    assert to_wire(kind, value) == sent


@pytest.mark.parametrize("kind", DataType)
def test_a_cleared_field_is_sent_as_empty_text(kind: DataType) -> None:
    assert to_wire(kind, None) == ""


# --- properties

ROUGH_VALUES = {
    DataType.NUMBER: st.text("0123456789+-.,eE_ ", max_size=12),
    DataType.DATE_TIME: st.text("0123456789-:+.TZ ", max_size=28),
    DataType.DATE: st.text("0123456789-:T ", max_size=22),
    DataType.BOOLEAN: st.sampled_from(["true", "NO", "1", "off", "maybe"]),
    DataType.OPTIONS: st.text("ab; ", max_size=12),
}
ZONES = st.sampled_from([UTC_RULES, INDIA, BERLIN])


@st.composite
def typed_texts(draw: st.DrawFn) -> tuple[DataType, str]:
    kind = draw(st.sampled_from(DataType))
    strategy = st.text(max_size=30) | ROUGH_VALUES.get(kind, st.text(max_size=30))
    return kind, draw(strategy)


@settings(deadline=None)
@given(typed=typed_texts(), rules=ZONES)
def test_any_text_has_a_canonical_form_of_its_own_or_is_refused(
    typed: tuple[DataType, str], rules: ValueRules
) -> None:
    kind, text = typed
    value = canonical_or_none(kind, text, rules)
    assert value is None or canonical(kind, value, UTC_RULES) == value


def canonical_or_none(kind: DataType, text: str, rules: ValueRules) -> Value:
    try:
        return canonical(kind, text, rules)
    except ValueProblemError:
        return None


@settings(deadline=None)
@given(st.lists(st.text("abc ;", min_size=1, max_size=5), max_size=6))
def test_a_list_reads_back_as_the_same_set(items: list[str]) -> None:
    try:
        value = canonical_options(tuple(items), UTC_RULES)
    except ValueProblemError:
        return
    assert same(DataType.OPTIONS, value, ";".join(reversed(items)), UTC_RULES)


@settings(deadline=None)
@given(
    st.integers(min_value=-(10**30), max_value=10**30),
    st.integers(min_value=0, max_value=6),
)
def test_numbers_keep_their_value_to_the_last_digit(digits: int, places: int) -> None:
    sign, body = ("-", str(-digits)) if digits < 0 else ("", str(digits))
    body = body.rjust(places + 1, "0")
    text = f"{sign}{body[: len(body) - places]}.{body[len(body) - places :]}"
    value = canonical(DataType.NUMBER, text, UTC_RULES)
    assert value is not None
    whole, _, part = value.removeprefix("-").partition(".")
    assert int(whole + part.ljust(places, "0")) == abs(digits)
    assert value.startswith("-") == (digits < 0)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=10**12))
def test_both_groupings_of_any_number_are_that_number(number: int) -> None:
    western = f"{number:,}"
    assert canonical(DataType.NUMBER, western, UTC_RULES) == str(number)
    assert canonical(DataType.NUMBER, indian(number), UTC_RULES) == str(number)


def indian(number: int) -> str:
    head, tail = divmod(number, 1000)
    if not head:
        return str(tail)
    groups = [f"{tail:03}"]
    while head >= 100:
        head, pair = divmod(head, 100)
        groups.append(f"{pair:02}")
    return ",".join([str(head), *reversed(groups)])


# --- small helpers


def test_is_guid() -> None:
    assert is_guid(GUID)
    assert is_guid(GUID.upper())
    assert not is_guid(f"{GUID}\n")
    assert not is_guid(GUID.replace("-", ""))


def test_a_quoted_text_stays_on_one_line_and_ends() -> None:
    assert shown("a\nb") == "'a\\nb'"
    assert shown("x" * 61) == f"'{'x' * 60}'…"
