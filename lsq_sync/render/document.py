"""The JSON documents of the contract: values in, plain data out; sensitive values masked.

Here is what all of them have in common; the others are in modules of their own.
"""

import json
from collections.abc import Iterable
from typing import Any

from lsq_sync.core.model import MASK, FieldRule
from lsq_sync.core.values import Value
from lsq_sync.errors import Diagnostic, LsqSyncError, Origin, RefusedError
from lsq_sync.render.escape import escaped_in_json

Document = dict[str, Any]


def to_text(document: Document) -> str:
    """One JSON document, a line end at its end; each member of a list in it has a line of its own.

    So a document can be read and searched line by line, and a large one is quick to make.
    """
    members = ",\n".join(f"  {_json(key)}: {_member(value)}" for key, value in document.items())
    return escaped_in_json(f"{{\n{members}\n}}\n" if members else "{}\n")


def _member(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(f"    {_json(one)}" for one in value) + "\n  ]"
    if isinstance(value, dict) and value and isinstance(next(iter(value.values())), dict | list):
        inner = (f"    {_json(key)}: {_json(one)}" for key, one in value.items())
        return "{\n" + ",\n".join(inner) + "\n  }"
    return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


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
