"""A plan as a review document: for somebody who decides whether it may run."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from lsq_sync.core.budget import Budget, RateLimit
from lsq_sync.core.change import Action, Change, FieldChange, Plan
from lsq_sync.core.moment import moment
from lsq_sync.core.safety import Refusal
from lsq_sync.core.values import ABSENT
from lsq_sync.render.document import masked
from lsq_sync.render.escape import visible
from lsq_sync.render.lines import plain
from lsq_sync.render.parts import field_words
from lsq_sync.render.plan_text import ACTION_WORDS, cost_line, headline
from lsq_sync.render.report import (
    Bars,
    Cell,
    Count,
    Danger,
    Group,
    Listed,
    Report,
    Row,
    Tone,
    Value,
    bars,
    present,
)
from lsq_sync.render.words import counted

TONES = {
    Action.UPDATE: Tone.CHANGED,
    Action.CONFLICT: Tone.BAD,
    Action.HELD: Tone.CARE,
    Action.REJECTED: Tone.BAD,
    Action.ADOPT: Tone.GOOD,
}
_BIG_SHARE = 50
_LEAST_POPULATION = 10
"""A plan that updates more than half of at least so many opportunities is told of."""


def plan_report(
    plan: Plan, cost: Budget, limit: RateLimit, refusals: tuple[Refusal, ...], made_at: datetime
) -> Report:
    """What is shown of a plan; opportunities with nothing to do are only counted."""
    mark, found = plan.id, plan.summary
    changes = [change for change in plan.changes if change.action is not Action.UNCHANGED]
    against = "what the CRM says now" if plan.refreshed else "what was last recorded"
    return Report(
        kind="plan",
        mark=f"plan={mark}",
        title=f"Plan for {visible(plan.account.name)}",
        headline=headline(plan),
        counts=_counts(found),
        dangers=tuple(_dangers(plan, found, refusals)),
        charts=charts(changes),
        rows=Listed(changes, group_of, row_of).by_group(),
        facts=(*_facts(plan, cost, limit, against, made_at), f"Plan {mark}"),
        command=f"lsq-sync apply --expect {mark}" if plan.moves_anything else "",
        again="lsq-sync plan",
    )


def charts(changes: Sequence[Change]) -> tuple[Bars, ...]:
    """How many opportunities each field, file and type has changes of."""
    fields = (
        field_words(part.name, part.rule.title) for change in changes for part in _shown(change)
    )
    files = (visible(change.origin.file) for change in changes if change.origin)
    types = (visible(change.type) for change in changes)
    return (bars("By field", fields), bars("By file", files), bars("By type", types))


def group_of(change: Change) -> Group:
    """What it is listed under."""
    return visible(change.type), visible(change.origin.file) if change.origin else ""


def row_of(change: Change) -> Row:
    """A change with what happens to its fields."""
    section, file = group_of(change)
    return Row(
        key=visible(change.key),
        label=visible(change.label),
        type=visible(change.type),
        section=section,
        file=file,
        line=change.origin.line if change.origin else 0,
        word=ACTION_WORDS[change.action],
        tone=TONES.get(change.action, Tone.PLAIN),
        reason=visible(change.reason),
        cells=tuple(map(_cell, _shown(change))),
    )


def _shown(change: Change) -> Iterator[FieldChange]:
    return (part for part in change.fields if part.action is not Action.UNCHANGED)


def _cell(part: FieldChange) -> Cell:
    word, tone = _what_happens(part)
    return Cell(
        name=visible(part.name),
        title=visible(part.rule.title),
        word=word,
        tone=tone,
        before=value_of(part, part.before) if part.known else Value(None, known=False),
        after=None if part.action is Action.RELEASE else value_of(part, part.after),
        remark="; ".join(_remarks(part)),
        line=part.origin.line if part.origin else 0,
    )


def value_of(part: FieldChange, value: str | None) -> Value:
    """A value of the field as it may be shown."""
    shown = masked(value, part.rule)
    return Value(None if shown is None else visible(shown))


def _what_happens(part: FieldChange) -> tuple[str, Tone]:
    if part.action is not Action.UPDATE:
        return ACTION_WORDS[part.action], TONES.get(part.action, Tone.PLAIN)
    if part.after is None:
        return "to clear", Tone.BAD
    return ("to fill", Tone.GOOD) if part.known and part.before is None else ("", Tone.CHANGED)


def _remarks(part: FieldChange) -> Iterator[str]:
    if part.companion:
        yield "sent along, because the CRM wants it with another field"
    if part.action is Action.RELEASE:
        yield "stays in the CRM, no longer managed"
    elif part.live is not ABSENT and (part.live or None) != part.before:
        yield f"the CRM has {value_of(part, part.live or None).text or '(empty)'} now"
    elif part.overwrites:
        yield "the lock does not know the value that the CRM has"


def _counts(found: Mapping[str, int]) -> tuple[Count, ...]:
    order = (Action.UPDATE, *(action for action in Action if action is not Action.UPDATE))
    actions = [
        Count(ACTION_WORDS[action], found[action], TONES.get(action, Tone.PLAIN))
        for action in order
    ]
    written = [
        Count("fields written", found["fields"]),
        Count("values cleared", found["clears"], Tone.BAD),
        Count("values of the CRM written over", found["overwrites"], Tone.BAD),
    ]
    return present([actions[0], *written, *actions[1:]])


def _dangers(
    plan: Plan, found: Mapping[str, int], refusals: tuple[Refusal, ...]
) -> Iterator[Danger]:
    for refusal in refusals:
        text = f"{visible(refusal.message)} ({refusal.ways})."
        yield Danger("apply will refuse", text, Tone.BAD)
    if count := found[Action.CONFLICT]:
        text = f"somebody changed {counted(count, 'opportunity')} in the CRM since the last apply."
        yield Danger("Conflicts", text, Tone.BAD)
    yield from _values_lost(plan, found)
    if count := found[Action.REJECTED]:
        text = f"the CRM refused exactly this before for {counted(count, 'opportunity')}."
        yield Danger("Rejected before", text, Tone.BAD)
    yield from _big_share(plan)
    if count := found[Action.HELD]:
        text = f"requests without a verdict hold back {counted(count, 'opportunity')}."
        yield Danger("Held", text)


def _values_lost(plan: Plan, found: Mapping[str, int]) -> Iterator[Danger]:
    parts = [part for change in plan.updates for part in change.fields]
    if found["clears"]:
        cleared = {
            field_words(part.name, part.rule.title)
            for part in parts
            if part.action is Action.UPDATE and part.after is None and not part.companion
        }
        text = f"{counted(found['clears'], 'value')} will be emptied: {', '.join(sorted(cleared))}."
        yield Danger("Clears", text, Tone.BAD)
    if found["overwrites"]:
        text = f"{counted(found['overwrites'], 'value')} in the CRM that the lock knows nothing of "
        yield Danger("Overwrites", f"{text}will be written over.", Tone.BAD)
    unknown = sum(part.action is Action.UPDATE and not part.known for part in parts)
    if unknown:
        text = f"nobody knows here what {counted(unknown, 'value')} will replace; apply reads the "
        yield Danger("Not recorded yet", f"{text}CRM before it sends, where account.host is set.")


def _big_share(plan: Plan) -> Iterator[Danger]:
    population, updates = plan.population, len(plan.updates)
    if population >= _LEAST_POPULATION and 100 * updates > _BIG_SHARE * population:
        share = f"{updates:,} of {population:,} opportunities ({100 * updates / population:.0f} %)"
        yield Danger("A large share", f"the plan updates {share}.")


def _facts(
    plan: Plan, cost: Budget, limit: RateLimit, against: str, made_at: datetime
) -> Iterator[str]:
    yield f"The specs against {against}, at {moment(made_at)}."
    if plan.updates:
        yield plain([cost_line(cost, limit)]).strip()
