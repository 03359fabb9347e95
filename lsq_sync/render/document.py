"""The JSON documents of the contract: values in, plain data out; sensitive values masked."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from lsq_sync.core import accepting
from lsq_sync.core.answers import QueueMetrics
from lsq_sync.core.blame import Suspect
from lsq_sync.core.budget import Budget
from lsq_sync.core.change import Action, Change, FieldChange, Plan
from lsq_sync.core.checks import Check, State
from lsq_sync.core.drift import Drift
from lsq_sync.core.importing import Report
from lsq_sync.core.model import MASK, Account, FieldRule
from lsq_sync.core.moment import moment
from lsq_sync.core.provenance import Attempt, Commit, Explained, Reason
from lsq_sync.core.result import UpdateResult, summary
from lsq_sync.core.safety import Refusal
from lsq_sync.core.state import NOTE, FinalRequest, OpenRequest
from lsq_sync.core.type_change import FieldTurn, PulledType, Turn
from lsq_sync.core.values import ABSENT, Absent, Value
from lsq_sync.errors import Diagnostic, LsqSyncError, Origin, RefusedError
from lsq_sync.render.escape import escaped_in_json

Document = dict[str, Any]

PLAN_FORMAT = "lsq-sync/plan/v1"


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


# --- plan


def plan_document(
    plan: Plan,
    cost: Budget,
    refusals: Iterable[Refusal],
    created_at: datetime,
    *,
    show_unchanged: bool = False,
) -> Document:
    """What `plan --format json` prints and `plan --out` keeps."""
    shown = (c for c in plan.changes if show_unchanged or c.action is not Action.UNCHANGED)
    return {
        "format": PLAN_FORMAT,
        "id": plan.id,
        "created_at": moment(created_at),
        "account": plan.account.name,
        "async_host": plan.account.async_host,
        "refreshed": plan.refreshed,
        "summary": plan.summary,
        "budget": asdict(cost),
        "refusals": [asdict(refusal) for refusal in refusals],
        "opportunities": [_change(change) for change in shown],
    }


def _change(change: Change) -> Document:
    fields = [part for part in change.fields if part.name != NOTE]
    notes = [part for part in change.fields if part.name == NOTE]
    return {
        "id": change.key,
        "type": change.type,
        "label": change.label,
        "action": change.action.value,
        "reason": change.reason,
        "source": _source(change.origin),
        "base": change.base,
        "desired": change.desired,
        "fields": [_field(part) for part in fields if _is_shown(part)],
        "note": next((_note(part) for part in notes if _is_shown(part)), None),
    }


def _is_shown(part: FieldChange) -> bool:
    return part.action is not Action.UNCHANGED


def _field(part: FieldChange) -> Document:
    content = {
        "name": part.name,
        "title": part.rule.title,
        "action": part.action.value,
        **_values(part),
        "source": _source(part.origin),
    }
    return {**content, "companion": True} if part.companion else content


def _note(part: FieldChange) -> Document:
    return {"action": part.action.value, **_values(part), "source": _source(part.origin)}


def _values(part: FieldChange) -> Document:
    return {
        "before": masked(part.before, part.rule),
        "after": masked(part.after, part.rule),
        "live": None if part.live is ABSENT else masked(part.live, part.rule),
        "known": part.known,
    }


def masked(value: Value, rule: FieldRule) -> Value:
    """The value, or the mask where its field is sensitive and holds one."""
    return MASK if rule.sensitive and value else value


def _source(origin: Origin | None) -> Document | None:
    return {"file": origin.file, "line": origin.line} if origin else None


# --- drift


def drift_document(account: Account, drift: Drift, created_at: datetime) -> Document:
    """What `drift --format json` prints: rows as in the plan."""
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
        "opportunities": [
            *({**_change(row), "missing": False} for row in drift.rows),
            *({**_change(row), "missing": True} for row in drift.missing),
        ],
        "unread": list(drift.unread),
    }


# --- accept


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
                "source": _source(one.origin),
                "fields": [_taken(taken) for taken in one.taken],
            }
            for one in report.accepted
        ],
        "refused": [
            {"id": one.key, "name": one.name, "reason": one.why, "source": _source(one.origin)}
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
        "source": _source(taken.origin),
    }


# --- import


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


# --- results


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
        "opportunities": [_result(result) for result in listed],
        "left": [_left(change) for change in left],
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
        "source": _source(result.origin),
        "culprit": _suspect(result.culprit),
    }


def _suspect(culprit: Suspect | None) -> Document | None:
    """The field that a rejection is about, and its line."""
    if culprit is None:
        return None
    return {
        "name": culprit.name,
        "title": culprit.title,
        "source": _source(culprit.origin),
    }


def _left(change: Change) -> Document:
    return {
        "id": change.key,
        "action": change.action.value,
        "reason": change.reason,
        "source": _source(change.origin),
    }


# --- the others


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


def metrics_document(metrics: QueueMetrics) -> Document:
    """The CRM's queue."""
    return {"format": "lsq-sync/metrics/v1", **asdict(metrics)}


def state_document(account: Account | None, entries: Mapping[str, Document]) -> Document:
    """What is recorded; `entries` are already in their JSON form."""
    known = {key: value for key, value in asdict(account).items() if value} if account else {}
    return {"format": "lsq-sync/state/v1", "account": known, "opportunities": dict(entries)}


def masked_entry(content: Document, rules: Mapping[str, FieldRule]) -> Document:
    """The JSON form of an entry with the values of sensitive fields masked, wherever they stand."""
    sensitive = {name for name, rule in rules.items() if rule.sensitive}
    return _masked(content, sensitive) if sensitive else content


def _masked(content: Document, sensitive: set[str]) -> Document:
    """Every mapping from field names to values in it, and in what it holds."""
    masked_content = {}
    for key, value in content.items():
        mask = _hidden if key in _OF_VALUES else _masked
        masked_content[key] = mask(value, sensitive) if isinstance(value, dict) else value
    return masked_content


_OF_VALUES = ("fields", "before", "values")


def _hidden(fields: Mapping[str, Value], sensitive: set[str]) -> dict[str, Value]:
    return {name: MASK if name in sensitive and value else value for name, value in fields.items()}


# --- repairs of the state


def forgotten_document(
    key: str, values: int, request: OpenRequest | None, kept: OpenRequest | None
) -> Document:
    """What `state forget --format json` prints."""
    return {
        "format": "lsq-sync/state/v1",
        "forgotten": {
            "id": key,
            "values": values,
            "request": request and {"id": request.request_id, "run": request.run},
            "still_open": kept and {"id": kept.request_id, "run": kept.run},
        },
    }


def merged_document(count: int | None, decisions: Iterable[tuple[str, str]]) -> Document:
    """What `state merge --format json` prints; `count` is None where there was no conflict."""
    return {
        "format": "lsq-sync/state/v1",
        "merged": count is not None,
        "count": count or 0,
        "decisions": [{"id": key, "why": why} for key, why in decisions],
    }


# --- why


def why_document(explained: Explained) -> Document:
    """What `why --format json` prints."""
    return {
        "format": "lsq-sync/why/v1",
        "id": explained.key,
        "type": explained.type,
        "label": explained.label,
        "guid": explained.guid,
        "source": _source(explained.origin),
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
        "source": _source(reason.origin),
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


# --- checks


def doctor_document(examined: Iterable[Check]) -> Document:
    """What `doctor --format json` prints."""
    listed = list(examined)
    return {
        "format": "lsq-sync/doctor/v1",
        "summary": {state.value: sum(one.state is state for one in listed) for state in State},
        "checks": [asdict(one) for one in listed],
    }
