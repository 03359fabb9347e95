"""Writing that survives the next moment: fsync of files and of the folders that name them."""

import fcntl
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader
from itertools import islice
from pathlib import Path

from lsq_sync import signals
from lsq_sync.errors import StorageError

PRIVATE = 0o600
PRIVATE_FOLDER = 0o700
NEW_FILE = 0o666
"""Less what the umask takes."""

_PIECES_A_WRITE = 1000


def sync(descriptor: int) -> None:
    """Returns when the data is on the disk itself, not only in its cache."""
    if sys.platform == "darwin":
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    else:
        os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    """Makes the names in a folder durable: of files created, renamed or removed there."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        sync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes) -> None:
    """Writes every byte; a write may take fewer than it is given."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def make_folder(folder: Path) -> None:
    """Creates a private folder with its parents, if it is not there; each name is durable."""
    if not folder.is_dir():
        make_folder(folder.parent)
        folder.mkdir(PRIVATE_FOLDER, exist_ok=True)
        sync_folder(folder.parent)


def replace_file(path: Path, data: bytes, mode: int | None = None) -> None:
    """The file has the old content or the new, whatever happens; a link keeps pointing to it.

    `mode` None keeps the mode of the file, or takes the default of new files.
    """
    replace_by_pieces(path, (data,), mode)


def replace_by_pieces(path: Path, pieces: Iterable[bytes], mode: int | None = None) -> bytes:
    """Does the same without the whole of it in memory; the fingerprint of what is there now."""
    target = path.resolve()
    if mode is None and target.exists():
        mode = target.stat().st_mode & 0o777
    coming, digest = iter(pieces), hashlib.sha256()
    with signals.held():
        with beside(target, mode) as (temporary, descriptor):
            while group := tuple(islice(coming, _PIECES_A_WRITE)):
                data = b"".join(group)
                write_all(descriptor, data)
                digest.update(data)
            sync(descriptor)
            temporary.replace(target)
        sync_folder(target.parent)
    return digest.digest()


@contextmanager
def beside(target: Path, mode: int | None) -> Iterator[tuple[Path, int]]:
    """A new file in the same folder, with its descriptor; it is gone again unless it was renamed.

    Raises OSError.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(temporary, flags, NEW_FILE if mode is None else mode)
    try:
        if mode is not None:
            os.fchmod(descriptor, mode)  # before the first byte; the umask did not ask us
        yield temporary, descriptor
    finally:
        os.close(descriptor)
        temporary.unlink(missing_ok=True)


def is_of_a_living_process(temporary: Path) -> bool:
    """Whether the process that a temporary file is named after may still be at work on it."""
    _, _, number = temporary.stem.rpartition(".")
    try:
        os.kill(int(number), 0)
    except (ProcessLookupError, ValueError, OverflowError):
        return False
    except PermissionError:
        return True
    return int(number) != os.getpid()


def content_of(path: Path) -> bytes | None:
    """The bytes of a file; None when there is none."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def fingerprint(content: bytes | None) -> bytes | None:
    """What tells one content of a file from another."""
    return None if content is None else hashlib.sha256(content).digest()


def fingerprint_of(file: BufferedReader) -> bytes:
    """That of an open file, read piece by piece."""
    return hashlib.file_digest(file, "sha256").digest()


def ignore_folder(folder: Path) -> None:
    """The local state keeps itself out of git, also where nobody wrote a .gitignore."""
    marker = folder / ".gitignore"
    if not marker.exists() or not marker.stat().st_size:  # killed in the middle of it
        marker.write_text("*\n", encoding="utf-8")


@contextmanager
def told_as_storage_error(path: Path) -> Iterator[None]:
    """Turns a failing write into a StorageError that names the file."""
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror}",
            hint="nothing more was sent; make room or set the permissions, "
            "then run the command again",
        ) from None
