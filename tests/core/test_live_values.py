"""Live values: every form of leadsquared-api.md 7.4, against what we want and as canonical text."""

from datetime import date as calendar_date
from datetime import datetime, timedelta
from itertools import product
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.core.values import (
    DataType,
    Value,
    ValueRules,
    canonical,
    canonical_options,
    from_live,
    same_as_live,
    to_wire,
)
from tests.simulator.support import ONE, Caller

RULES = ValueRules()
GUID = "5ca5b042-51ea-4699-b6f0-84c40ab12770"

FROM_LIVE = [
    # type, live, canonical
    # DateTime: details, other fields, by ids, the top level of details
    (DataType.DATE_TIME, "2026-08-31 08:38:00", "2026-08-31 08:38:00"),
    (DataType.DATE_TIME, "2026-08-31 08:38:00.000", "2026-08-31 08:38:00"),
    (DataType.DATE_TIME, "2026-08-31 08:38:00.123", "2026-08-31 08:38:00"),
    (DataType.DATE_TIME, "2026-08-31T08:38:00", "2026-08-31 08:38:00"),
    (DataType.DATE_TIME, "2026-08-31T08:38:00Z", "2026-08-31 08:38:00"),
    (DataType.DATE_TIME, "2026-08-31T14:08:00+05:30", "2026-08-31 08:38:00"),
    (DataType.DATE_TIME, "4/6/2023 3:23:34 PM", "2023-04-06 15:23:34"),
    (DataType.DATE_TIME, "04/06/2023 03:23:34 pm", "2023-04-06 15:23:34"),
    (DataType.DATE_TIME, "12/16/2023 12:05:00 AM", "2023-12-16 00:05:00"),
    (DataType.DATE_TIME, "12/16/2023 12:00:00 PM", "2023-12-16 12:00:00"),
    (DataType.DATE_TIME, "4/6/2023 3:23 PM", "2023-04-06 15:23:00"),
    (DataType.DATE_TIME, "4/6/2023 3:23:34.500 PM", "2023-04-06 15:23:34"),
    (DataType.DATE_TIME, "4/6/2023", "2023-04-06 00:00:00"),
    (DataType.DATE_TIME, "/Date(1680794614000+0000)/", "2023-04-06 15:23:34"),
    (DataType.DATE_TIME, "/Date(1680794614000)/", "2023-04-06 15:23:34"),
    (DataType.DATE_TIME, "/Date(1680794614999+0530)/", "2023-04-06 15:23:34"),
    (DataType.DATE_TIME, "/Date(-1000+0000)/", "1969-12-31 23:59:59"),
    # the placeholder, in each of these forms
    (DataType.DATE_TIME, "0001-01-01 00:00:00", None),
    (DataType.DATE_TIME, "0001-01-01T00:00:00.000", None),
    (DataType.DATE_TIME, "1/1/0001 12:00:00 AM", None),
    (DataType.DATE_TIME, "1/1/1 12:00:00 AM", None),
    (DataType.DATE_TIME, "/Date(-62135596800000+0000)/", None),
    # what is no date stays what it is
    (DataType.DATE_TIME, "soon", "soon"),
    (DataType.DATE_TIME, "13/13/2023 3:23:34 PM", "13/13/2023 3:23:34 PM"),
    (DataType.DATE_TIME, "/Date(999999999999999)/", "/Date(999999999999999)/"),
    (DataType.DATE_TIME, "/Date(-999999999999999)/", "/Date(-999999999999999)/"),
    (DataType.DATE_TIME, "0001-01-01 or never", "0001-01-01 or never"),
    # Date
    (DataType.DATE, "2023-12-23 00:00:00", "2023-12-23"),
    (DataType.DATE, "2023-12-23", "2023-12-23"),
    (DataType.DATE, "2023-12-23 00:00:00.000", "2023-12-23"),
    (DataType.DATE, "12/23/2023 12:00:00 AM", "2023-12-23"),
    (DataType.DATE, "/Date(1703289600000+0000)/", "2023-12-23"),
    (DataType.DATE, "0001-01-01 00:00:00", None),
    (DataType.DATE, "1/1/0001 12:00:00 AM", None),
    (DataType.DATE, "some day next spring", "some day next spring"),
    (DataType.DATE, "2023-12-23, or later", "2023-12-23, or later"),
    # Boolean-like
    (DataType.BOOLEAN, "1", "true"),
    (DataType.BOOLEAN, "0", "false"),
    (DataType.BOOLEAN, "True", "true"),
    (DataType.BOOLEAN, "maybe", "maybe"),
    # Number
    (DataType.NUMBER, "200,000", "200000"),
    (DataType.NUMBER, "50000.000", "50000"),
    (DataType.NUMBER, "0.00", "0"),
    (DataType.NUMBER, "n/a", "n/a"),
    (DataType.NUMBER, "9" * 61, "9" * 61),
    # Owner / user
    (DataType.USER, GUID.upper(), GUID),
    (DataType.USER, "Asha Rao", "Asha Rao"),
    # dropdown, multi-select, text
    (DataType.OPTION, "Invalid/ Junk", "Invalid/ Junk"),
    (DataType.OPTIONS, "PAN; Aadhaar;", "PAN;Aadhaar"),
    (DataType.TEXT, "  a\r\nb\rc \n", "a\nb\nc"),
    (DataType.TEXT, "XXXXXXXX", "XXXXXXXX"),
    *((kind, empty, None) for kind in DataType for empty in (None, "", "  ", "\r\n")),
]

