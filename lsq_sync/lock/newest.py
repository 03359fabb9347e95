"""How far the lock had come when it was last written here: git may set it back.

A revert of a commit that holds spec and lock makes the old values look as if they were in the CRM
still. Nothing is decided by this; it is said. Where the file cannot be read, it says nothing.
"""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from lsq_sync.core.moment import moment, read_moment
from lsq_sync.core.state import Recorded
from lsq_sync.lock.disk import PRIVATE, content_of, replace_file

_NAME = "newest"
_REMEMBERED = 100
"""Locks that are known by their fingerprint, so that going back to one is seen within a second."""


def keep_newest(folder: Path, recorded: Recorded, lock: bytes | None) -> None:
    """Writes down when the last outcome in it came, and the fingerprints of the last locks;
    `lock` is that of the newest."""
    newest = newest_of(recorded)
    file = folder / _NAME
    with suppress(OSError):
        _, before = _kept(folder)
        last = (lock or b"").hex()
        prints = [one for one in before if one != last][1 - _REMEMBERED :]
        lines = [moment(newest) if newest else "", *prints, last]
        replace_file(file, "\n".join(lines).encode(), PRIVATE)


def set_back_from(folder: Path, newest: datetime | None, lock: bytes | None) -> datetime | None:
    """When the last outcome came that was recorded here, if the lock does not know it any more.

    `newest` is the last one that the lock knows, `lock` is its fingerprint.
    """
    kept, prints = _kept(folder)
    is_older = kept is not None and (newest is None or newest < kept)
    return kept if is_older or (lock is not None and lock.hex() in prints[:-1]) else None


def _kept(folder: Path) -> tuple[datetime | None, list[str]]:
    try:
        first, *prints = (content_of(folder / _NAME) or b"").decode().split("\n")
        return (read_moment(first) if first else None), prints
    except (OSError, ValueError):
        return None, []


def newest_of(recorded: Recorded) -> datetime | None:
    """When the last outcome came that is recorded."""
    final = (entry.request.settled_at for entry in recorded.entries.values() if entry.request)
    return max(final, default=None)
