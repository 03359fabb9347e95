"""What to read from the CRM, and what it says about requests that are still open. Pure."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace

from lsq_sync.core.change import Action, Plan
from lsq_sync.core.model import UNTYPED, DesiredOpportunity, FieldRule, LiveOpportunity
from lsq_sync.core.state import NOTE, Entry, OpenRequest, Payload, value_of
from lsq_sync.core.values import ABSENT, Value, ValueRules, is_guid, same_as_live

MOST_IDS = 2000
"""Opportunities in one bulk read (apidocs.leadsquared.com/get-opportunities-in-bulk-by-ids)."""

WHY_UNREAD = (
    "no read takes an AutoId, and the lock learns the GUID from the first update that succeeds"
)

Rules = Mapping[str, FieldRule]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read of one opportunity.

    `identifier` is its GUID, or its AutoId while the GUID is not known; `names` are fields,
    sub-fields and the note. Without a `code` it is read by itself, not in bulk.
    """

    key: str
    identifier: str
    names: tuple[str, ...]
    code: int | None = None

    @property
    def in_bulk(self) -> bool:
        """Whether many of its kind can be read in one call."""
        return self.code is not None and is_guid(self.identifier)

    def without(self, names: Container[str]) -> "Wanted":
        """The same, less some of the names."""
        return replace(self, names=tuple(name for name in self.names if name not in names))


def wanted_of(one: DesiredOpportunity, entry: Entry | None) -> Wanted:
    """All that the specs manage of an opportunity, and what the CRM wants sent along."""
    names = dict.fromkeys(one.values)
    names |= dict.fromkeys(name for field in one.fields for name in field.rule.send_with)
    if one.note:
        names[NOTE] = None
    return Wanted(one.key, _identifier(one.key, entry), tuple(names), one.code)


def _to_count(one: DesiredOpportunity, entry: Entry | None) -> Wanted:
    """The same without what is to be sent along, which takes no more calls."""
    names = (*one.values, NOTE) if one.note else tuple(one.values)
    return Wanted(one.key, _identifier(one.key, entry), names, one.code)


def wanted_of_request(key: str, entry: Entry, opened: OpenRequest, code: int | None) -> Wanted:
    """What an open request changes."""
    return Wanted(key, _identifier(key, entry), opened.payload.names, code)


def _identifier(key: str, entry: Entry | None) -> str:
    return key if is_guid(key) or entry is None else entry.guid or key


def readable(wanted: Iterable[Wanted | None]) -> tuple[Wanted, ...]:
    """Those with something to read, and a GUID to read it by: no read takes an AutoId."""
    return tuple(one for one in wanted if one and one.names and is_guid(one.identifier))


def groups_of(wanted: Iterable[Wanted]) -> tuple[tuple[Wanted, ...], ...]:
    """Bulk reads: of one event code each, and of no more than the CRM takes."""
    by_code: dict[int, list[Wanted]] = {}
    for one in wanted:
        if one.in_bulk and one.code is not None:
            by_code.setdefault(one.code, []).append(one)
    return tuple(
        tuple(group[start : start + MOST_IDS])
        for _, group in sorted(by_code.items())
        for start in range(0, len(group), MOST_IDS)
    )


def calls_for(wanted: Iterable[Wanted]) -> int:
    """How many calls it takes to read them."""
    listed = tuple(wanted)
    return len(groups_of(listed)) + sum(not one.in_bulk for one in listed)


def calls_around(
    plan: Plan, desired: Iterable[DesiredOpportunity], entries: Mapping[str, Entry]
) -> int:
    """How many calls an apply makes to read what it is about to send, and to verify it then."""
    sent = {change.key for change in plan.updates}
    looked_at = {change.key for change in plan.having(Action.UPDATE, Action.HELD)}
    concerned = (one for one in desired if one.key in looked_at)
    wanted = readable(_to_count(one, entries.get(one.key)) for one in concerned)
    if not wanted:
        return 0
    whose_keys = 1
    return whose_keys + calls_for(wanted) + calls_for(one for one in wanted if one.key in sent)


def shows(payload: Payload, live: LiveOpportunity, rules: Rules, values: ValueRules) -> bool:
    """Whether every value of the payload is in the CRM. What was not read shows nothing."""
    wanted: dict[str, Value] = dict(payload.fields)
    if payload.note is not ABSENT:
        wanted[NOTE] = payload.note
    return bool(wanted) and all(
        _shows(name, value, live, rules.get(name, UNTYPED), values)
        for name, value in wanted.items()
    )


def _shows(
    name: str, value: Value, live: LiveOpportunity, rule: FieldRule, values: ValueRules
) -> bool:
    now = value_of(live, name)
    return now is not ABSENT and same_as_live(rule.data_type, now, value, values)
