"""What our last writes took the place of, kept beside the lock for as long as reads may lag.

Local and short-lived, so it stays out of the lock, which is reviewed and merged. Where the file is
missing or cannot be read, a read that lags is told as a conflict: nothing is overwritten then.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from lsq_sync.core.model import Account
from lsq_sync.core.state import READ_LAG, Entry, Recorded
from lsq_sync.errors import LockError
from lsq_sync.lock import format as lock_format
from lsq_sync.lock.disk import PRIVATE, content_of, replace_file

_NAME = "recent"


def keep_recent(folder: Path, recorded: Recorded) -> None:
    """Writes down what was replaced in the last moments before the newest write."""
    known = {key: entry.replaced for key, entry in recorded.entries.items() if entry.replaced}
    newest = max((replaced.at for replaced in known.values()), default=None)
    recent = {
        key: Entry(replaced=replaced)
        for key, replaced in known.items()
        if newest is None or newest - replaced.at <= READ_LAG
    }
    file = folder / _NAME
    with suppress(OSError):
        if not recent and not file.exists():
            return
        data = lock_format.dump(Recorded(recorded.account, recent))
        replace_file(file, data, PRIVATE)


def with_recent(
    folder: Path, account: Account, entries: Mapping[str, Entry]
) -> Mapping[str, Entry]:
    """The entries, with what was kept of them."""
    try:
        kept = lock_format.load(content_of(folder / _NAME) or b"", _NAME)
    except (OSError, LockError):
        return entries
    if kept.account is None or not kept.account.is_same_as(account):
        return entries
    known = {key: one.replaced for key, one in kept.entries.items() if key in entries}
    return {**entries, **{key: entries[key]._replace(replaced=one) for key, one in known.items()}}


def without_recent(recorded: Recorded) -> Recorded:
    """The state as it stands in the lock."""
    entries = {
        key: entry._replace(replaced=None) if entry.replaced else entry
        for key, entry in recorded.entries.items()
    }
    return replace(recorded, entries=entries)
