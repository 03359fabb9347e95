"""A review document as data: what Markdown and HTML show of a plan, a run or the drift.

All text in it is harmless already: on one line, nothing invisible, sensitive values masked. How
it is made inert in Markdown or HTML is the renderer's part.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it is shown. `text` is None where the field is empty, `known` false where nobody
    knows what it holds."""

    text: str | None
    known: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of a row. `before` and `after` are None where values are not told at all."""

    name: str
    title: str
    word: str = ""
    tone: Tone = Tone.PLAIN
    before: Value | None = None
    after: Value | None = None
    remark: str = ""
    line: int = 0


@dataclass(frozen=True, slots=True)
class Row:
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


@dataclass(frozen=True, slots=True)
class Bars:
    """How often each of something occurs, the most frequent first."""

    title: str
    bars: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole document. `mark` identifies it to a machine; `rest` says where all of it is.

    `tells_values`: its cells have values, before and after, which `sides` names.
    """

    kind: str
    mark: str
    title: str
    headline: str
    counts: tuple[Count, ...]
    dangers: tuple[Danger, ...]
    charts: tuple[Bars, ...]
    rows: tuple[Row, ...]
    facts: tuple[str, ...]
    command: str
    rest: str
    tells_values: bool = True
    sides: tuple[str, str] = ("Before", "After")


def bars(title: str, names: Iterable[str]) -> Bars:
    """Counts the names; a name without text is left out."""
    counted = Counter(name for name in names if name)
    return Bars(title, tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0]))))


def present(counts: Iterable[Count]) -> tuple[Count, ...]:
    """Those that are not zero."""
    return tuple(count for count in counts if count.number)


def by_group(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Rows of one section and file side by side; those that no file has come last."""
    return tuple(sorted(rows, key=lambda row: (row.section, not row.file, row.file)))
