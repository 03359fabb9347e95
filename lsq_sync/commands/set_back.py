"""A lock that git has set back, told before its plan is believed."""

from collections.abc import Callable

from lsq_sync.core.moment import moment
from lsq_sync.core.state import Recorded
from lsq_sync.lock.file import FileStore


def notice_of_a_lock_set_back(
    store: FileStore, recorded: Recorded, notice: Callable[[str], None]
) -> None:
    """Says that the CRM may hold newer values than the lock knows of."""
    since = store.set_back_from(recorded)
    if since is not None:
        notice(
            f"the lock is older than what was recorded here until {moment(since)} (a revert or a "
            "checkout?): the CRM may hold newer values; plan --refresh shows them"
        )
