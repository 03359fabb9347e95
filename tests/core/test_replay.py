"""Replaying events: a crash between folding a journal and putting it away does no harm.

The histories are those that the tool can make: runs one after the other, each with what an apply
or a status records of a few opportunities, cut off anywhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    Released,
    Seen,
    Succeeded,
    Withdrawn,
    replay,
)
from lsq_sync.core.state import NOTE, Entry, Outcome, Payload, RequestID, RunID
from lsq_sync.core.values import ABSENT, Absent, Value
from tests.core.support import KEY, OTHER_RUN, RUN, at, final, opened, payload, request_id

Runs = tuple[tuple[Event, ...], ...]

KEYS = ("LN-1", "LN-2")
VALUES: st.SearchStrategy[Value] = st.sampled_from([None, "1", "2"])
NOTES: st.SearchStrategy[Value | Absent] = st.sampled_from([ABSENT, None, "text"])


@st.composite
def payloads(draw: st.DrawFn) -> Payload:
    fields = draw(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=3))
    note = draw(NOTES)
    return Payload(fields, note) if fields or note is not ABSENT else payload(a="1")


@dataclass
class World:
    """Writes down what happens, and keeps what the tool would know of it."""

    draw: st.DrawFn
    events: list[Event] = field(default_factory=list)
    entries: dict[str, Entry] = field(default_factory=dict)
    seconds: int = 0
    requests: int = 0

    def happens(self, event: Event) -> None:
        self.events.append(event)
        self.entries = replay(self.entries, [event])

    def later(self, least: int = 0) -> None:
        self.seconds += least + self.draw(st.integers(0, 2))

    def maybe(self) -> bool:
        return self.draw(st.booleans())

    def run(self, run: RunID) -> None:
        self.later(least=1)
        for key in self.draw(st.permutations(KEYS)):
            entry = self.entries.get(key)
            if entry and entry.pending:
                self.ask(key)
            gone = self.maybe() and self.quiet(key)
            if not gone and self.maybe():
                self.update(key, run)

    def quiet(self, key: str) -> bool:
        """What an apply records without a call; True when no spec has the opportunity any more."""
        entry = self.entries.get(key, Entry())
        known = sorted(entry.fields) + ([] if entry.note is ABSENT else [NOTE])
        if entry.pending:
            known = sorted({*known, *entry.pending.payload.names})
        what = self.draw(st.sampled_from(["adopt", "release", "release whole"]))
        if what == "adopt":
            self.happens(Adopted(key, at(self.seconds), self.draw(payloads())))
        elif what == "release" and known:
            names = self.draw(st.lists(st.sampled_from(known), min_size=1, unique=True))
            self.happens(Released(key, at(self.seconds), tuple(sorted(names))))
        elif what == "release whole" and entry != Entry():
            self.happens(Released(key, at(self.seconds), tuple(known), whole=True))
            return True
        return False

    def update(self, key: str, run: RunID) -> None:
        """One update with its attempts, up to where the process may have ended."""
        what = self.draw(payloads())
        for _ in range(self.draw(st.integers(0, 2))):
            self.happens(Intended(key, at(self.seconds), run, what))
            self.later()
            self.happens(Withdrawn(key, at(self.seconds), "too fast", run))
            self.later()
        if self.maybe():
            before = self.draw(st.dictionaries(st.sampled_from("abc"), VALUES, max_size=2))
            self.happens(Intended(key, at(self.seconds), run, what, before=before))
            self.later()
            self.answer(key, run)
            self.read_back(key)

    def answer(self, key: str, run: RunID) -> None:
        moment = at(self.seconds)
        match self.draw(st.sampled_from(["accepted", "refused", "lost", "killed"])):
            case "accepted":
                self.requests += 1
                self.happens(Accepted(key, moment, request_id(self.requests)))
                self.later()
                self.ask(key)
            case "refused":
                self.happens(Rejected(key, moment, "MXInvalid: no", run=run))
            case "lost":
                self.happens(Lost(key, moment, "timeout"))

    def read_back(self, key: str) -> None:
        """Of what is still open: its values may show, and its window may end then."""
        opened = self.entries[key].pending if key in self.entries else None
        if opened is None or not self.maybe():
            return
        self.later()
        if self.maybe():
            self.happens(GivenUp(key, at(self.seconds), opened.run))
            return
        self.happens(Seen(key, at(self.seconds), opened.run))
        if self.maybe():
            self.later()
            self.happens(Lapsed(key, at(self.seconds), opened.run))

    def ask(self, key: str) -> None:
        opened = self.entries[key].pending
        if opened is None or opened.request_id is None:
            return
        self.verdict(key, opened.request_id)

    def verdict(self, key: str, asked: RequestID) -> None:
        moment = at(self.seconds)
        match self.draw(st.sampled_from(["none", "queued", "done", "rejected", "too fast"])):
            case "queued":
                self.happens(Queued(key, moment, asked))
            case "done":
                self.happens(Succeeded(key, moment, asked))
            case "rejected":
                self.happens(Rejected(key, moment, "MXInvalid: no", asked))
            case "too fast":
                self.happens(Rejected(key, moment, "too fast", asked, resend=True))


@st.composite
def histories(draw: st.DrawFn) -> Runs:
    """The events of a few runs, by run."""
    world = World(draw)
    runs = []
    for number in range(draw(st.integers(1, 4))):
        before = len(world.events)
        world.run(RunID(f"run-{number}"))
        runs.append(tuple(world.events[before:]))
    return tuple(runs)


def flat(runs: Iterable[tuple[Event, ...]]) -> tuple[Event, ...]:
    return tuple(chain.from_iterable(runs))


@settings(deadline=None)
@given(histories())
def test_replaying_all_twice_is_replaying_it_once(runs: Runs) -> None:
    events = flat(runs)
    once = replay({}, events)
    assert replay(once, events) == once
    assert replay({}, events * 2) == once


@settings(deadline=None)
@given(histories(), st.data())
def test_a_journal_over_entries_that_have_it_folded_in(runs: Runs, data: st.DataObject) -> None:
    """A journal begins and ends anywhere in one run: it is folded in every half minute."""
    chosen = data.draw(st.integers(0, len(runs) - 1))
    begins = data.draw(st.integers(0, len(runs[chosen])))
    ends = data.draw(st.integers(begins, len(runs[chosen])))
    before = replay({}, (*flat(runs[:chosen]), *runs[chosen][:begins]))
    journal = runs[chosen][begins:ends]
    after = replay(before, journal)
    assert replay(after, journal) == after
    partly = replay(before, journal[: data.draw(st.integers(0, len(journal)))])
    assert replay(partly, journal) == after


@settings(deadline=None)
@given(histories())
def test_an_entry_is_never_without_meaning(runs: Runs) -> None:
    for entry in replay({}, flat(runs)).values():
        assert entry.fields or entry.note is not ABSENT or entry.request or entry.pending


@settings(deadline=None)
@given(histories())
def test_a_value_is_recorded_only_where_the_crm_confirmed_it(
    runs: Runs,
) -> None:
    """Every recorded value was adopted, or in a payload that succeeded or was read back."""
    confirmed: set[tuple[str, str, Value]] = set()
    entries: dict[str, Entry] = {}
    for event in flat(runs):
        before = entries.get(event.key, Entry())
        if isinstance(event, Adopted):
            confirmed |= {(event.key, *pair) for pair in event.payload.fields.items()}
        if isinstance(event, Succeeded | Seen):
            assert before.pending is not None
            confirmed |= {(event.key, *pair) for pair in before.pending.payload.fields.items()}
        entries = replay(entries, [event])
    for key, entry in entries.items():
        assert {(key, *pair) for pair in entry.fields.items()} <= confirmed


# --- the cases that were found, by name

A1, A2 = payload(a="1"), payload(a="2")
TWICE: dict[str, tuple[Event, ...]] = {
    "refused for now, sent again in the same run": (
        Intended(KEY, at(0), RUN, A1),
        Withdrawn(KEY, at(1), "too fast"),
        Intended(KEY, at(2), RUN, A1),
        Accepted(KEY, at(3), request_id(1)),
    ),
    "refused for now, and the clock was set back": (
        Intended(KEY, at(9), RUN, A1),
        Withdrawn(KEY, at(9), "too fast"),
        Intended(KEY, at(2), RUN, A1),
    ),
    "refused for now, sent again in a later run": (
        Intended(KEY, at(0), RUN, A1),
        Withdrawn(KEY, at(1), "too fast"),
        Intended(KEY, at(2), OTHER_RUN, A1),
        Accepted(KEY, at(3), request_id(1)),
    ),
    "succeeded, then another without an answer": (
        Intended(KEY, at(0), RUN, A1),
        Accepted(KEY, at(1), request_id(1)),
        Succeeded(KEY, at(2), request_id(1)),
        Intended(KEY, at(3), OTHER_RUN, A2),
    ),
    "lost, sent again in a later run": (
        Intended(KEY, at(0), RUN, A1),
        Lost(KEY, at(1), "timeout"),
        Intended(KEY, at(2), OTHER_RUN, A1),
        Accepted(KEY, at(3), request_id(1)),
    ),
    "resent before any verdict, and no answer yet": (
        Intended(KEY, at(0), RUN, A1),
        Accepted(KEY, at(1), request_id(1)),
        Intended(KEY, at(2), OTHER_RUN, A1),
    ),
}


@pytest.mark.parametrize("case", TWICE)
def test_replayed_twice(case: str) -> None:
    once = replay({}, TWICE[case])
    assert replay(once, TWICE[case]) == once
    assert replay({}, TWICE[case] * 2) == once


def test_a_rejection_is_remembered_through_attempts_that_were_refused_for_now() -> None:
    """Else the values that the CRM refused would be sent again after a crash."""
    refused = Entry(request=final(Outcome.REJECTED, A1, 9))
    journal = TWICE["refused for now, sent again in the same run"]
    after = replay(replay({KEY: refused}, journal), journal)
    assert after == {KEY: Entry(request=refused.request, pending=opened(A1, 1, sent=2))}
