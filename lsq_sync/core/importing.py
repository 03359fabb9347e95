"""What becomes of each opportunity that was asked for in an import. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from lsq_sync.core.events import Adopted, Event, Released
from lsq_sync.core.model import DesiredOpportunity
from lsq_sync.core.state import NOTE, Entry, Payload
from lsq_sync.core.values import ABSENT, Value


@dataclass(frozen=True, slots=True)
class Draft:
    """An opportunity as it is to stand in a spec: canonical values by name, the note among them."""

    key: str
    label: str
    values: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A value that a spec cannot say, and why."""

    key: str
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """An opportunity that was left as it is, and why."""

    key: str
    why: str


@dataclass(frozen=True, slots=True)
class Sorted:
    """Which are to be read, and which are not."""

    wanted: tuple[str, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What an import did.

    `not_managed` are fields of the type that no spec can set, each with the reason; `missing` are
    opportunities that the CRM does not show, `unlisted` how many more it counts than it named.
    """

    file: str
    is_new: bool
    type: str
    code: int
    drafts: tuple[Draft, ...]
    skipped: tuple[Skipped, ...]
    missing: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    not_managed: Mapping[str, str]
    titles: Mapping[str, str]
    unlisted: int
    calls: Mapping[str, int]
    elapsed_seconds: float

    @property
    def is_whole(self) -> bool:
        """Whether all that was asked for was there."""
        return not (self.missing or self.unlisted)

    @property
    def values(self) -> int:
        """How many values were written."""
        return sum(len(draft.values) for draft in self.drafts)


def sorted_out(
    asked: Iterable[str], desired: Iterable[DesiredOpportunity], entries: Mapping[str, Entry]
) -> Sorted:
    """Those that no spec has yet, and that nothing is on its way to."""
    places = {one.key: str(one.origin) for one in desired}
    by_guid = {entry.guid: key for key, entry in entries.items() if entry.guid}
    wanted, skipped = [], []
    for key in dict.fromkeys(asked):
        recorded_as = by_guid.get(key, key)
        known = next((name for name in (key, recorded_as) if name in places), None)
        entry = entries.get(recorded_as)
        if known is not None:
            named = "" if known == key else f" as {known}"
            skipped.append(Skipped(key, f"a spec has it already{named}: {places[known]}"))
        elif entry and entry.pending:
            skipped.append(Skipped(key, "a request is open, which may still change it"))
        else:
            wanted.append(key)
    return Sorted(tuple(wanted), tuple(skipped))


def events_of(
    meant: Iterable[DesiredOpportunity], entries: Mapping[str, Entry], now: datetime
) -> Iterator[Event]:
    """What the lock learns: the values, and what it knew beyond them is forgotten."""
    for one in meant:
        note = one.note.value if one.note else ABSENT
        payload = Payload(one.values, note)
        if beyond := _beyond(payload, entries.get(one.key)):
            yield Released(one.key, now, beyond)
        yield Adopted(one.key, now, payload, one.type)


def _beyond(payload: Payload, entry: Entry | None) -> tuple[str, ...]:
    if entry is None:
        return ()
    note = () if entry.note is ABSENT else (NOTE,)
    return tuple(sorted({*entry.fields, *note} - {*payload.names}))
