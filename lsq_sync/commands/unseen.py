"""What a read could not show, told beside a plan that would look as if all were well."""

from collections.abc import Callable, Iterable

from lsq_sync.core.model import Live
from lsq_sync.core.reading import WHY_UNREAD
from lsq_sync.render.parts import NOT_SHOWN, some_of


def notice_of_unseen(keys: Iterable[str], live: Live, notice: Callable[[str], None]) -> None:
    """Names those that the CRM does not show, and those that nothing can be read by."""
    listed = tuple(keys)
    missing = [key for key in listed if key in live and live[key].missing]
    unread = [key for key in listed if key not in live]
    if missing:
        notice(f"{NOT_SHOWN}: {some_of(missing)}")
    if unread:
        notice(f"not read: {some_of(unread)}: {WHY_UNREAD}")
