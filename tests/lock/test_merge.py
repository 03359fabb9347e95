"""Two sides of a conflict become one: no open request is dropped, whichever side is ours."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsq_sync.core.model import Account
from lsq_sync.core.state import (
    Entry,
    FinalRequest,
    OpenRequest,
    Outcome,
    Payload,
    Recorded,
    RequestID,
    RunID,
)
from lsq_sync.errors import LockError
from lsq_sync.lock.format import dump, load
from lsq_sync.lock.merge import has_markers, merge, merge_since
from tests.lock.states import ACCOUNT, ONE, RUN, TWO, entries, later

NAME = "lsq-sync.lock"
OTHER = RunID("20260831T093800Z-00a1b3")


def conflict(ours: Recorded, theirs: Recorded, base: Recorded | None = None) -> str:
    """As git leaves it: what is the same at both ends stays, the rest is one conflict."""
    left, right = dump(ours).decode().split("\n"), dump(theirs).decode().split("\n")
    start = next(
        (n for n, pair in enumerate(zip(left, right, strict=False)) if len({*pair}) > 1), 0
    )
    middle = ["||||||| 1a2b3c", *dump(base).decode().split("\n")[start:-2]] if base else []
    return "\n".join(
        [
            *left[:start],
            "<<<<<<< HEAD",
            *left[start:-2],
            *middle,
            "=======",
            *right[start:-2],
            ">>>>>>> theirs",
            "}}",
            "",
        ]
    )


def merged(ours: Mapping[str, Entry], theirs: Mapping[str, Entry]) -> dict[str, Entry]:
    text = conflict(Recorded(ACCOUNT, ours), Recorded(ACCOUNT, theirs))
    return dict(merge(text, NAME).recorded.entries)


def settled(value: str, at: float, outcome: Outcome = Outcome.SUCCEEDED) -> Entry:
    final = FinalRequest(outcome, RUN, later(at - 1), later(at), RequestID(f"r-{at}"))
    return Entry(fields={"a": value}, request=final)


def open_entry(value: str, at: float, run: RunID = RUN, **more: object) -> Entry:
    request = OpenRequest(Payload({"a": value}), run, later(at), RequestID(f"r-{at}"))
    return Entry(fields={"a": "0"}, pending=replace(request, **more))  # type: ignore[arg-type]


def test_each_side_keeps_what_only_it_has() -> None:
    ours, theirs = {ONE: settled("1", 1)}, {TWO: settled("2", 2)}
    assert merged(ours, theirs) == {**ours, **theirs}


def test_values_that_were_confirmed_last_win_whichever_side_is_ours() -> None:
    old, new = settled("1", 1), settled("2", 2)
    assert merged({ONE: old}, {ONE: new}) == merged({ONE: new}, {ONE: old}) == {ONE: new}


def test_a_rejection_confirms_nothing() -> None:
    confirmed, rejected = settled("1", 1), settled("0", 2, Outcome.REJECTED)
    found = merged({ONE: confirmed}, {ONE: rejected})[ONE]
    assert (found.fields, found.request) == ({"a": "1"}, rejected.request)


def test_an_open_request_of_one_side_stays() -> None:
    opened, confirmed = open_entry("2", 5), settled("1", 9)
    found = merged({ONE: opened}, {ONE: confirmed})[ONE]
    assert (found.pending, found.fields) == (opened.pending, {"a": "1"})


def test_an_open_request_whose_end_the_other_side_knows_has_ended() -> None:
    opened = open_entry("2", 5)
    assert opened.pending
    end = FinalRequest(Outcome.SUCCEEDED, RUN, later(5), later(8), opened.pending.request_id)
    ended = Entry(fields={"a": "2"}, request=end)
    for sides in (({ONE: opened}, {ONE: ended}), ({ONE: ended}, {ONE: opened})):
        assert merged(*sides) == {ONE: ended}


def test_both_know_the_same_request_and_all_that_is_known_of_it_stays() -> None:
    lost = open_entry("2", 5, request_id=None, seen=True, released=("a", "b"))
    known = open_entry("2", 5, queued_at=later(7), released=("a",))
    found = merged({ONE: lost}, {ONE: known})[ONE].pending
    assert found is not None
    assert (found.request_id, found.seen, found.queued_at) == (RequestID("r-5"), True, later(7))
    assert found.released == ("a",)


def test_two_open_requests_are_refused() -> None:
    with pytest.raises(LockError) as caught:
        merged({ONE: open_entry("2", 5)}, {ONE: open_entry("3", 6, OTHER)})
    assert ONE in caught.value.message
    assert "status --wait" in caught.value.hint


def test_the_short_code_of_either_side_is_kept() -> None:
    without = replace(ACCOUNT, short_code=None)
    for pair in ((without, ACCOUNT), (ACCOUNT, without)):
        sides = [Recorded(account, {ONE: settled("1", n)}) for n, account in enumerate(pair, 1)]
        assert merge(conflict(*sides), NAME).recorded.account == ACCOUNT


def test_two_accounts_are_no_lock() -> None:
    other = Account("other", "https://other.example", None, "20002")
    text = conflict(Recorded(ACCOUNT, {}), Recorded(other, {}))
    with pytest.raises(LockError, match="different accounts"):
        merge(text, NAME)


def test_the_base_between_the_sides_says_nothing() -> None:
    ours, theirs = (Recorded(ACCOUNT, {ONE: settled(str(n), n)}) for n in (1, 2))
    base = Recorded(ACCOUNT, {ONE: settled("0", 0.5), TWO: settled("0", 0.5)})
    assert set(merge(conflict(ours, theirs, base), NAME).recorded.entries) == {ONE}


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_ends_and_a_mark_at_the_start_do_not_matter(line_end: str) -> None:
    sides = [Recorded(ACCOUNT, {ONE: settled(str(n), n)}) for n in (1, 2)]
    text = "\ufeff" + conflict(*sides).replace("\n", line_end)
    assert has_markers(text)
    assert merge(text, NAME).recorded.entries == {ONE: settled("2", 2)}


BROKEN = [
    "<<<<<<< HEAD",
    "<<<<<<< HEAD\n<<<<<<< HEAD\n=======\n>>>>>>> x",
    ">>>>>>> x",
    "<<<<<<< HEAD\n>>>>>>> x",
    "<<<<<<< HEAD\n=======\n||||||| b\n>>>>>>> x",
]


@pytest.mark.parametrize("markers", BROKEN)
def test_markers_that_make_no_conflict_are_refused_with_a_way_out(markers: str) -> None:
    text = dump(Recorded(ACCOUNT, {ONE: settled("1", 1)})).decode() + markers
    with pytest.raises(LockError) as caught:
        merge(text, NAME)
    assert "git checkout --merge" in caught.value.hint


def test_a_side_that_was_edited_is_refused_as_any_lock() -> None:
    text = conflict(Recorded(ACCOUNT, {ONE: settled("1", 1)}), Recorded(ACCOUNT, {}))
    with pytest.raises(LockError):
        merge(text.replace('"outcome": "succeeded"', '"outcome": "done"'), NAME)


def in_a_lock(entry: Entry) -> Entry:
    """What a lock holds of an entry: what a request displaced goes with its answer."""
    waits = entry.pending is not None and entry.pending.request_id is None
    return entry._replace(replaced=None, displaced=entry.displaced if waits else None)


sides = st.dictionaries(st.sampled_from([ONE, TWO, "LN-1"]), entries, max_size=3).map(
    lambda known: {key: in_a_lock(entry) for key, entry in known.items()}
)


@given(sides, sides)
def test_no_open_request_is_dropped_and_the_sides_are_alike(
    left: dict[str, Entry], right: dict[str, Entry]
) -> None:
    try:
        found = merged(left, right)
    except LockError:
        assert _two_open(left, right)
        return
    assert found == merged(right, left)
    assert load(dump(Recorded(ACCOUNT, found)), NAME).entries == found
    for key in {*left, *right}:
        ends = {(e.request.run, e.request.sent_at) for e in _of(key, left, right) if e.request}
        for entry in _of(key, left, right):
            opened = entry.pending
            if opened and (opened.run, opened.sent_at) not in ends:
                kept = found[key].pending
                assert kept is not None
                assert (kept.run, kept.sent_at) == (opened.run, opened.sent_at)


def _two_open(left: Mapping[str, Entry], right: Mapping[str, Entry]) -> bool:
    return any(left[key].pending and right[key].pending for key in {*left} & {*right})


def _of(key: str, *known: Mapping[str, Entry]) -> list[Entry]:
    return [side[key] for side in known if key in side]


@given(sides)
def test_a_side_merged_with_itself_is_itself(side: dict[str, Entry]) -> None:
    assert merged(side, side) == {
        key: entry._replace(pending=entry.pending and _sorted(entry.pending))
        for key, entry in side.items()
        if not (entry.pending and entry.request and _ended(entry.pending, entry.request))
    } | {
        key: entry._replace(pending=None, displaced=None)
        for key, entry in side.items()
        if entry.pending and entry.request and _ended(entry.pending, entry.request)
    }


def _sorted(opened: OpenRequest) -> OpenRequest:
    return replace(opened, released=tuple(sorted({*opened.released})))


def _ended(opened: OpenRequest, final: FinalRequest) -> bool:
    return (final.run, final.sent_at) == (opened.run, opened.sent_at)


def test_a_lock_without_markers_has_no_conflict() -> None:
    text = dump(Recorded(ACCOUNT, {ONE: settled("=======", 1)})).decode()
    assert not has_markers(text)
    assert json.loads(text)


# --- against what both began with


def since(
    base: Mapping[str, Entry], ours: Mapping[str, Entry], theirs: Mapping[str, Entry]
) -> dict[str, Entry]:
    began, left, right = (Recorded(ACCOUNT, one) for one in (base, ours, theirs))
    return dict(merge_since(began, left, right, NAME).recorded.entries)


@given(sides, sides)
def test_what_only_one_side_changed_is_taken_as_it_is(
    base: dict[str, Entry], changed: dict[str, Entry]
) -> None:
    assert since(base, changed, base) == changed
    assert since(base, base, changed) == changed
    assert since(base, changed, changed) == changed


def test_what_one_side_forgot_and_the_other_left_alone_is_gone() -> None:
    base = {ONE: settled("1", 1), TWO: settled("2", 1)}
    assert since(base, {TWO: base[TWO]}, {**base, TWO: settled("3", 3)}) == {TWO: settled("3", 3)}


def test_what_one_side_forgot_and_the_other_changed_stays() -> None:
    base = {ONE: settled("1", 1)}
    assert since(base, {}, {ONE: open_entry("2", 2)}) == {ONE: open_entry("2", 2)}


def test_two_open_requests_since_the_base_are_refused() -> None:
    base = {ONE: settled("1", 1)}
    with pytest.raises(LockError, match="neither may be forgotten"):
        since(base, {ONE: open_entry("2", 2)}, {ONE: open_entry("3", 3, OTHER)})
    held = {ONE: open_entry("2", 2)}
    assert since(held, held, {ONE: settled("2", 3)}) == {ONE: settled("2", 3)}
