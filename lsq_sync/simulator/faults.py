"""Which calls and updates a scenario singles out, and what a faulty call answers.

`Picker` counts; the rest is pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from lsq_sync.simulator.scenario import Fault, FaultName, Kind, RateLimit, Which
from lsq_sync.simulator.wire import (
    HTML_TYPE,
    Reply,
    forbidden_reply,
    json_reply,
    rate_limit_reply,
    unauthorized_reply,
)

GARBAGE = "<html><head><title>Loading...</title></head><body><h1>Please wait</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Subject:
    """What a `Which` is held against: the n-th of its kind, and what it touches."""

    number: int
    ids: frozenset[str] = frozenset()  # lower case; an opportunity may go by two names
    fields: Mapping[str, str] = field(default_factory=dict)


class Picker:
    """Holds subjects against a `Which` and counts how often it has picked one."""

    def __init__(self, which: Which) -> None:
        self._which = which
        self._picked = 0

    def picks(self, subject: Subject) -> bool:
        if self._which.times is not None and self._picked >= self._which.times:
            return False
        picked = fits(self._which, subject)
        self._picked += picked
        return picked


def fits(which: Which, subject: Subject) -> bool:
    """Whether every condition of `which` holds."""
    return (
        (not which.calls or any(_within(span, subject.number) for span in which.calls))
        and (which.every is None or subject.number % which.every == 0)
        and (which.id is None or which.id.lower() in subject.ids)
        and (which.field is None or which.field in subject.fields)
        and (which.value is None or which.value in _values(which.field, subject.fields))
    )


def _within(span: tuple[int, int | None], number: int) -> bool:
    first, last = span
    return first <= number and (last is None or number <= last)


def _values(name: str | None, fields: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(fields.values()) if name is None else (fields.get(name, ""),)


class FaultBook:
    """The faults of a scenario, with their counters."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        self._entries = tuple((fault, Picker(fault.which)) for fault in faults)

    def pick(self, kind: Kind, path: str, subject: Subject) -> Fault | None:
        """The first fault that this call meets, if any."""
        for fault, picker in self._entries:
            concerned = fault.on in (kind, "any") and (fault.path is None or fault.path in path)
            if concerned and picker.picks(subject):
                return fault
        return None


def is_processed(fault: Fault) -> bool:
    """Whether the CRM does its part although the answer is spoilt."""
    if fault.processed is not None:
        return fault.processed
    return fault.do in _PROCESSED


_PROCESSED: frozenset[FaultName] = frozenset(
    {"drop_after", "delay", "truncated", "empty", "oversized", "slow_body"}
)


def spoil(fault: Fault, limit: RateLimit, good: Reply) -> Reply:
    """The reply that the caller gets instead of `good`."""
    match fault.do:
        case "drop_before":
            return replace(good, delivery="closed")
        case "drop_after":
            return replace(good, delivery="reset")
        case "delay":
            return replace(good, wait=fault.seconds)
        case "truncated":
            return replace(good, delivery="truncated")
        case "slow_body":
            return replace(good, delivery="slow", seconds=fault.seconds)
        case "oversized":
            return replace(good, delivery="padded", size=fault.bytes)
        case "empty":
            return replace(good, body=b"")
        case "status":
            return _status_reply(fault)
        case "garbage":
            return Reply(200, (fault.body or GARBAGE).encode(), HTML_TYPE)
        case "rate_limit":
            return rate_limit_reply(fault.answer, limit.calls, limit.seconds)
        case "redirect":
            return Reply(302, b"", HTML_TYPE, headers=(("Location", fault.location),))
        case "forbidden":
            return forbidden_reply()
        case "unauthorized":
            return unauthorized_reply()
        case unknown:
            assert_never(unknown)


def _status_reply(fault: Fault) -> Reply:
    if fault.body is None:
        return json_reply({"message": "Internal server error"}, fault.status)
    return Reply(fault.status, fault.body.encode())
