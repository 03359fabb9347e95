"""Moments and digests: one text each, on every machine."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.core.digest import digest, digest_with
from lsq_sync.core.moment import moment, read_moment

INDIA = timezone(timedelta(hours=5, minutes=30))


def test_a_moment_is_utc_in_whole_seconds() -> None:
    at = datetime(2026, 9, 16, 17, 30, 0, 999999, tzinfo=INDIA)
    assert moment(at) == "2026-09-16T12:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-16T12:00:00Z",
        "2026-09-16T12:00:00+00:00",
        "2026-09-16T17:30:00+05:30",
        "2026-09-16T12:00:00.000Z",
        "2026-09-16 12:00:00Z",
    ],
)
def test_the_forms_that_are_read(text: str) -> None:
    assert read_moment(text) == datetime(2026, 9, 16, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-09-16",
        "2026-09-16T12:00:00",
        "2026-13-16T12:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_what_is_no_moment_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_moment(text)


@settings(deadline=None)
@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))  # noqa: DTZ001
def test_moments_survive_a_round_trip(naive: datetime) -> None:
    at = naive.replace(tzinfo=UTC, microsecond=0)
    assert read_moment(moment(at)) == at


def test_a_digest_is_the_same_everywhere() -> None:
    """Locks and plans keep it: it may never change."""
    assert digest({"b": None, "a": ["é", 1]}) == "08e72f6b8b48fa89ff4bc63cc50797b9"


def test_the_order_of_keys_does_not_count_and_that_of_items_does() -> None:
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest([1, 2]) != digest([2, 1])
    assert digest(None) != digest("null")
    assert digest({"a": None}) != digest({})
    assert digest("1") != digest(1)


def test_any_text_has_a_digest() -> None:
    assert digest("\ud800") != digest("\ud801")
    assert len(digest("")) == 32


def test_what_is_no_plain_data_has_none() -> None:
    with pytest.raises(TypeError):
        digest(Decimal(1))


@pytest.mark.parametrize("size", [0, 1, 499, 500, 501, 1700])
def test_a_digest_of_many_members_is_that_of_all_of_them(size: int) -> None:
    members = {f'{number:05} é"': [number, None] for number in range(size)}
    whole = digest({"account": ["a"], "moves": members})
    assert digest_with({"account": ["a"]}, "moves", members.items()) == whole
