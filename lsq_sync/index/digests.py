"""What tells one content of a file from another, and one moment of it. Imports next to nothing."""

import hashlib
import os
import stat


def digest_of(path: str, most: int | None = None) -> str:
    """That of a file, read piece by piece.

    Raises OSError also for what is no file, as a pipe would never end, and for one of more than
    `most` bytes.
    """
    _refuse(path, os.stat(path), most)  # a pipe that is opened lets its writer go
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        _refuse(path, os.fstat(descriptor), most)
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse(path: str, found: os.stat_result, most: int | None) -> None:
    if not stat.S_ISREG(found.st_mode) or (most is not None and found.st_size > most):
        raise FileNotFoundError(path)


def digest_or_none(path: str) -> str | None:
    """The same; None where there is nothing."""
    try:
        return digest_of(path)
    except FileNotFoundError:
        return None


def moment_of(path: str) -> tuple[int, ...] | None:
    """What is another whenever a file or a folder is written, replaced or moved, also where it has
    become again what it was; None where there is nothing."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
