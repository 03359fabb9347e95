"""A lock as lines, one opportunity each, without a look at what is in them."""

import json
from collections.abc import Container, Iterable, Iterator
from typing import BinaryIO

from lsq_sync.lock.format import CLOSED, COMMA, OPENED

Line = tuple[str, bytes]
"""The key of an entry, and the line that it stands on."""


class UnusualLockError(ValueError):
    """The lock does not have the form in which it is written; it may be good all the same."""


def read_head(file: BinaryIO) -> bytes:
    """The line before the first entry. Raises UnusualLockError."""
    head = file.readline()
    if not head.endswith(OPENED):
        raise UnusualLockError("the first line has another form")
    return head


def read_lines(file: BinaryIO) -> Iterator[Line]:
    """The entries behind the head, in their order. Raises UnusualLockError, at the latest where
    it is exhausted."""
    is_first, is_entry, line = True, True, b""
    for line in file:
        if is_entry and not (is_first and line == CLOSED):
            yield _key(line), line
        elif line != COMMA:
            break
        is_first, is_entry = False, not is_entry
    if line != CLOSED or file.read(1):
        raise UnusualLockError("it ends in another way")


def of_known(lines: Iterable[Line], known: Container[str]) -> Iterator[Line]:
    """The lines. Raises UnusualLockError for one of another entry: whoever has read the lock has
    read something else there."""
    for line in lines:
        if line[0] not in known:
            raise UnusualLockError("a line is that of no entry that was read")
        yield line


def with_lines(head: bytes, lines: Iterable[bytes]) -> bytes:
    """A lock that has these entries alone."""
    return head + COMMA.join(lines) + CLOSED


def _key(line: bytes) -> str:
    end = line.find(b'": {')
    key = line[1:end]
    is_escaped = b"\\" in key
    if end < 1 or line[:1] != b'"' or (b'"' in key and not is_escaped):
        raise UnusualLockError("an entry does not begin with its key, a colon and a blank")
    try:
        return str(json.loads(line[: end + 1])) if is_escaped else key.decode()
    except ValueError:
        raise UnusualLockError("a key cannot be read") from None
