"""How each event moves each kind of entry."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lsq_sync.core.events import (
    Accepted,
    Adopted,
    Event,
    GivenUp,
    Intended,
    Lapsed,
    Lost,
    Queued,
    Rejected,
    Rekeyed,
    Released,
    Seen,
    Succeeded,
    Withdrawn,
    advance,
    lapsed,
    replay,
)
from lsq_sync.core.model import Account
from lsq_sync.core.state import NOTE, Displaced, Entry, FinalRequest, OpenRequest, Outcome, Replaced
from lsq_sync.core.values import ABSENT
from tests.core.support import (
    ACCOUNT,
    KEY,
    OTHER_RUN,
    RUN,
    at,
    final,
    opened,
    payload,
    recorded,
    request_id,
)

A1 = payload(a="1")
A2 = payload(a="2", b=None)
NOTED = payload("text", a="1")

UNKNOWN = Entry(pending=opened(A1, None))
OPEN = Entry(pending=opened(A1))
KNOWN_OPEN = Entry(fields={"a": "0", "c": "3"}, pending=opened(A2))
SETTLED = Entry(fields={"a": "1"}, request=final(Outcome.SUCCEEDED))
REJECTED = Entry(fields={"a": "0"}, request=final(Outcome.REJECTED, A1, reason="no"))


def succeeded(what: OpenRequest, settled: float) -> FinalRequest:
    return FinalRequest(Outcome.SUCCEEDED, what.run, what.sent_at, at(settled), what.request_id)


def rejected(what: OpenRequest, settled: float, reason: str, remember: bool) -> FinalRequest:
    return FinalRequest(
        Outcome.REJECTED,
        what.run,
        what.sent_at,
        at(settled),
        what.request_id,
        reason,
        what.payload.digest if remember else None,
    )


INTENDED = Intended(KEY, at(5), RUN, A2, type="loan")
ACCEPTED = Accepted(KEY, at(6), request_id(1))
WITHDRAWN = Withdrawn(KEY, at(6), "rate limit")
LOST = Lost(KEY, at(6), "timeout")
QUEUED = Queued(KEY, at(7), request_id(1))
SUCCEEDED = Succeeded(KEY, at(9), request_id(1))
REFUSED = Rejected(KEY, at(9), "MXInvalid: no", request_id(1))
REFUSED_AT_ONCE = Rejected(KEY, at(9), "MXInvalid: no")
REFUSED_FOR_NOW = Rejected(KEY, at(9), "too fast", request_id(1), resend=True)
SEEN = Seen(KEY, at(8), RUN)
LAPSED = Lapsed(KEY, at(9), RUN)
ADOPTED = Adopted(KEY, at(9), payload(b="2"), type="loan")
RELEASED = Released(KEY, at(9), ("a",))
RELEASED_WHOLE = Released(KEY, at(9), ("a", "c"), whole=True)

GIVEN_UP = FinalRequest(
    Outcome.UNKNOWN,
    OTHER_RUN,
    at(0),
    at(5),
    request_id(7),
    "no verdict; a later request took its place",
)

EARLIER = opened(A1, 7, run=OTHER_RUN)
SENT_AGAIN = opened(A2, None, sent=5)
RESENT_SEEN = replace(SENT_AGAIN, seen=True)
RESENT = Entry(
    "loan",
    request=GIVEN_UP,
    pending=SENT_AGAIN,
    displaced=Displaced(EARLIER, None),
)

MOVES: dict[str, tuple[Entry | None, Event, Entry | None]] = {
    # entry before, event, entry after
    "intended, nothing known": (None, INTENDED, Entry("loan", pending=opened(A2, None, sent=5))),
    "intended, values known": (
        SETTLED,
        INTENDED,
        SETTLED._replace(type="loan", pending=opened(A2, None, sent=5)),
    ),
    "intended, keeps the type where the event has none": (
        Entry(type="loan", fields={"a": "1"}),
        replace(INTENDED, type=""),
        Entry("loan", fields={"a": "1"}, pending=opened(A2, None, sent=5)),
    ),
    "intended, an earlier one without a verdict is kept as given up": (
        Entry(pending=EARLIER),
        INTENDED,
        RESENT,
    ),
    "intended, the same again": (
        Entry("loan", pending=opened(A2, 7, sent=5)),
        INTENDED,
        Entry("loan", pending=opened(A2, None, sent=5)),
    ),
    "accepted": (UNKNOWN, ACCEPTED, OPEN),
    "accepted, but it has an id": (
        KNOWN_OPEN,
        replace(ACCEPTED, request_id=request_id(2)),
        KNOWN_OPEN,
    ),
    "accepted, but nothing is open": (SETTLED, ACCEPTED, SETTLED),
    "accepted, nothing known": (None, ACCEPTED, None),
    "withdrawn": (UNKNOWN, WITHDRAWN, None),
    "withdrawn, values stay": (
        SETTLED._replace(pending=opened(A2, None)),
        WITHDRAWN,
        SETTLED,
    ),
    "withdrawn, but accepted meanwhile": (OPEN, WITHDRAWN, OPEN),
    "withdrawn, but nothing is open": (SETTLED, WITHDRAWN, SETTLED),
    "withdrawn, nothing known": (None, WITHDRAWN, None),
    "withdrawn, what it was to replace is open again": (
        RESENT,
        WITHDRAWN,
        Entry("loan", pending=EARLIER),
    ),
    "withdrawn, and the verdict before counts again": (
        RESENT._replace(displaced=Displaced(EARLIER, REJECTED.request)),
        WITHDRAWN,
        Entry("loan", request=REJECTED.request, pending=EARLIER),
    ),
    "withdrawn, but it was the one before": (
        Entry(pending=opened(A1, None)),
        replace(WITHDRAWN, run=OTHER_RUN),
        Entry(pending=opened(A1, None)),
    ),
    "rejected at once, but it was the one before": (
        Entry(pending=opened(A1, None)),
        replace(REFUSED_AT_ONCE, run=OTHER_RUN),
        Entry(pending=opened(A1, None)),
    ),
    "withdrawn by the run that meant to send it": (
        Entry(pending=opened(A1, None)),
        replace(WITHDRAWN, run=RUN),
        None,
    ),
    "accepted, what it replaced is given up": (
        RESENT,
        ACCEPTED,
        RESENT._replace(pending=opened(A2, 1, sent=5), displaced=None),
    ),
    "lost, what it replaced is given up": (RESENT, LOST, RESENT._replace(displaced=None)),
    "rejected at once, what it was to replace is open again": (
        RESENT,
        REFUSED_AT_ONCE,
        Entry(
            "loan",
            request=rejected(SENT_AGAIN, 9, "MXInvalid: no", remember=True),
            pending=EARLIER,
        ),
    ),
    "lapsed, what it replaced is given up with it": (
        RESENT._replace(pending=RESENT_SEEN),
        LAPSED,
        Entry(
            "loan",
            request=succeeded(RESENT_SEEN, 9)._replace(
                reason="read back; no verdict within the late window"
            ),
        ),
    ),
    "lost, stays unknown": (UNKNOWN, LOST, UNKNOWN),
    "lost, nothing known": (None, LOST, None),
    "queued": (OPEN, QUEUED, Entry(pending=opened(A1, queued_at=at(7)))),
    "queued, another request": (OPEN, replace(QUEUED, request_id=request_id(2)), OPEN),
    "queued, but nothing is open": (SETTLED, QUEUED, SETTLED),
    "seen, without an answer": (
        Entry(fields={"a": "0", "c": "3"}, pending=opened(A1, None)),
        SEEN,
        Entry(fields={"a": "1", "c": "3"}, pending=opened(A1, None, seen=True)),
    ),
    "seen, accepted, with what it replaced": (
        Entry(pending=opened(A1, before={"a": "0"})),
        SEEN,
        Entry(
            fields={"a": "1"},
            pending=opened(A1, before={"a": "0"}, seen=True),
            replaced=Replaced(at(8), {"a": "0"}),
        ),
    ),
    "seen, what was released meanwhile is not recorded": (
        Entry(pending=opened(A2, released=("b",))),
        SEEN,
        Entry(fields={"a": "2"}, pending=opened(A2, released=("b",), seen=True)),
    ),
    "seen again": (
        Entry(pending=opened(A1, seen=True)),
        SEEN,
        Entry(pending=opened(A1, seen=True)),
    ),
    "seen, but another run has sent meanwhile": (OPEN, replace(SEEN, run=OTHER_RUN), OPEN),
    "seen, but nothing is open": (SETTLED, SEEN, SETTLED),
    "seen, then succeeded": (
        Entry(fields={"a": "1"}, pending=opened(A1, seen=True)),
        SUCCEEDED,
        Entry(fields={"a": "1"}, request=succeeded(opened(A1), 9)),
    ),
    "seen, then rejected: the contradiction is kept": (
        Entry(fields={"a": "1"}, pending=opened(A1, seen=True)),
        REFUSED,
        Entry(
            fields={"a": "1"},
            request=rejected(
                opened(A1),
                9,
                "MXInvalid: no (although its values were read back before: they are in the CRM)",
                remember=True,
            ),
        ),
    ),
    "lapsed": (
        Entry(fields={"a": "1"}, pending=opened(A1, None, seen=True)),
        LAPSED,
        Entry(
            fields={"a": "1"},
            request=succeeded(opened(A1, None), 9)._replace(
                reason="read back; no verdict within the late window",
            ),
        ),
    ),
    "given up by hand": (
        Entry(fields={"a": "0"}, pending=opened(A1)),
        GivenUp(KEY, at(9), RUN),
        Entry(
            fields={"a": "0"},
            request=FinalRequest(
                Outcome.UNKNOWN,
                RUN,
                opened(A1).sent_at,
                at(9),
                request_id(1),
                "given up by hand; nobody knows whether it was carried out",
            ),
        ),
    ),
    "given up by hand, but another run has sent meanwhile": (
        OPEN,
        GivenUp(KEY, at(9), OTHER_RUN),
        OPEN,
    ),
    "given up by hand, but nothing is open": (SETTLED, GivenUp(KEY, at(9), RUN), SETTLED),
    "lapsed, but never seen": (OPEN, LAPSED, OPEN),
    "lapsed, but another run has sent meanwhile": (
        Entry(pending=opened(A1, seen=True, run=OTHER_RUN)),
        LAPSED,
        Entry(pending=opened(A1, seen=True, run=OTHER_RUN)),
    ),
    "lapsed, nothing known": (None, LAPSED, None),
    "succeeded, with what it replaced": (
        Entry(pending=opened(A1, before={"a": None})),
        SUCCEEDED,
        Entry(
            fields={"a": "1"},
            request=succeeded(opened(A1), 9),
            replaced=Replaced(at(9), {"a": None}),
        ),
    ),
    "succeeded, and the CRM names the GUID behind an AutoId": (
        OPEN,
        replace(SUCCEEDED, key="LN-1", guid=KEY),
        Entry(guid=KEY, fields={"a": "1"}, request=succeeded(opened(A1), 9)),
    ),
    "succeeded, and the CRM names the GUID that is the key": (
        OPEN,
        replace(SUCCEEDED, guid=KEY),
        Entry(fields={"a": "1"}, request=succeeded(opened(A1), 9)),
    ),
    "succeeded": (
        OPEN,
        SUCCEEDED,
        Entry(fields={"a": "1"}, request=succeeded(opened(A1), 9)),
    ),
    "succeeded, over other values": (
        KNOWN_OPEN,
        SUCCEEDED,
        Entry(fields={"a": "2", "b": None, "c": "3"}, request=succeeded(opened(A2), 9)),
    ),
    "succeeded, with a note": (
        Entry(note="old", pending=opened(NOTED)),
        SUCCEEDED,
        Entry(fields={"a": "1"}, note="text", request=succeeded(opened(NOTED), 9)),
    ),
    "succeeded, the note not sent stays": (
        Entry(note="old", pending=opened(A1)),
        SUCCEEDED,
        Entry(fields={"a": "1"}, note="old", request=succeeded(opened(A1), 9)),
    ),
    "succeeded, another request": (OPEN, replace(SUCCEEDED, request_id=request_id(2)), OPEN),
    "succeeded, told before": (SETTLED, SUCCEEDED, SETTLED),
    "succeeded, part of it released meanwhile": (
        Entry(pending=opened(A2, released=("b",))),
        SUCCEEDED,
        Entry(
            fields={"a": "2"},
            request=succeeded(opened(A2), 9),
        ),
    ),
    "succeeded, all of it released meanwhile": (
        Entry(pending=opened(A2, released=("a", "b"))),
        SUCCEEDED,
        None,
    ),
    "rejected, all of it released meanwhile: told all the same": (
        Entry(pending=opened(A1, released=("a",))),
        REFUSED,
        Entry(request=rejected(opened(A1), 9, "MXInvalid: no", remember=True)),
    ),
    "rejected": (
        KNOWN_OPEN,
        REFUSED,
        Entry(
            fields={"a": "0", "c": "3"},
            request=rejected(opened(A2), 9, "MXInvalid: no", remember=True),
        ),
    ),
    "rejected at once, without an id": (
        UNKNOWN,
        REFUSED_AT_ONCE,
        Entry(request=rejected(opened(A1, None), 9, "MXInvalid: no", remember=True)),
    ),
    "rejected at once, but accepted meanwhile": (OPEN, REFUSED_AT_ONCE, OPEN),
    "rejected for the rate limit: not remembered": (
        OPEN,
        REFUSED_FOR_NOW,
        Entry(request=rejected(opened(A1), 9, "too fast", remember=False)),
    ),
    "rejected, another request": (OPEN, replace(REFUSED, request_id=request_id(2)), OPEN),
    "rejected, nothing known": (None, REFUSED, None),
    "adopted, nothing known": (None, ADOPTED, Entry("loan", fields={"b": "2"})),
    "adopted, values and request stay": (
        REJECTED,
        ADOPTED,
        REJECTED._replace(type="loan", fields={"a": "0", "b": "2"}),
    ),
    "adopted note": (
        SETTLED,
        Adopted(KEY, at(9), payload("text")),
        SETTLED._replace(note="text"),
    ),
    "adopted, empty note is known to be empty": (
        SETTLED,
        Adopted(KEY, at(9), payload(None)),
        SETTLED._replace(note=None),
    ),
    "released, one of two": (recorded(a="1", b="2"), RELEASED, recorded(b="2")),
    "released, the last one": (recorded(a="1"), RELEASED, None),
    "released, the last one, but a request is known": (
        SETTLED,
        RELEASED,
        Entry(request=final(Outcome.SUCCEEDED)),
    ),
    "released, nothing known": (None, RELEASED, None),
    "released, the note and what our write replaced stay": (
        Entry(fields={"a": "1", "b": "2"}, note="text", replaced=Replaced(at(1), {"b": "0"})),
        RELEASED,
        Entry(fields={"b": "2"}, note="text", replaced=Replaced(at(1), {"b": "0"})),
    ),
    "released whole, nothing is said of what our write replaced": (
        Entry(fields={"a": "1"}, pending=opened(A1), replaced=Replaced(at(1), {"a": "0"})),
        RELEASED_WHOLE,
        Entry(pending=opened(A1, released=("a",))),
    ),
    "intended in the same second by another run": (
        Entry(pending=opened(A1, 7, run=OTHER_RUN, sent=5)),
        INTENDED,
        RESENT._replace(
            request=GIVEN_UP._replace(sent_at=at(5)),
            displaced=Displaced(opened(A1, 7, run=OTHER_RUN, sent=5), None),
        ),
    ),
    "released note": (
        Entry(fields={"a": "1"}, note="text"),
        Released(KEY, at(9), (NOTE,)),
        recorded(a="1"),
    ),
    "released while open": (
        KNOWN_OPEN,
        RELEASED,
        Entry(fields={"c": "3"}, pending=opened(A2, released=("a",))),
    ),
    "released while open, not of its payload": (
        KNOWN_OPEN,
        Released(KEY, at(9), ("c",)),
        Entry(fields={"a": "0"}, pending=opened(A2)),
    ),
    "released whole": (SETTLED, RELEASED_WHOLE, None),
    "released whole, a rejection is forgotten too": (REJECTED, RELEASED_WHOLE, None),
    "released whole while open": (
        KNOWN_OPEN._replace(request=final(Outcome.REJECTED, A1, 9)),
        RELEASED_WHOLE,
        Entry(pending=opened(A2, released=("a", "b"))),
    ),
    "released whole while open, with its note": (
        Entry(note="old", pending=opened(NOTED)),
        Released(KEY, at(9), (NOTE,), whole=True),
        Entry(pending=opened(NOTED, released=(NOTE, "a"))),
    ),
}


@pytest.mark.parametrize("case", MOVES)
def test_an_event_moves_an_entry(case: str) -> None:
    before, event, after = MOVES[case]
    assert advance(before, event) == after


def test_what_was_seen_lapses_when_it_cannot_land_any_more() -> None:
    entries = {
        "seen": Entry(pending=opened(A1, seen=True)),
        "queued since": Entry(pending=opened(A1, seen=True, queued_at=at(60))),
        "not seen": OPEN,
        "settled": SETTLED,
    }
    window = timedelta(seconds=60)
    assert lapsed(entries, at(59), window) == ()
    assert lapsed(entries, at(60), window) == (Lapsed("seen", at(60), RUN),)


def test_what_was_replaced_does_not_count_for_a_base() -> None:
    assert SETTLED._replace(replaced=Replaced(at(), {"a": "0"})).base == SETTLED.base


def test_replay_touches_only_the_entries_of_its_events() -> None:
    entries = {"LN-1": SETTLED, "LN-2": UNKNOWN}
    after = replay(entries, [replace(WITHDRAWN, key="LN-2"), replace(ADOPTED, key="LN-3")])
    assert after == {"LN-1": SETTLED, "LN-3": Entry("loan", fields={"b": "2"})}
    assert entries == {"LN-1": SETTLED, "LN-2": UNKNOWN}


# --- payloads and digests


def test_the_names_of_a_payload_are_sorted_with_the_note_among_them() -> None:
    assert payload("text", b="1", a="2").names == (NOTE, "a", "b")
    assert payload(None).names == (NOTE,)
    assert payload(b="1").names == ("b",)


def test_a_digest_is_of_the_values_alone() -> None:
    assert payload(a="1", b="2").digest == payload(b="2", a="1").digest
    different = [
        payload(a="1"),
        payload(a="2"),
        payload(a=None),
        payload(a="null"),
        payload(b="1"),
        payload(None, a="1"),
        payload("", a="1"),
        payload("1", a="1"),
        payload(a="1", OpportunityNote="1"),
    ]
    assert len({one.digest for one in different}) == len(different)


def test_a_payload_without_some_of_its_names() -> None:
    assert NOTED.without(["a"]) == payload("text")
    assert NOTED.without([NOTE]) == payload(a="1")
    assert NOTED.without(["nothing"]) == NOTED


BASES = {
    "nothing": Entry(),
    "a value": recorded(a="1"),
    "another value": recorded(a="2"),
    "an empty value": recorded(a=None),
    "a note": Entry(note="1"),
    "an empty note": Entry(note=None),
    "open": OPEN,
    "open, no answer": UNKNOWN,
    "open, seen": Entry(pending=opened(A1, seen=True)),
    "open, another id": Entry(pending=opened(A1, 2)),
    "open, other values": Entry(pending=opened(A2)),
    "final": Entry(request=final(Outcome.SUCCEEDED)),
    "final, another id": Entry(request=final(Outcome.SUCCEEDED, number=2)),
    "rejected": Entry(request=final(Outcome.REJECTED, A1)),
}


def test_every_entry_that_plans_differently_has_a_base_of_its_own() -> None:
    assert len({entry.base for entry in BASES.values()}) == len(BASES)


def test_a_base_does_not_depend_on_type_guid_or_order() -> None:
    one = Entry("loan", guid=KEY, fields={"a": "1", "b": "2"})
    assert one.base == Entry(fields={"b": "2", "a": "1"}).base


# --- the late window


def test_a_request_may_land_until_the_window_is_over_and_in_queue_starts_it_again() -> None:
    window = timedelta(hours=12)
    assert opened(A1, sent=0).may_land_until(window) == at() + window
    assert opened(A1, queued_at=at(600)).may_land_until(window) == at(600) + window
    assert opened(A1, sent=600, queued_at=at(0)).may_land_until(window) == at(600) + window


# --- accounts

ACCOUNTS = [
    # changed in this one, in the other one, the same?
    ({}, {}, True),
    ({"name": "other"}, {}, True),
    ({"short_code": "1"}, {"short_code": "1", "host": "https://elsewhere.example"}, True),
    ({"short_code": "1"}, {"short_code": "2"}, False),
    ({"short_code": "1"}, {}, True),
    ({"short_code": "1"}, {"host": "https://elsewhere.example"}, False),
    ({"host": None}, {}, True),
    ({"host": None}, {"async_host": "https://elsewhere.example"}, False),
    ({}, {"async_host": "https://elsewhere.example"}, False),
]


@pytest.mark.parametrize(("ours", "theirs", "same"), ACCOUNTS)
def test_what_makes_two_accounts_one(
    ours: dict[str, str | None], theirs: dict[str, str | None], same: bool
) -> None:
    this = replace(ACCOUNT, **ours)  # type: ignore[arg-type]
    other = replace(ACCOUNT, **theirs)  # type: ignore[arg-type]
    assert this.is_same_as(other) is same
    assert other.is_same_as(this) is same


def test_what_the_settings_cannot_know_comes_from_the_lock() -> None:
    known = Account("old name", "https://old.example", "https://api.example", short_code="1")
    bare = Account("new name", "https://new.example")
    assert bare.with_what_is_known(known) == Account(
        "new name", "https://new.example", "https://api.example", "1"
    )
    assert bare.with_what_is_known(None) == bare
    assert ACCOUNT.with_what_is_known(known).host == ACCOUNT.host


def test_absent_is_not_empty() -> None:
    assert payload(a="1").note is ABSENT
    assert payload(None).note is None


OTHER = "5ca5b042-51ea-4699-b6f0-84c40ab12771"


def test_an_entry_goes_by_its_guid_once_the_specs_do() -> None:
    moved = SETTLED._replace(guid=OTHER)
    after = replay({KEY: moved}, [Rekeyed(OTHER, at(9), KEY)])
    assert after == {OTHER: moved._replace(guid="")}
    assert replay(after, [Rekeyed(OTHER, at(9), KEY)]) == after


def test_what_the_other_key_knows_already_is_not_written_over() -> None:
    known = recorded(a="7")
    assert replay({KEY: SETTLED, OTHER: known}, [Rekeyed(OTHER, at(9), KEY)]) == {OTHER: known}
