"""Where the index lies: in a private folder of the workspace, and believed only if it is ours."""

import os
from contextlib import suppress
from pathlib import Path

from lsq_sync.index.format import Index, dump, load
from lsq_sync.index.private import MOST_BYTES, first_line, read_private
from lsq_sync.lock.disk import PRIVATE, beside, ignore_folder, make_folder, write_all
from lsq_sync.places import CACHE

_NAME = "plan"


def read_index(state: Path) -> Index | None:
    """The index of a workspace's state folder; None where there is none that can be trusted."""
    data = read_private(os.fspath(state / CACHE / _NAME))
    try:
        return None if data is None else load(data)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def write_index(state: Path, index: Index) -> None:
    """Takes the place of an earlier one; where it cannot be written, none is kept.

    A power cut may damage it: that is seen when it is read.
    """
    write_private(state, _NAME, dump(index))


def write_private(state: Path, name: str, data: bytes) -> None:
    """Writes a file of the cache for `read_private`, in one step, if it can be written."""
    file = state / CACHE / name
    if len(data) > MOST_BYTES:
        return
    with suppress(OSError):
        make_folder(file.parent)
        ignore_folder(state)
        with beside(file, PRIVATE) as (aside, descriptor):
            begun = os.fstat(descriptor)
            write_all(descriptor, first_line(begun) + data)
            os.utime(descriptor, ns=(begun.st_atime_ns, begun.st_mtime_ns))
            aside.replace(file)
