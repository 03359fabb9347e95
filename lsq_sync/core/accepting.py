"""Which live values the specs are to take over, and which they cannot. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from lsq_sync.core.model import (
    DesiredField,
    DesiredOpportunity,
    FieldRule,
    LiveOpportunity,
)
from lsq_sync.core.plan import PlanRules, is_read_lag, open_request, wanted_fields
from lsq_sync.core.state import Entry, value_of
from lsq_sync.core.values import ABSENT, Value, from_live, is_masked, same_as_live
from lsq_sync.errors import Origin


@dataclass(frozen=True, slots=True)
class Taken:
    """A live value for the lock, and where `in_spec` also for the spec, which has `before`."""

    name: str
    before: Value
    after: Value
    rule: FieldRule
    origin: Origin
    in_spec: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """A value that cannot be taken; an empty name is the opportunity as a whole."""

    key: str
    name: str
    why: str
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """An opportunity with the values that were taken over."""

    key: str
    type: str
    label: str
    origin: Origin
    taken: tuple[Taken, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What an accept did. `ahead` are values that the specs want and the CRM never had."""

    accepted: tuple[Accepted, ...]
    kept: tuple[Kept, ...]
    missing: tuple[str, ...]
    ahead: int
    files: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What is to be taken of one opportunity, what cannot be, and how many values are ahead."""

    taken: tuple[Taken, ...]
    kept: tuple[Kept, ...]
    ahead: int


def weigh(
    one: DesiredOpportunity,
    entry: Entry,
    live: LiveOpportunity,
    names: Collection[str],
    rules: PlanRules,
    *,
    alone: bool = True,
) -> Weighed:
    """Of the named values every one that differs, without names what was changed in the CRM.

    What was changed in the specs as well is only taken where the opportunity was asked for
    `alone`, not with all others.

    A value that the specs have changed and nobody in the CRM is ahead: it is what the next apply
    is for, so it is only given up by name.
    """
    taken, kept, ahead = [], [], 0
    for want in wanted_fields(one):
        if names and want.name not in names:
            continue
        found = _weigh_one(one.key, want, entry, live, rules, is_named=bool(names), alone=alone)
        if isinstance(found, Taken):
            taken.append(found)
        elif isinstance(found, Kept):
            kept.append(found)
        else:
            ahead += found
    return Weighed(tuple(taken), tuple(kept), ahead)


def _weigh_one(
    key: str,
    want: DesiredField,
    entry: Entry,
    live: LiveOpportunity,
    rules: PlanRules,
    *,
    is_named: bool,
    alone: bool,
) -> Taken | Kept | int:
    kind, values = want.rule.data_type, rules.values
    seen = value_of(live, want.name)
    if seen is ABSENT:
        return Kept(key, want.name, "it cannot be read: masked, or not shown", want.origin)
    was = value_of(entry, want.name)
    differs = not same_as_live(kind, seen, want.value, values)
    is_news = was is ABSENT or not same_as_live(kind, seen, was, values)
    if not differs and not is_news:
        return 0
    if is_masked(seen):
        return Kept(key, want.name, "it reads as masked", want.origin)
    opened = open_request(entry, rules)
    if opened and want.name in opened.payload.names:
        return Kept(key, want.name, "an open request carries it, and may still land", want.origin)
    if was is not ABSENT and is_read_lag(want.name, kind, was, seen, entry.replaced, rules):
        why = "the read still shows what our own write has replaced: wait a minute"
        return Kept(key, want.name, why, want.origin) if is_named else 0
    if differs and not is_named and (was is ABSENT or not is_news):
        return 1
    is_wish = was is not ABSENT and not same_as_live(kind, was, want.value, values)
    if differs and is_wish and not alone:
        why = f"the specs want another value as well: lsq-sync accept {key} takes the CRM's"
        return Kept(key, want.name, why, want.origin)
    after = from_live(kind, seen, values)
    return Taken(want.name, want.value, after, want.rule, want.origin, in_spec=differs)
