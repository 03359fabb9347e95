"""What became of updates, as CSV for a spreadsheet, in which no cell is taken for a formula."""

import csv
from collections.abc import Iterable
from io import StringIO

from lsq_sync.core.result import UpdateResult
from lsq_sync.render.escape import visible

_COLUMNS = ("id", "label", "outcome", "request_id", "verified", "reason", "fields", "file", "line")
_FORMULA = ("=", "+", "-", "@", "::", "##[", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet may read as the beginning of a formula (OWASP, CSV injection), also in its
full-width forms; and what a CI takes for a command of its own at the beginning of a line."""


def result_csv(results: Iterable[UpdateResult]) -> str:
    """A header and one line an update; CRLF, as RFC 4180 has it."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for result in results:
        writer.writerow(_cell(value) for value in _values(result))
    return text.getvalue()


def _values(result: UpdateResult) -> tuple[str, ...]:
    origin = result.origin
    return (
        result.key,
        result.label,
        result.outcome.value,
        result.request_id or "",
        "" if result.verified is None else str(result.verified).lower(),
        result.reason,
        " ".join(result.fields),
        origin.file if origin else "",
        str(origin.line) if origin else "",
    )


def _cell(value: str) -> str:
    """Text that a spreadsheet shows as text: an apostrophe before what it would calculate."""
    shown = visible(value)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
