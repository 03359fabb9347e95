"""Digests of plain data: same content, same text, on every machine and in every run."""

import hashlib
import json
from typing import NewType

Digest = NewType("Digest", str)

_LENGTH = 32


def digest(content: object) -> Digest:
    """128 bits, in hex, of JSON-like content; the order of keys does not count."""
    return Digest(hashlib.sha256(_in_order(content).encode()).hexdigest()[:_LENGTH])


_in_order = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode
