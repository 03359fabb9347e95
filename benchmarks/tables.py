"""What a measurement hands back: tables as values, and their Markdown."""

from dataclasses import dataclass


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


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"
