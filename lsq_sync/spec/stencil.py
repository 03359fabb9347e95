"""Records that look alike: each of them is read by one regular expression.

In a large spec most opportunities have the same keys in the same order, each on a line of its own.
From one of them a stencil is cut, which leaves a hole for every value, and laid on those that
follow. It fits only where a reading member by member (`scan.py`) would find the same.
"""

import re
from array import array
from typing import NamedTuple

from lsq_sync.spec.document import LINE_SHIFT, Block, Node, Place, packed
from lsq_sync.spec.plain import COMMENT, INDENT, ITEMS, KEY, ONE_LINE, PLAIN, QUOTED, items

_PATIENCE = 250
"""Records that are read member by member before a stencil is cut: to cut one takes as long."""

_MOST = 8
"""Stencils that are kept."""

_PROOF = 10
"""A record that fitted a stencil speaks for cutting the next as loudly as ten that had to wait."""

_LONGEST = 100
"""Lines of a record that a stencil is cut from: compiling one takes long."""

_ENOUGH = 4000
"""As soon as so many more records fitted no stencil than did, none is tried any more."""

_DEEPEST = 8
"""Levels within a record."""

_LINE = rf"({INDENT})({KEY}):(?: ({ONE_LINE}))?\n"
_END = r"(?=(?>(?: *+\n| *+{comment}\n)*)(?: {{0,{indent}}}[A-Za-z0-9]|\Z))"
"""What follows a record is indented no deeper; anything else is left to the other reading."""

_SIGNS = frozenset("\"'[~n")
"""First signs of values that may not stand for themselves."""


class Stencils:
    """What was learnt from the files of one run, after so many records were read without."""

    def __init__(self, patience: int = _PATIENCE) -> None:
        self._patience = patience
        self.cut: list[_Stencil] = []
        self.hits = 0
        self._misses = 0
        self._met: set[str] = set()

    def read(self, text: str, start: int, line: int, indent: int, into: Block) -> tuple[int, int]:
        """Adds to a mapping, indented so, the records that stand from here on, up to the first that
        no stencil fits; where that begins, and its line."""
        before = len(into)
        is_worth_it = self._misses - self.hits < _ENOUGH
        cut = [stencil for stencil in self.cut if stencil.indent == indent]
        fits = is_worth_it
        while fits:
            fits = False
            for stencil in cut:
                while found := stencil.form.match(text, start):
                    stencil.add(found, line, into)
                    start, line, fits = found.end(), line + stencil.lines, True
        self._misses += 1
        self.hits += len(into) - before
        if is_worth_it and self._misses > self._patience and self._may_cut:
            self._learn(text, start)
        return start, line

    @property
    def _may_cut(self) -> bool:
        """Another stencil is cut only after those before have proved to be of use."""
        return len(self.cut) < _MOST and self.hits * _PROOF >= self._patience * len(self.cut)

    def _learn(self, text: str, start: int) -> None:
        """Cuts a stencil from a record whose like was met before."""
        lines = _lines_of(text, start)
        form = "\n".join(f"{line.indent} {line.key} {line.is_filled}" for line in lines[1:])
        if form in self._met and (stencil := _stencil(lines)):
            self.cut.append(stencil)
        self._met.add(form)


class _Line(NamedTuple):
    indent: int
    key: str
    value: str | None

    @property
    def is_filled(self) -> bool:
        """Whether a value stands behind the key."""
        return self.value is not None


class _Mapping(NamedTuple):
    """A mapping of a record: its keys, where their values stand among all values and mappings of
    the record, and their places as in the record on line 0."""

    keys: tuple[str, ...]
    values: tuple[int, ...]
    marks: "array[int]"


