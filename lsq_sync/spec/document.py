"""A YAML document as plain data that remembers where everything stands.

`Block` is a dict and `Items` a list, so jsonschema takes them as they are; both keep a packed
place per member. Places count from 1.
"""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from lsq_sync.errors import Diagnostic

_COLUMN_BITS = 18  # leaves 28 of 64 for lines: more than the largest file has
_COLUMN_CAP = (1 << _COLUMN_BITS) - 1
_ELSEWHERE = _COLUMN_CAP
LINE_SHIFT = 2 * _COLUMN_BITS


def packed(line: int, key_column: int, value_column: int) -> int:
    """The place of a member as a `Block` keeps it; the column of its value counts only where it
    stands on the line of its key."""
    return line << LINE_SHIFT | min(key_column, _COLUMN_CAP) << _COLUMN_BITS | value_column


class Place(NamedTuple):
    """A line and a column, both from 1."""

    line: int
    column: int


class Block(dict[str, "Node"]):
    """A mapping. Keys are unique and in the order of the file; `marks` has a place for each."""

    __slots__ = ("_order", "marks", "place")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.marks = array("Q")
        self._order: dict[str, int] | None = None

    def add(self, key: str, key_place: Place, value: "Node", value_place: Place) -> None:
        """Appends one member; the caller has refused a key that is there already."""
        self[key] = value
        if self._order is not None:
            self._order[key] = len(self.marks)
        near = value_place.line == key_place.line and value_place.column < _ELSEWHERE
        column = value_place.column if near else _ELSEWHERE
        self.marks.append(packed(key_place.line, key_place.column, column))

    def places(self) -> Iterator[Place]:
        """The places of the keys, in the order of the file."""
        return map(_key_place, self.marks)

    def key_place(self, key: str) -> Place:
        """Where the key stands."""
        return _key_place(self._mark(key))

    def value_place(self, key: str) -> Place:
        """Where the value begins; for a text on lines of its own, where its key stands."""
        mark = self._mark(key)
        value = self[key]
        if isinstance(value, Block | Items):
            return value.place
        column = mark & _COLUMN_CAP
        key_place = _key_place(mark)
        return key_place if column == _ELSEWHERE else Place(key_place.line, column)

    def _mark(self, key: str) -> int:
        if self._order is None:
            self._order = {name: index for index, name in enumerate(self)}
        return self.marks[self._order[key]]


class Items(list["Node"]):
    """A sequence."""

    __slots__ = ("_marks", "place")

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self._marks: list[Place] = []

    def add(self, value: "Node", place: Place) -> None:
        """Appends one member."""
        self.append(value)
        self._marks.append(place)

    def value_place(self, index: int) -> Place:
        """Where the member begins."""
        return self._marks[index]


Node = str | None | Block | Items


@dataclass(frozen=True, slots=True)
class Loaded:
    """A document, None where there is none to speak of, and what was wrong with its text."""

    document: Node
    problems: tuple[Diagnostic, ...]


def _key_place(mark: int) -> Place:
    return Place(mark >> LINE_SHIFT, (mark >> _COLUMN_BITS) & _COLUMN_CAP)
