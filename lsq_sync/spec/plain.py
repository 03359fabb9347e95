"""Plain text of YAML in regular expressions: what `scan.py` and `stencil.py` know by sight.

Each of them takes a part of what libyaml takes, with the same meaning. None gives back what it has
taken. For a group that is said with `(?>...)`: Python 3.11.2 misreads `(?:...)*+` within others.
"""

import re
from functools import lru_cache

from lsq_sync.spec.document import Items, Place

UNUSUAL = "\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff"
"""Control characters, tabs among them, and what ends a line for YAML alone."""

INDENT = r" {0,1000}+"
"""So that every column of a key and its value has room in a packed place."""

KEY = r"(?!null:)[A-Za-z0-9][\w.~-]{0,199}+"
NULL = r"(?:[nN]ull|NULL)"
_REST = rf"[^ :{UNUSUAL}]*+"
PLAIN = (
    rf"(?!{NULL}(?: ++#| *+\n))(?:[^\s\-?:,\[\]{{}}#&*!|>'\"%@`~{UNUSUAL}]|-[0-9])"
    rf"{_REST}(?>(?:(?::(?![ \n])|[ ]++(?![#\n])){_REST})*)"
)
"""Begins with no sign that has a meaning, or with a minus before a digit, and holds neither `: `
nor ` #`."""

QUOTED = rf"\"[^\"\\{UNUSUAL}]*+\"|'[^'{UNUSUAL}]*+'"
_WORDS = r"[A-Za-z0-9][\w./()+&@%-]*+(?>(?: [\w./()+&@%-]++)*)"
ITEM = rf"(?:(?!{NULL}[,\]]){_WORDS}|{QUOTED})"
ITEMS = rf"\[{ITEM}(?>(?:, {ITEM})*)\]"
COMMENT = rf"#[^{UNUSUAL}]*+"

ONE_LINE = rf"(?:{PLAIN}|{QUOTED}|null|~|{ITEMS})"
"""Any value that stands on the line of its key."""

_LISTS_KEPT = 4096
"""Many opportunities have the same list."""

_ITEM_ALONE = re.compile(ITEM)


def items(listed: str, place: Place) -> Items:
    """The list that is written so, from its bracket on."""
    values, columns = _items(listed)
    return Items(place, values, columns)


@lru_cache(_LISTS_KEPT)
def _items(listed: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Its members, and how far behind the bracket each begins."""
    found = list(_ITEM_ALONE.finditer(listed))
    texts = [item[0] for item in found]
    values = tuple(text[1:-1] if text[0] in "\"'" else text for text in texts)
    return values, tuple(item.start() for item in found)
