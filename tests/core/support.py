"""Recorded entries, desired opportunities and events, written as one writes them down."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lsq_sync.core.change import Action, Change, FieldChange, Plan
from lsq_sync.core.model import (
    UNTYPED,
    Account,
    DesiredField,
    DesiredNote,
    DesiredOpportunity,
    FieldRule,
    LiveOpportunity,
)
from lsq_sync.core.plan import PlanRules, make_plan
from lsq_sync.core.state import (
    Entry,
    FinalRequest,
    OpenRequest,
    Outcome,
    Payload,
    Recorded,
    RequestID,
    RunID,
)
from lsq_sync.core.values import ABSENT, Absent, Value
from lsq_sync.errors import Origin

START = datetime(2026, 9, 16, 12, 0, 0, tzinfo=UTC)
NOW = START + timedelta(hours=1)
RUN = RunID("run-1")
OTHER_RUN = RunID("run-2")
KEY = "5ca5b042-51ea-4699-b6f0-84c40ab12770"
ACCOUNT = Account("acme", "https://asyncapi.example", "https://api.example")


def at(seconds: float = 0) -> datetime:
    return START + timedelta(seconds=seconds)


def request_id(number: int = 1) -> RequestID:
    return RequestID(f"request-{number}")


def payload(note: Value | Absent = ABSENT, /, **fields: Value) -> Payload:
    return Payload(fields, note)


def opened(
    what: Payload, number: int | None = 1, *, sent: float = 0, run: RunID = RUN, **more: Any
) -> OpenRequest:
    """An open request; `number` is of its RequestID, None where its answer was lost."""
    identifier = None if number is None else request_id(number)
    return OpenRequest(what, run, at(sent), identifier, **more)


def final(
    outcome: Outcome, what: Payload | None = None, number: int | None = 1, *, reason: str = ""
) -> FinalRequest:
    """A request with its verdict; `what` is remembered as not to be sent again."""
    return FinalRequest(
        outcome,
        run=RUN,
        sent_at=at(),
        settled_at=at(10),
        request_id=None if number is None else request_id(number),
        reason=reason,
        digest=what.digest if what else None,
    )


def wanted(
    name: str, value: Value, rule: FieldRule = UNTYPED, *, line: int = 5, file: str = "specs/a.yaml"
) -> DesiredField:
    return DesiredField(name, value, Origin(file, line, 7), rule)


def desired(
    fields: Mapping[str, Value] | Iterable[DesiredField] = (),
    *,
    key: str = KEY,
    note: Value | Absent = ABSENT,
    rules: Mapping[str, FieldRule] | None = None,
    file: str = "specs/a.yaml",
    line: int = 4,
    **more: Any,
) -> DesiredOpportunity:
    """An opportunity of the specs; `rules` are the types of its fields."""
    if isinstance(fields, Mapping):
        known = rules or {}
        fields = [
            wanted(name, value, known.get(name, UNTYPED), file=file)
            for name, value in fields.items()
        ]
    origin = Origin(file, line, 3)
    told = None if note is ABSENT else DesiredNote(note, Origin(file, line + 1, 5))
    return DesiredOpportunity(key, origin, tuple(fields), told, **more)


def recorded(**fields: Value) -> Entry:
    return Entry(fields=fields)


def lock(entry: Entry | None = None, key: str = KEY) -> Recorded:
    """The lock with one entry under `key`, or none."""
    return Recorded(ACCOUNT, {} if entry is None else {key: entry})


def plan_of(
    one: DesiredOpportunity | Iterable[DesiredOpportunity],
    known: Entry | Recorded | None = None,
    live: LiveOpportunity | Mapping[str, Value] | None = None,
    **rules: Any,
) -> Plan:
    """A plan of one or several opportunities; `live` is of the first, by field."""
    several = (one,) if isinstance(one, DesiredOpportunity) else tuple(one)
    if not isinstance(known, Recorded):
        known = lock(known)
    found = LiveOpportunity(live) if isinstance(live, Mapping) else live
    seen = None if found is None else {several[0].key: found}
    return make_plan(ACCOUNT, several, known, seen, PlanRules(**{"now": NOW, **rules}))


def change_of(*arguments: Any, **rules: Any) -> Change:
    """The one change of such a plan."""
    (change,) = plan_of(*arguments, **rules).changes
    return change


def part(change: Change, name: str) -> FieldChange:
    (found,) = (one for one in change.fields if one.name == name)
    return found


def actions(change: Change) -> dict[str, Action]:
    return {one.name: one.action for one in change.fields}


def live_of(note: Value | Absent = ABSENT, /, **fields: Value) -> LiveOpportunity:
    return LiveOpportunity(fields, note)


def moved(one: DesiredOpportunity, **changes: Any) -> DesiredOpportunity:
    """The same at another place."""
    return one._replace(**changes)
