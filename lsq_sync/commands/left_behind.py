"""What a run that was cut short left, or a checkout took away, told to whoever comes next."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from lsq_sync.commands.dialogue import Dialogue
from lsq_sync.core.events import Event, Intended, lapsed
from lsq_sync.core.identity import as_the_specs_call_it
from lsq_sync.core.model import DesiredOpportunity
from lsq_sync.lock.writer import Writer
from lsq_sync.render.words import counted

_NAMED = 5


def close_what_lapsed(writer: Writer, now: datetime, late_window: timedelta) -> None:
    """Requests that were seen in the CRM, and can land no more, hold nothing back any longer."""
    if events := lapsed(writer.recorded.entries, now, late_window):
        writer.record(events)


def call_as_the_specs_do(
    writer: Writer, desired: Iterable[DesiredOpportunity], now: datetime
) -> None:
    """Entries whose AutoId the specs have replaced by the GUID are called so from here on.

    Raises SpecError or LockError for two keys of one opportunity.
    """
    _, events = as_the_specs_call_it(desired, writer.recorded, now)
    if events:
        writer.record(events)


def notice_of_left_behind(writer: Writer, dialogue: Dialogue) -> None:
    """Says what was folded in, and names the updates whose answers nobody saw."""
    if restored := _keys(writer.restored):
        dialogue.notice(
            f"the lock had lost {counted(len(restored), 'open request')} (a checkout or a "
            f"restore?); it is known again: {_listed(restored)}"
        )
    if not writer.left_behind:
        return
    sent = _keys(writer.left_behind)
    unknown = [key for key in sent if _is_unknown(writer, key)]
    told = f"an earlier run was cut short; what it did is in the lock now: {len(sent):,} sent"
    if unknown:
        told += f", {len(unknown):,} of them without an answer: {_listed(unknown)}"
    dialogue.notice(told)


def _keys(events: Iterable[Event]) -> list[str]:
    return list(dict.fromkeys(event.key for event in events if isinstance(event, Intended)))


def _listed(keys: list[str]) -> str:
    return f"{', '.join(keys[:_NAMED])}{', …' if len(keys) > _NAMED else ''}"


def _is_unknown(writer: Writer, key: str) -> bool:
    entry = writer.entry(key)
    return bool(entry and entry.pending and not entry.pending.request_id)
