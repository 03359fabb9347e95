"""The index <-> bytes. Pure.

Its first line says which spec files were untouched, and is all that is read where nothing changed.
Behind it stand the keys of each file. Both parts have a checksum: an index that is damaged is
none. Nothing in it is ever run or unpacked; it is JSON.
"""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NamedTuple

FORMAT = "lsq-sync/index/v1"


class Members(NamedTuple):
    """The opportunities of a spec file: their keys, and GUIDs that the lock knows some of them by
    besides."""

    keys: tuple[str, ...]
    guids: tuple[str, ...]


class UntouchedFile(NamedTuple):
    """A spec file of which every opportunity was as recorded.

    `digest` is that of the file, `lines` that of the lines that its opportunities have in the lock;
    `newest` is when the last of their requests was settled.
    """

    file: str
    digest: str
    lines: str
    newest: str
    opportunities: int


class Index(NamedTuple):
    """What was found out by the version of the tool, the settings and the schemas that `made_with`
    stands for, with the lock of this digest and so many entries."""

    made_with: str
    lock: str
    population: int
    newest: str
    files: tuple[UntouchedFile, ...]
    packed: bytes

    @property
    def is_whole(self) -> bool:
        """Whether the lock holds nothing but the opportunities of untouched files."""
        return self.population == sum(one.opportunities for one in self.files)

    def members(self) -> list[Members]:
        """Of each file. Raises ValueError where they are damaged."""
        found = [Members(*map(tuple, json.loads(line))) for line in self.packed.splitlines()]
        if [len(one.keys) for one in found] != [one.opportunities for one in self.files]:
            raise ValueError("the keys are not those of the files")
        return found


def packed(members: Iterable[Members]) -> bytes:
    """Members as an index holds them."""
    return b"".join(_line(one) for one in members)


def dump(index: Index) -> bytes:
    """The file of an index."""
    head = index._asdict()
    keys: bytes = head.pop("packed")
    line = _line({"format": FORMAT, **head, "keys": _digest(keys)})
    return _digest(line).encode() + b" " + line + keys


def load(data: bytes) -> Index:
    """The index in a file. Raises ValueError where it is damaged or of another version."""
    line, _, keys = data.partition(b"\n")
    checksum, _, head = line.partition(b" ")
    if checksum.decode("ascii") != _digest(head + b"\n"):
        raise ValueError("the first line is damaged")
    content: dict[str, Any] = json.loads(head)
    if content.pop("format") != FORMAT or content.pop("keys") != _digest(keys):
        raise ValueError("it is damaged, or of another version")
    files = tuple(UntouchedFile(*one) for one in content.pop("files"))
    return Index(**content, files=files, packed=keys)


def _line(content: object) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode() + b"\n"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
