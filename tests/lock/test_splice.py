"""A lock of which few lines are made anew is, byte for byte, the one that is dumped as a whole."""

import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.core.state import Entry, Event, Recorded, Rekeyed
from lsq_sync.lock import splice
from lsq_sync.lock.file import FileStore
from lsq_sync.lock.format import dump, line_of, load
from lsq_sync.lock.recent import without_recent
from lsq_sync.lock.splice import spliced
from tests.lock.states import ACCOUNT, NOON, RUN, SMALL, entries, events, states, texts


@given(states, states, st.sets(texts))
def test_any_change_of_any_state(before: Recorded, after: Recorded, also: set[str]) -> None:
    keys = {*before.entries, *after.entries}
    touched = {key for key in keys if before.entries.get(key) != after.entries.get(key)}
    found = spliced(BytesIO(dump(without_recent(before))), after, touched | also)
    assert found == dump(without_recent(after))


@given(states, st.dictionaries(texts, entries, max_size=3))
def test_more_entries(before: Recorded, new: dict[str, Entry]) -> None:
    after = Recorded(before.account, {**before.entries, **new})
    assert spliced(BytesIO(dump(without_recent(before))), after, new.keys()) == dump(
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
    assert spliced(BytesIO(data.replace(*change)), SMALL, frozenset()) is None


def test_an_entry_too_much_or_too_few() -> None:
    less = Recorded(ACCOUNT, dict([*SMALL.entries.items()][:1]))
    assert spliced(BytesIO(dump(SMALL)), less, frozenset()) is None
    assert spliced(BytesIO(dump(less)), SMALL, frozenset()) is None


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

    monkeypatch.setattr(splice, "line_of", watched)
    store = FileStore(lock, lock.name, tmp_path / "state", ACCOUNT)
    with store.writer(RUN, NOON) as writer:
        writer.record([Rekeyed("d", NOON, "b")])
    assert made == ["d"]
