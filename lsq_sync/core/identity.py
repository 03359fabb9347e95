"""One opportunity, one key: an AutoId and the GUID that the lock has for it are one. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from lsq_sync.core.events import Rekeyed, replay
from lsq_sync.core.model import DesiredOpportunity
from lsq_sync.core.state import Entry, Recorded
from lsq_sync.core.values import is_guid
from lsq_sync.errors import Diagnostic, LockError, SpecError


def as_the_specs_call_it(
    desired: Iterable[DesiredOpportunity], recorded: Recorded, now: datetime
) -> tuple[Recorded, tuple[Rekeyed, ...]]:
    """The recorded state under the keys of the specs, and the events that lead to it.

    An entry whose AutoId the specs have replaced by its GUID is kept. Raises SpecError when two
    keys of the specs are one opportunity, with both places, and LockError when two of the lock
    are.
    """
    by_guid = _by_guid(recorded.entries)
    if not by_guid:
        return recorded, ()
    wanted = {one.key: one for one in desired}
    _refuse_two_keys(wanted, by_guid)
    events = tuple(
        Rekeyed(guid, now, key)
        for guid, key in by_guid.items()
        if guid in wanted and key not in wanted
    )
    if not events:
        return recorded, ()
    return replace(recorded, entries=replay(recorded.entries, events)), events


def names_of(key: str, entry: Entry) -> Iterator[str]:
    """All that a recorded opportunity is known by."""
    yield key
    if entry.guid and entry.guid != key:
        yield entry.guid


def _by_guid(entries: Mapping[str, Entry]) -> dict[str, str]:
    """The AutoId under which each known GUID is recorded."""
    found: dict[str, str] = {}
    for key, entry in entries.items():
        guid = entry.guid
        if not guid or is_guid(key):
            continue
        other = guid if guid in entries else found.get(guid)
        if other is not None:
            raise LockError(
                f"the lock has the opportunity {guid} twice: as {other} and as {key}",
                hint="look at both (lsq-sync state show), then drop the one that is out of date:"
                f"\n\n  lsq-sync state forget {key}",
            )
        found[guid] = key
    return found


def _refuse_two_keys(wanted: Mapping[str, DesiredOpportunity], by_guid: Mapping[str, str]) -> None:
    problems = []
    for guid, key in by_guid.items():
        if guid in wanted and key in wanted:
            first, second = sorted((wanted[guid], wanted[key]), key=lambda one: one.origin)
            message = f"{second.key} is the same opportunity as {first.key} at {first.origin}"
            hint = "keep one of the two"
            problems.append(Diagnostic(second.origin, "opportunity-twice", message, hint))
    if problems:
        count = f"{len(problems)} opportunit{'y stands' if len(problems) == 1 else 'ies stand'}"
        raise SpecError(f"{count} in the specs under two keys", diagnostics=tuple(problems))
