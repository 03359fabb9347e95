"""The JSON document of `why`."""

from lsq_sync.core.model import FieldRule
from lsq_sync.core.moment import moment
from lsq_sync.core.provenance import Attempt, Commit, Explained, Reason
from lsq_sync.core.state import FinalRequest
from lsq_sync.core.values import ABSENT, Absent, Value
from lsq_sync.render.document import Document, masked, source


def why_document(explained: Explained) -> Document:
    """What `why --format json` prints."""
    return {
        "format": "lsq-sync/why/v1",
        "id": explained.key,
        "type": explained.type,
        "label": explained.label,
        "guid": explained.guid,
        "source": source(explained.origin),
        "last_request": _last(explained.last),
        "fields": [_reason(reason) for reason in explained.reasons],
    }


def _reason(reason: Reason) -> Document:
    return {
        "name": reason.name,
        "title": reason.rule.title,
        "desired": _known(reason.desired, reason.rule),
        "recorded": _known(reason.recorded, reason.rule),
        "on_its_way": _known(reason.carried, reason.rule),
        "source": source(reason.origin),
        "commit": _commit(reason.commit),
        "request": _attempt(reason.attempt),
    }


def _last(last: FinalRequest | None) -> Document | None:
    if last is None:
        return None
    return {
        "run": last.run,
        "request_id": last.request_id,
        "outcome": last.outcome.value,
        "reason": last.reason,
        "sent_at": moment(last.sent_at),
        "settled_at": moment(last.settled_at),
    }


def _known(value: Value | Absent, rule: FieldRule) -> Document | None:
    """A value that may be empty, told apart from one that nobody knows."""
    return None if value is ABSENT else {"value": masked(value, rule)}


def _commit(commit: Commit | None) -> Document | None:
    if commit is None or not commit.id:
        return None
    at = moment(commit.at) if commit.at else None
    return {"id": commit.id, "author": commit.author, "at": at, "summary": commit.summary}


def _attempt(attempt: Attempt | None) -> Document | None:
    if attempt is None:
        return None
    return {
        "run": attempt.run,
        "request_id": attempt.request_id,
        "outcome": attempt.ending,
        "reason": attempt.reason,
        "sent_at": moment(attempt.at),
        "settled_at": moment(attempt.settled_at) if attempt.settled_at else None,
    }
