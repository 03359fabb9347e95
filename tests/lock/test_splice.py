"""A lock of which few lines are made anew is, byte for byte, the one that is dumped as a whole."""

import json
import os
import tracemalloc
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.core.events import Event, Rekeyed, Released
from lsq_sync.core.state import Entry, Recorded
from lsq_sync.lock import splice
from lsq_sync.lock import writer as writer_module
from lsq_sync.lock.disk import replace_by_pieces
from lsq_sync.lock.file import FileStore
from lsq_sync.lock.format import dump, line_of, load, pieces
from lsq_sync.lock.lines import UnusualLockError
from lsq_sync.lock.recent import without_recent
from lsq_sync.lock.splice import spliced
from tests.lock.states import (
    ACCOUNT,
    NOON,
    RUN,
    SMALL,
    TWO,
    entries,
    events,
    intended,
    states,
    texts,
)


def _spliced(data: bytes, before: Recorded, after: Recorded, touched: set[str]) -> bytes | None:
    try:
        return b"".join(spliced(BytesIO(data), len(before.entries), after, touched))
    except UnusualLockError:
        return None


@given(states, states, st.sets(texts))
def test_any_change_of_any_state(before: Recorded, after: Recorded, also: set[str]) -> None:
    keys = {*before.entries, *after.entries}
    touched = {key for key in keys if before.entries.get(key) != after.entries.get(key)}
    assert _spliced(dump(without_recent(before)), before, after, touched | also) == dump(
        without_recent(after)
    )


@given(states, st.dictionaries(texts, entries, max_size=3))
def test_more_entries(before: Recorded, new: dict[str, Entry]) -> None:
    after = Recorded(before.account, {**before.entries, **new})
    assert _spliced(dump(without_recent(before)), before, after, {*new}) == dump(
        without_recent(after)
    )


@pytest.mark.parametrize(
    "change",
    [(b"\n,\n", b","), (b"\n,\n", b"\n,\n\n"), (b"}}\n", b"}}"), (b"}}\n", b"}}\n\n"),
     (b': {"', b':{"'), (b"{\n", b"{")],
)  # fmt: skip
def test_another_form_is_left(change: tuple[bytes, bytes]) -> None:
    data = dump(SMALL)
    assert change[0] in data
    assert _spliced(data.replace(*change), SMALL, SMALL, set()) is None


def test_an_entry_too_much_or_too_few() -> None:
    less = Recorded(ACCOUNT, dict([*SMALL.entries.items()][:1]))
    assert _spliced(dump(SMALL), SMALL, less, set()) is None
    assert _spliced(dump(less), less, SMALL, set()) is None


def test_one_entry_on_two_lines_and_two_on_one() -> None:
    """As many lines as entries, in order."""
    halves = b'"LN-1": {"type": "t"\n,\n"fields": {"a": "1"}}\n'
    both = b'"m": {"fields": {"a": "2"}}, "n": {"fields": {"a": "3"}}\n'
    lock = dump(Recorded(ACCOUNT)).replace(b"}}\n", halves + b",\n" + both + b"}}\n")
    before = load(lock, "lock")
    assert sorted(before.entries) == ["LN-1", "m", "n"]
    assert _spliced(lock, before, before, {"LN-1"}) is None


def _indented(data: bytes) -> bytes:
    return json.dumps(json.loads(data), indent=1).encode()


_EDITS: dict[str, Callable[[bytes], bytes]] = {
    "two on a line": lambda data: data.replace(b"\n,\n", b", ", 1),
    "all on a line": lambda data: data.replace(b"\n,\n", b", "),
    "one on two lines": lambda data: data.replace(b', "type"', b'\n,\n"type"', 1),
    "a comma at the end of a line": lambda data: data.replace(b"\n,\n", b",\n"),
    "another order": lambda data: data.replace(b'"LN', b'"z', 1),
    "more spaces": lambda data: data.replace(b'"x":', b'"x"  :', 1),
    "a key that is escaped": lambda data: data.replace(b'"a":', b'"\\u0061":'),
    "another end of lines": lambda data: data.replace(b"\n", b"\r\n"),
    "a mark at the beginning": lambda data: b"\xef\xbb\xbf" + data,
    "as another tool shows it": _indented,
}


@pytest.mark.parametrize("key", ["LN-1", "a", "b", "new"])
@pytest.mark.parametrize("edit", _EDITS)
def test_a_lock_that_was_edited_by_hand_is_still_read_after_a_fold(
    tmp_path: Path, edit: str, key: str
) -> None:
    lock = tmp_path / "lsq-sync.lock"
    known = {name: Entry("loan", fields={"x": name}) for name in _KEYS}
    data = dump(Recorded(ACCOUNT, known))
    lock.write_bytes(_EDITS[edit](data))
    assert lock.read_bytes() != data
    store = FileStore(lock, lock.name, tmp_path / "state", ACCOUNT)
    before = store.read().entries
    with store.writer(RUN, NOON) as writer:
        writer.record([intended(key)])
    after = load(lock.read_bytes(), lock.name).entries
    assert {**after, key: None} == {**before, key: None}
    assert after[key].pending
    assert list(after) == sorted(after)


def test_a_line_that_was_edited_stays_so_until_its_opportunity_changes(tmp_path: Path) -> None:
    lock = tmp_path / "lsq-sync.lock"
    edited = dump(SMALL).replace(b'"type": "loan"', b'"type":   "loan"')
    lock.write_bytes(edited)
    store = FileStore(lock, lock.name, tmp_path / "state", ACCOUNT)
    with store.writer(RUN, NOON) as writer:
        writer.record([Released(TWO, NOON, ("mx_Custom_7",)), Released("new", NOON, ())])
    first, second = (line for line in edited.splitlines() if b'"type":   ' in line)
    assert first in lock.read_bytes()
    assert second not in lock.read_bytes()


_KEYS = ("a", "b", "c", "LN-1")
_ANY = st.sampled_from(_KEYS)
_MOVES = st.builds(Rekeyed, key=_ANY, at=st.just(NOON), old=_ANY)


@settings(max_examples=500 if os.environ.get("LSQ_SYNC_LONG") else 25)
@given(st.lists(st.lists(events | _MOVES, min_size=1, max_size=3), max_size=4), st.booleans())
def test_whatever_a_writer_is_told(
    tmp_path_factory: pytest.TempPathFactory, groups: Sequence[Sequence[Event]], crashes: bool
) -> None:
    """Folded after each group, or, where the writer crashes, by the next one."""
    root = tmp_path_factory.mktemp("workspace")
    lock = root / "lsq-sync.lock"
    lock.write_bytes(dump(Recorded(ACCOUNT, {key: Entry(fields={"x": key}) for key in _KEYS})))
    store = FileStore(lock, lock.name, root / "state", ACCOUNT)
    for group in groups:
        _record(store, group, crashes)
        with store.writer(RUN, NOON) as writer:
            state = writer.recorded
        assert lock.read_bytes() == dump(without_recent(state))
        assert load(lock.read_bytes(), "lock") == without_recent(state)


def _record(store: FileStore, group: Sequence[Event], crashes: bool) -> None:
    with store.writer(RUN, NOON) as writer:
        writer.record(group)
        if crashes:
            writer.fold = lambda: None  # type: ignore[method-assign]


def test_lines_of_others_are_not_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "lsq-sync.lock"
    lock.write_bytes(dump(Recorded(ACCOUNT, {key: Entry(fields={"x": key}) for key in _KEYS})))
    made: list[str] = []

    def watched(key: str, entry: Entry) -> bytes:
        made.append(key)
        return line_of(key, entry)

    def all_anew(_: Recorded) -> Recorded:
        raise AssertionError

    monkeypatch.setattr(splice, "line_of", watched)
    monkeypatch.setattr(writer_module, "without_recent", all_anew)
    store = FileStore(lock, lock.name, tmp_path / "state", ACCOUNT)
    with store.writer(RUN, NOON) as writer:
        writer.record([Rekeyed("d", NOON, "b")])
        writer.fold()
        assert made == ["d"]
        writer.record([intended("new")])
        writer.fold()
        writer.record([intended("a")])
    assert made == ["d", "new", "a"]


def test_a_large_lock_is_never_in_memory(tmp_path: Path) -> None:
    """Neither the one before nor the one after, when one entry of many changes."""
    lock = tmp_path / "lsq-sync.lock"
    many = {f"LN-{number}": Entry(fields={"x": "y" * 1000}) for number in range(5000)}
    state = Recorded(ACCOUNT, many)
    replace_by_pieces(lock, pieces(state))
    tracemalloc.start()
    with lock.open("rb") as before:
        replace_by_pieces(lock, spliced(before, len(many), state, {"LN-7"}))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < lock.stat().st_size / 2
    assert lock.read_bytes() == dump(state)
