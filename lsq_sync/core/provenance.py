"""Where the values of an opportunity come from: which request wrote each of its names. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from lsq_sync.core.events import (
    Accepted,
    Adopted,
    Event,
    Intended,
    Lost,
    Rejected,
    Released,
    Seen,
    Succeeded,
    Withdrawn,
)
from lsq_sync.core.model import FieldRule
from lsq_sync.core.state import FinalRequest, RequestID, RunID
from lsq_sync.core.values import Absent, Value
from lsq_sync.errors import Origin

Ending = Literal["succeeded", "rejected", "pending", "unknown", "adopted", "released"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """The last thing that was done about a name. `settled_at` is None while it is open."""

    run: RunID
    at: datetime
    ending: Ending
    request_id: RequestID | None = None
    reason: str = ""
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit that a line comes from; `id` is empty where it is not committed yet."""

    id: str
    author: str = ""
    at: datetime | None = None
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """One name: what the specs want and where they say so, what is recorded, what is on its way,
    and which request did that. A value that is ABSENT was never said."""

    name: str
    rule: FieldRule
    desired: Value | Absent
    recorded: Value | Absent
    carried: Value | Absent
    origin: Origin | None = None
    commit: Commit | None = None
    attempt: Attempt | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """An opportunity, with a reason for each name that was asked about.

    `last` is its last final request, which the lock has also where the journals are elsewhere.
    """

    key: str
    type: str
    label: str
    guid: str
    origin: Origin | None
    last: FinalRequest | None
    reasons: tuple[Reason, ...]


def attempts(events: Iterable[tuple[RunID, Event]]) -> dict[str, Attempt]:
    """The last attempt at each name, from the events of one opportunity in their order."""
    last: dict[str, Attempt] = {}
    opened: tuple[str, ...] = ()
    before: dict[str, Attempt] = {}
    for run, event in events:
        match event:
            case Intended(at=at, run=sender, payload=payload):
                opened = payload.names
                before = {name: last[name] for name in opened if name in last}
                last |= dict.fromkeys(opened, Attempt(sender, at, "unknown"))
            case Withdrawn():
                last = {name: one for name, one in last.items() if name not in opened} | before
                opened = ()
            case Adopted(at=at, payload=payload):
                adopted = Attempt(run, at, "adopted", settled_at=at)
                last |= dict.fromkeys(payload.names, adopted)
            case Released(at=at, names=names):
                last |= dict.fromkeys(names, Attempt(run, at, "released", settled_at=at))
            case _:
                last |= {name: _after(last[name], event) for name in opened if name in last}
    return last


def _after(attempt: Attempt, event: Event) -> Attempt:
    match event:
        case Accepted(request_id=request_id):
            return replace(attempt, ending="pending", request_id=request_id)
        case Lost(reason=reason):
            return replace(attempt, reason=reason)
        case Succeeded(at=at):
            return replace(attempt, ending="succeeded", reason="", settled_at=at)
        case Seen(at=at):
            reason = "read back: the CRM has it"
            return replace(attempt, ending="succeeded", reason=reason, settled_at=at)
        case Rejected(at=at, reason=reason):
            return replace(attempt, ending="rejected", reason=reason, settled_at=at)
        case _:
            return attempt
