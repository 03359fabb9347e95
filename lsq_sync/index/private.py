"""Files of a workspace's cache that nobody else can have written. Imports next to nothing."""

import os
import stat

FOLDER = "cache"
"""In the state folder."""

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
            return file.read() if _is_ours(os.fstat(descriptor)) else None
        except OSError:
            return None


def _is_ours(found: os.stat_result) -> bool:
    """Whether nobody else can have written it."""
    is_file = stat.S_ISREG(found.st_mode) and found.st_size <= MOST_BYTES
    return is_file and found.st_uid == os.geteuid() and not found.st_mode & _OTHERS
