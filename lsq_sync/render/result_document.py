"""The JSON document of what became of the updates of a run."""

from collections.abc import Iterable, Mapping

from lsq_sync.core.blame import Suspect
from lsq_sync.core.change import Change
from lsq_sync.core.result import UpdateResult, summary
from lsq_sync.core.state import NOTE
from lsq_sync.errors import LsqSyncError
from lsq_sync.render.document import Document, Rows, error_content, source


def result_document(
    run: str,
    results: Iterable[UpdateResult],
    calls: Mapping[str, int],
    elapsed_seconds: float,
    left: Iterable[Change] = (),
    error: LsqSyncError | None = None,
) -> Document:
    """What became of the updates of a run; `left` are changes that it could not make."""
    listed = list(results)
    document: Document = {
        "format": "lsq-sync/result/v1",
        "run": run,
        "summary": summary(listed),
        "calls": dict(calls),
        "elapsed_seconds": round(elapsed_seconds, 3),
        "opportunities": Rows(listed, _result),
        "left": Rows(tuple(left), _left),
    }
    return {**document, "error": error_content(error)} if error else document


def _result(result: UpdateResult) -> Document:
    return {
        "id": result.key,
        "label": result.label,
        "outcome": result.outcome.value,
        "request_id": result.request_id,
        "reason": result.reason,
        "verified": result.verified,
        "fields": [name for name in result.fields if name != NOTE],
        "note": NOTE in result.fields,
        "source": source(result.origin),
        "culprit": _suspect(result.culprit),
    }


def _suspect(culprit: Suspect | None) -> Document | None:
    """The field that a rejection is about, and its line."""
    if culprit is None:
        return None
    return {
        "name": culprit.name,
        "title": culprit.title,
        "source": source(culprit.origin),
    }


def _left(change: Change) -> Document:
    return {
        "id": change.key,
        "action": change.action.value,
        "reason": change.reason,
        "source": source(change.origin),
    }
