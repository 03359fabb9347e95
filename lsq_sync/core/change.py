"""A plan as data: what happens to each opportunity and each of its fields.

No closures, no clients: a plan can be saved, shown, compared and applied later. Opportunities
with nothing to do stay in it, or are counted at least, so that "nothing happened" can be explained.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from lsq_sync.core.digest import Digest, digest, digest_with
from lsq_sync.core.model import UNTYPED, Account, DesiredOpportunity, FieldRule
from lsq_sync.core.state import NOTE, NOTHING, Entry, Payload
from lsq_sync.core.values import ABSENT, Absent, Value, to_wire
from lsq_sync.errors import Origin


class Action(StrEnum):
    """What happens to a field or an opportunity, the gravest first."""

    CONFLICT = "conflict"
    HELD = "held"
    REJECTED = "rejected"
    PENDING = "pending"
    UPDATE = "update"
    ADOPT = "adopt"
    RELEASE = "release"
    UNCHANGED = "unchanged"

    @property
    def gravity(self) -> int:
        """Its place in this order: the smaller, the graver."""
        return _GRAVITY[self]


_GRAVITY = {action: position for position, action in enumerate(Action)}


class FieldChange(NamedTuple):
    """One field, or the note under the name OpportunityNote.

    `before` is the recorded value, else the live one; `known` is false where neither is, so that
    an empty `before` is not taken for an empty field. A `companion` without an `origin` is none of
    the fields that the specs manage: it is sent, but never recorded.
    """

    name: str
    action: Action
    before: Value
    after: Value
    known: bool
    rule: FieldRule = UNTYPED
    origin: Origin | None = None
    live: Value | Absent = ABSENT
    recorded: bool = True
    companion: bool = False

    @property
    def overwrites(self) -> bool:
        """An update takes away a live value that the lock knows nothing of."""
        holds_something = self.live is not ABSENT and bool(self.live)
        return self.action is Action.UPDATE and holds_something and not self.recorded


def payload_of(parts: Iterable[FieldChange], action: Action) -> Payload:
    """The values that the managed parts with this action end with."""
    managed = (part for part in parts if part.origin or not part.companion)
    values = {part.name: part.after for part in managed if part.action is action}
    note = values.pop(NOTE, ABSENT)
    return Payload(values, note)


class Change(NamedTuple):
    """What happens to one opportunity, `wanted` and recorded in `entry` when it was planned.

    `wanted` and `origin` are None when the specs no longer have it.
    """

    key: str
    action: Action
    fields: Sequence[FieldChange]
    entry: Entry = NOTHING
    wanted: DesiredOpportunity | None = None
    reason: str = ""
    type: str = ""
    label: str = ""
    origin: Origin | None = None

    @property
    def base(self) -> Digest:
        """What it was planned against."""
        return self.entry.base

    @property
    def desired(self) -> Digest:
        """What the specs want."""
        if self.wanted is None:
            return digest(None)
        note = [self.wanted.note.value] if self.wanted.note else []
        return digest({"fields": dict(self.wanted.values), "note": note})

    @property
    def payload(self) -> Payload:
        """What is sent and, once it succeeded, recorded."""
        if self.action is not Action.UPDATE:
            return Payload({})
        return payload_of(self.fields, Action.UPDATE)

    @property
    def replaces(self) -> dict[str, Value]:
        """What the names of the payload hold before, as far as that is known; live comes first."""
        parts = {part.name: part for part in self.fields if part.known}
        known = ((name, parts[name]) for name in self.payload.names if name in parts)
        return {
            name: part.before if part.live is ABSENT else part.live or None for name, part in known
        }

    @property
    def wire_fields(self) -> dict[str, str]:
        """The fields that are sent, those that the CRM wants along among them, as it wants them."""
        if self.action is not Action.UPDATE:
            return {}
        sent = (part for part in self.fields if part.action is Action.UPDATE)
        return {
            part.name: to_wire(part.rule.data_type, part.after)
            for part in sent
            if part.name != NOTE
        }

    @property
    def wire_note(self) -> str | None:
        """The note as it is sent; None when it stays as it is."""
        note = self.payload.note
        return None if note is ABSENT else note or ""

    @property
    def sensitive_values(self) -> tuple[str, ...]:
        """What its sensitive fields hold, held before, or are to hold, in every form it is sent."""
        hidden = [field for field in self.fields if field.rule.sensitive]
        held = [value for f in hidden for value in (f.before, f.after, f.live) if value]
        sent = [to_wire(f.rule.data_type, f.after) for f in hidden]
        return tuple(
            dict.fromkeys(text for text in (*held, *sent) if isinstance(text, str) and text)
        )

    @property
    def released(self) -> tuple[str, ...]:
        """Names that the lock forgets."""
        if self.action is Action.UNCHANGED:
            return ()
        return tuple(part.name for part in self.fields if part.action is Action.RELEASE)

    @property
    def adopted(self) -> Payload:
        """Values that the lock takes over from the CRM without a call."""
        return payload_of(self.fields, Action.ADOPT)

    @property
    def settled_names(self) -> frozenset[str]:
        """Managed names that stay as they are, and that are not sent along either."""
        return frozenset(
            part.name
            for part in self.fields
            if part.action is Action.UNCHANGED and not part.companion
        )

    @property
    def forgets_it(self) -> bool:
        """No spec has the opportunity any more: the lock forgets the whole of it."""
        return self.action is Action.RELEASE and self.origin is None

    @property
    def moving_fields(self) -> tuple[FieldChange, ...]:
        """The fields that applying the plan changes, in the CRM or in the lock, by name."""
        if self.action is Action.UNCHANGED:
            return ()
        kinds = {Action.RELEASE, Action.ADOPT}
        if self.action is Action.UPDATE:
            kinds.add(Action.UPDATE)
        moving = (part for part in self.fields if part.action in kinds)
        return tuple(sorted(moving, key=lambda part: part.name))

    @property
    def moves(self) -> bool:
        """Whether applying the plan does anything with this opportunity."""
        return self.forgets_it or bool(self.moving_fields)


@dataclass(frozen=True, slots=True)
class Plan:
    """Every selected opportunity with its action, in the order of the specs, releases last; those
    that are as they were recorded may only be counted."""

    account: Account
    changes: tuple[Change, ...]
    refreshed: bool = False
    untouched: int = 0
    """How many opportunities there are besides, which are as they were recorded."""

    @property
    def population(self) -> int:
        """How many opportunities were looked at."""
        return len(self.changes) + self.untouched

    def having(self, *actions: Action) -> tuple[Change, ...]:
        """The changes with one of these actions."""
        return tuple(change for change in self.changes if change.action in actions)

    @property
    def updates(self) -> tuple[Change, ...]:
        """What would be sent."""
        return self.having(Action.UPDATE)

    @property
    def summary(self) -> dict[str, int]:
        """Opportunities per action, and how much of them is written, cleared, overwritten."""
        counts = {action.value: 0 for action in (Action.UPDATE, Action.UNCHANGED, *_REST)}
        for change in self.changes:
            counts[change.action.value] += 1
        counts[Action.UNCHANGED.value] += self.untouched
        parts = [part for change in self.updates for part in change.fields]
        sent = [part for part in parts if part.action is Action.UPDATE and not part.companion]
        counts["fields"] = sum(part.name != NOTE for part in sent)
        counts["clears"] = sum(part.after is None for part in sent)
        counts["overwrites"] = sum(part.overwrites for part in sent)
        return counts

    @property
    def moves_anything(self) -> bool:
        """Whether applying it sends something or changes the lock."""
        return any(change.moves for change in self.changes)

    @property
    def needs_attention(self) -> bool:
        """Whether it differs from "nothing to do"; requests on their way alone do not."""
        return any(
            change.action not in (Action.UNCHANGED, Action.PENDING) or change.released
            for change in self.changes
        )

    @property
    def id(self) -> Digest:
        """The same for plans that do the same to the same account, wherever the specs stand."""
        moves = (
            (change.key, [[part.name, part.action, part.after] for part in change.moving_fields])
            for change in sorted(self.changes, key=lambda change: change.key)
            if change.moves
        )
        account = {"account": [self.account.async_host, self.account.host]}
        return digest_with(account, "moves", moves)


_REST = (
    Action.PENDING,
    Action.HELD,
    Action.REJECTED,
    Action.CONFLICT,
    Action.ADOPT,
    Action.RELEASE,
)
