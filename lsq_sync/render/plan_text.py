"""A plan as text that reads like a good diff."""

from collections.abc import Iterator

from lsq_sync.core.budget import Budget, RateLimit
from lsq_sync.core.change import Action, Change, FieldChange, Plan
from lsq_sync.core.safety import Refusal
from lsq_sync.core.values import ABSENT
from lsq_sync.render.escape import visible
from lsq_sync.render.lines import BLANK, Line, Piece, Pieces, Style, line, plain
from lsq_sync.render.parts import field_name, field_value, heading
from lsq_sync.render.words import counted, duration

_SIGNS = {
    Action.UPDATE: Piece("~ ", Style.CHANGED),
    Action.CONFLICT: Piece("! ", Style.BAD),
    Action.HELD: Piece("| ", Style.CARE),
    Action.REJECTED: Piece("x ", Style.BAD),
    Action.PENDING: Piece("> ", Style.FAINT),
    Action.ADOPT: Piece("= ", Style.NEW),
    Action.RELEASE: Piece("- ", Style.FAINT),
    Action.UNCHANGED: Piece("  ", Style.FAINT),
}
_CLEARED = Piece("- ", Style.OLD)
_FILLED = Piece("+ ", Style.NEW)

# A large plan has a line for each of very many fields: what they have in common is made once.
_COLON = Piece(": ")
_ARROW = Piece(" → ")
_UNKNOWN = Piece("(not recorded yet)", Style.FAINT)
_CLEAR = Piece("(clear)", Style.OLD)
_SENT_ALONG = Piece("  (sent along)", Style.FAINT)
ACTION_WORDS = {
    Action.UPDATE: "to update",
    Action.CONFLICT: "in conflict",
    Action.HELD: "held",
    Action.REJECTED: "rejected before",
    Action.PENDING: "on the way",
    Action.ADOPT: "to adopt",
    Action.RELEASE: "to release",
    Action.UNCHANGED: "unchanged",
}


def plan_lines(
    plan: Plan,
    cost: Budget,
    limit: RateLimit,
    refusals: tuple[Refusal, ...],
    *,
    show_unchanged: bool = False,
) -> Iterator[Line]:
    """The whole plan: changes, one line that sums up, what it costs, what it breaks."""
    for change in plan.changes:
        if show_unchanged or change.action is not Action.UNCHANGED:
            yield from _change(change)
            yield BLANK
    yield from summary_lines(plan, cost, limit, refusals)


def summary_lines(
    plan: Plan, cost: Budget, limit: RateLimit, refusals: tuple[Refusal, ...]
) -> Iterator[Line]:
    """The plan without its changes, for somebody who has seen them."""
    yield _summary(plan)
    if plan.updates:
        yield cost_line(cost, limit)
    yield from _refusals(refusals)


def _change(change: Change) -> Iterator[Line]:
    sign = _SIGNS[change.action]
    tag = "" if change.action is Action.UPDATE else f"  {ACTION_WORDS[change.action]}"
    head = heading(change.key, change.label, change.type, change.origin)
    yield line(sign, *head, Piece(tag, sign.style))
    if change.reason:
        yield line(Piece(visible(change.reason), Style.FAINT), indent=4)
    for part in change.fields:
        if part.action is not Action.UNCHANGED:
            yield Line(_field(part), indent=4)


def _field(part: FieldChange) -> Pieces:
    render = _RENDER.get(part.action, _before_after)
    along = (_SENT_ALONG,) if part.companion else ()
    place = (Piece(f"  :{part.origin.line}", Style.FAINT),) if part.origin else ()
    name = field_name(part.name, part.rule.title)
    return (_sign(part), *name, _COLON, *render(part), *along, *place)


def _sign(part: FieldChange) -> Piece:
    if part.action is Action.UPDATE and part.after is None:
        return _CLEARED
    if part.action is Action.UPDATE and part.known and part.before is None:
        return _FILLED
    return _SIGNS[part.action]


def _before_after(part: FieldChange) -> Pieces:
    before = field_value(part.before, part.rule, Style.OLD) if part.known else _UNKNOWN
    after = _CLEAR if part.after is None else field_value(part.after, part.rule, Style.NEW)
    return (before, _ARROW, after, *_written_over(part))


def _written_over(part: FieldChange) -> Pieces:
    """What the CRM has and the lock has not, and an update takes away on purpose."""
    if part.live is ABSENT or part.action is not Action.UPDATE or not part.recorded:
        return ()
    live = part.live or None
    if live == part.before:
        return ()
    return (Piece(", over "), field_value(live, part.rule, Style.BAD), Piece(" in the CRM"))


def _only_after(part: FieldChange) -> Pieces:
    return (field_value(part.after, part.rule, Style.PLAIN),)


def _released(part: FieldChange) -> Pieces:
    left = Piece(" stays in the CRM, no longer managed", Style.FAINT)
    return (field_value(part.before, part.rule, Style.FAINT), left)


def _conflict(part: FieldChange) -> Pieces:
    if part.live is ABSENT:
        return _before_after(part)
    live = field_value(part.live, part.rule, Style.BAD)
    return (*_before_after(part), Piece(", the CRM has "), live)


_RENDER = {
    Action.CONFLICT: _conflict,
    Action.PENDING: _only_after,
    Action.ADOPT: _only_after,
    Action.RELEASE: _released,
}


def headline(plan: Plan) -> str:
    """The plan in one sentence."""
    return plain([_summary(plan)]).strip()


def _summary(plan: Plan) -> Line:
    counts = plan.summary
    if not plan.needs_attention and not counts[Action.PENDING]:
        return line(Piece("Nothing to do", Style.GOOD), f": {_unchanged(counts)}.")
    parts = [
        f"{counts[action]:,} {ACTION_WORDS[action]}{_extent(action, counts)}"
        for action in (Action.UPDATE, *_AFTER_UPDATES)
        if counts[action]
    ]
    return line(Piece("Plan", Style.STRONG), f": {', '.join(parts)}.")


_AFTER_UPDATES = (
    Action.CONFLICT,
    Action.HELD,
    Action.REJECTED,
    Action.PENDING,
    Action.ADOPT,
    Action.RELEASE,
    Action.UNCHANGED,
)


def _unchanged(counts: dict[str, int]) -> str:
    number = counts[Action.UNCHANGED]
    if not number:
        return "there is no opportunity to plan"
    return f"{counted(number, 'opportunity')} {'is' if number == 1 else 'are'} as the specs want"


def _extent(action: Action, counts: dict[str, int]) -> str:
    if action is not Action.UPDATE:
        return ""
    parts = [counted(counts["fields"], "field")]
    if counts["clears"]:
        parts.append(counted(counts["clears"], "clear"))
    if counts["overwrites"]:
        parts.append(counted(counts["overwrites"], "overwrite"))
    return f" ({', '.join(parts)})"


def cost_line(cost: Budget, limit: RateLimit) -> Line:
    """How long it takes to send and to settle."""
    sending = f"about {duration(cost.seconds)}" if cost.seconds >= 1 else "less than a second"
    calls = f"{counted(cost.send_calls, 'call')} at {limit.calls} per {limit.seconds:g} s"
    settling = f"about {duration(cost.settle_seconds)} at the CRM's usual rate"
    return line(Piece(f"Sending takes {sending} ({calls}), settling {settling}.", Style.FAINT))


def _refusals(refusals: tuple[Refusal, ...]) -> Iterator[Line]:
    for refusal in refusals:
        message = f": {visible(refusal.message)} ({refusal.ways})"
        yield line(Piece("apply will refuse", Style.CARE), message)
