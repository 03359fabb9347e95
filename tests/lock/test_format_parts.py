"""A lock that is read in parts says what it says at once, or is left to that reading."""

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lsq_sync.core.state import Entry, Recorded
from lsq_sync.errors import LockError
from lsq_sync.lock import format as lock_format
from tests.lock.states import ACCOUNT, SMALL

STATE = Recorded(ACCOUNT, {**SMALL.entries, "LN-1": Entry(), "LN-2": Entry(fields={"a": "b"})})
WHOLE = lock_format.dump(STATE)


@pytest.fixture(autouse=True, scope="module")
def small_parts() -> Iterator[None]:
    """So that every entry is a part of its own."""
    patch = pytest.MonkeyPatch()
    patch.setattr(lock_format, "_PART", 0)
    yield
    patch.undo()


def test_what_was_dumped_is_read_in_parts() -> None:
    assert WHOLE.count(b"\n,\n") > 2
    assert lock_format._loaded_in_parts(WHOLE) == STATE


def test_an_empty_lock() -> None:
    empty = Recorded(ACCOUNT)
    assert lock_format._loaded_in_parts(lock_format.dump(empty)) == empty


def assert_same_or_nothing(data: bytes) -> None:
    read = lock_format._loaded_in_parts(data)
    if read is not None:
        assert read == lock_format._loaded_at_once(data, "lock")


_BITS = [b"\n,\n", b",", b"\n", b"{", b"}", b"}}\n", b'"', b"\\", b" ", b"<<<<<<< a\n", b"\xff"]


@example(at=len(WHOLE) - 3, cut=0, put=b"\n,\n")
@example(at=len(WHOLE) - 4, cut=1, put=b"\n,\n")
@example(at=WHOLE.index(b"\n,\n"), cut=0, put=b"\n,\n")
@example(at=548, cut=0, put=b"\n,\n")
@example(at=0, cut=0, put=b"\xef\xbb\xbf")
@given(
    at=st.integers(0, len(WHOLE)),
    cut=st.integers(0, 4),
    put=st.lists(st.sampled_from(_BITS), max_size=3).map(b"".join) | st.binary(max_size=3),
)
def test_any_edit(at: int, cut: int, put: bytes) -> None:
    assert_same_or_nothing(WHOLE[:at] + put + WHOLE[at + cut :])


def test_an_entry_twice_far_apart() -> None:
    head, first, *others = WHOLE.split(b"\n")
    twice = b"\n".join([head, first, b",", *others[1:-2], b",", first, *others[-2:]])
    assert lock_format._loaded_in_parts(twice) is None
    with pytest.raises(LockError, match="stands there twice"):
        lock_format.load(twice, "lock")
