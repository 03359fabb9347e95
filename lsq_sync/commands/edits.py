"""Who changed an opportunity last, and when: only its details say so, one call each."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from lsq_sync.core.change import Change
from lsq_sync.core.model import Live
from lsq_sync.core.reading import Wanted, readable
from lsq_sync.core.state import Entry, Recorded
from lsq_sync.errors import LsqSyncError

_MOST = 20
"""Of more somebody has run a script of their own, and twenty names say so."""


def with_edits(
    live: Live,
    changed: Iterable[Change],
    recorded: Recorded,
    read: Callable[[tuple[Wanted, ...]], Live],
) -> Live:
    """The live values with the last edit of what was changed behind our back.

    A read that fails leaves them as they are: who it was matters less than that it was.
    """
    wanted = tuple(readable(_details_of(one, recorded.entries) for one in changed))[:_MOST]
    found: Live = {}
    if wanted:
        with suppress(LsqSyncError):
            found = read(wanted)
    edits = {
        key: replace(live[key], edited_at=one.edited_at, edited_by=one.edited_by)
        for key, one in found.items()
        if key in live
    }
    return {**live, **edits}


def _details_of(change: Change, entries: Mapping[str, Entry]) -> Wanted | None:
    names = tuple(part.name for part in change.fields)
    entry = entries.get(change.key)
    guid = entry.guid if entry else ""
    return Wanted(change.key, guid or change.key, names) if names else None
