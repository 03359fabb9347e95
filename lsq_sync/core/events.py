"""What happens to the record of an opportunity, and how each event moves it.

`advance` is the state machine `planned -> intent -> accepted | refused | unknown -> succeeded |
rejected | pending`. Replaying a whole journal over an entry that has seen it already gives the
same entry, so a crash between folding a journal and putting it away does no harm.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import assert_never

from lsq_sync.core.digest import Digest
from lsq_sync.core.state import (
    NOTE,
    Displaced,
    Entry,
    FinalRequest,
    OpenRequest,
    Outcome,
    Payload,
    Replaced,
    RequestID,
    RunID,
    is_same_request,
)
from lsq_sync.core.values import ABSENT, Value


@dataclass(frozen=True, slots=True)
class Intended:
    """About to send; durable before the first byte leaves."""

    key: str
    at: datetime
    run: RunID
    payload: Payload
    type: str = ""
    before: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """The CRM answered a RequestID; durable before it is shown."""

    key: str
    at: datetime
    request_id: RequestID


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The request surely did not take effect: never sent, or refused for now.

    `run` is the one that meant to send it; journals of earlier versions do not say.
    """

    key: str
    at: datetime
    reason: str
    run: RunID | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """Sent, and no answer that says what became of it."""

    key: str
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Queued:
    """The CRM says the request waits in its queue: the late window starts again."""

    key: str
    at: datetime
    request_id: RequestID


@dataclass(frozen=True, slots=True)
class Succeeded:
    """The CRM says the request was carried out; `guid` is the opportunity's, where it names it."""

    key: str
    at: datetime
    request_id: RequestID
    guid: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """The values of the open request were read back: they are in the CRM, whoever wrote them."""

    key: str
    at: datetime
    run: RunID


@dataclass(frozen=True, slots=True)
class Lapsed:
    """The late window of a request that was seen is over: it holds nothing back any more."""

    key: str
    at: datetime
    run: RunID


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Somebody gave up on the open request by hand: it holds nothing back any more."""

    key: str
    at: datetime
    run: RunID


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """The specs call the opportunity by another key now: its GUID instead of `old`, an AutoId."""

    key: str
    at: datetime
    old: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The CRM refused the values; without `request_id` it did so when `run` submitted them.

    `resend` marks a refusal that is not about the values (the rate limit): it is not remembered.
    """

    key: str
    at: datetime
    reason: str
    request_id: RequestID | None = None
    resend: bool = False
    run: RunID | None = None


@dataclass(frozen=True, slots=True)
class Adopted:
    """Live already is desired: recorded without a call."""

    key: str
    at: datetime
    payload: Payload
    type: str = ""


@dataclass(frozen=True, slots=True)
class Released:
    """The specs no longer manage these names; `whole`: nor anything else of the opportunity."""

    key: str
    at: datetime
    names: tuple[str, ...]
    whole: bool = False


Event = (
    Intended
    | Accepted
    | Withdrawn
    | Lost
    | Queued
    | Succeeded
    | Seen
    | Lapsed
    | GivenUp
    | Rekeyed
    | Rejected
    | Adopted
    | Released
)


def advance(entry: Entry | None, event: Event) -> Entry | None:
    """The entry after the event; None when nothing is left to know."""
    before = entry or Entry()
    match event:
        case Intended():
            after = _intend(before, event)
        case Accepted():
            after = _accept(before, event)
        case Withdrawn():
            after = _withdraw(before, event)
        case Lost():
            after = before._replace(displaced=None)
        case Queued():
            after = _queue(before, event)
        case Succeeded():
            after = _succeed(before, event)
        case Seen():
            after = _see(before, event)
        case Lapsed():
            after = _lapse(before, event)
        case GivenUp():
            after = _give_up(before, event)
        case Rekeyed():
            after = before
        case Rejected():
            after = _reject(before, event)
        case Adopted():
            after = _record(before._replace(type=event.type or before.type), event.payload)
        case Released():
            after = _release(before, event)
        case _:
            assert_never(event)
    nothing = Entry(type=after.type, guid=after.guid, replaced=after.replaced)
    return None if after == nothing else after


def replay(entries: Mapping[str, Entry], events: Iterable[Event]) -> dict[str, Entry]:
    """The entries after all the events, in their order."""
    after = dict(entries)
    for event in events:
        apply_event(after, event)
    return after


def apply_event(entries: dict[str, Entry], event: Event) -> None:
    """Moves the one entry that the event is about, in place."""
    if isinstance(event, Rekeyed):
        moved = entries.pop(event.old, None)
        if moved is not None and event.key not in entries:
            entries[event.key] = moved._replace(guid="")
        return
    entry = advance(entries.get(event.key), event)
    if entry is None:
        entries.pop(event.key, None)
    else:
        entries[event.key] = entry


def lapsed(
    entries: Mapping[str, Entry], now: datetime, late_window: timedelta
) -> tuple[Lapsed, ...]:
    """An event for each request that was seen and cannot land any more."""
    return tuple(
        Lapsed(key, now, entry.pending.run)
        for key, entry in entries.items()
        if entry.pending and entry.pending.seen
        if now >= entry.pending.may_land_until(late_window)
    )


