"""How one stored value reads back, in every mode."""

import json
from typing import Any

import pytest

from tests.simulator.support import LOANS, ONE, Caller

NUMBER = "mx_Custom_6"
DATE_TIME = "mx_Custom_8"
DATE = "mx_Custom_13"
BOOLEAN = "mx_Custom_14"
TEXT = "mx_Custom_5"
CFS = "mx_Custom_36"

MODES: list[tuple[dict[str, Any], str, str, str | None]] = [
    # echo, field, stored, read by ids
    ({}, NUMBER, "200,000", "200,000"),
    ({"numbers": "comma_stripped"}, NUMBER, "200,000", "200000"),
    ({"numbers": "padded"}, NUMBER, "50000", "50000.000"),
    ({"numbers": "padded"}, NUMBER, "2,000.5", "2000.500"),
    ({"numbers": "padded"}, NUMBER, "1.23456", "1.23456"),
    ({}, DATE_TIME, "2023-04-06 15:23:34", "4/6/2023 3:23:34 PM"),
    ({}, DATE_TIME, "2023-12-16 00:05:00", "12/16/2023 12:05:00 AM"),
    ({}, DATE_TIME, "2023-12-16 12:00:00", "12/16/2023 12:00:00 PM"),
    ({"dates": {"by_ids": "plain"}}, DATE_TIME, "2023-04-06 15:23:34", "2023-04-06 15:23:34"),
    ({"dates": {"by_ids": "millis"}}, DATE_TIME, "2023-04-06 15:23:34", "2023-04-06 15:23:34.000"),
    (
        {"dates": {"by_ids": "epoch"}},
        DATE_TIME,
        "2023-04-06 15:23:34",
        "/Date(1680794614000+0000)/",
    ),
    ({"dates": {"by_ids": "plain"}}, DATE, "2023-04-06", "2023-04-06 00:00:00"),
    ({}, BOOLEAN, "true", "1"),
    ({"booleans": "word"}, BOOLEAN, "true", "true"),
    ({"booleans": "word"}, BOOLEAN, "0", "false"),
    ({}, TEXT, "", None),
    ({"empty": "blank"}, TEXT, "", ""),
    ({"placeholder_dates": True}, DATE_TIME, "", "1/1/1 12:00:00 AM"),
    ({"line_ends": "crlf"}, TEXT, "a\nb\r\nc", "a\r\nb\r\nc"),
    ({"trimmed": True}, TEXT, "  a ", "a"),
    ({}, TEXT, "  a\n", "  a\n"),
]


@pytest.mark.parametrize(("echo", "field", "stored", "read"), MODES)
def test_a_value_reads_back_as_the_mode_says(
    echo: dict[str, Any], field: str, stored: str, read: str | None
) -> None:
    caller = Caller(echo=echo)
    assert caller.verdict(ONE, {field: stored}) == "Success"
    assert caller.read(ONE.id, field) == read


def test_an_empty_value_may_be_absent() -> None:
    caller = Caller(echo={"empty": "absent"})
    caller.update(ONE, {TEXT: ""})
    assert TEXT not in caller.by_ids([ONE.id], TEXT)[0]
    assert "Value" not in caller.detail(ONE.id, TEXT)


def test_a_number_never_set_may_read_zero_but_a_cleared_one_does_not() -> None:
    caller = Caller(echo={"untouched_numbers_read_zero": True})
    assert caller.read(ONE.id, "mx_Custom_7") == "0"
    caller.update(ONE, {NUMBER: ""})
    assert caller.read(ONE.id, NUMBER) is None


def test_user_ids_may_come_in_capitals() -> None:
    caller = Caller(echo={"user_ids": "upper"})
    assert caller.read(ONE.id, "Owner") == ONE.fields["Owner"].upper()


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("plain", "2026-08-31 08:38:00"),
        ("millis", "2026-08-31 08:38:00.000"),
        ("us", "8/31/2026 8:38:00 AM"),
        ("epoch", "/Date(1788165480000+0000)/"),
    ],
)
def test_every_place_has_its_own_form_of_dates(form: str, shown: str) -> None:
    every = ("details", "details_stamps", "details_top", "by_ids", "lists", "modified")
    caller = Caller(echo={"dates": dict.fromkeys(every, form)})
    caller.update(ONE, {DATE_TIME: "2026-08-31 08:38:00"})
    assert caller.detail(ONE.id, DATE_TIME)["Value"] == shown
    assert caller.detail(ONE.id, "ModifiedOn")["Value"] == shown
    assert caller.details(ONE.id)["ModifiedOn"] == shown
    assert caller.read(ONE.id, "ModifiedOn") == shown


def test_the_default_forms_are_those_that_were_seen() -> None:
    caller = Caller()
    caller.update(ONE, {DATE_TIME: "2026-08-31 08:38:00"})
    assert caller.detail(ONE.id, DATE_TIME)["Value"] == "2026-08-31 08:38:00"
    assert caller.detail(ONE.id, "ModifiedOn")["Value"] == "2026-08-31 08:38:00.000"
    assert caller.details(ONE.id)["ModifiedOn"] == "/Date(1788165480000+0000)/"
    assert caller.read(ONE.id, DATE_TIME) == "8/31/2026 8:38:00 AM"


def test_a_custom_field_set_reads_as_a_json_string() -> None:
    shown = json.loads(Caller(echo={"numbers": "padded"}).read(ONE.id, CFS))
    income = ONE.fields[f"{CFS}~mx_CustomObject_3"]
    assert shown == {
        "Status": "",
        "mx_CustomObject_1": ONE.fields[f"{CFS}~mx_CustomObject_1"],
        "mx_CustomObject_2": ONE.fields[f"{CFS}~mx_CustomObject_2"],
        "mx_CustomObject_3": f"{income}.000",
    }


def test_an_empty_custom_field_set_is_empty() -> None:
    without = next(one for one in LOANS if f"{CFS}~mx_CustomObject_1" not in one.fields)
    assert Caller().read(without.id, CFS) is None


@pytest.mark.parametrize("column", [CFS, f"{CFS}~mx_CustomObject_1"])
def test_a_custom_field_set_may_read_as_flat_keys(column: str) -> None:
    caller = Caller(echo={"custom_field_sets": "flat"})
    name = f"{CFS}~mx_CustomObject_1"
    row = caller.by_ids([ONE.id], column)[0]
    assert row[name] == ONE.fields[name]
    assert CFS not in row
    assert caller.detail(ONE.id, name)["Value"] == ONE.fields[name]


@pytest.mark.parametrize(("field", "odd"), [(NUMBER, "n/a"), (DATE_TIME, "soon")])
def test_what_people_put_where_it_does_not_belong_reads_back_as_it_is(field: str, odd: str) -> None:
    edit = {"at": 1, "id": ONE.id, "field": field, "value": odd}
    caller = Caller(human_edits=[edit], echo={"numbers": "padded"})
    assert caller.read(ONE.id, field, at=2) == odd
