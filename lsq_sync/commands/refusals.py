"""What `apply` declines to do, and what it tells when the CRM declines: words for people."""

from collections.abc import Iterable

from lsq_sync.core.change import Action, Change, FieldChange, Plan
from lsq_sync.core.model import MASK
from lsq_sync.core.safety import Refusal
from lsq_sync.core.values import ABSENT, Value, shown
from lsq_sync.errors import Diagnostic, Origin, RefusedError


def not_read_back(reason: str) -> str:
    """Updates were sent, and what the CRM shows of them could not be read."""
    return f"what the CRM shows now could not be read back, so nothing is verified by it: {reason}"


def refused_questions(reason: str) -> str:
    """What to tell when the CRM refuses to be asked after outcomes."""
    return (
        f"the CRM refused to be asked after the outcomes: {reason}. The requests stay open; "
        "is api.status_path right, and LSQ_X_API_KEY?"
    )


def not_as_expected(expected: str, plan: Plan) -> RefusedError:
    """It is another plan than the one that was reviewed."""
    return RefusedError(
        f"the plan is {plan.id}, not {expected}: specs or lock moved since it was reviewed",
        code="stale-plan",
        hint="make a new plan, review it, and apply that one:\n\n  lsq-sync plan",
        diagnostics=tuple(
            Diagnostic(change.origin or Origin(""), "planned", f"{change.key}: {change.action}")
            for change in plan.changes
            if change.moves
        ),
    )


def over_the_limit(broken: list[Refusal]) -> RefusedError:
    """It breaks a limit of the settings."""
    return RefusedError(
        "; ".join(f"{refusal.message} ({refusal.ways})" for refusal in broken),
        code=broken[0].code,
        hint="look at the plan; if it is right, allow it by the flag or the setting that is named",
    )


def only_held(held: tuple[Change, ...]) -> RefusedError:
    """There is nothing to send but what must wait."""
    count = f"{len(held)} change{'s' if len(held) > 1 else ''}"
    return RefusedError(
        f"nothing was sent: {count} must wait for requests that are still open",
        code="held",
        hint="ask the CRM again later, then apply:\n\n  lsq-sync status --wait",
        diagnostics=tuple(
            Diagnostic(change.origin or Origin(""), "held", f"{change.key}: {change.reason}")
            for change in held
        ),
    )


def in_conflict(conflicts: Iterable[Change]) -> RefusedError:
    """Somebody changed in the CRM what is about to be written."""
    listed = tuple(conflicts)
    count = f"{len(listed)} opportunit{'y was' if len(listed) == 1 else 'ies were'}"
    return RefusedError(
        f"nothing was sent: {count} changed in the CRM since it was recorded",
        code="conflict",
        hint="look at the values; then take them into the specs, send the rest with "
        "--on-conflict skip, or write over them with --on-conflict overwrite",
        diagnostics=tuple(
            Diagnostic(part.origin or change.origin or Origin(""), "conflict", _clash(change, part))
            for change in listed
            for part in change.fields
            if part.action is Action.CONFLICT
        ),
    )


def _clash(change: Change, part: FieldChange) -> str:
    live = None if part.live is ABSENT else part.live
    recorded, now, wanted = (_told(part, value) for value in (part.before, live, part.after))
    return (
        f"{change.key}: {part.name} was {recorded} when it was recorded, is {now} in the CRM, "
        f"and should be {wanted}"
    )


def _told(part: FieldChange, value: Value) -> str:
    if not value:
        return "empty"
    return MASK if part.rule.sensitive else shown(value)