def _intend(entry: Entry, event: Intended) -> Entry:
    opened = OpenRequest(event.payload, event.run, event.at, before=event.before)
    if entry.displaced and is_same_request(entry.displaced.pending, opened):
        entry = entry._replace(request=entry.displaced.request, displaced=None)
    earlier = entry.pending
    if earlier and _takes_the_place_of(event, earlier):
        displaced = Displaced(earlier, entry.request)
        entry = entry._replace(request=_given_up(earlier, event.at), displaced=displaced)
    return entry._replace(type=event.type or entry.type, pending=opened)


def _takes_the_place_of(event: Intended, earlier: OpenRequest) -> bool:
    """False for an older intent, met again in a journal that was folded in before.

    A run sends an opportunity again only after its own attempt was withdrawn.
    """
    return earlier.run != event.run and earlier.sent_at <= event.at


def _given_up(earlier: OpenRequest, at: datetime) -> FinalRequest:
    return FinalRequest(
        Outcome.UNKNOWN,
        run=earlier.run,
        sent_at=earlier.sent_at,
        settled_at=at,
        request_id=earlier.request_id,
        reason="no verdict; a later request took its place",
    )


def _accept(entry: Entry, event: Accepted) -> Entry:
    if entry.pending is None or entry.pending.request_id is not None:
        return entry
    opened = replace(entry.pending, request_id=event.request_id)
    return entry._replace(pending=opened, displaced=None)


def _withdraw(entry: Entry, event: Withdrawn) -> Entry:
    opened = entry.pending
    if opened is None or opened.request_id is not None or event.run not in (None, opened.run):
        return entry
    if earlier := entry.displaced:
        return entry._replace(pending=earlier.pending, request=earlier.request, displaced=None)
    return entry._replace(pending=None)


def _queue(entry: Entry, event: Queued) -> Entry:
    if entry.pending is None or entry.pending.request_id != event.request_id:
        return entry
    return entry._replace(pending=replace(entry.pending, queued_at=event.at))


def _succeed(entry: Entry, event: Succeeded) -> Entry:
    opened = entry.pending
    if opened is None or opened.request_id != event.request_id:
        return entry
    final = _final(opened, Outcome.SUCCEEDED, event.at)
    known = _record(_closed(entry, final), opened.payload.without(opened.released))
    is_named = event.guid and event.guid != event.key
    named = known._replace(guid=event.guid) if is_named else known
    return named._replace(replaced=_replaced(opened, event.at))


def _replaced(opened: OpenRequest, at: datetime) -> Replaced | None:
    return Replaced(at, opened.before) if opened.before else None


def _see(entry: Entry, event: Seen) -> Entry:
    opened = entry.pending
    if opened is None or opened.run != event.run or opened.seen:
        return entry
    seen = entry._replace(pending=replace(opened, seen=True), replaced=_replaced(opened, event.at))
    return _record(seen, opened.payload.without(opened.released))


def _lapse(entry: Entry, event: Lapsed) -> Entry:
    opened = entry.pending
    if opened is None or opened.run != event.run or not opened.seen:
        return entry
    reason = "read back; no verdict within the late window"
    return _closed(entry, _final(opened, Outcome.SUCCEEDED, event.at, reason))


def _give_up(entry: Entry, event: GivenUp) -> Entry:
    opened = entry.pending
    if opened is None or opened.run != event.run:
        return entry
    return _closed(entry, _final(opened, Outcome.UNKNOWN, event.at, GIVEN_UP_BY_HAND))


GIVEN_UP_BY_HAND = "given up by hand; nobody knows whether it was carried out"


def _reject(entry: Entry, event: Rejected) -> Entry:
    opened = entry.pending
    if opened is None or opened.request_id != event.request_id:
        return entry
    if event.run not in (None, opened.run):
        return entry
    remembered = None if event.resend else opened.payload.digest
    reason = f"{event.reason}{_CONTRADICTED if opened.seen else ''}"
    closed = _closed(entry, _final(opened, Outcome.REJECTED, event.at, reason, remembered))
    return closed._replace(pending=entry.displaced.pending) if entry.displaced else closed


_CONTRADICTED = " (although its values were read back before: they are in the CRM)"


def _final(
    opened: OpenRequest,
    outcome: Outcome,
    at: datetime,
    reason: str = "",
    remembered: Digest | None = None,
) -> FinalRequest:
    return FinalRequest(
        outcome,
        run=opened.run,
        sent_at=opened.sent_at,
        settled_at=at,
        request_id=opened.request_id,
        reason=reason,
        digest=remembered,
    )


def _closed(entry: Entry, final: FinalRequest) -> Entry:
    """Final; of a request that succeeded nothing is kept if its every name was released."""
    opened = entry.pending
    released = opened is not None and set(opened.payload.names) <= set(opened.released)
    forgotten = released and final.outcome is Outcome.SUCCEEDED
    return entry._replace(pending=None, request=None if forgotten else final, displaced=None)


def _record(entry: Entry, payload: Payload) -> Entry:
    note = entry.note if payload.note is ABSENT else payload.note
    return entry._replace(fields={**entry.fields, **payload.fields}, note=note)


def _release(entry: Entry, event: Released) -> Entry:
    dropped = frozenset(event.names)
    opened = entry.pending
    if opened:
        names = opened.payload.names if event.whole else sorted(dropped & {*opened.payload.names})
        opened = replace(opened, released=tuple(sorted({*opened.released, *names})))
    return entry._replace(
        fields={name: value for name, value in entry.fields.items() if name not in dropped},
        note=ABSENT if NOTE in dropped else entry.note,
        request=None if event.whole else entry.request,
        pending=opened,
        replaced=None if event.whole else entry.replaced,
    )
