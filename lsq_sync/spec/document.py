"""A YAML document as plain data that remembers where everything stands.

`Block` is a dict and `Items` a list, so jsonschema takes them as they are; both keep a packed
place per member. Places count from 1.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
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
    """A mapping. Keys are unique and in the order of the file; `marks` has a place for each.

    Those of mappings that look alike are kept once, as if each of them were on line 0: `first` is
    the line that they count from. Such a mapping begins with its first key, and is never added to.
    """

    __slots__ = ("_first", "_order", "_place", "marks")

    def __init__(
        self, place: Place | None, marks: "array[int] | None" = None, first: int = 0
    ) -> None:
        self._place = place
        self._first = first
        self.marks = array("Q") if marks is None else marks
        self._order: dict[str, int] | None = None

    @property
    def place(self) -> Place:
        """Where it begins."""
        return self._place or self._at(self.marks[0])

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
        return map(self._at, self.marks)

    def key_place(self, key: str) -> Place:
        """Where the key stands."""
        return self._at(self._mark(key))

    def value_place(self, key: str) -> Place:
        """Where the value begins; for a text on lines of its own, where its key stands."""
        mark = self._mark(key)
        value = self[key]
        if isinstance(value, Block | Items):
            return value.place
        column = mark & _COLUMN_CAP
        key_place = self._at(mark)
        return key_place if column == _ELSEWHERE else Place(key_place.line, column)

    def _at(self, mark: int) -> Place:
        line = (mark >> LINE_SHIFT) + self._first
        return Place(line, (mark >> _COLUMN_BITS) & _COLUMN_CAP)

    def _mark(self, key: str) -> int:
        if self._order is None:
            self._order = {name: index for index, name in enumerate(self)}
        return self.marks[self._order[key]]


class Items(list["Node"]):
    """A sequence. Members that stand on its own line have a column behind its begin, all others a
    place."""

    __slots__ = ("_columns", "_marks", "place")

    def __init__(
        self, place: Place, values: Iterable["Node"] = (), columns: Sequence[int] = ()
    ) -> None:
        super().__init__(values)
        self.place = place
        self._columns = columns
        self._marks: list[Place] = []

    def add(self, value: "Node", place: Place) -> None:
        """Appends one member."""
        self.append(value)
        self._marks.append(place)

    def value_place(self, index: int) -> Place:
        """Where the member begins."""
        if self._columns:
            return Place(self.place.line, self.place.column + self._columns[index])
        return self._marks[index]


Node = str | None | Block | Items


@dataclass(frozen=True, slots=True)
class Loaded:
    """A document, None where there is none to speak of, and what was wrong with its text."""

    document: Node
    problems: tuple[Diagnostic, ...]
