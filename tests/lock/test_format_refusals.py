"""A lock that was damaged or edited is refused with a place and a way out, never guessed at."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lsq_sync.errors import LockError
from lsq_sync.lock.format import dump, load
from tests.lock.states import ONE, SMALL, TWO

NAME = "lsq-sync.lock"
WHOLE = dump(SMALL)
RESTORE = f"git checkout -- {NAME}"


def refusal(data: bytes) -> LockError:
    with pytest.raises(LockError) as caught:
        load(data, NAME)
    return caught.value


def replaced(old: str, new: str) -> bytes:
    """The lock with one spot of it written anew."""
    text = WHOLE.decode()
    assert text.count(old) == 1, f"{old!r} stands there {text.count(old)} times"
    return text.replace(old, new).encode()


@pytest.mark.parametrize("wrapped", [b"%s", b"\xef\xbb\xbf%s"])
def test_a_file_cut_anywhere_is_never_taken_for_another_state(wrapped: bytes) -> None:
    data = wrapped % WHOLE
    for length in range(len(data) - 1):
        assert RESTORE in refusal(data[:length]).hint
    assert load(data[:-1], NAME) == SMALL  # less a line end


def test_a_file_with_carriage_returns_cut_anywhere() -> None:
    data = WHOLE.replace(b"\n", b"\r\n")
    for length in range(len(data) - 2):
        refusal(data[:length])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is cut off"),
        (b"\n", "is cut off"),
        (WHOLE[:-3], "is cut off"),
        (WHOLE[: len(WHOLE) // 2], "is cut off"),
        (b"\x00" * len(WHOLE), "is not valid JSON"),
        (WHOLE + WHOLE, "is not valid JSON"),
        (WHOLE.decode().encode("utf-16"), "is not UTF-8"),
        (WHOLE.replace(b"called", b"caf\xe9"), "is not UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (replaced('"seen": true', '"seen": ' + "9" * 5000), "is not valid JSON"),
    ],
)
def test_what_is_no_json(data: bytes, message: str) -> None:
    error = refusal(data)
    assert message in error.message
    assert RESTORE in error.hint


@pytest.mark.parametrize(
    "marker", ["<<<<<<< HEAD", "||||||| 1a2b3c", "=======", ">>>>>>> other-branch"]
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_conflict_markers_are_told_with_their_line_and_a_way_out(
    marker: str, line_end: str
) -> None:
    text = WHOLE.decode().replace("\n,\n", f"\n{marker}\n,\n").replace("\n", line_end)
    error = refusal(text.encode())
    assert "conflict markers" in error.message
    assert "lsq-sync state merge" in error.hint
    assert error.diagnostics[0].origin.line == 3


def with_content(change: Callable[[Any], object]) -> bytes:
    content = json.loads(WHOLE)
    change(content)
    return json.dumps(content).encode()


def entry(key: str, **members: Any) -> bytes:
    """The lock with members of one entry set; `...` takes one out."""
    return with_content(lambda content: _set(content["opportunities"][key], members))


def request(**members: Any) -> bytes:
    return with_content(lambda c: _set(c["opportunities"][ONE]["request"], members))


def pending(**members: Any) -> bytes:
    return with_content(lambda c: _set(c["opportunities"][TWO]["pending"], members))


def _set(mapping: dict[str, Any], members: dict[str, Any]) -> None:
    for name, value in members.items():
        if value is ...:
            del mapping[name]
        else:
            mapping[name] = value


EDITS = {
    "not a mapping": b"[]",
    "text": b'"lsq-sync/lock/v1"',
    "another file": b'{"format": "npm"}',
    "no format": with_content(lambda content: content.pop("format")),
    "a key of ours that does not exist": with_content(lambda content: _set(content, {"x": 1})),
    "no opportunities": with_content(lambda content: content.pop("opportunities")),
    "opportunities as a list": with_content(lambda content: _set(content, {"opportunities": []})),
    "account as a list": with_content(lambda content: _set(content, {"account": [1]})),
    "account as an empty list": with_content(lambda content: _set(content, {"account": []})),
    "account as text": with_content(lambda content: _set(content, {"account": "acme"})),
    "account as empty text": with_content(lambda content: _set(content, {"account": ""})),
    "account as false": with_content(lambda content: _set(content, {"account": False})),
    "account without a host": with_content(lambda content: content["account"].pop("async_host")),
    "account without a name": with_content(lambda content: content["account"].pop("name")),
    "account with a secret": with_content(lambda c: _set(c["account"], {"key": "x"})),
    "account with a number": with_content(lambda c: _set(c["account"], {"short_code": 10001})),
    "entry null": with_content(lambda content: _set(content["opportunities"], {ONE: None})),
    "entry text": with_content(lambda content: _set(content["opportunities"], {ONE: "x"})),
    "entry with an unknown key": entry(ONE, colour="red"),
    "type null": entry(ONE, type=None),
    "type a number": entry(ONE, type=12005),
    "guid a number": entry(ONE, guid=1),
    "fields null": entry(ONE, fields=None),
    "fields a list": entry(ONE, fields=[["a", "b"]]),
    "value a number": entry(ONE, fields={"a": 1}),
    "value a truth": entry(ONE, fields={"a": True}),
    "value a mapping": entry(ONE, fields={"a": {}}),
    "note a number": entry(ONE, note=1),
    "request null": entry(ONE, request=None),
    "request false": entry(ONE, request=False),
    "request with an unknown key": request(request_id="r-1"),
    "request without an outcome": request(outcome=...),
    "request with an outcome of its own": request(outcome="maybe"),
    "outcome null": request(outcome=None),
    "outcome a list": request(outcome=["rejected"]),
    "id null": request(id=None),
    "id empty": request(id=""),
    "digest empty": request(digest=""),
    "run empty": request(run=""),
    "pending run empty": pending(run=""),
    "pending request_id empty": pending(request_id=""),
    "id a number": request(id=7),
    "reason null": request(reason=None),
    "digest null": request(digest=None),
    "run missing": request(run=...),
    "sent_at missing": request(sent_at=...),
    "sent_at no moment": request(sent_at="yesterday"),
    "sent_at without a zone": request(sent_at="2026-08-31T12:00:00"),
    "sent_at before time began": request(sent_at="0001-01-01T00:00:00+14:00"),
    "sent_at after its end": request(sent_at="9999-12-31T23:59:59-14:00"),
    "sent_at a number": request(sent_at=1),
    "settled_at missing": request(settled_at=...),
    "pending null": entry(TWO, pending=None),
    "pending without a request_id": pending(request_id=...),
    "pending with a number for one": pending(request_id=5),
    "pending with an unknown key": pending(id="r-2"),
    "pending fields": pending(fields=[]),
    "pending value": pending(fields={"a": 0}),
    "pending note": pending(note=[]),
    "pending sent_at": pending(sent_at=None),
    "pending queued_at": pending(queued_at=None),
    "seen as text": pending(seen="true"),
    "seen as a number": pending(seen=1),
    "seen as null": pending(seen=None),
    "released as text": pending(released="mx_Custom_7"),
    "released as null": pending(released=None),
    "released as a number": pending(released=7),
    "released as a mapping": pending(released={"mx_Custom_7": 1}),
    "released with a number": pending(released=[7]),
}


@pytest.mark.parametrize("name", EDITS)
def test_edits_that_break_the_form(name: str) -> None:
    error = refusal(EDITS[name])
    assert RESTORE in error.hint
    assert error.message.startswith(f"{NAME}:1: ")
    assert [one.origin.file for one in error.diagnostics] == [NAME]


@pytest.mark.parametrize(
    ("old", "new", "twice"),
    [
        ('"account": {', '"format": "lsq-sync/lock/v1", "account": {', "format"),
        ('"opportunities": {\n', '"opportunities": {}, "opportunities": {\n', "opportunities"),
        (f'"{TWO}": ', f'"{ONE}": ', ONE),
        ('"mx_Custom_6": ', '"mx_Custom_9": ', "mx_Custom_9"),
        ('"note": "called", ', '"note": "called", "note": "x", ', "note"),
        ('"request_id": "r-2", ', '"request_id": "r-2", "request_id": null, ', "request_id"),
    ],
)
def test_a_key_that_stands_twice_is_named(old: str, new: str, twice: str) -> None:
    error = refusal(replaced(old, new))
    assert f'the key "{twice}" stands there twice' in error.message


def test_a_fault_is_told_with_the_line_of_its_record() -> None:
    error = refusal(replaced('"guid": "', '"colour": "red", "guid": "'))
    assert error.diagnostics[0].origin.line == 4
    assert TWO in error.message


@pytest.mark.parametrize("version", ["lsq-sync/lock/v2", "lsq-sync/lock/v0", "lsq-sync/lock/"])
def test_another_version_is_told_from_another_file(version: str) -> None:
    error = refusal(replaced("lsq-sync/lock/v1", version))
    assert version in error.message
    assert "install the version of lsq-sync" in error.hint
    assert "git checkout" not in error.hint


# --- whatever is done to it

anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["r-1", ONE, "2026-08-31T12:00:00Z", "rejected"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


def _places(content: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    inner = content.items() if isinstance(content, dict) else ()
    return [path, *(place for key, value in inner for place in _places(value, (*path, key)))]


@example(("account", "name"), "")
@example(("account", "host"), "")
@settings(deadline=None)
@given(place=st.sampled_from(_places(json.loads(WHOLE))[1:]), new=anything)
def test_any_value_anywhere_is_refused_or_sound(place: tuple[str, ...], new: Any) -> None:
    """What is accepted has its types: it can be written and read again."""
    content = json.loads(WHOLE)
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = new
    _refused_or_sound(json.dumps(content).encode())


@settings(deadline=None)
@given(place=st.integers(0, len(WHOLE) - 1), byte=st.integers(0, 255))
def test_any_byte_anywhere_is_refused_or_sound(place: int, byte: int) -> None:
    _refused_or_sound(WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :])


@settings(deadline=None)
@given(st.binary(max_size=40))
def test_any_bytes_are_refused(data: bytes) -> None:
    refusal(data)


def _refused_or_sound(data: bytes) -> None:
    try:
        state = load(data, NAME)
    except LockError:
        return
    assert load(dump(state), NAME) == state
