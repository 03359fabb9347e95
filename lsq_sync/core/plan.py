"""Desired against recorded (against live) -> the plan: the table of actions, and nothing else."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lsq_sync.core.change import Action, Change, FieldChange, Plan, payload_of
from lsq_sync.core.lazy import LazyTuple
from lsq_sync.core.model import (
    UNTYPED,
    Account,
    DesiredField,
    DesiredOpportunity,
    FieldRule,
    LiveOpportunity,
)
from lsq_sync.core.moment import moment
from lsq_sync.core.state import (
    NOTE,
    NOTHING,
    READ_LAG,
    Entry,
    OpenRequest,
    Outcome,
    Recorded,
    Replaced,
    value_of,
)
from lsq_sync.core.values import (
    ABSENT,
    Absent,
    DataType,
    Value,
    ValueRules,
    from_live,
    same,
    same_as_live,
)
from lsq_sync.errors import Origin

NOTE_RULE = FieldRule(title="Note")


@dataclass(frozen=True, slots=True)
class PlanRules:
    """What a plan depends on besides its three inputs. `overwrite` turns a conflict into an
    update: somebody's change in the CRM is written over on purpose."""

    now: datetime
    late_window: timedelta = timedelta(hours=12)
    values: ValueRules = field(default_factory=ValueRules)
    retry_rejected: bool = False
    resend_unknown: bool = False
    overwrite: bool = False
    types: Mapping[str, Mapping[str, FieldRule]] = field(default_factory=dict)


def make_plan(
    account: Account,
    desired: Iterable[DesiredOpportunity],
    recorded: Recorded,
    live: Mapping[str, LiveOpportunity] | None,
    rules: PlanRules,
    *,
    lists_untouched: bool = True,
) -> Plan:
    """The plan. `live` is None when the CRM was not asked; then those that are as they were
    recorded are only counted, unless `lists_untouched`.

    Releases every recorded opportunity that `desired` does not have: whoever plans a part of the
    specs narrows `recorded` too (`core/selection.py`).
    """
    every, entries = tuple(desired), recorded.entries
    lists_all = lists_untouched or live is not None
    listed = every if lists_all else [one for one in every if not is_untouched(one, entries)]
    changes = [
        _plan_one(one, entries.get(one.key), live.get(one.key) if live else None, rules)
        for one in sorted(listed, key=lambda one: (one.origin, one.key))
    ]
    keys = {one.key for one in every}
    gone = ((key, entry) for key, entry in entries.items() if key not in keys)
    changes += [
        change for key, entry in sorted(gone) if (change := _release_all(key, entry, rules))
    ]
    return Plan(account, tuple(changes), live is not None, untouched=len(every) - len(listed))


# --- one opportunity


def _plan_one(
    one: DesiredOpportunity,
    entry: Entry | None,
    live: LiveOpportunity | None,
    rules: PlanRules,
) -> Change:
    entry = entry or NOTHING
    if live is None and _is_as_recorded(one, entry):
        untouched = _Untouched(one, entry, rules)
        return _change(one, entry, Action.UNCHANGED, untouched)
    parts, held_by = _parts(one, entry, live, rules)
    action = _gravest({part.action for part in parts})
    reason = _reason(action, parts, entry, held_by, live, rules) or _missing(live)
    return _change(one, entry, action, tuple(parts), reason)


def is_untouched(one: DesiredOpportunity, entries: Mapping[str, Entry]) -> bool:
    """Whether it is recorded, and is as it was recorded."""
    entry = entries.get(one.key)
    return entry is not None and _is_as_recorded(one, entry)


def _is_as_recorded(one: DesiredOpportunity, entry: Entry) -> bool:
    """Whether every value is, letter by letter, what is recorded, and nothing is on its way.

    Values are text or None, so that equal ones are the same.
    """
    note = one.note.value if one.note else ABSENT
    return entry.pending is None and entry.note == note and entry.fields == one.values