SAME = [
    # type, live, desired
    (DataType.TEXT, "a\r\nb", "a\nb"),
    (DataType.TEXT, " a ", "a"),
    (DataType.TEXT, "a", " a\n"),
    (DataType.TEXT, None, "   "),
    (DataType.OPTION, "Invalid/ Junk", "Invalid/ Junk"),
    (DataType.NUMBER, "0", None),
    (DataType.NUMBER, "0.000", None),
    (DataType.NUMBER, "0", "0"),
    (DataType.NUMBER, "2,00,000.00", "200000"),
    (DataType.DATE_TIME, "0001-01-01 00:00:00", None),
    (DataType.TEXT, "0001-01-01 00:00:00", None),
    (DataType.TEXT, "1/1/0001 12:00:00 AM", None),
    (DataType.DATE_TIME, "4/6/2023 3:23:34 PM", "2023-04-06 15:23:34"),
    (DataType.DATE, "12/23/2023 12:00:00 AM", "2023-12-23"),
    (DataType.BOOLEAN, "1", "true"),
    (DataType.BOOLEAN, "0", "false"),
    (DataType.USER, GUID.upper(), GUID),
    (DataType.OPTIONS, "Aadhaar; PAN", "PAN;Aadhaar"),
    *((kind, live, None) for kind in DataType for live in (None, "", " ")),
]

DIFFERENT = [
    (DataType.TEXT, "a", "A"),
    (DataType.TEXT, "a b", "a  b"),
    (DataType.TEXT, "0", None),
    (DataType.TEXT, "2001-01-01 00:00:00", None),
    (DataType.TEXT, "0001-01-01 00:00:00", "x"),
    (DataType.TEXT, None, "a"),
    (DataType.OPTION, "Invalid/Junk", "Invalid/ Junk"),
    (DataType.NUMBER, None, "0"),
    (DataType.NUMBER, "0", "1"),
    (DataType.NUMBER, "0.01", None),
    (DataType.NUMBER, "n/a", None),
    (DataType.BOOLEAN, "0", None),
    (DataType.BOOLEAN, None, "false"),
    (DataType.DATE_TIME, "2026-08-31 08:38:01", "2026-08-31 08:38:00"),
    (DataType.DATE, "2023-12-23, or later", "2023-12-23"),
    (DataType.OPTIONS, "PAN", "PAN;Aadhaar"),
    (DataType.OPTIONS, "PAN,Aadhaar", "PAN;Aadhaar"),
    (DataType.USER, "XXXXXXXX", GUID),
]


@pytest.mark.parametrize(("kind", "live", "expected"), FROM_LIVE)
def test_a_live_value_in_canonical_form(kind: DataType, live: Value, expected: Value) -> None:
    assert from_live(kind, live, RULES) == expected


@pytest.mark.parametrize(("kind", "live", "desired"), SAME)
def test_the_crm_says_what_we_want_in_its_own_way(
    kind: DataType, live: Value, desired: Value
) -> None:
    assert same_as_live(kind, live, desired, RULES)


@pytest.mark.parametrize(("kind", "live", "desired"), DIFFERENT)
def test_the_crm_says_something_else(kind: DataType, live: Value, desired: Value) -> None:
    assert not same_as_live(kind, live, desired, RULES)


def test_live_moments_are_utc_whatever_the_account_has_as_its_time_zone() -> None:
    rules = ValueRules(time_zone=ZoneInfo("Asia/Kolkata"))
    live, written = "2026-08-31 08:38:00", "2026-08-31 14:08:00"
    assert from_live(DataType.DATE_TIME, live, rules) == live
    assert same_as_live(
        DataType.DATE_TIME, live, canonical(DataType.DATE_TIME, written, rules), rules
    )


# --- properties: over the simulator, which was written apart from this code

FIELDS = {
    DataType.TEXT: "mx_Custom_5",
    DataType.NUMBER: "mx_Custom_6",
    DataType.DATE_TIME: "mx_Custom_8",
    DataType.DATE: "mx_Custom_13",
    DataType.BOOLEAN: "mx_Custom_14",
    DataType.OPTIONS: "mx_Custom_15",
    DataType.OPTION: "mx_Custom_3",
    DataType.USER: "Owner",
}

