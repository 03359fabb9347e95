"""The JSON documents of the contract: values in, plain data out; sensitive values masked.

Here is what all of them have in common; the others are in modules of their own.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from itertools import islice
from json import JSONEncoder
from typing import Any, TypeVar

from lsq_sync.core.model import MASK, FieldRule
from lsq_sync.core.values import Value
from lsq_sync.errors import Diagnostic, LsqSyncError, Origin, RefusedError
from lsq_sync.render.escape import escaped_in_json

Document = dict[str, Any]
"""Plain data; a long list in it may be `Rows`."""

T = TypeVar("T")


class Rows:
    """The members of a list, each made when it is written: together they take several times the
    memory of what they are made of."""

    def __init__(self, members: Collection[T], row: Callable[[T], Document]) -> None:
        self._members, self._row = members, row

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Document]:
        return map(self._row, self._members)


def to_text(document: Document) -> str:
    """One JSON document, a line end at its end; each member of a list in it has a line of its own.

    So a document can be read and searched line by line, and a large one is quick to make.
    """
    return "".join(to_texts(document))


def to_texts(document: Document) -> Iterator[str]:
    """The same, some of it at a time."""
    return map(escaped_in_json, _texts(document))


def _texts(document: Document) -> Iterator[str]:
    before = "{\n"
    for key, value in document.items():
        yield f"{before}  {_json(key)}: "
        yield from _member(value)
        before = ",\n"
    yield "\n}\n" if document else "{}\n"


def _member(value: Any) -> Iterator[str]:
    if isinstance(value, Rows) or (
        isinstance(value, list) and value and isinstance(value[0], dict)
    ):
        yield from _lines("[", map(_json, value), "]")
    elif isinstance(value, dict) and isinstance(next(iter(value.values()), None), dict | list):
        yield from _lines("{", (f"{_json(key)}: {_json(one)}" for key, one in value.items()), "}")
    else:
        yield _json(value)


def _lines(opening: str, members: Iterable[str], closing: str) -> Iterator[str]:
    coming = iter(members)
    before = f"{opening}\n"
    while batch := list(islice(coming, _BATCH)):
        yield before + ",\n".join([f"    {text}" for text in batch])
        before = ",\n"
    yield f"{opening}{closing}" if before.startswith(opening) else f"\n  {closing}"


_BATCH = 100
"""Members that are written at once."""

_json = JSONEncoder(ensure_ascii=False).encode


def masked(value: Value, rule: FieldRule) -> Value:
    """The value, or the mask where its field is sensitive and holds one."""
    return MASK if rule.sensitive and value else value


def source(origin: Origin | None) -> Document | None:
    """Where something stands, for machines."""
    return {"file": origin.file, "line": origin.line} if origin else None


def error_document(error: LsqSyncError) -> Document:
    """A failure before anything was sent."""
    return {"format": "lsq-sync/error/v1", "error": error_content(error)}


def error_content(error: LsqSyncError) -> Document:
    """Code, message and places of an error."""
    code = error.kind if isinstance(error, RefusedError) else error.code
    return {
        "code": code,
        "message": error.message,
        "hint": error.hint,
        "details": [diagnostic(detail) for detail in error.diagnostics],
    }


def diagnostic(detail: Diagnostic) -> Document:
    """One thing that is wrong."""
    return {
        "file": detail.origin.file,
        "line": detail.origin.line,
        "column": detail.origin.column,
        "code": detail.code,
        "message": detail.message,
        "hint": detail.hint,
    }


def validate_document(problems: Iterable[Diagnostic], files: int, opportunities: int) -> Document:
    """What `validate` found."""
    found = [diagnostic(problem) for problem in problems]
    return {
        "format": "lsq-sync/validate/v1",
        "valid": not found,
        "files": files,
        "opportunities": opportunities,
        "problems": found,
    }
