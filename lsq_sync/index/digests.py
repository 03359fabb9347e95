"""What tells one content of a file from another. Imports next to nothing."""

import hashlib
import os
import stat


def digest_of(path: str) -> str:
    """That of a file, read piece by piece. Raises OSError also for what is no file: a pipe would
    never end."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise FileNotFoundError(path)
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_or_none(path: str) -> str | None:
    """The same; None where there is nothing."""
    try:
        return digest_of(path)
    except FileNotFoundError:
        return None
