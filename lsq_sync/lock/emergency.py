"""Answers that the journal could not take: kept in another place that can be written.

The file has the form of a journal. Its name tells the workspace, so the next command finds it,
wherever it is, and folds it in.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from lsq_sync.core.events import Event, Intended
from lsq_sync.core.state import Entry
from lsq_sync.errors import LockError
from lsq_sync.lock import records
from lsq_sync.lock.disk import PRIVATE, sync, sync_folder, write_all


def emergency_places(lock: Path, folder: Path) -> tuple[Path, ...]:
    """Where it may be, the nearest first: the state's folder, beside the lock, home, temporary."""
    whose = hashlib.sha256(os.fsencode(lock.resolve())).hexdigest()[:16]
    name = f".lsq-sync-emergency-{whose}.journal"
    folders = [folder, lock.parent, Path(os.environ.get("TMPDIR") or "/tmp")]  # noqa: S108 - 0600
    with suppress(RuntimeError):  # whoever has no home
        folders.insert(2, Path.home())
    return tuple(dict.fromkeys(one / name for one in folders))


class Emergency:
    """Keeps events durably in the first place that takes them."""

    def __init__(self, places: Iterable[Path]) -> None:
        self._places = iter(tuple(places))
        self._kept: list[Event] = []
        self._descriptor: int | None = None
        self._length = 0
        self.path: Path | None = None

    def keep(self, events: Iterable[Event]) -> bool:
        """Whether these and all before them are durable now."""
        batch = tuple(events)
        self._kept += batch
        if self._descriptor is not None:
            with suppress(OSError):
                self._append(batch)
                return True
        return self._move_on()

    def close(self) -> None:
        """Nothing more comes."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _move_on(self) -> bool:
        for path in self._places:
            self._give_up_this_place()
            with suppress(OSError):
                self._begin(path)
                self._append(tuple(self._kept))
                return True
        self._give_up_this_place()
        return False

    def _begin(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, PRIVATE)
        self.path = path
        header = records.encode_header()
        write_all(self._descriptor, header)
        sync(self._descriptor)  # a group is written only after the one before it is durable
        sync_folder(path.parent)
        self._length = len(header)

    def _append(self, events: tuple[Event, ...]) -> None:
        assert self._descriptor is not None
        data = records.encode(events, self._length)
        write_all(self._descriptor, data)
        sync(self._descriptor)
        self._length += len(data)

    def _give_up_this_place(self) -> None:
        """What it has is in the next one too."""
        self.close()
        if self.path is not None:
            with suppress(OSError):
                self.path.unlink()
            self.path = None


def kept_in_emergency(places: Iterable[Path]) -> Iterator[Event]:
    """What earlier runs kept. Raises LockError for a file of ours that cannot be trusted."""
    for path in places:
        data = _content_of_ours(path)
        if data is None:
            continue
        journal = records.decode(data)
        if journal.damaged_at is not None or journal.format != records.FORMAT:
            raise LockError(
                f"{path} holds answers that a full or failing disk could not take, "
                "and it cannot be read",
                hint="move it away, and check the opportunities of the last run in the CRM "
                "before the next apply",
            )
        yield from journal.events


def remove_emergency(path: Path) -> None:
    """It is folded in. Raises OSError: one that stays would be folded in for ever."""
    if _content_of_ours(path) is not None:
        path.unlink()
        sync_folder(path.parent)


def still_news(events: Iterable[Event], entries: Mapping[str, Entry]) -> Iterator[Event]:
    """The events, less the intents that are known: they would undo what came after."""
    for event in events:
        if not isinstance(event, Intended) or not _knows_of(entries.get(event.key), event):
            yield event


def _knows_of(entry: Entry | None, intent: Intended) -> bool:
    requests = (entry.pending, entry.request) if entry else ()
    return any(one.sent_at >= intent.at for one in requests if one)


def _content_of_ours(path: Path) -> bytes | None:
    """None where there is nothing, or where somebody else has put it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read()