ECHOES: list[dict[str, Any]] = [
    {
        "numbers": numbers,
        "dates": {"by_ids": dates},
        "placeholder_dates": odd,
        "untouched_numbers_read_zero": odd,
        "booleans": "word" if odd else "digit",
        "empty": empty,
        "user_ids": "upper" if odd else "raw",
        "line_ends": "crlf" if odd else "raw",
        "trimmed": odd,
    }
    for numbers, dates, empty, odd in product(
        ("raw", "comma_stripped", "padded"),
        ("plain", "millis", "us", "epoch"),
        ("null", "blank", "absent"),
        (False, True),
    )
]

MOMENTS = st.datetimes(datetime(1000, 1, 2), datetime(9999, 12, 30))  # noqa: DTZ001
PROSE = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="<>")
    | st.just("\n"),
    max_size=30,
)

WRITTEN: dict[DataType, st.SearchStrategy[str]] = {
    DataType.TEXT: PROSE,
    DataType.NUMBER: st.decimals(-(10**12), 10**12, places=4).map(str),
    DataType.DATE_TIME: MOMENTS.map(lambda at: f"{at:%Y-%m-%d %H:%M:%S}"),
    DataType.DATE: st.dates(calendar_date(1000, 1, 1)).map(str),
    DataType.BOOLEAN: st.sampled_from(["true", "false", "yes", "0"]),
    DataType.OPTION: st.sampled_from(["Website", "Referral", "Campaign"]),
    DataType.USER: st.uuids().map(str),
}


@st.composite
def writable(draw: st.DrawFn) -> tuple[DataType, Value]:
    """A type and a value of it in canonical form, None now and then."""
    kind = draw(st.sampled_from(DataType))
    if draw(st.integers(0, 7)) == 0:
        return kind, None
    if kind is DataType.OPTIONS:
        options = ["PAN", "Aadhaar", "Bank Statement", "Salary Slip", "Form 16"]
        items = draw(st.lists(st.sampled_from(options), unique=True))
        return kind, canonical_options(tuple(items), RULES)
    return kind, canonical(kind, draw(WRITTEN[kind]), RULES)


@settings(deadline=None)
@given(typed=writable(), echo=st.sampled_from(ECHOES))
def test_what_we_write_reads_back_as_the_same_in_every_mode_of_the_crm(
    typed: tuple[DataType, Value], echo: dict[str, Any]
) -> None:
    kind, value = typed
    name = FIELDS[kind]
    caller = Caller(echo=echo)
    assert caller.verdict(ONE, {name: to_wire(kind, value)}) == "Success"
    live = caller.by_ids([ONE.id], name)[0].get(name)
    assert same_as_live(kind, live, value, RULES), (live, value)
    seen = from_live(kind, live, RULES)
    assert same_as_live(kind, seen, value, RULES), (seen, value)


@pytest.mark.parametrize("kind", FIELDS)
def test_a_cleared_field_reads_back_as_cleared_in_every_mode(kind: DataType) -> None:
    for echo in ECHOES:
        caller = Caller(echo=echo)
        assert caller.verdict(ONE, {FIELDS[kind]: ""}) == "Success"
        live = caller.by_ids([ONE.id], FIELDS[kind])[0].get(FIELDS[kind])
        assert same_as_live(kind, live, None, RULES), (echo, live)


@settings(deadline=None)
@given(kind=st.sampled_from(DataType), live=st.text(max_size=40))
def test_any_live_text_has_a_form_that_is_stable(kind: DataType, live: str) -> None:
    seen = from_live(kind, live, RULES)
    assert from_live(kind, seen, RULES) == seen
    assert same_as_live(kind, live, seen, RULES)


@settings(deadline=None)
@given(st.text("/Date()0123456789+-: APM.", max_size=30))
def test_date_like_live_text_never_breaks_anything(live: str) -> None:
    for kind in (DataType.DATE_TIME, DataType.DATE):
        seen = from_live(kind, live, RULES)
        assert from_live(kind, seen, RULES) == seen


@settings(deadline=None)
@given(MOMENTS, st.sampled_from(["us", "epoch", "plain", "millis"]))
def test_every_form_of_a_moment_is_that_moment(at: datetime, form: str) -> None:
    at = at.replace(microsecond=0)
    milliseconds = (at - datetime(1970, 1, 1)) // timedelta(milliseconds=1)  # noqa: DTZ001
    half = "AM" if at.hour < 12 else "PM"
    forms = {
        "us": f"{at.month}/{at.day}/{at.year} {at.hour % 12 or 12}:{at:%M:%S} {half}",
        "epoch": f"/Date({milliseconds}+0000)/",
        "plain": f"{at:%Y-%m-%d %H:%M:%S}",
        "millis": f"{at:%Y-%m-%d %H:%M:%S}.000",
    }
    assert from_live(DataType.DATE_TIME, forms[form], RULES) == f"{at:%Y-%m-%d %H:%M:%S}"
