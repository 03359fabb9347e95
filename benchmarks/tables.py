"""What a measurement hands back: tables as values, and their Markdown."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

NOTHING = "–"
"""In a cell of what was not measured."""

Column = TypeVar("Column")


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a report; `note` says below it how to read it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def markdown(self) -> str:
        """As Markdown: the title in bold, the table, the note; ends with a line end."""
        lines = [f"**{self.title}**", "", _row(self.columns), _row(self._rules())]
        lines += [_row(row) for row in self.rows]
        return "\n".join([*lines, *(["", self.note] if self.note else []), ""])

    def _rules(self) -> tuple[str, ...]:
        """The first column names the row; the others are figures."""
        return ("---", *("---:" for _ in self.columns[1:]))


def rows_of(
    names: Iterable[str], columns: Iterable[Column], cell: Callable[[str, Column], str | None]
) -> tuple[tuple[str, ...], ...]:
    """A row a name, of what the cells say; without those that say nothing."""
    known = list(columns)
    found = {name: [cell(name, column) for column in known] for name in names}
    return tuple(
        (name, *(one or NOTHING for one in row)) for name, row in found.items() if any(row)
    )


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
