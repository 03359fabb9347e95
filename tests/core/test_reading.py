"""What to read, in how many calls, and what a read says about an open request."""

import pytest

from lsq_sync.core.model import FieldRule, LiveOpportunity
from lsq_sync.core.reading import (
    MOST_IDS,
    Wanted,
    calls_around,
    calls_for,
    groups_of,
    readable,
    shows,
    wanted_of,
    wanted_of_request,
)
from lsq_sync.core.state import NOTE, Entry
from lsq_sync.core.values import ABSENT, DataType, ValueRules
from tests.core.support import KEY, desired, lock, opened, payload, plan_of, wanted

NUMBER = FieldRule(DataType.NUMBER)


def guid(number: int) -> str:
    return f"5ca5b042-51ea-4699-b6f0-{number:012x}"


def one(number: int, code: int | None = 12005) -> Wanted:
    return Wanted(guid(number), guid(number), ("a",), code)


def test_all_that_is_managed_is_wanted_and_what_goes_along_with_it() -> None:
    status = FieldRule(send_with=("comment", "stage"))
    spec = desired([wanted("Status", "Lost", status), wanted("stage", "x")], note="hi", code=7)
    assert wanted_of(spec, None) == Wanted(KEY, KEY, ("Status", "stage", "comment", NOTE), 7)


def test_an_auto_id_is_read_by_the_guid_that_the_lock_has() -> None:
    spec = desired({"a": "1"}, key="LN-1")
    assert readable([wanted_of(spec, None), None]) == ()
    (found,) = readable([wanted_of(spec, Entry(guid=KEY))])
    assert (found.key, found.identifier) == ("LN-1", KEY)


def test_what_manages_nothing_is_not_read() -> None:
    assert readable([wanted_of(desired(), None)]) == ()


def test_of_an_open_request_it_is_what_that_changes() -> None:
    request = opened(payload("hi", b="1", a=None))
    found = wanted_of_request(KEY, Entry(pending=request), request, 7)
    assert found == Wanted(KEY, KEY, (NOTE, "a", "b"), 7)


def test_bulk_reads_are_of_one_type_and_of_no_more_than_the_crm_takes() -> None:
    listed = [one(n, 12005 + n % 2) for n in range(2 * MOST_IDS + 2)]
    sizes = [(group[0].code, len(group)) for group in groups_of(listed)]
    assert sizes == [(12005, MOST_IDS), (12005, 1), (12006, MOST_IDS), (12006, 1)]
    assert sorted(w.key for group in groups_of(listed) for w in group) == sorted(
        w.key for w in listed
    )


def test_without_a_code_each_costs_a_call() -> None:
    assert calls_for([one(1), one(2), one(3, None), one(4, None)]) == 3
    assert calls_for([]) == 0


def test_an_apply_reads_before_and_after_what_it_sends_and_whose_keys_they_are() -> None:
    specs = [desired({"a": "1"}, key=guid(n), code=7) for n in range(3)]
    known = lock(Entry(fields={"a": "1"}), guid(0))
    assert calls_around(plan_of(specs, known), specs, known.entries) == 3
    assert calls_around(plan_of(specs[:1], known), specs[:1], known.entries) == 0
    singles = [desired({"a": "1"}, key=guid(n)) for n in range(3)]
    assert calls_around(plan_of(singles), singles, {}) == 7


SHOWS = [
    # payload, live fields, live note
    (payload(a="1"), {"a": "1"}, ABSENT),
    (payload(a="1"), {"a": "1.00", "b": "other"}, ABSENT),
    (payload(a=None), {"a": None}, ABSENT),
    (payload("hi"), {}, "hi"),
    (payload("hi", a="1"), {"a": "1"}, " hi\r\n"),
]
SHOWS_NOT = [
    (payload(a="1"), {"a": "2"}, ABSENT),
    (payload(a="1"), {"a": None}, ABSENT),
    (payload(a="1"), {}, ABSENT),
    (payload(a=None), {}, ABSENT),
    (payload("hi", a="1"), {"a": "1"}, ABSENT),
    (payload("hi", a="1"), {"a": "1"}, "ho"),
    (payload(), {"a": "1"}, ABSENT),
]


@pytest.mark.parametrize(("what", "fields", "note"), SHOWS)
def test_every_value_of_the_request_is_in_the_crm(what, fields, note) -> None:  # type: ignore[no-untyped-def]
    live = LiveOpportunity(fields, note)
    assert shows(what, live, {"a": NUMBER}, ValueRules())


@pytest.mark.parametrize(("what", "fields", "note"), SHOWS_NOT)
def test_one_value_that_is_not_there_or_was_not_read_is_enough(what, fields, note) -> None:  # type: ignore[no-untyped-def]
    live = LiveOpportunity(fields, note)
    assert not shows(what, live, {"a": NUMBER}, ValueRules())


def test_a_missing_opportunity_shows_nothing() -> None:
    assert not shows(payload(a=None), LiveOpportunity(missing=True), {}, ValueRules())
