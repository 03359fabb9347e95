"""Files of a workspace's cache that nobody else can have written. Imports next to nothing.

Each says on its first line when it was written, and has to have that time: one that git has put
there, out of somebody's commit, has another.
"""

import os
import stat

MOST_BYTES = 512 * 1024 * 1024

_OTHERS = 0o077


def read_private(path: str) -> bytes | None:
    """What such a file holds; None where there is none that can be trusted."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        try:
            found = os.fstat(descriptor)
            is_ours = _is_ours(found) and file.readline(_LONGEST) == first_line(found)
            return file.read() if is_ours else None
        except OSError:
            return None


def first_line(found: os.stat_result) -> bytes:
    """What a file begins with that was written at this time."""
    return b"%d\n" % found.st_mtime_ns


_LONGEST = 32


def _is_ours(found: os.stat_result) -> bool:
    """Whether nobody else can have written it."""
    is_file = stat.S_ISREG(found.st_mode) and found.st_size <= MOST_BYTES
    return is_file and found.st_uid == os.geteuid() and not found.st_mode & _OTHERS
