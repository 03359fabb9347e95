"""Digests of plain data: same content, same text, on every machine and in every run."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import NewType

Digest = NewType("Digest", str)

Members = Iterable[tuple[str, object]]

_LENGTH = 32


def digest(content: object) -> Digest:
    """128 bits, in hex, of JSON-like content; the order of keys does not count."""
    return Digest(hashlib.sha256(_in_order(content).encode()).hexdigest()[:_LENGTH])


def digest_with(content: Mapping[str, object], name: str, members: Members) -> Digest:
    """`digest` of the content with these members under a name that sorts behind the others: keys
    in their order, and each with what it stands for. The text of them is never there as a whole."""
    found = hashlib.sha256(f"{_in_order(content)[:-1]},{_in_order(name)}:{{".encode())
    coming, between = iter(members), ""
    while batch := dict(islice(coming, _BATCH)):
        found.update(f"{between}{_in_order(batch)[1:-1]}".encode())
        between = ","
    found.update(b"}}")
    return Digest(found.hexdigest()[:_LENGTH])


_BATCH = 500

_in_order = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