class _Stencil:
    """What the records of one form have in common."""

    def __init__(self, lines: list[_Line], mappings: list[_Mapping]) -> None:
        self.form = re.compile(_pattern(lines))
        self.indent = lines[0].indent
        self.lines = len(lines)
        self._mappings = mappings
        self._filled = [(number, line) for number, line in enumerate(lines) if line.is_filled]
        self._bits = packed(0, self.indent + 1, self.indent + 3)

    def add(self, found: re.Match[str], first: int, into: Block) -> None:
        """Adds the record that begins on the line `first`."""
        key, *texts = found.groups()
        values: list[Node] = [
            text if text[0] not in _SIGNS else self._value(text, index, first)
            for index, text in enumerate(texts)
        ]
        for mapping in self._mappings:
            block = Block(None, mapping.marks, first)
            block.update(zip(mapping.keys, map(values.__getitem__, mapping.values), strict=True))
            values.append(block)
        into.marks.append((first << LINE_SHIFT) | (self._bits + len(key)))
        into[key] = values[-1]

    def _value(self, text: str, index: int, first: int) -> Node:
        if text[0] in "\"'":
            return text[1:-1]
        if text[0] == "[":
            number, line = self._filled[index]
            return items(text, Place(first + number, line.indent + len(line.key) + 3))
        return None if text in ("null", "~") else text


def _lines_of(text: str, start: int) -> list[_Line]:
    """The lines of a record, as far as each holds a key and a value or nothing."""
    lines: list[_Line] = []
    a_line = re.compile(_LINE)  # kept by `re`; few commands need it
    while len(lines) <= _LONGEST and (found := a_line.match(text, start)):
        indent, key, value = found.groups()
        if lines and len(indent) <= lines[0].indent:
            break
        lines.append(_Line(len(indent), key, value))
        start = found.end()
    return lines


def _stencil(lines: list[_Line]) -> _Stencil | None:
    """None where the lines are not one well-formed record."""
    if not 2 <= len(lines) <= _LONGEST or lines[0].is_filled:
        return None
    mappings: list[_Mapping] = []
    filled = sum(line.is_filled for line in lines)
    end = _cut_mapping(lines, 1, filled, mappings)
    return _Stencil(lines, mappings) if end == len(lines) else None


def _cut_mapping(
    lines: list[_Line], first: int, filled: int, mappings: list[_Mapping], depth: int = 1
) -> int | None:
    """Cuts the mapping that begins on this line; the line behind it, None where it is not sound.

    A mapping is cut behind those in it. So its members are numbered: the values on the lines of
    the record come first, `filled` of them, then its mappings in the order in which they are cut.
    """
    at, indent = first, lines[first].indent
    members: list[tuple[str, int, int]] = []
    while at < len(lines) and lines[at].indent == indent:
        key = lines[at].key
        mark = packed(at, indent + 1, indent + 3) + len(key)
        if lines[at].is_filled:
            members.append((key, sum(line.is_filled for line in lines[:at]), mark))
            at += 1
            continue
        if depth == _DEEPEST or at + 1 == len(lines) or lines[at + 1].indent <= indent:
            return None
        behind = _cut_mapping(lines, at + 1, filled, mappings, depth + 1)
        if behind is None:
            return None
        members.append((key, filled + len(mappings) - 1, mark))
        at = behind
    keys, values, marks = zip(*members, strict=True)
    if len({*keys}) < len(keys) or (at < len(lines) and lines[at].indent > indent):
        return None
    mappings.append(_Mapping(keys, values, array("Q", marks)))
    return at


def _hole(sample: str) -> str:
    """A pattern of the values that may stand here: like the sample, plain, or null. One of all
    values (`ONE_LINE`) would take long to be compiled for every line."""
    return f"{ITEMS if sample.startswith('[') else QUOTED}|{PLAIN}|null|~"


def _pattern(lines: list[_Line]) -> str:
    head, *others = lines
    parts = [f"{' ' * head.indent}({KEY}):\n"]
    for line in others:
        value = f" ({_hole(line.value)})" if line.value else ""
        parts.append(f"{' ' * line.indent}{re.escape(line.key)}:{value}\n")
    return "".join(parts) + _END.format(comment=COMMENT, indent=head.indent)