class _Untouched(LazyTuple[FieldChange]):
    """The fields of an opportunity that is as it was recorded: few want to see them."""

    __slots__ = ("_entry", "_one", "_rules")

    def __init__(self, one: DesiredOpportunity, entry: Entry, rules: PlanRules) -> None:
        super().__init__()
        self._one, self._entry, self._rules = one, entry, rules

    def make(self) -> Iterable[FieldChange]:
        return _parts(self._one, self._entry, None, self._rules)[0]


def _change(
    one: DesiredOpportunity,
    entry: Entry,
    action: Action,
    fields: Sequence[FieldChange],
    reason: str = "",
) -> Change:
    return Change(one.key, action, fields, entry, one, reason, one.type, one.label, one.origin)


def _parts(
    one: DesiredOpportunity, entry: Entry, live: LiveOpportunity | None, rules: PlanRules
) -> tuple[list[FieldChange], OpenRequest | None]:
    """What happens to each field, and the request that may still land."""
    held_by = open_request(entry, rules)
    parts = [_plan_field(want, entry, held_by, live, rules) for want in wanted_fields(one)]
    parts += _companions(one, parts, live, rules)
    if not rules.retry_rejected and _was_rejected(parts, entry):
        parts = [_turned(part, Action.UPDATE, Action.REJECTED) for part in parts]
    parts += _releases(one, entry, held_by, rules)
    return parts, held_by


def _gravest(actions: Iterable[Action]) -> Action:
    return min(actions, key=lambda action: action.gravity, default=Action.UNCHANGED)


def wanted_fields(one: DesiredOpportunity) -> Iterator[DesiredField]:
    """All that the specs manage of it: the fields, and the note under its own name."""
    yield from one.each_field()
    if one.note:
        yield DesiredField(NOTE, one.note.value, one.note.origin, NOTE_RULE)


def open_request(entry: Entry, rules: PlanRules) -> OpenRequest | None:
    """The request that may still land; an unknown one steps aside when it is to be resent."""
    opened = entry.pending
    if opened is None or rules.now >= opened.may_land_until(rules.late_window):
        return None
    if rules.resend_unknown and opened.request_id is None and not opened.seen:
        return None
    return opened


def carried_value(opened: OpenRequest | None, name: str) -> Value | Absent:
    """What an open request changes a name to; ABSENT where it does not, or there is none."""
    return value_of(opened.payload, name) if opened else ABSENT


def _live_value(
    live: LiveOpportunity | None, name: str, rule: FieldRule, rules: PlanRules
) -> Value | Absent:
    """In canonical form, as all that is compared, shown and sent."""
    if live is None:
        return ABSENT
    seen = value_of(live, name)
    return seen if seen is ABSENT else from_live(rule.data_type, seen, rules.values)


def _plan_field(
    want: DesiredField,
    entry: Entry,
    held_by: OpenRequest | None,
    live: LiveOpportunity | None,
    rules: PlanRules,
) -> FieldChange:
    name, wanted, origin, rule = want
    was = value_of(entry, name)
    now = _live_value(live, name, rule, rules) if live else ABSENT
    if held_by:
        action = _against_open(want, was, carried_value(held_by, name), held_by, rules)
    elif now is ABSENT:
        may_be = carried_value(entry.pending, name)
        action = _against_recorded(want, was, may_be, rules)
    else:
        action = _against_live(want, was, now, entry.replaced, rules)
    seen = was if was is not ABSENT else now
    before, known = (None, False) if seen is ABSENT else (seen, True)
    recorded = was is not ABSENT
    return FieldChange(name, action, before, wanted, known, rule, origin, now, recorded)


def _agrees(want: DesiredField, value: Value | Absent, rules: PlanRules) -> bool:
    if value is ABSENT:
        return False
    return same(want.rule.data_type, value, want.value, rules.values)


