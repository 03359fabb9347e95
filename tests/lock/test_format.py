"""The lock as bytes: what it looks like, and that nothing gets lost on the way."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings

from lsq_sync.core.state import Entry, FinalRequest, OpenRequest, Outcome, Payload, Recorded
from lsq_sync.core.values import ABSENT
from lsq_sync.lock.format import FORMAT, dump, load
from tests.lock.states import ACCOUNT, EMPTY, NOON, ONE, RUN, SMALL, TWO, later, states

NAME = "lsq-sync.lock"


@settings(deadline=None)
@given(states)
def test_a_state_survives_the_round_trip(state: Recorded) -> None:
    assert load(dump(state), NAME) == state


@settings(deadline=None)
@given(states)
def test_the_same_state_gives_the_same_bytes(state: Recorded) -> None:
    shuffled = list(state.entries.items())
    random.Random(1).shuffle(shuffled)
    entries = {key: _shuffled(entry) for key, entry in shuffled}
    assert dump(Recorded(state.account, entries)) == dump(state)
    assert dump(load(dump(state), NAME)) == dump(state)


def _shuffled(entry: Entry) -> Entry:
    return entry._replace(fields=dict(reversed(list(entry.fields.items()))))


@settings(deadline=None)
@given(states)
def test_one_opportunity_a_line_and_a_comma_between_two(state: Recorded) -> None:
    text = dump(state).decode("utf-8")
    head, *lines = text.removesuffix("}}\n").split("\n")
    assert text.endswith("}}\n")
    assert head.startswith(f'{{"format": "{FORMAT}", "account": {{')
    assert head.endswith('"opportunities": {')
    records, commas = lines[:-1:2], lines[1:-1:2]
    assert lines[-1] == ""
    assert [json.loads(f"{{{line}}}").popitem()[0] for line in records] == sorted(state.entries)
    assert commas == [","] * max(0, len(records) - 1)


def test_the_whole_of_a_small_lock() -> None:
    """What the contract pins: names, order, and what is left out."""
    one, two = (json.loads(dump(SMALL))["opportunities"][key] for key in (ONE, TWO))
    assert one == {
        "type": "loan",
        "fields": {"mx_Custom_6": "200000", "mx_Custom_9": None},
        "note": "called",
        "request": {
            "id": "r-1",
            "outcome": "rejected",
            "reason": "MXInvalidInputException: no",
            "digest": "0a" * 16,
            "run": RUN,
            "sent_at": "2026-08-31T12:00:00Z",
            "settled_at": "2026-08-31T12:00:05Z",
        },
    }
    assert two == {
        "type": "loan",
        "guid": TWO,
        "note": None,
        "pending": {
            "request_id": "r-2",
            "fields": {"mx_Custom_7": "180000"},
            "note": None,
            "run": RUN,
            "sent_at": "2026-08-31T12:00:01Z",
            "queued_at": "2026-08-31T12:01:00Z",
            "seen": True,
            "released": ["mx_Custom_7"],
            "before": {"mx_Custom_7": "0"},
        },
    }


def test_a_lost_answer_is_a_request_id_of_null() -> None:
    lost = Entry(pending=OpenRequest(Payload({"a": "1"}), RUN, NOON))
    pending = json.loads(dump(Recorded(None, {ONE: lost})))["opportunities"][ONE]["pending"]
    assert pending["request_id"] is None


def test_a_request_without_any_values_is_as_short_as_can_be() -> None:
    final = FinalRequest(Outcome.SUCCEEDED, RUN, NOON, later(1))
    content = json.loads(dump(Recorded(None, {ONE: Entry(request=final)})))["opportunities"][ONE]
    assert set(content["request"]) == {"outcome", "run", "sent_at", "settled_at"}
    assert set(content) == {"request"}


def test_an_empty_lock() -> None:
    assert dump(Recorded()) == (
        b'{"format": "lsq-sync/lock/v1", "account": {}, "opportunities": {\n}}\n'
    )
    assert load(dump(EMPTY), NAME) == EMPTY


def test_letters_of_any_script_stand_as_themselves() -> None:
    data = dump(Recorded(None, {"A-1": Entry(fields={"a": "मुंबई – Ω"})}))
    assert "मुंबई – Ω" in data.decode("utf-8")


@pytest.mark.parametrize(
    "value",
    [
        "two\nlines\r\nand\ttab",
        "line\u2028paragraph\u2029next\x85line\x0bform\x0cfeed",
        "\ud800 lone \udfff",
        "\\\ud800",
        "\x00\x1b[31mred",
        '"quoted" \\ back',
        "<<<<<<< HEAD\n=======\n>>>>>>> theirs",
        "\ufeffmark",
        ",\n,",
    ],
)
def test_odd_text_stays_on_its_line(value: str) -> None:
    state = Recorded(ACCOUNT, {ONE: Entry(fields={"a": value}, note=value), TWO: Entry(note="x")})
    data = dump(state)
    assert load(data, NAME) == state
    assert data.count(b"\n") == 5
    assert data.decode("utf-8")  # whatever it holds, the file is UTF-8


@pytest.mark.parametrize(
    "rewritten",
    [
        pytest.param(lambda data: b"\xef\xbb\xbf" + data, id="BOM"),
        pytest.param(lambda data: data.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(
            lambda data: b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n"), id="BOM and CRLF"
        ),
        pytest.param(lambda data: data.removesuffix(b"\n"), id="no line end at the end"),
        pytest.param(lambda data: data + b"\n\n", id="more of them"),
    ],
)
def test_what_editors_and_git_do_to_a_file_is_accepted(rewritten: Any) -> None:
    assert load(rewritten(dump(SMALL)), NAME) == SMALL


def test_a_note_that_was_cleared_is_not_one_that_was_never_recorded() -> None:
    state = Recorded(None, {"a": Entry(note=None), "b": Entry(note=ABSENT), "c": Entry(note="")})
    content = json.loads(dump(state))["opportunities"]
    assert (content["a"], content["b"], content["c"]) == ({"note": None}, {}, {"note": ""})
    assert load(dump(state), NAME) == state


def test_later_versions_of_python_may_read_moments_with_an_offset() -> None:
    data = dump(SMALL).replace(b"2026-08-31T12:00:05Z", b"2026-08-31T17:30:05.250+05:30")
    request = load(data, NAME).entries[ONE].request
    assert request is not None
    assert request.settled_at.replace(microsecond=0) == later(5)
