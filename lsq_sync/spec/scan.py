"""Plain text -> the document that libyaml would make of it, several times faster.

Most specs are plain YAML: a member a line, indented with blanks, its value behind its key. One
regular expression cuts such text into members. Whatever it does not know, and all that is wrong,
is left to `spec/events.py`: tests show that both read the same, places included, or nothing here.
"""

import re
from sys import intern
from typing import NamedTuple

from lsq_sync.spec.document import LINE_SHIFT, Block, Place, packed
from lsq_sync.spec.plain import COMMENT, INDENT, ITEMS, KEY, PLAIN, QUOTED, UNUSUAL, items
from lsq_sync.spec.stencil import Stencils

_DEEPEST = 16
"""More levels than a spec has; what is deeper is left to libyaml."""

_RECORDS = 2
"""How deep the opportunities of a spec stand."""

_TEXT_LINE = rf"\n\1 ++[^ {UNUSUAL}][^{UNUSUAL}]*+|\n(?=\n)"
_LITERAL = rf"\|-?(?: ++{COMMENT})?(?>(?:{_TEXT_LINE})+)(?!\n ++\n)"
"""Lines of text, indented deeper than their key (`\\1` is the indentation in `_MEMBER`), some of
them empty. None has only blanks: such a line may be a part of the text or not."""

_MEMBER = re.compile(
    rf"({INDENT})(?:({KEY}):(?: (?:({PLAIN})|({QUOTED}|null|~)|({ITEMS}|\{{\}}|{_LITERAL})))?"
    rf"(?: ++{COMMENT}| *+)|(?:{COMMENT})?)\n|([^\n]*\n)"
)
"""Indentation, key, and a value: plain, in quotes or null, or a list, nothing in braces, or lines
of text. A line that is empty or a comment has no key; one that cannot be read is the last group."""


class _Level(NamedTuple):
    """A mapping that is being read: its indentation, and the packed place of a key without its
    line and length."""

    indent: str
    bits: int
    block: Block


def scan(text: str, stencils: Stencils) -> Block | None:
    """The document of a text with `\n` at the ends of its lines; None where it is not plain.

    `stencils`, which learn from every text, read the records that look like those before.
    """
    whole = text if text.endswith("\n") else f"{text}\n"
    levels: list[_Level] = []
    block = Block(Place(1, 1))
    depth, opened, bits, mark = "", "", 0, block.marks.append
    start = number = 0
    while member := _MEMBER.match(whole, start):
        indent, key, plain, quoted, other, unknown = member.groups()
        number += 1
        if key is None:
            if unknown is not None:
                return None
            start = member.end()
            continue
        if indent != depth or opened or not levels:
            if not _step(levels, indent, opened, number):
                return None
            (depth, bits, block), opened = levels[-1], ""
            mark = block.marks.append
            if len(levels) == _RECORDS:
                read, line = stencils.read(whole, start, number, len(indent), block)
                if read > start:
                    start, number = read, line - 1  # which is counted again
                    continue
        start = member.end()
        mark((number << LINE_SHIFT) | (bits + len(key)))  # the longer, the later its value begins
        key = intern(key)
        if plain:
            block[key] = plain
        elif quoted:
            block[key] = quoted[1:-1] if quoted[0] in "\"'" else None
        elif other is None:
            opened = key
        elif other == "{}":
            block[key] = Block(Place(number, len(indent) + len(key) + 3))
        elif other[0] == "[":
            block[key] = items(other, Place(number, len(indent) + len(key) + 3))
        else:
            number += other.count("\n")
            if (lines := _lines(other)) is None or start > len(text):
                return None  # the end of the last line was added, and is no part of the text
            block[key] = lines
    is_good = levels and not opened and all(_has_no_key_twice(level) for level in levels)
    return levels[0].block if is_good else None


def _step(levels: list[_Level], indent: str, opened: str, number: int) -> bool:
    """Goes into the mapping below `opened`, or back to the one with this indentation; false where
    there is none, or a key twice in one that ends here."""
    if opened or not levels:
        if (levels and len(indent) <= len(levels[-1].indent)) or len(levels) == _DEEPEST:
            return False
        block = Block(Place(number, len(indent) + 1))
        if levels:
            levels[-1].block[opened] = block
        bits = packed(0, len(indent) + 1, len(indent) + 3)
        levels.append(_Level(indent, bits, block))
        return True
    while levels and len(levels[-1].indent) > len(indent):
        if not _has_no_key_twice(levels.pop()):
            return False
    return bool(levels) and levels[-1].indent == indent


def _has_no_key_twice(level: _Level) -> bool:
    return len(level.block) == len(level.block.marks)


def _lines(literal: str) -> str | None:
    """The text of a block scalar, from its sign on; None where its lines are not indented alike."""
    head, first, *rest = literal.split("\n")
    indent = first[: len(first) - len(first.lstrip(" "))]
    if not first or not all(line.startswith(indent) or not line for line in rest):
        return None
    text = "\n".join(line[len(indent) :] for line in (first, *rest)).rstrip("\n")
    return text if head.startswith("|-") else f"{text}\n"
