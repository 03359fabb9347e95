"""What we know we did: one entry per opportunity. How events move it is in `events.py`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple, NewType

from lsq_sync.core.digest import Digest, digest
from lsq_sync.core.model import Account, LiveOpportunity
from lsq_sync.core.values import ABSENT, Absent, Value

RequestID = NewType("RequestID", str)
RunID = NewType("RunID", str)

READ_LAG = timedelta(seconds=90)
"""So long a read may still show what our write replaced (seen on a live account)."""

NOTE = "OpportunityNote"
"""How the note is called where it stands among field names."""


class Outcome(StrEnum):
    """What became of an update."""

    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    PENDING = "pending"
    UNKNOWN = "unknown"
    UNSENT = "unsent"


@dataclass(frozen=True, slots=True)
class Payload:
    """What one request changes. A note that is ABSENT is not sent."""

    fields: Mapping[str, Value]
    note: Value | Absent = ABSENT

    @property
    def names(self) -> tuple[str, ...]:
        """Everything it changes, the note under its own name, sorted."""
        note = () if self.note is ABSENT else (NOTE,)
        return tuple(sorted((*self.fields, *note)))

    @property
    def digest(self) -> Digest:
        """The same for the same values, whatever their order."""
        note = [] if self.note is ABSENT else [self.note]
        return digest({"fields": dict(self.fields), "note": note})

    def without(self, names: Iterable[str]) -> "Payload":
        """The payload less some of its names."""
        dropped = frozenset(names)
        kept = {name: value for name, value in self.fields.items() if name not in dropped}
        return Payload(kept, ABSENT if NOTE in dropped else self.note)


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """A request that is not final: accepted, or sent with its answer lost (no `request_id`).

    `queued_at` is when the CRM last said In-Queue. `seen`: its values were read back.
    `released`: names that the specs have given up meanwhile; they are not recorded again.
    `before`: what its names held when it was sent, as far as that was known.
    """

    payload: Payload
    run: RunID
    sent_at: datetime
    request_id: RequestID | None = None
    queued_at: datetime | None = None
    seen: bool = False
    released: tuple[str, ...] = ()
    before: Mapping[str, Value] = field(default_factory=dict)

    def may_land_until(self, late_window: timedelta) -> datetime:
        """Until then the CRM may still carry it out (inferred from its retry ladder)."""
        return max(self.sent_at, self.queued_at or self.sent_at) + late_window


class FinalRequest(NamedTuple):
    """The last request with a verdict. `digest` is set where its payload is not to be resent."""

    outcome: Outcome
    run: RunID
    sent_at: datetime
    settled_at: datetime
    request_id: RequestID | None = None
    reason: str = ""
    digest: Digest | None = None


def is_same_request(one: OpenRequest | FinalRequest, other: OpenRequest | FinalRequest) -> bool:
    """Whether both are one request, open or with its verdict: a run sends an opportunity once."""
    return (one.run, one.sent_at) == (other.run, other.sent_at)


@dataclass(frozen=True, slots=True)
class Replaced:
    """What our last confirmed write took the place of, and when we learnt that it did."""

    at: datetime
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Displaced:
    """What an intent took the place of: it is open again if that update never leaves."""

    pending: OpenRequest
    request: FinalRequest | None


class Entry(NamedTuple):
    """What is recorded of one opportunity. A note that is ABSENT was never recorded.

    `replaced` is only of interest while a read of the CRM may lag behind our write, and stays out
    of the lock; `displaced` until the answer to an update is there.
    """

    type: str = ""
    guid: str = ""
    fields: Mapping[str, Value] = MappingProxyType({})
    note: Value | Absent = ABSENT
    request: FinalRequest | None = None
    pending: OpenRequest | None = None
    replaced: Replaced | None = None
    displaced: Displaced | None = None

    @property
    def base(self) -> Digest:
        """What a plan was made against: values, open payload, last request."""
        pending = self.pending
        return digest(
            {
                "fields": dict(self.fields),
                "note": [] if self.note is ABSENT else [self.note],
                "open": pending and [pending.payload.digest, pending.request_id, pending.seen],
                "request": self.request and [self.request.request_id, self.request.outcome],
            }
        )


NOTHING = Entry()
"""What is recorded of an opportunity that nothing is recorded of."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The lock with its journal folded in. `account` is None before anything was recorded."""

    account: Account | None = None
    entries: Mapping[str, Entry] = field(default_factory=dict)


def value_of(holder: Payload | Entry | LiveOpportunity, name: str) -> Value | Absent:
    """What it holds under a name, the note under its own; ABSENT where it says nothing of it."""
    return holder.note if name == NOTE else holder.fields.get(name, ABSENT)
