"""Live against recorded: what somebody changed in the CRM behind the lock's back. Pure."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from lsq_sync.core.change import Action, Change, FieldChange, Plan
from lsq_sync.core.model import Live, LiveOpportunity
from lsq_sync.core.plan import PlanRules, carried_value, changed_in_crm, is_read_lag
from lsq_sync.core.state import Entry, Recorded, value_of
from lsq_sync.core.values import ABSENT, Value, same_as_live


@dataclass(frozen=True, slots=True)
class Group:
    """In how many opportunities of a type a field has drifted."""

    type: str
    name: str
    title: str
    opportunities: int


@dataclass(frozen=True, slots=True)
class Drift:
    """What was looked at, what of it has drifted, and what could not be looked at.

    A row is a change with only its drifted fields: `adopt` where the CRM has what the specs want,
    `conflict` where it has something else. `missing` are opportunities that the CRM does not show,
    `unread` such that nothing can be read by: an AutoId whose GUID is not known yet.
    """

    checked: int
    rows: tuple[Change, ...]
    missing: tuple[Change, ...]
    unread: tuple[str, ...]

    @property
    def found(self) -> bool:
        """Whether there is any."""
        return bool(self.rows or self.missing)

    @property
    def fields(self) -> int:
        """How many values have drifted."""
        return sum(len(row.fields) for row in self.rows)

    @property
    def groups(self) -> tuple[Group, ...]:
        """By type and field, the most frequent first."""
        titles = {
            (row.type, part.name): part.rule.title for row in self.rows for part in row.fields
        }
        counts = Counter((row.type, part.name) for row in self.rows for part in row.fields)
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Group(*key, titles[key], count) for key, count in ranked)


def drift_of(plan: Plan, recorded: Recorded, live: Live, rules: PlanRules) -> Drift:
    """The drift of everything in a plan that was made with these live values.

    A value that an open request carries, or that a read still shows from before our own write, is
    none.
    """
    managed = [change for change in plan.changes if change.origin]
    rows, missing = [], []
    for change in managed:
        entry = recorded.entries.get(change.key) or Entry()
        seen = live.get(change.key)
        if seen is not None and seen.missing:
            missing.append(change._replace(action=Action.CONFLICT, fields=()))
        elif seen is not None and (parts := tuple(_drifted(change, entry, seen, rules))):
            rows.append(_row(change, parts, seen))
    return Drift(
        checked=sum(change.key in live for change in managed),
        rows=tuple(rows),
        missing=tuple(missing),
        unread=tuple(change.key for change in managed if change.key not in live),
    )


def _row(change: Change, parts: tuple[FieldChange, ...], live: LiveOpportunity) -> Change:
    gravest = min((part.action for part in parts), key=lambda action: action.gravity)
    return change._replace(action=gravest, fields=parts, reason=changed_in_crm(parts, live))


def _drifted(
    change: Change, entry: Entry, live: LiveOpportunity, rules: PlanRules
) -> Iterator[FieldChange]:
    for part in change.fields:
        if not part.recorded or part.companion or part.live is ABSENT:
            continue
        seen = value_of(live, part.name)
        if seen is ABSENT or _is_expected(part, seen, entry, rules):
            continue
        wanted = same_as_live(part.rule.data_type, seen, part.after, rules.values)
        yield part._replace(action=Action.ADOPT if wanted else Action.CONFLICT)


def _is_expected(part: FieldChange, seen: Value, entry: Entry, rules: PlanRules) -> bool:
    kind = part.rule.data_type
    if same_as_live(kind, seen, part.before, rules.values):
        return True
    carried = carried_value(entry.pending, part.name)
    if carried is not ABSENT and same_as_live(kind, seen, carried, rules.values):
        return True
    return is_read_lag(part.name, kind, part.before, seen, entry.replaced, rules)
