"""The JSON documents of what is read from the CRM: `drift`, `accept`, `import`."""

from dataclasses import asdict
from datetime import datetime

from lsq_sync.core import accepting
from lsq_sync.core.change import Change
from lsq_sync.core.drift import Drift
from lsq_sync.core.importing import Report
from lsq_sync.core.model import Account
from lsq_sync.core.moment import moment
from lsq_sync.render.document import Document, Rows, masked, source
from lsq_sync.render.plan_document import change_row


def drift_document(account: Account, drift: Drift, created_at: datetime) -> Document:
    """What `drift --format json` prints: rows as in the plan."""
    missing = {change.key for change in drift.missing}

    def row(change: Change) -> Document:
        return {**change_row(change), "missing": change.key in missing}

    return {
        "format": "lsq-sync/drift/v1",
        "created_at": moment(created_at),
        "account": account.name,
        "summary": {
            "checked": drift.checked,
            "opportunities": len(drift.rows),
            "fields": drift.fields,
            "missing": len(drift.missing),
            "unread": len(drift.unread),
        },
        "groups": [asdict(group) for group in drift.groups],
        "opportunities": Rows((*drift.rows, *drift.missing), row),
        "unread": list(drift.unread),
    }


def accept_document(report: accepting.Report) -> Document:
    """What `accept --format json` prints."""
    return {
        "format": "lsq-sync/accept/v1",
        "summary": {
            "opportunities": len(report.accepted),
            "fields": sum(len(one.taken) for one in report.accepted),
            "refused": len(report.kept),
            "missing": len(report.missing),
            "ahead": report.ahead,
        },
        "files": list(report.files),
        "opportunities": [
            {
                "id": one.key,
                "type": one.type,
                "label": one.label,
                "source": source(one.origin),
                "fields": [_taken(taken) for taken in one.taken],
            }
            for one in report.accepted
        ],
        "refused": [
            {"id": one.key, "name": one.name, "reason": one.why, "source": source(one.origin)}
            for one in report.kept
        ],
        "missing": list(report.missing),
    }


def _taken(taken: accepting.Taken) -> Document:
    return {
        "name": taken.name,
        "title": taken.rule.title,
        "before": masked(taken.before, taken.rule),
        "after": masked(taken.after, taken.rule),
        "in_spec": taken.in_spec,
        "source": source(taken.origin),
    }


def import_document(report: Report) -> Document:
    """What `import --format json` prints; values stand in the spec only."""
    return {
        "format": "lsq-sync/import/v1",
        "file": report.file,
        "new": report.is_new,
        "type": report.type,
        "code": report.code,
        "summary": {
            "imported": len(report.drafts),
            "values": report.values,
            "skipped": len(report.skipped),
            "missing": len(report.missing),
            "left_out": len(report.left_out),
            "unlisted": report.unlisted,
        },
        "calls": dict(report.calls),
        "elapsed_seconds": round(report.elapsed_seconds, 3),
        "opportunities": [
            {"id": draft.key, "label": draft.label, "fields": list(draft.values)}
            for draft in report.drafts
        ],
        "skipped": [{"id": one.key, "reason": one.why} for one in report.skipped],
        "missing": list(report.missing),
        "left_out": [
            {"id": one.key, "name": one.name, "reason": one.why} for one in report.left_out
        ],
        "not_managed": dict(report.not_managed),
    }
