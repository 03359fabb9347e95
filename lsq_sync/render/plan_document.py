"""What `plan --format json` prints and a plan file keeps."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from lsq_sync.core.budget import Budget
from lsq_sync.core.change import Action, Change, FieldChange, Plan
from lsq_sync.core.moment import moment
from lsq_sync.core.safety import Refusal
from lsq_sync.core.state import NOTE
from lsq_sync.core.values import ABSENT
from lsq_sync.render.document import Document, Rows, masked, source

PLAN_FORMAT = "lsq-sync/plan/v1"


def plan_document(
    plan: Plan,
    cost: Budget,
    refusals: Iterable[Refusal],
    created_at: datetime,
    *,
    show_unchanged: bool = False,
) -> Document:
    """What `plan --format json` prints and `plan --out` keeps."""
    shown = [c for c in plan.changes if show_unchanged or c.action is not Action.UNCHANGED]
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
        "opportunities": Rows(shown, change_row),
    }


def change_row(change: Change) -> Document:
    """One opportunity of a plan, or of what has drifted."""
    shown = [part for part in change.fields if part.action is not Action.UNCHANGED]
    return {
        "id": change.key,
        "type": change.type,
        "label": change.label,
        "action": change.action.value,
        "reason": change.reason,
        "source": source(change.origin),
        "base": change.base,
        "desired": change.desired,
        "fields": [_field(part) for part in shown if part.name != NOTE],
        "note": next((_note(part) for part in shown if part.name == NOTE), None),
    }


def _field(part: FieldChange) -> Document:
    content = {"name": part.name, "title": part.rule.title, **_note(part)}
    return {**content, "companion": True} if part.companion else content


def _note(part: FieldChange) -> Document:
    return {
        "action": part.action.value,
        "before": masked(part.before, part.rule),
        "after": masked(part.after, part.rule),
        "live": None if part.live is ABSENT else masked(part.live, part.rule),
        "known": part.known,
        "source": source(part.origin),
    }
