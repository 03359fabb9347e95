"""A lock in which few entries changed: the lines of all others are taken as they stand."""

from collections.abc import Set
from typing import BinaryIO

from lsq_sync.core.state import Recorded
from lsq_sync.lock.format import CLOSED, COMMA, head_of, line_of
from lsq_sync.lock.lines import UnusualLockError, read_head, read_lines


def spliced(before: BinaryIO, count: int, recorded: Recorded, touched: Set[str]) -> bytes | None:
    """What `dump` makes of this state, from the lock before; None where that has another form.
    What was replaced by the last writes stays out of it.

    `count`: how many entries were read from the lock before; as many lines has none with two of
    them. `touched`: the entries that may be something else there, or may not be there.
    """
    try:
        read_head(before)
        every = list(read_lines(before))
    except UnusualLockError:
        return None
    if len(every) != count:
        return None
    lines = [line for line in every if line[0] not in touched]
    entries = recorded.entries
    changed = [key for key in touched if key in entries]
    if len(lines) + len(changed) != len(entries) or any(key not in entries for key, _ in lines):
        return None
    lines += ((key, line_of(key, entries[key]._replace(replaced=None))) for key in changed)
    lines.sort()
    return b"".join((head_of(recorded.account), COMMA.join(line for _, line in lines), CLOSED))
