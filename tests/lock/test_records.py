"""The journal as bytes: what a crash tears off is cut, what once was durable is never dropped."""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.core.events import Event, Intended
from lsq_sync.core.state import Payload
from lsq_sync.lock.records import FORMAT, Journal, decode, encode, encode_header
from tests.lock.states import NOON, ONE, RUN, TWO, accepted, events, intended, succeeded

Groups = Sequence[Sequence[Event]]

GROUPS: Groups = [
    [intended(ONE), intended(TWO, "line\nbreak\u2028")],
    [accepted(ONE, "r-1")],
    [accepted(TWO, "r-2"), succeeded(ONE, "r-1")],
    [succeeded(TWO, "r-2")],
]
groups = st.lists(st.lists(events, min_size=1, max_size=3), max_size=4)


def written(groups: Groups) -> tuple[bytes, list[int]]:
    """A journal, and where each of its groups begins."""
    data = encode_header()
    starts = []
    for group in groups:
        starts.append(len(data))
        data += encode(group, len(data))
    return data, starts


def flat(groups: Groups) -> tuple[Event, ...]:
    return tuple(event for group in groups for event in group)


WHOLE, STARTS = written(GROUPS)
ENDS = [place + 1 for place, byte in enumerate(WHOLE) if byte == ord("\n")]
"""Where each record ends; the first is the header."""


# --- the round trip


@settings(deadline=None)
@given(groups)
def test_events_survive_the_round_trip(groups: Groups) -> None:
    data, _ = written(groups)
    assert decode(data) == Journal(flat(groups), len(data))


@settings(deadline=None)
@given(st.lists(events, max_size=3))
def test_a_record_is_one_line_of_plain_letters(group: list[Event]) -> None:
    data = encode(group, 0)
    assert data.isascii()
    assert data.count(b"\n") == len(group)


def test_the_values_of_an_intent_come_back_as_they_were() -> None:
    sent = Intended(ONE, NOON, RUN, Payload({"a": None, "b": "", "c": "\ud800"}, note=None))
    data, _ = written([[sent]])
    assert decode(data).events == (sent,)


def test_nothing_is_no_journal_yet() -> None:
    assert decode(b"") == Journal((), 0)
    assert decode(encode_header()) == Journal((), len(encode_header()))


# --- torn tails


def test_a_journal_cut_anywhere_gives_its_sound_records() -> None:
    for length in range(len(WHOLE) + 1):
        whole = sum(end <= length for end in ENDS)
        expected = Journal(flat(GROUPS)[: max(0, whole - 1)], ENDS[whole - 1] if whole else 0)
        assert decode(WHOLE[:length]) == expected, length


@pytest.mark.parametrize("filling", [b"\x00", b"\n", b"x", b"\xff", b"0"])
def test_a_tail_that_was_never_written_is_cut(filling: bytes) -> None:
    """After a power cut a file may be as long as it should be, and hold anything at its end."""
    last = STARTS[-1]
    for start in range(last, len(WHOLE)):
        journal = decode(WHOLE[:start] + filling * (len(WHOLE) - start))
        if start < len(WHOLE) - 1 or filling != b"\n":
            assert journal == Journal(flat(GROUPS[:-1]), last), start


def test_of_a_group_with_only_its_second_half_on_disk_nothing_counts() -> None:
    data, starts = written(GROUPS[:3])
    middle = data.index(b"\n", starts[2]) + 1
    torn = data[: starts[2]] + b"\x00" * (middle - starts[2]) + data[middle:]
    assert decode(torn) == Journal(flat(GROUPS[:2]), starts[2])


def test_of_a_group_with_a_hole_in_it_its_beginning_counts() -> None:
    group: list[Event] = [intended(ONE), accepted(ONE), succeeded(ONE)]
    data, _ = written([group])
    ends = [place + 1 for place, byte in enumerate(data) if byte == ord("\n")]
    torn = data[: ends[1]] + b"\x00" * (ends[2] - ends[1]) + data[ends[2] :]
    assert decode(torn) == Journal((group[0],), ends[1])


@settings(deadline=None)
@given(groups, st.binary(max_size=60))
def test_what_a_torn_write_leaves_at_the_end_does_no_harm(groups: Groups, tail: bytes) -> None:
    data, _ = written(groups)
    assert decode(data + tail) == Journal(flat(groups), len(data))


# --- damage


def test_any_byte_that_changes_before_the_last_group_is_damage() -> None:
    """Something later was written after it was durable, so it is no torn tail."""
    for place in range(STARTS[-1]):
        for byte in (b"\x00", b"\n", b"Z", bytes([WHOLE[place] ^ 1])):
            data = WHOLE[:place] + byte + WHOLE[place + 1 :]
            if data == WHOLE:
                continue
            journal = decode(data)
            if journal.events == flat(GROUPS) and journal.damaged_at is None:
                continue  # said the same in other letters
            assert journal.damaged_at is not None, (place, byte)
            assert journal.damaged_at <= place


@pytest.mark.parametrize("cut", [1, 7, 30])
def test_bytes_missing_in_the_middle_are_damage(cut: int) -> None:
    for place in range(STARTS[-1] - cut + 1):
        journal = decode(WHOLE[:place] + WHOLE[place + cut :])
        assert journal.damaged_at is not None, place


def test_a_whole_group_missing_in_the_middle_is_damage() -> None:
    """The groups after it say that they began elsewhere."""
    data = WHOLE[: STARTS[1]] + WHOLE[STARTS[2] :]
    assert decode(data).damaged_at == STARTS[1]


def test_a_journal_without_its_header_is_damage() -> None:
    assert decode(WHOLE[STARTS[0] :]).damaged_at == 0


def test_two_journals_one_behind_the_other_are_damage() -> None:
    data, _ = written(GROUPS[:2])
    assert decode(data + data).damaged_at == len(data)


def test_another_format_is_told() -> None:
    data = encode_header().replace(FORMAT.encode(), b"lsq-sync/journal/v2")
    body = data[26:-1]
    head = b"%08x %s " % (len(body), sha256(body).hexdigest()[:16].encode())
    journal = decode(head + body + b"\n" + b"something of the future")
    assert (journal.format, journal.events) == ("lsq-sync/journal/v2", ())


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_no_more_than_a_torn_tail(data: bytes) -> None:
    assert decode(data) == Journal((), 0)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=4))
def test_no_damage_makes_up_events(changes: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE)
    for place, byte in changes:
        data[place] = byte
    journal = decode(bytes(data))
    assert journal.events == flat(GROUPS)[: len(journal.events)]
