"""The JSON document of `schema pull`."""

from dataclasses import asdict

from lsq_sync.core.type_change import FieldTurn, PulledType, Turn
from lsq_sync.render.document import Document, diagnostic


def schema_document(pulled: PulledType) -> Document:
    """What `schema pull` found and wrote."""
    turns = pulled.changes
    return {
        "format": "lsq-sync/schema/v1",
        "type": pulled.name,
        "title": pulled.title,
        "code": pulled.code,
        "file": pulled.file,
        "fields": pulled.fields,
        "new": pulled.is_new,
        "written": list(pulled.written),
        "summary": {turn.value: sum(one.turn is turn for one in turns) for turn in Turn},
        "changes": [_turn(one) for one in turns],
        "left_out": list(pulled.left_out),
        "problems": [diagnostic(problem) for problem in pulled.problems],
    }


def _turn(change: FieldTurn) -> Document:
    return {
        "field": change.name,
        "title": change.title,
        "change": change.turn.value,
        "details": [asdict(detail) for detail in change.details],
    }
