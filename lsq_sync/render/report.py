"""A review document as data: what Markdown and HTML show of a plan, a run or the drift.

All text in it is harmless already: on one line, nothing invisible, sensitive values masked. How
it is made inert in Markdown or HTML is the renderer's part.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar, overload


class Tone(StrEnum):
    """How something is to be looked at."""

    PLAIN = "plain"
    CHANGED = "changed"
    GOOD = "good"
    CARE = "care"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Count:
    """A figure of the summary."""

    name: str
    number: int
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Danger:
    """Something to look at before anything else; the gravest come first."""

    title: str
    text: str
    tone: Tone = Tone.CARE


class Value(NamedTuple):
    """A value as it is shown. `text` is None where the field is empty, `known` false where nobody
    knows what it holds."""

    text: str | None
    known: bool = True


class Cell(NamedTuple):
    """One field of a row. `before` and `after` are None where values are not told at all."""

    name: str
    title: str
    word: str = ""
    tone: Tone = Tone.PLAIN
    before: Value | None = None
    after: Value | None = None
    remark: str = ""
    line: int = 0


class Row(NamedTuple):
    """One opportunity. `section` and `file` are what it is listed under."""

    key: str
    label: str
    type: str
    section: str
    file: str
    line: int
    word: str
    tone: Tone
    reason: str
    cells: tuple[Cell, ...] = ()
    request: str = ""


Group = tuple[str, str]
"""The section and the file that rows are listed under."""

T = TypeVar("T")


class Listed(Sequence[Row]):
    """The rows of what is listed, each made when somebody looks at it: of a long list few are
    shown, and all of them take several times its memory."""

    def __init__(
        self, members: Iterable[T], group: Callable[[T], Group], row: Callable[[T], Row]
    ) -> None:
        self._members: tuple[Any, ...] = tuple(members)
        self._group, self._row = group, row

    def by_group(self) -> "Listed":
        """Rows of one group side by side; those that no file has come last in their section."""

        def place(one: Any) -> tuple[str, bool, str]:
            section, file = self._group(one)
            return section, not file, file

        return Listed(sorted(self._members, key=place), self._group, self._row)

    def totals(self) -> Counter[Group]:
        """How many rows each group has."""
        return Counter(map(self._group, self._members))

    def __len__(self) -> int:
        return len(self._members)

    @overload
    def __getitem__(self, place: int) -> Row: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Row, ...]: ...
    def __getitem__(self, place: int | slice) -> Row | tuple[Row, ...]:
        if isinstance(place, slice):
            return tuple(map(self._row, self._members[place]))
        return self._row(self._members[place])


@dataclass(frozen=True, slots=True)
class Bars:
    """How often each of something occurs, the most frequent first."""

    title: str
    bars: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole document. `mark` identifies it to a machine; `again` shows it again, whole
    in these `forms`.

    `tells_values`: its cells have values, before and after, which `sides` names.
    """

    kind: str
    mark: str
    title: str
    headline: str
    counts: tuple[Count, ...]
    dangers: tuple[Danger, ...]
    charts: tuple[Bars, ...]
    rows: Listed
    facts: tuple[str, ...]
    command: str
    again: str
    tells_values: bool = True
    sides: tuple[str, str] = ("Before", "After")
    forms: tuple[str, ...] = ("html", "json")

    def whole(self, *, but: str = "") -> str:
        """The command that lists every row, in another form than the one that has not all."""
        first, *others = (form for form in self.forms if form != but)
        more = f" (or {', or '.join(others)})" if others else ""
        return f"{self.again} --format {first}{more}"


def bars(title: str, names: Iterable[str]) -> Bars:
    """Counts the names; a name without text is left out."""
    counted = Counter(name for name in names if name)
    return Bars(title, tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0]))))


def present(counts: Iterable[Count]) -> tuple[Count, ...]:
    """Those that are not zero."""
    return tuple(count for count in counts if count.number)
