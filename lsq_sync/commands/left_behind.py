"""What an earlier run that was cut short left in its journal, told to whoever comes next."""

from lsq_sync.commands.dialogue import Dialogue
from lsq_sync.core.state import Intended
from lsq_sync.lock.writer import Writer


def notice_of_left_behind(writer: Writer, dialogue: Dialogue) -> None:
    """Says what was folded in, and names the updates whose answers nobody saw."""
    keys = dict.fromkeys(e.key for e in writer.left_behind if isinstance(e, Intended))
    if not writer.left_behind:
        return
    unknown = [key for key in keys if _is_unknown(writer, key)]
    told = f"an earlier run was cut short; what it recorded is in the lock now ({len(keys)} sent"
    if not unknown:
        dialogue.notice(f"{told}, every answer known)")
        return
    dialogue.notice(
        f"{told}, {len(unknown)} without an answer: {', '.join(unknown[:5])}"
        f"{', …' if len(unknown) > 5 else ''})"
    )


def _is_unknown(writer: Writer, key: str) -> bool:
    entry = writer.entry(key)
    return bool(entry and entry.pending and not entry.pending.request_id)
