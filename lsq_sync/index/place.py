"""Where the index lies: in a private folder of the workspace, and believed only if it is ours."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from lsq_sync.index.format import Index, dump, load
from lsq_sync.lock.disk import PRIVATE, beside, ignore_folder, make_folder, write_all

_FOLDER, _NAME = "cache", "plan"
_OTHERS = 0o077
_MOST_BYTES = 512 * 1024 * 1024


def read_index(state: Path) -> Index | None:
    """The index of a workspace's state folder; None where there is none that can be trusted."""
    try:
        descriptor = os.open(state / _FOLDER / _NAME, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        if not _is_ours(os.fstat(descriptor)):
            return None
        try:
            return load(file.read())
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None


def write_index(state: Path, index: Index) -> None:
    """Takes the place of an earlier one, in one step; where it cannot be written, none is kept.

    A power cut may damage it: that is seen when it is read.
    """
    folder = state / _FOLDER
    data = dump(index)
    if len(data) > _MOST_BYTES:
        return
    with suppress(OSError):
        make_folder(folder)
        ignore_folder(state)
        with beside(folder / _NAME, PRIVATE) as (aside, descriptor):
            write_all(descriptor, data)
            aside.replace(folder / _NAME)


def _is_ours(found: os.stat_result) -> bool:
    """Whether nobody else can have written it."""
    is_file = stat.S_ISREG(found.st_mode) and found.st_size <= _MOST_BYTES
    return is_file and found.st_uid == os.geteuid() and not found.st_mode & _OTHERS
