"""Plain text -> the document that libyaml would make of it, several times faster.

Most specs are plain YAML: a member a line, indented with blanks, its value behind its key. One
regular expression cuts such text into members. Whatever it does not know, and all that is wrong,
is left to `spec/events.py`: tests show that both read the same, places included, or nothing here.
"""

import re
from sys import intern

from lsq_sync.spec.document import LINE_SHIFT, Block, Items, Place, packed

_DEEPEST = 16

_NO = "\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff"
"""Control characters, tabs among them, and what ends a line for YAML alone."""

_KEY = r"(?!null:)[A-Za-z0-9][\w.~-]{0,199}+"
_NULL = r"(?:[nN]ull|NULL)"
_REST = rf"[^ :{_NO}]*+"
_PLAIN = (
    rf"(?!{_NULL}(?: ++#| *+\n))(?:[^\s\-?:,\[\]{{}}#&*!|>'\"%@`~{_NO}]|-[0-9])"
    rf"{_REST}(?:(?::(?![ \n])|[ ]++(?![#\n])){_REST})*+"
)
"""Begins with no sign that has a meaning, and holds neither `: ` nor ` #`."""

_QUOTED = rf"\"[^\"\\{_NO}]*+\"|'[^'{_NO}]*+'"
_WORDS = r"[A-Za-z0-9][\w./()+&@%-]*+(?: [\w./()+&@%-]++)*+"
_ITEM = rf"(?:(?!{_NULL}[,\]]){_WORDS}|{_QUOTED})"
_ITEMS = rf"\[{_ITEM}(?:, {_ITEM})*+\]"
_COMMENT = rf"#[^{_NO}]*+"
_LITERAL = rf"\|-?(?: ++{_COMMENT})?(?:\n\1 ++[^ {_NO}][^{_NO}]*+|\n(?=\n))++(?!\n ++\n)"
"""Lines of text, some of them empty; one of nothing but blanks could be either."""

_MEMBER = re.compile(
    rf"( *+)(?:({_KEY}):(?: (?:({_PLAIN})|({_QUOTED}|null|~)|({_ITEMS}|{_LITERAL})))?"
    rf"(?: ++{_COMMENT}| *+)|(?:{_COMMENT})?)\n|([^\n]*\n)"
)
"""Indentation, key, and a value: plain, or in quotes or null, or a list or lines of text. A line
that is empty or a comment has no key; one that cannot be read here is the last group."""

_ITEM_ALONE = re.compile(_ITEM)

_Level = tuple[str, int, Block]
"""A mapping that is being read: its indentation, and the packed place of a key without its line
and length."""


def scan(text: str) -> Block | None:
    """The document of a text with `\n` at the ends of its lines; None where it is not plain."""
    whole = text if text.endswith("\n") else f"{text}\n"
    levels: list[_Level] = []
    block = Block(Place(1, 1))
    depth, opened, bits, mark = "", "", 0, block.marks.append
    number = 0
    for member in _MEMBER.finditer(whole):
        indent, key, plain, quoted, other, unknown = member.groups()
        number += 1
        if key is None:
            if unknown is not None:
                return None
            continue
        if indent != depth or opened or not levels:
            if not _step(levels, indent, opened, number):
                return None
            (depth, bits, block), opened = levels[-1], ""
            mark = block.marks.append
        mark(number << LINE_SHIFT | bits + len(key))
        key = intern(key)
        if plain:
            block[key] = plain
        elif quoted:
            block[key] = quoted[1:-1] if quoted[0] in "\"'" else None
        elif other is None:
            opened = key
        elif other[0] == "[":
            block[key] = _items(other, Place(number, len(indent) + len(key) + 3))
        else:
            number += other.count("\n")
            if (lines := _lines(other)) is None or member.end() > len(text):
                return None
            block[key] = lines
    is_good = levels and not opened and all(_has_no_key_twice(level) for level in levels)
    return levels[0][2] if is_good else None


def _step(levels: list[_Level], indent: str, opened: str, number: int) -> bool:
    """Goes into the mapping below `opened`, or back to the one with this indentation; false where
    there is none, or a key twice in one that ends here."""
    if opened or not levels:
        if (levels and len(indent) <= len(levels[-1][0])) or len(levels) == _DEEPEST:
            return False
        block = Block(Place(number, len(indent) + 1))
        if levels:
            levels[-1][2][opened] = block
        levels.append((indent, packed(0, len(indent) + 1, len(indent) + 3), block))
        return True
    while levels and len(levels[-1][0]) > len(indent):
        if not _has_no_key_twice(levels.pop()):
            return False
    return bool(levels) and levels[-1][0] == indent


def _has_no_key_twice(level: _Level) -> bool:
    block = level[2]
    return len(block) == len(block.marks)


def _items(listed: str, place: Place) -> Items:
    items = Items(place)
    for found in _ITEM_ALONE.finditer(listed):
        text = found[0]
        value = text[1:-1] if text[0] in "\"'" else text
        items.add(value, Place(place.line, place.column + found.start()))
    return items


def _lines(literal: str) -> str | None:
    """The text of a block scalar, from its sign on; None where its lines are not indented alike."""
    head, first, *rest = literal.split("\n")
    indent = first[: len(first) - len(first.lstrip(" "))]
    if not first or not all(line.startswith(indent) or not line for line in rest):
        return None
    text = "\n".join(line[len(indent) :] for line in (first, *rest)).rstrip("\n")
    return text if head.startswith("|-") else f"{text}\n"
