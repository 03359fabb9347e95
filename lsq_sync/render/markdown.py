"""A review document in Markdown, for a comment on a pull request or a job's summary.

What decides comes first and is never cut; where the rows do not fit into the size that a comment
may have, those in the middle are left out, and the text says where they are.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from lsq_sync.core.review import LIMIT, length
from lsq_sync.render.escape import around_difference, shortened
from lsq_sync.render.inert import code, code_element, commented, inert
from lsq_sync.render.report import Bars, Cell, Danger, Group, Report, Row, Tone, Value

_LONGEST = 160
_LONGEST_REASON = 400
_BARS_SHOWN = 15
_OPEN = 10
"""So many rows are shown without a click."""

_RESERVE = 400
"""For the sentence about what is left out."""


def markdown(report: Report, budget: int = LIMIT) -> str:
    """The document; no longer than `budget` characters, unless its head alone is."""
    head = "".join(_head(report))
    foot = "".join(_foot(report))
    told = "| Opportunity | Field | {} | {} |\n|---|---|---|---|\n".format(*report.sides)
    lines, columns = (_row, told) if report.tells_values else (_outcome, _OUTCOMES)
    blocks = _Blocks(report.rows, lines)
    kept = _fitting(blocks, budget - length(head) - length(foot) - _RESERVE)
    return head + "".join(_sections(report, blocks, kept, columns)) + foot


# --- what is never cut


def _head(report: Report) -> Iterator[str]:
    yield f"<!-- lsq-sync {commented(report.mark)} -->\n"
    yield f"## {inert(report.title)}\n\n**{inert(report.headline)}**\n\n"
    if report.dangers:
        yield from _dangers(report.dangers)
    if report.rows:
        yield from _figures(report)
        for chart in report.charts:
            yield from _chart(chart)


def _dangers(dangers: Sequence[Danger]) -> Iterator[str]:
    grave = any(danger.tone is Tone.BAD for danger in dangers)
    yield f"> [!{'WARNING' if grave else 'NOTE'}]\n"
    for danger in dangers:
        text = shortened(danger.text, _LONGEST_REASON)
        yield f"> - **{inert(danger.title)}**: {inert(text)}\n"
    yield "\n"


def _figures(report: Report) -> Iterator[str]:
    yield "| | |\n|---|--:|\n"
    for count in report.counts:
        yield f"| {inert(count.name)} | {count.number:,} |\n"
    yield "\n"


def _chart(chart: Bars) -> Iterator[str]:
    """A list that has one entry says nothing that the summary does not."""
    if len(chart.bars) < 2:
        return
    yield f"<details><summary>{inert(chart.title)}</summary>\n\n| | |\n|---|--:|\n"
    for name, number in chart.bars[:_BARS_SHOWN]:
        yield f"| {inert(shortened(name, _LONGEST))} | {number:,} |\n"
    if len(chart.bars) > _BARS_SHOWN:
        yield f"| and {len(chart.bars) - _BARS_SHOWN:,} more | |\n"
    yield "\n</details>\n\n"


def _foot(report: Report) -> Iterator[str]:
    if report.command:
        yield f"```\n{report.command}\n```\n\n"
    if report.facts:
        yield f"<sub>{' '.join(map(inert, report.facts))}</sub>\n"


# --- rows


@dataclass(frozen=True, slots=True)
class _Block:
    """The lines of one opportunity."""

    row: Row
    text: str

    def size(self, before: "_Block | None") -> int:
        """With the heading that it needs where another group ends."""
        is_first = before is None or _group(before.row) != _group(self.row)
        return length(self.text) + (
            length(_heading(self.row, 10**9)) + _COLUMNS + len(_END) if is_first else 0
        )


class _Blocks:
    """The blocks of all rows, made when they are known to be needed."""

    def __init__(self, rows: Sequence[Row], lines: Callable[[Row], Iterator[str]]) -> None:
        self._rows, self._lines = rows, lines
        self._made: dict[int, _Block] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def at(self, places: Iterable[int]) -> Iterator[_Block]:
        return map(self._block, places)

    def _block(self, place: int) -> _Block:
        if place not in self._made:
            row = self._rows[place]
            self._made[place] = _Block(row, "".join(self._lines(row)))
        return self._made[place]


_OUTCOMES = "| Opportunity | Request | Reason |\n|---|---|---|\n"
_COLUMNS = 100
"""More than the two lines above any table have."""

_END = "\n</details>\n\n"


def _group(row: Row) -> Group:
    return row.section, row.file


def _fitting(blocks: _Blocks, room: int) -> tuple[int, int]:
    """How many of the first and how many of the last fit into the room."""
    whole = range(len(blocks))
    first = _prefix(blocks.at(whole), room)
    if first == len(blocks):
        return first, 0
    first = _prefix(blocks.at(whole), room * 2 // 3)
    last = _prefix(blocks.at(reversed(whole[first:])), room // 3)
    return first, min(last, len(blocks) - first - 1)


def _prefix(blocks: Iterator[_Block], room: int) -> int:
    used, before, number = 0, None, 0
    for block in blocks:
        used += block.size(before)
        if used > room:
            break
        before = block
        number += 1
    return number


def _sections(
    report: Report, blocks: _Blocks, kept: tuple[int, int], columns: str
) -> Iterator[str]:
    first, last = kept
    whole = range(len(blocks))
    totals = report.rows.totals()
    is_small = len(blocks) <= _OPEN
    yield from _tables(blocks.at(whole[:first]), totals, columns, is_open=is_small)
    left = len(blocks) - first - last
    if left:
        noun = "opportunity is" if left == 1 else "opportunities are"
        where = f"to see all of them: {code(report.whole())}"
        yield f"> [!NOTE]\n> {left:,} {noun} left out here; {where}\n\n"
        at_the_end = whole[len(blocks) - last :]
        yield from _tables(blocks.at(at_the_end), totals, columns, is_open=False)


def _tables(
    blocks: Iterator[_Block],
    totals: Mapping[Group, int],
    columns: str,
    *,
    is_open: bool,
) -> Iterator[str]:
    for group, members in groupby(blocks, key=lambda block: _group(block.row)):
        listed = list(members)
        yield _heading(listed[0].row, totals[group], is_open=is_open)
        yield columns
        yield from (block.text for block in listed)
        yield _END


def _heading(row: Row, total: int, *, is_open: bool = False) -> str:
    section = f"<b>{inert(row.section)}</b> · " if row.section else ""
    place = code_element(row.file) if row.file else "no longer in the specs"
    noun = "opportunity" if total == 1 else "opportunities"
    opened = " open" if is_open else ""
    summary = f"<summary>{section}{place}: {total:,} {noun}</summary>"
    return f"<details{opened}>{summary}\n\n"


def _row(row: Row) -> Iterator[str]:
    reason = f"<br>{inert(shortened(row.reason, _LONGEST_REASON))}" if row.reason else ""
    name = f"{_name(row)}{reason}"
    for cell in row.cells or (_NO_FIELD,):
        before, after = _values(cell)
        yield f"| {name} | {_field(cell)} | {before} | {after} |\n"
        name = ""


def _outcome(row: Row) -> Iterator[str]:
    """A row of a document that tells no values."""
    request = code(row.request) if row.request else ""
    yield f"| {_name(row)} | {request} | {inert(shortened(row.reason, _LONGEST_REASON))} |\n"


_NO_FIELD = Cell("", "")


def _name(row: Row) -> str:
    called = shortened(row.label.strip(), _LONGEST)
    label = f"**{inert(called)}**<br>" if called else ""
    place = f" :{row.line}" if row.line else ""
    is_news = row.tone is not Tone.CHANGED and row.word != row.section
    word = f"<br>*{inert(row.word)}*" if is_news else ""
    return f"{label}{code(row.key)}{place}{word}"


def _field(cell: Cell) -> str:
    if cell.title in ("", cell.name):
        return code(cell.name) if cell.name else ""
    return f"{inert(cell.title)}<br>{code(cell.name)}"


def _values(cell: Cell) -> tuple[str, str]:
    """Before and after; of long ones the part that differs."""
    before, after = around_difference(_text(cell.before), _text(cell.after), _LONGEST)
    cleared = cell.word == "to clear"
    shown = "**cleared**" if cleared else _value(cell.after, after)
    remark = f"<br>*{inert(shortened(cell.remark, _LONGEST))}*" if cell.remark else ""
    return _value(cell.before, before), f"{shown}{remark}"


def _text(value: Value | None) -> str:
    return (value and value.text) or ""


def _value(value: Value | None, shown: str) -> str:
    if value is None:
        return ""
    if not value.known:
        return "*not recorded yet*"
    return "*empty*" if value.text is None else code(shown)
