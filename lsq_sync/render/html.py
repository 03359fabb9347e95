"""A review document as one HTML file, for looking rather than reading: it reaches for nothing.

The head is plain HTML; the rows stand in it as data, and the page's own script, the only one that
its policy lets run, shows a hundred of them at a time.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from lsq_sync.render.report import Bars, Cell, Report, Row, Value

MOST_ROWS = 20_000
"""Opportunities that a page holds; more make a browser slow."""

_OUTCOME_COLUMNS = ("Opportunity", "Request", "Reason", "Fields")


def html(report: Report, most_rows: int = MOST_ROWS) -> str:
    """The page."""
    script = _part("page.js")
    values = ("Opportunity", "Field", *report.sides)
    columns = values if report.tells_values else _OUTCOME_COLUMNS
    left = len(report.rows) - most_rows
    parts = {
        "kind": report.kind,
        "title": escape(report.title),
        "headline": escape(report.headline),
        "style": _part("page.css"),
        "head": "\n".join(_head(report)),
        "columns": "".join(f'<th scope="col">{name}</th>' for name in columns),
        "left": escape(_left(left, most_rows, report)) if left > 0 else "",
        "foot": "\n".join(_foot(report)),
        "data": _data(report, most_rows),
        "hash": b64encode(sha256(script.encode()).digest()).decode(),
        "script": script,
    }
    first, *rest = _part("page.html").split("{{")
    filled = (part.partition("}}") for part in rest)
    return first + "".join(f"{parts[name]}{text}" for name, _, text in filled)


@cache
def _part(name: str) -> str:
    return (files("lsq_sync.render") / "page" / name).read_text(encoding="utf-8")


def _left(left: int, most_rows: int, report: Report) -> str:
    where = report.whole(but="html")
    return f"The first {most_rows:,} are here, {left:,} more are not; to list all: {where}"


def _head(report: Report) -> Iterator[str]:
    if report.counts:
        figures = (
            f'<li><b class="tone-{count.tone}">{count.number:,}</b>'
            f"<span>{escape(count.name)}</span></li>"
            for count in report.counts
        )
        yield f'<ul class="counts" aria-label="Summary">{"".join(figures)}</ul>'
    if report.dangers:
        listed = (
            f'<li class="danger {danger.tone}"><b>{escape(danger.title)}</b>: '
            f"{escape(danger.text)}</li>"
            for danger in report.dangers
        )
        yield f'<ul class="dangers" aria-label="To look at first">{"".join(listed)}</ul>'
    charts = [chart for chart in report.charts if len(chart.bars) > 1]
    if charts:
        yield f'<div class="charts">{"".join(map(_chart, charts))}</div>'


def _chart(chart: Bars) -> str:
    most = max(number for _, number in chart.bars)
    drawn = (
        f"<li><span>{escape(name)}</span><b>{number:,}</b>"
        f'<i style="width:{100 * number / most:.1f}%"></i></li>'
        for name, number in chart.bars
    )
    return (
        f'<section class="chart"><h3>{escape(chart.title)}</h3><ol>{"".join(drawn)}</ol></section>'
    )


def _foot(report: Report) -> Iterator[str]:
    if report.command:
        yield f"<p>To go on:</p><pre><code>{escape(report.command)}</code></pre>"
    yield from (f"<p>{escape(fact)}</p>" for fact in report.facts)


# --- rows


def _data(report: Report, most_rows: int) -> str:
    """JSON that ends no script element and holds no character beyond ASCII."""
    content = {
        "values": report.tells_values,
        "sides": report.sides,
        "rows": [_row(row) for row in report.rows[:most_rows]],
    }
    text = json.dumps(content, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _row(row: Row) -> dict[str, Any]:
    return {
        "key": row.key,
        "label": row.label,
        "type": row.type,
        "file": row.file,
        "line": row.line,
        "word": row.word,
        "tone": row.tone,
        "reason": row.reason,
        "request": row.request,
        "fields": [_cell(cell) for cell in row.cells],
    }


def _cell(cell: Cell) -> list[Any]:
    before, after = _value(cell.before), _value(cell.after)
    return [cell.name, cell.title, cell.word, cell.tone, before, after, cell.remark]


def _value(value: Value | None) -> str | bool | None:
    """Text, or True for an empty field, False for what nobody knows, null for none at all."""
    if value is None:
        return None
    if not value.known:
        return False
    return True if value.text is None else value.text
