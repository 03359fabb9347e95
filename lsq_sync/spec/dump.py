"""Values -> YAML text that `spec/load.py` reads back as exactly these values. Pure.

A scalar of a spec is its source text, so any text could stand there plain; but people, editors
and other tools read specs too, so whatever they might take for something else is quoted.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

STEP = 2
"""Blanks a level, in what is written new."""


class Plain(str):
    """A value of a data type, whose text nobody takes for another: a number, a date, a boolean."""

    __slots__ = ()


Tree: TypeAlias = "str | tuple[str, ...] | Mapping[str, Tree] | None"
"""What can be written: text (or `Plain`), null, a list of options, a mapping of these."""

_CLEAR = re.compile(r"[^\W\d_](?:[\w./()+@%&,-]| (?![ #]))*(?<! )")
_CLEAR_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Z]+-[0-9]+", re.IGNORECASE)
_CLEAR_VALUE = re.compile(r"-?[0-9][0-9. :TZ-]*(?<![ :])|true|false")
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"})
"""What YAML 1.1 or 1.2 makes of them is no text."""

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_BLOCK_LINE = re.compile(r"[^ \t\n](?:.*[^ \t\n])?")


def scalar(text: str | None, *, flow: bool = False) -> str:
    """On one line. In flow style everything but null is quoted, as JSON is."""
    if text is None:
        return "null"
    if flow or not _is_clear(text):
        return quoted(text)
    return str(text)


def key(text: str, *, flow: bool = False) -> str:
    """The same for a key, which cannot be null; YAML takes none of more than 1,024 characters."""
    return str(text) if not flow and _CLEAR_ID.fullmatch(text) else scalar(text, flow=flow)


def quoted(text: str, quote: str = '"') -> str:
    """In quotes: the wanted ones, but double ones where single ones cannot hold the text."""
    if quote == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return '"' + "".join(map(_escaped, text)) + '"'


def lines(tree: Mapping[str, Tree], indent: int) -> Iterator[str]:
    """A mapping in block style, line by line."""
    for name, value in tree.items():
        yield from _member(name, value, indent)


def flow(tree: Tree) -> str:
    """Anything on one line, in the style of JSON."""
    if isinstance(tree, Mapping):
        members = (f"{key(name, flow=True)}: {flow(value)}" for name, value in tree.items())
        return "{" + ", ".join(members) + "}"
    if isinstance(tree, tuple):
        return "[" + ", ".join(scalar(item, flow=True) for item in tree) + "]"
    return scalar(tree, flow=True)


def options(items: tuple[str, ...]) -> str:
    """A list on one line, in the style of the examples: `[PAN, Bank Statement]`."""
    return "[" + ", ".join(scalar(item, flow="," in item) for item in items) + "]"


def literal(text: str, indent: int) -> list[str] | None:
    """The lines of a block scalar, less its header; None where that would not show the text."""
    listed = text.split("\n")
    if len(listed) < 2 or not (listed[0] and listed[-1]):
        return None
    if not all(line == "" or _BLOCK_LINE.fullmatch(line) for line in listed):
        return None
    if not text.replace("\n", "").replace("\t", "").isprintable():
        return None
    return [" " * indent + line if line else "" for line in listed]


def _member(name: str, value: Tree, indent: int) -> Iterator[str]:
    head = f"{' ' * indent}{key(name)}:"
    if isinstance(value, Mapping) and value:
        yield head
        yield from lines(value, indent + STEP)
    elif isinstance(value, str) and (block := literal(value, indent + STEP)):
        yield f"{head} |-"
        yield from block
    else:
        yield f"{head} {inline(value)}"


def inline(value: Tree) -> str:
    """A value behind its key, in block style."""
    if isinstance(value, Mapping):
        return flow(value)
    return options(value) if isinstance(value, tuple) else scalar(value)


def _is_clear(text: str) -> bool:
    if isinstance(text, Plain):
        return _CLEAR_VALUE.fullmatch(text) is not None
    if text.casefold() in _WORDS or not text.isprintable():
        return False
    return bool(_CLEAR.fullmatch(text) or _CLEAR_ID.fullmatch(text))


def _escaped(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter.isprintable():
        return letter
    number = ord(letter)
    if number <= 0xFF:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"
