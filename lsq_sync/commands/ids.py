"""Which opportunities a command line names: ids, files of ids, a column of a table."""

import csv
import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from lsq_sync.core.values import is_guid, shown
from lsq_sync.errors import Diagnostic, LsqSyncError, Origin, UsageError
from lsq_sync.spec.names import suggestion

_DELIMITERS = ",;\t|"
_BEFORE_IDS = "#"


class IdsError(LsqSyncError):
    """What should be ids is something else; `diagnostics` names every place."""

    code = "ids"


def ids_of(named: Iterable[str], file: str | None, column: str | None, base: Path) -> list[str]:
    """The ids in lower case, each once, in the order given; a file `-` is standard input.

    Raises IdsError for what is no id, UsageError for a file or column that is not there.
    """
    found = [("", 0, one) for one in named]
    if column is not None and file is None:
        raise UsageError("--column names a column of --ids-file: give that too")
    if file is not None:
        text = _text_of(file, base)
        name = "standard input" if file == "-" else file
        rows = _column(text, column, name) if column is not None else _lines(text)
        found += [(name, line, one) for line, one in rows]
    wrong = [_no_id(*one) for one in found if not is_guid(one[2])]
    if wrong:
        raise IdsError(_summary(found, wrong, file, column), diagnostics=tuple(wrong[:100]))
    return list(dict.fromkeys(one.lower() for _, _, one in found))


def _summary(
    found: list[tuple[str, int, str]],
    wrong: list[Diagnostic],
    file: str | None,
    column: str | None,
) -> str:
    first = next((one for name, line, one in found if line == 1), "")
    if file and column is None and any(sign in first for sign in _DELIMITERS):
        return f"{file} looks like a table: name the column of the ids with --column"
    return f"{len(wrong):,} of {len(found):,} are no opportunity ids"


def _no_id(file: str, line: int, text: str) -> Diagnostic:
    hint = "the CRM is read by GUIDs such as 5ca5b042-51ea-4699-b6f0-84c40ab12770, not by AutoIds"
    message = f"{shown(text)} is not the id of an opportunity"
    return Diagnostic(Origin(file or "command line", line), "opportunity-id", message, hint)


def _text_of(file: str, base: Path) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else (base / file).read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is not UTF-8", hint="save it as UTF-8") from None


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        word = line.partition(_BEFORE_IDS)[0].strip().strip('"')
        if word:
            yield number, word


def _column(text: str, column: str, name: str) -> Iterator[tuple[int, str]]:
    head = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = [cell.strip() for cell in next(reader, [])]
    if column not in names:
        hint = suggestion(column, names)
        raise UsageError(f"{name} has no column {column!r} in its first line", hint=hint)
    index = names.index(column)
    for row in reader:
        cell = row[index].strip() if index < len(row) else ""
        if cell:
            yield reader.line_num, cell