def _against_recorded(
    want: DesiredField, was: Value | Absent, may_be: Value | Absent, rules: PlanRules
) -> Action:
    """`may_be` was sent, and nobody will ever know whether it landed over what is recorded."""
    if may_be is not ABSENT and not _agrees(want, may_be, rules):
        return Action.UPDATE
    return Action.UNCHANGED if _agrees(want, was, rules) else Action.UPDATE


def _against_open(
    want: DesiredField,
    was: Value | Absent,
    carried: Value | Absent,
    held_by: OpenRequest,
    rules: PlanRules,
) -> Action:
    """Recorded overlaid by the open payload: what it carries counts, not what it replaces."""
    if carried is not ABSENT:
        if not _agrees(want, carried, rules):
            return Action.HELD
        return Action.UNCHANGED if held_by.seen else Action.PENDING
    return Action.UNCHANGED if _agrees(want, was, rules) else Action.HELD


def _against_live(
    want: DesiredField, was: Value | Absent, now: Value, replaced: Replaced | None, rules: PlanRules
) -> Action:
    kind = want.rule.data_type
    if was is not ABSENT and is_read_lag(want.name, kind, was, now, replaced, rules):
        return _against_recorded(want, was, ABSENT, rules)
    if same_as_live(kind, now, want.value, rules.values):
        return Action.UNCHANGED if _agrees(want, was, rules) else Action.ADOPT
    if was is ABSENT or same_as_live(kind, now, was, rules.values):
        return Action.UPDATE
    return Action.UPDATE if rules.overwrite else Action.CONFLICT


def is_read_lag(
    name: str,
    kind: DataType,
    was: Value,
    now: Value,
    replaced: Replaced | None,
    rules: PlanRules,
) -> bool:
    """Whether the read still shows what our last write replaced; any other value is news."""
    if replaced is None or rules.now - replaced.at >= READ_LAG or name not in replaced.values:
        return False
    old = replaced.values[name]
    return same_as_live(kind, now, old, rules.values) and not same(kind, was, old, rules.values)


def _was_rejected(parts: Iterable[FieldChange], entry: Entry) -> bool:
    """Exactly this was refused before (a refusal for the rate limit has no digest)."""
    request = entry.request
    if request is None or request.outcome is not Outcome.REJECTED:
        return False
    sent = payload_of(parts, Action.UPDATE)
    return bool(sent.names) and request.digest == sent.digest


def _turned(part: FieldChange, old: Action, new: Action) -> FieldChange:
    return part._replace(action=new) if part.action is old else part


def _companions(
    one: DesiredOpportunity,
    parts: list[FieldChange],
    live: LiveOpportunity | None,
    rules: PlanRules,
) -> list[FieldChange]:
    """Fields that the CRM wants along with a change, where a value for them is known.

    That is what the specs want, else what the CRM says now; never what it held once.
    """
    sent = [part for part in parts if part.action is Action.UPDATE]
    asked = dict.fromkeys(name for part in sent for name in part.rule.send_with)
    if not asked:
        return []
    names = {part.name for part in sent}
    managed = {want.name: want for want in one.fields}
    found = []
    for name in asked:
        if name in names:
            continue
        rule = _rule(one.type, name, rules)
        want = managed.get(name)
        value = want.value if want else _live_value(live, name, rule, rules)
        if value is not ABSENT:
            found.append(_companion(name, value, rule, want.origin if want else None))
    return found


def _companion(name: str, value: Value, rule: FieldRule, origin: Origin | None) -> FieldChange:
    return FieldChange(
        name,
        Action.UPDATE,
        before=value,
        after=value,
        known=True,
        rule=rule,
        origin=origin,
        companion=True,
    )


# --- releases


def _releases(
    one: DesiredOpportunity, entry: Entry, held_by: OpenRequest | None, rules: PlanRules
) -> list[FieldChange]:
    known = _releasable(entry, held_by)
    managed = {*one.values, NOTE} if one.note else one.values.keys()
    given_up = known.keys() - managed
    return [_release(name, known[name], _rule(one.type, name, rules)) for name in sorted(given_up)]


