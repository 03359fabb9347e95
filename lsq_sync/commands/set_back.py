"""A lock that git has set back, told before its plan is believed."""

from collections.abc import Callable
from datetime import datetime

from lsq_sync.core.moment import moment
from lsq_sync.lock.file import FileStore


def notice_of_a_lock_set_back(
    store: FileStore,
    newest: datetime | None,
    lock: bytes | None,
    notice: Callable[[str], None],
) -> None:
    """Says that the CRM may hold newer values than the lock with this fingerprint knows of, whose
    last outcome came at `newest`."""
    since = store.set_back_from(newest, lock)
    if since is not None:
        notice(
            f"the lock is older than what was recorded here until {moment(since)} (a revert or a "
            "checkout?): the CRM may hold newer values; plan --refresh shows them"
        )
