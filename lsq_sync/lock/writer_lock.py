"""One writer a workspace: an OS lock that dies with its process."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from lsq_sync.core.moment import moment
from lsq_sync.errors import StorageError, WriterBusyError
from lsq_sync.lock.disk import PRIVATE, write_all

_LONGEST_OWNER = 4096


@contextmanager
def only_writer(path: Path, since: datetime) -> Iterator[None]:
    """Holds the lock while the block runs.

    Raises WriterBusyError, with host, pid and since when, if another process holds it, and
    StorageError if nobody can. A process that died leaves nothing to clean.
    """
    try:
        descriptor = _taken(path, since)
    except OSError as error:
        raise StorageError(
            f"{path} cannot be locked: {error.strerror}",
            hint="nothing was sent; make room or set the permissions, then run the command again",
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)


def _taken(path: Path, since: datetime) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _busy(os.read(descriptor, _LONGEST_OWNER)) from None
        owner = {"host": os.uname().nodename, "pid": os.getpid(), "since": moment(since)}
        os.ftruncate(descriptor, 0)
        write_all(descriptor, json.dumps(owner).encode())
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _busy(owner: bytes) -> WriterBusyError:
    try:
        told = json.loads(owner)
        who = f"process {told['pid']} on {told['host']}, since {told['since']}"
    except (ValueError, KeyError, TypeError):
        who = "it has not said which one yet"
    return WriterBusyError(
        f"another lsq-sync is writing in this workspace: {who}",
        hint="wait until it has ended, or stop it; plan, state and status --offline work meanwhile",
    )
