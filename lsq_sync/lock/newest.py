"""How far the lock had come when it was last written here: git may set it back.

A revert of a commit that holds spec and lock makes the old values look as if they were in the CRM
still. Nothing is decided by this; it is said. Where the file cannot be read, it says nothing.
"""

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from lsq_sync.core.moment import moment, read_moment
from lsq_sync.core.state import Recorded
from lsq_sync.lock.disk import PRIVATE, content_of, fingerprint, replace_file

_NAME = "newest"
_REMEMBERED = 100
"""Locks that are known by their fingerprint, so that going back to one is seen within a second."""


def keep_newest(folder: Path, recorded: Recorded, lock: bytes | None) -> None:
    """Writes down when the last outcome in it came, and the fingerprints of the last locks;
    `lock` is that of the newest."""
    newest = _newest(recorded)
    file = folder / _NAME
    with suppress(OSError):
        _, before = _kept(folder)
        last = (lock or b"").hex()
        prints = [one for one in before if one != last][1 - _REMEMBERED :]
        lines = [moment(newest) if newest else "", *prints, last]
        replace_file(file, "\n".join(lines).encode(), PRIVATE)


def set_back_from(folder: Path, recorded: Recorded, lock: bytes | None) -> datetime | None:
    """When the last outcome came that was recorded here, if the lock does not know it any more."""
    kept, prints = _kept(folder)
    newest = _newest(recorded)
    is_older = kept is not None and (newest is None or newest < kept)
    known = fingerprint(lock)
    return kept if is_older or (known is not None and known.hex() in prints[:-1]) else None


def _kept(folder: Path) -> tuple[datetime | None, list[str]]:
    try:
        first, *prints = (content_of(folder / _NAME) or b"").decode().split("\n")
        return (read_moment(first) if first else None), prints
    except (OSError, ValueError):
        return None, []


def _newest(recorded: Recorded) -> datetime | None:
    final = (entry.request.settled_at for entry in recorded.entries.values() if entry.request)
    return max(final, default=None)
