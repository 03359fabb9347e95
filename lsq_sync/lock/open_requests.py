"""Open requests kept beside the lock: git may bring back a lock that does not know them.

The file has the form of a lock and is replaced just before it, so what it has too much the
journal still has. It is a second line of defence: where it cannot be read, it says nothing.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from lsq_sync.core.events import Accepted, Event, Intended, Queued
from lsq_sync.core.model import Account
from lsq_sync.core.state import Entry, OpenRequest, Recorded, is_same_request
from lsq_sync.errors import LockError
from lsq_sync.lock import format as lock_format
from lsq_sync.lock.disk import PRIVATE, content_of, replace_file

_NAME = "open"


def keep_open_requests(folder: Path, recorded: Recorded) -> None:
    """Writes down what is open now; an old file that cannot be replaced must not stay."""
    opened = {
        key: Entry(type=entry.type, pending=entry.pending)
        for key, entry in recorded.entries.items()
        if entry.pending
    }
    file = folder / _NAME
    try:
        replace_file(file, lock_format.dump(Recorded(recorded.account, opened)), PRIVATE)
    except OSError:
        with suppress(OSError):
            file.unlink()


def forgotten_requests(folder: Path, account: Account, recorded: Recorded) -> Iterator[Event]:
    """Events that bring back what was open in `account` when the lock was last written, and is
    not `recorded` any more."""
    try:
        kept = lock_format.load(content_of(folder / _NAME) or b"", _NAME)
    except (OSError, LockError):
        return
    if kept.account and kept.account.is_same_as(account):
        yield from _missing(kept.entries, recorded.entries)


def may_have_forgotten(folder: Path) -> bool:
    """Whether anything was open when the lock was last written."""
    try:
        return bool(lock_format.load(content_of(folder / _NAME) or b"", _NAME).entries)
    except (OSError, LockError):
        return False


def _missing(kept: Mapping[str, Entry], known: Mapping[str, Entry]) -> Iterator[Event]:
    for key, entry in kept.items():
        request = entry.pending
        if request is None:
            continue
        there = known.get(key)
        if there and there.pending and is_same_request(there.pending, request):
            yield from _told_since(key, there.pending, request)
        elif not _knows_of(there, request):
            yield from as_it_was(key, entry.type, request)


def _told_since(key: str, earlier: OpenRequest, request: OpenRequest) -> Iterator[Event]:
    """What the CRM said of a request after a copy of the lock that knows it was made."""
    if request.request_id is None:
        return
    if earlier.request_id is None:
        yield Accepted(key, request.sent_at, request.request_id)
    if request.queued_at and request.queued_at > (earlier.queued_at or earlier.sent_at):
        yield Queued(key, request.queued_at, request.request_id)


def _knows_of(entry: Entry | None, request: OpenRequest) -> bool:
    """Whether the lock has it, or a later one of the same opportunity."""
    listed = (entry.pending, entry.request) if entry else ()
    return any(one.run == request.run or one.sent_at > request.sent_at for one in listed if one)


def as_it_was(key: str, type_name: str, request: OpenRequest) -> Iterator[Event]:
    """Events that lead to this open request."""
    yield Intended(key, request.sent_at, request.run, request.payload, type_name)
    if request.request_id is not None:
        yield Accepted(key, request.sent_at, request.request_id)
        if request.queued_at:
            yield Queued(key, request.queued_at, request.request_id)
