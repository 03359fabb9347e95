"""What holds for every plan: desired against itself, applied and planned again, in any order."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.core.change import Action, Change, Plan
from lsq_sync.core.events import Accepted, Adopted, Event, Intended, Released, Succeeded, replay
from lsq_sync.core.model import DesiredOpportunity, FieldRule, LiveOpportunity
from lsq_sync.core.plan import PlanRules, make_plan
from lsq_sync.core.state import NOTE, Entry, Outcome, Payload, Recorded, RequestID, RunID
from lsq_sync.core.values import ABSENT, Absent, DataType, Value
from tests.core.support import ACCOUNT, NOW, desired, final, opened, request_id

TYPES: dict[str, Mapping[str, FieldRule]] = {
    "loan": {
        "status": FieldRule(DataType.OPTION, "Status", send_with=("stage", "comment")),
        "stage": FieldRule(DataType.OPTION, "Stage", send_with=("status",)),
        "comment": FieldRule(title="Comment"),
        "size": FieldRule(DataType.NUMBER, "Size"),
        "closes": FieldRule(DataType.DATE_TIME),
        "papers": FieldRule(DataType.OPTIONS),
    }
}
NAMES = tuple(TYPES["loan"])
VALUES: dict[str, list[Value]] = {
    "status": [None, "Open", "Won"],
    "stage": [None, "New", "Done"],
    "comment": [None, "hi"],
    "size": [None, "0", "1", "2.5"],
    "closes": [None, "2026-01-01 00:00:00", "2026-12-31 12:00:00"],
    "papers": [None, "PAN", "PAN;Form 16", "Form 16;PAN"],
}
NOTES: st.SearchStrategy[Value | Absent] = st.sampled_from([ABSENT, None, "text", "other"])
KEYS = ("LN-1", "LN-2", "LN-3")
RULES = PlanRules(NOW, types=TYPES)


@st.composite
def values(draw: st.DrawFn) -> dict[str, Value]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    return {name: draw(st.sampled_from(VALUES[name])) for name in names}


@st.composite
def specs(draw: st.DrawFn) -> tuple[DesiredOpportunity, ...]:
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True))
    return tuple(
        desired(
            draw(values()),
            key=key,
            note=draw(NOTES),
            rules=TYPES["loan"],
            type="loan",
            file=draw(st.sampled_from(["specs/a.yaml", "specs/b.yaml"])),
            line=draw(st.integers(1, 9)),
        )
        for key in keys
    )


@st.composite
def requests(draw: st.DrawFn) -> Payload:
    return Payload(draw(values()) or {"size": "1"}, draw(NOTES))


@st.composite
def entries(draw: st.DrawFn, *, may_be_open: bool) -> Entry:
    entry = Entry("loan", fields=draw(values()), note=draw(NOTES))
    if draw(st.booleans()):
        outcome = draw(st.sampled_from([Outcome.SUCCEEDED, Outcome.REJECTED]))
        entry = entry._replace(request=final(outcome, draw(requests())))
    if may_be_open and draw(st.booleans()):
        number = draw(st.sampled_from([None, 1]))
        pending = opened(draw(requests()), number, seen=draw(st.booleans()))
        entry = entry._replace(pending=pending)
    return entry


@st.composite
def locks(draw: st.DrawFn, *, may_be_open: bool = False) -> Recorded:
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True))
    return Recorded(ACCOUNT, {key: draw(entries(may_be_open=may_be_open)) for key in keys})


@st.composite
def live_records(draw: st.DrawFn) -> dict[str, LiveOpportunity]:
    """The whole of the CRM: every field of every opportunity."""
    return {
        key: LiveOpportunity(
            {name: draw(st.sampled_from(VALUES[name])) for name in NAMES},
            draw(st.sampled_from([None, "text", "other"])),
        )
        for key in KEYS
    }


MAYBE_LIVE = st.none() | live_records()


def planned(
    wanted: tuple[DesiredOpportunity, ...],
    known: Recorded,
    live: Mapping[str, LiveOpportunity] | None = None,
    rules: PlanRules = RULES,
) -> Plan:
    return make_plan(ACCOUNT, wanted, known, live, rules)


# --- desired against itself


@settings(deadline=None)
@given(specs())
def test_desired_against_itself_is_nothing_to_do(wanted: tuple[DesiredOpportunity, ...]) -> None:
    known = Recorded(ACCOUNT, {one.key: as_recorded(one) for one in wanted})
    plan = planned(wanted, known)
    assert {change.action for change in plan.changes} <= {Action.UNCHANGED}
    assert not plan.moves_anything
    assert not plan.needs_attention
    assert plan.id == planned((), Recorded(ACCOUNT)).id


def as_recorded(one: DesiredOpportunity) -> Entry:
    return Entry(one.type, fields=one.values, note=one.note.value if one.note else ABSENT)


@settings(deadline=None)
@given(specs(), locks(may_be_open=True), MAYBE_LIVE, st.integers(0, 2))
def test_what_is_as_recorded_may_only_be_counted(
    wanted: tuple[DesiredOpportunity, ...],
    known: Recorded,
    live: dict[str, LiveOpportunity] | None,
    step: int,
) -> None:
    settled = wanted[::step] if step else ()
    entries = {**known.entries, **{one.key: as_recorded(one) for one in settled}}
    known = replace(known, entries=entries)
    listed = planned(wanted, known, live)
    counted = make_plan(ACCOUNT, wanted, known, live, RULES, lists_untouched=False)
    left = [change for change in listed.changes if change not in counted.changes]
    assert (counted.id, counted.summary) == (listed.id, listed.summary)
    assert counted.untouched == len(left)
    assert {change.action for change in left} <= {Action.UNCHANGED}
    if live is None:
        assert {one.key for one in settled} <= {change.key for change in left}
    else:
        assert counted == listed


# --- applied in memory


@dataclass
class World:
    """The lock and the CRM, and an apply that works."""

    recorded: Recorded
    crm: dict[str, LiveOpportunity]

    def apply(self, plan: Plan, at: datetime) -> None:
        events = [*quiet_events(plan, at)]
        for number, change in enumerate(plan.updates):
            events += update_events(change, at, request_id(number))
            self.write(change)
        after = replay(self.recorded.entries, events)
        self.recorded = replace(self.recorded, entries=after)

    def write(self, change: Change) -> None:
        before = self.crm[change.key]
        sent = {name: value or None for name, value in change.wire_fields.items()}
        assert before.note is not ABSENT
        note = before.note if change.wire_note is None else change.wire_note or None
        self.crm[change.key] = LiveOpportunity({**before.fields, **sent}, note)


def quiet_events(plan: Plan, at: datetime) -> Iterator[Event]:
    for change in plan.changes:
        if change.adopted.names:
            yield Adopted(change.key, at, change.adopted, change.type)
        if change.released or change.forgets_it:
            yield Released(change.key, at, change.released, whole=change.forgets_it)


def update_events(change: Change, at: datetime, asked: RequestID) -> tuple[Event, ...]:
    return (
        Intended(change.key, at, RunID("run-9"), change.payload, change.type),
        Accepted(change.key, at, asked),
        Succeeded(change.key, at, asked),
    )


LATER = timedelta(minutes=1)


@settings(deadline=None)
@given(specs(), locks(), live_records())
def test_planning_after_an_apply_is_nothing_to_do(
    wanted: tuple[DesiredOpportunity, ...],
    known: Recorded,
    crm: dict[str, LiveOpportunity],
) -> None:
    world = World(known, crm)
    rules = replace(RULES, retry_rejected=True)
    world.apply(planned(wanted, known, rules=rules), NOW)
    again = planned(wanted, world.recorded, rules=replace(rules, now=NOW + LATER))
    assert {change.action for change in again.changes} <= {Action.UNCHANGED}
    assert not again.moves_anything
    for one in wanted:
        assert set(world.recorded.entries.get(one.key, Entry()).fields) == set(one.values)


@settings(deadline=None)
@given(specs(), locks(), live_records())
def test_planning_after_an_apply_that_looked_at_the_crm_leaves_only_conflicts(
    wanted: tuple[DesiredOpportunity, ...],
    known: Recorded,
    crm: dict[str, LiveOpportunity],
) -> None:
    world = World(known, dict(crm))
    rules = replace(RULES, retry_rejected=True)
    plan = planned(wanted, known, world.crm, rules)
    world.apply(plan, NOW)
    again = planned(wanted, world.recorded, world.crm, replace(rules, now=NOW + LATER))
    assert not again.moves_anything
    assert {change.action for change in again.changes} <= {Action.UNCHANGED, Action.CONFLICT}
    conflicts = [change.key for change in plan.having(Action.CONFLICT)]
    assert [change.key for change in again.having(Action.CONFLICT)] == conflicts
    for one in wanted:
        if one.key not in conflicts:
            assert (
                planned((one,), world.recorded, world.crm, rules).changes[0].action == "unchanged"
            )


@settings(deadline=None)
@given(specs(), locks(), live_records())
def test_an_apply_changes_nothing_in_the_crm_that_the_specs_do_not_name(
    wanted: tuple[DesiredOpportunity, ...],
    known: Recorded,
    crm: dict[str, LiveOpportunity],
) -> None:
    world = World(known, dict(crm))
    world.apply(planned(wanted, known, crm), NOW)
    for key, live in world.crm.items():
        named = {one.key: one.values for one in wanted}.get(key, {})
        for name in NAMES:
            if name not in named:
                assert live.fields[name] == crm[key].fields[name]


# --- order, places, clocks


@settings(deadline=None)
@given(specs(), locks(may_be_open=True), MAYBE_LIVE)
def test_the_order_of_the_opportunities_does_not_matter(
    wanted: tuple[DesiredOpportunity, ...],
    known: Recorded,
    live: dict[str, LiveOpportunity] | None,
) -> None:
    plan = planned(wanted, known, live)
    turned = replace(known, entries=dict(reversed(list(known.entries.items()))))
    assert planned(tuple(reversed(wanted)), turned, live) == plan


@settings(deadline=None)
@given(specs(), locks(may_be_open=True), MAYBE_LIVE)
def test_places_and_labels_do_not_matter_to_the_id(
    wanted: tuple[DesiredOpportunity, ...],
    known: Recorded,
    live: dict[str, LiveOpportunity] | None,
) -> None:
    moved = tuple(
        one._replace(origin=one.origin._replace(file=f"specs/{number}.yaml"), label="Acme")
        for number, one in enumerate(reversed(wanted))
    )
    assert planned(moved, known, live).id == planned(wanted, known, live).id


@settings(deadline=None)
@given(specs(), locks(may_be_open=True), MAYBE_LIVE, st.timedeltas(LATER, timedelta(days=9)))
def test_the_clock_matters_only_for_the_late_window(
    wanted: tuple[DesiredOpportunity, ...],
    known: Recorded,
    live: dict[str, LiveOpportunity] | None,
    later: timedelta,
) -> None:
    endless = replace(RULES, late_window=timedelta(days=999))
    over = replace(RULES, late_window=timedelta(0))
    for rules in (endless, over):
        assert planned(wanted, known, live, rules) == planned(
            wanted, known, live, replace(rules, now=rules.now + later)
        )


# --- what no plan does


@settings(deadline=None)
@given(specs(), locks(may_be_open=True), MAYBE_LIVE, st.booleans(), st.booleans())
def test_nothing_is_sent_to_an_opportunity_with_an_open_request(
    wanted: tuple[DesiredOpportunity, ...],
    known: Recorded,
    live: dict[str, LiveOpportunity] | None,
    resend: bool,
    over: bool,
) -> None:
    window = timedelta(0) if over else timedelta(hours=12)
    rules = replace(RULES, resend_unknown=resend, late_window=window)
    for change in planned(wanted, known, live, rules).updates:
        pending = known.entries.get(change.key, Entry()).pending
        asked_for = resend and pending and pending.request_id is None and not pending.seen
        assert pending is None or asked_for or over


@settings(deadline=None)
@given(specs(), locks(may_be_open=True), MAYBE_LIVE)
def test_a_change_is_what_its_fields_are(
    wanted: tuple[DesiredOpportunity, ...],
    known: Recorded,
    live: dict[str, LiveOpportunity] | None,
) -> None:
    plan = planned(wanted, known, live)
    for change in plan.changes:
        gravest = min((part.action.gravity for part in change.fields), default=None)
        if change.origin:
            assert change.action.gravity == (
                Action.UNCHANGED.gravity if gravest is None else gravest
            )
        updates = {part.name for part in change.fields if part.action is Action.UPDATE}
        sent = {*change.wire_fields, *([NOTE] if change.wire_note is not None else [])}
        assert sent == (updates if change.action is Action.UPDATE else set())
        assert set(change.payload.names) <= sent
    assert plan.id == planned(wanted, known, live).id
    assert sum(plan.summary[action] for action in Action) == len(plan.changes)


@settings(deadline=None)
@given(specs(), locks(may_be_open=True), MAYBE_LIVE)
def test_every_recorded_name_that_no_spec_manages_is_released(
    wanted: tuple[DesiredOpportunity, ...],
    known: Recorded,
    live: dict[str, LiveOpportunity] | None,
) -> None:
    plan = planned(wanted, known, live)
    managed = {one.key: {*one.values, *([NOTE] if one.note else [])} for one in wanted}
    released = {change.key: set(change.released) for change in plan.changes}
    for key, entry in known.entries.items():
        names = {*entry.fields, *([] if entry.note is ABSENT else [NOTE])}
        assert names - managed.get(key, set()) <= released.get(key, set())
        assert not released.get(key, set()) & managed.get(key, set())
