"""A lock in which few entries changed: the lines of all others are taken as they stand."""

import heapq
from collections.abc import Iterable, Iterator, Set
from typing import BinaryIO

from lsq_sync.core.state import Recorded
from lsq_sync.lock.format import line_of, pieces_with
from lsq_sync.lock.lines import Line, UnusualLockError, of_known, read_head, read_lines


def spliced(before: BinaryIO, count: int, after: Recorded, touched: Set[str]) -> Iterator[bytes]:
    """What `dump` makes of the state `after`, piece by piece, from the lock before. What was
    replaced by the last writes stays out of it.

    `count`: how many entries were read from the lock before: if as many lines stand there, in
    order, no line holds two of them. `touched`: the entries that may be something else there, or
    may not be there. A line of another that somebody has edited stays as it is.

    Raises UnusualLockError, at the latest where it is exhausted, when the lock before has another
    form than `dump` gives it.
    """
    read_head(before)
    entries = after.entries
    others = (line for line in _in_order(read_lines(before), count) if line[0] not in touched)
    kept = of_known(others, entries)
    changed = sorted(key for key in touched if key in entries)
    made = ((key, line_of(key, entries[key]._replace(replaced=None))) for key in changed)
    lines = _in_order(heapq.merge(kept, made), len(entries))
    return pieces_with(after.account, (line for _, line in lines))


def _in_order(lines: Iterable[Line], count: int) -> Iterator[Line]:
    """The lines, if they are sorted, so many, and each of another entry."""
    last, found = "", 0
    for key, line in lines:
        if found and key <= last:
            raise UnusualLockError("the entries are not sorted")
        yield key, line
        last, found = key, found + 1
    if found != count:
        raise UnusualLockError("there are more entries, or fewer")