def _rule(type_name: str, name: str, rules: PlanRules) -> FieldRule:
    if name == NOTE:
        return NOTE_RULE
    return rules.types.get(type_name, {}).get(name, UNTYPED)


def _release(name: str, value: Value, rule: FieldRule) -> FieldChange:
    return FieldChange(name, Action.RELEASE, before=value, after=None, known=True, rule=rule)


def _releasable(entry: Entry, opened: OpenRequest | None) -> dict[str, Value]:
    """What the lock knows or would know once the open request succeeds."""
    known: dict[str, Value] = {}
    if opened:
        carried = opened.payload.without(opened.released)
        known.update(_with_note(carried.fields, carried.note))
    known.update(_with_note(entry.fields, entry.note))
    return known


def _with_note(fields: Mapping[str, Value], note: Value | Absent) -> dict[str, Value]:
    return dict(fields) if note is ABSENT else {**fields, NOTE: note}


def _release_all(key: str, entry: Entry, rules: PlanRules) -> Change | None:
    """None when all that is left of it is a request whose names were released before."""
    names = _releasable(entry, entry.pending)
    if not names and entry.request is None and entry.pending is not None:
        return None
    waits = ", the open request stays known until it is final" if entry.pending else ""
    return Change(
        key=key,
        action=Action.RELEASE,
        fields=tuple(
            _release(name, value, _rule(entry.type, name, rules))
            for name, value in sorted(names.items())
        ),
        entry=entry,
        reason=f"no spec has it any more{waits}",
        type=entry.type,
    )


# --- reasons


def _reason(
    action: Action,
    parts: Iterable[FieldChange],
    entry: Entry,
    held_by: OpenRequest | None,
    live: LiveOpportunity | None,
    rules: PlanRules,
) -> str:
    """Plain words for people. No ages, only moments: the same inputs give the same bytes."""
    if action is Action.CONFLICT:
        return changed_in_crm((part for part in parts if part.action is action), live)
    if action is Action.HELD and held_by:
        return f"{_waiting(held_by, rules)}; it may still land, so other values wait for it"
    if action is Action.PENDING and held_by:
        return f"on its way: {_waiting(held_by, rules)}"
    if action is Action.REJECTED and entry.request:
        when = moment(entry.request.settled_at)
        return f"the CRM rejected exactly this on {when}: {entry.request.reason}"
    if action is Action.UPDATE and entry.pending:
        return _given_up(entry.pending, rules)
    if action is Action.RELEASE:
        return "no longer in the specs: the lock forgets it, nothing is sent"
    return ""


def changed_in_crm(parts: Iterable[FieldChange], live: LiveOpportunity | None) -> str:
    """What somebody has changed, and who and when, if the CRM said."""
    names = ", ".join(part.name for part in parts)
    edit = live.last_edit if live else ""
    return f"changed in the CRM since it was recorded: {names}{edit}"


def _missing(live: LiveOpportunity | None) -> str:
    if live is None or not live.missing:
        return ""
    return "the CRM does not show it: deleted, of another type, or out of reach of the keys' user"


def _waiting(opened: OpenRequest, rules: PlanRules) -> str:
    until = moment(opened.may_land_until(rules.late_window))
    if opened.request_id is None:
        return f"an update sent {moment(opened.sent_at)} got no answer (open until {until})"
    verdict = "seen in the CRM, no verdict yet" if opened.seen else "no verdict yet"
    return f"request {opened.request_id} of {moment(opened.sent_at)}, {verdict} (until {until})"


def _given_up(opened: OpenRequest, rules: PlanRules) -> str:
    what = f"request {opened.request_id}" if opened.request_id else "an update without an answer"
    if rules.now < opened.may_land_until(rules.late_window):
        return f"{what}, sent {moment(opened.sent_at)}, is sent again because you asked"
    hours = rules.late_window.total_seconds() / 3600
    return f"{what}, sent {moment(opened.sent_at)}, got no verdict within {hours:g} hours"
