"""The one writer of a workspace: journal first, lock when folding.

Events are durable when `record` returns. They are folded into the lock at the start, at the end
and about every half minute between; folded journals are put away under `runs/`.
"""

import errno
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from lsq_sync import signals
from lsq_sync.core.state import Entry, Event, Intended, Recorded, RunID, advance
from lsq_sync.errors import StorageError
from lsq_sync.lock import format as lock_format
from lsq_sync.lock import records
from lsq_sync.lock.disk import (
    PRIVATE,
    content_of,
    fingerprint,
    replace_file,
    sync,
    sync_folder,
    told_as_storage_error,
    write_all,
)
from lsq_sync.lock.open_requests import keep_open_requests
from lsq_sync.lock.recent import keep_recent, without_recent

FOLD_SECONDS = 30.0


class Writer:
    """Records events. One at a time may use it; `record` may run on a thread of its own."""

    def __init__(
        self,
        lock: Path,
        journal: Path,
        runs: Path,
        recorded: Recorded,
        run: RunID,
        clock: Callable[[], float] = time.monotonic,
        left_behind: tuple[Event, ...] = (),
        restored: tuple[Event, ...] = (),
        seen: bytes | None = None,
    ) -> None:
        """`left_behind` are events of a run that did not fold its journal itself, `restored` open
        requests that the lock did not have any more; both are in `recorded`. `seen` is the
        lock as `recorded` was read from it."""
        self.left_behind = left_behind
        self.restored = restored
        self._lock = lock
        self._journal = journal
        self._runs = runs
        self._account = recorded.account
        self._entries = dict(recorded.entries)
        self._run = run
        self._clock = clock
        self._folded_at = clock()
        self._descriptor: int | None = None
        self._length = 0
        self._broken: StorageError | None = None
        self._learned: list[Event] = []
        self._seen = fingerprint(seen)

    @property
    def recorded(self) -> Recorded:
        """The state with everything in it that was recorded so far."""
        return Recorded(self._account, dict(self._entries))

    def entry(self, key: str) -> Entry | None:
        """What is recorded of one opportunity now."""
        return self._entries.get(key)

    def belongs_to(self, short_code: str) -> None:
        """Keeps the short code of the account that the lock is written for."""
        assert self._account is not None
        self._account = replace(self._account, short_code=short_code)

    def record(self, events: Iterable[Event]) -> None:
        """Returns when the events are durable.

        Raises StorageError when they are not, and ever after: what stands behind a torn record
        would be cut off with it. Nothing may be sent on the strength of them then.
        """
        batch = tuple(events)
        try:
            if self._broken:
                raise self._broken
            with signals.held(), told_as_storage_error(self._journal):
                self._append(batch)
        except StorageError as error:
            self._broken = error
            self._learned += (event for event in batch if not isinstance(event, Intended))
            raise
        for event in batch:
            self._advance(event)
        if self._clock() - self._folded_at >= FOLD_SECONDS:
            self._folded_at = self._clock()
            with suppress(StorageError):  # the journal has it all; `close` tries again, and tells
                self.fold()

    def fold(self) -> None:
        """Replaces the lock by the state, then puts the journal away.

        Raises StorageError when it cannot, also when somebody else has changed the lock since it
        was read: the journal keeps everything for the next command.
        """
        with told_as_storage_error(self._lock):
            if fingerprint(content_of(self._lock)) != self._seen:
                raise _changed_lock(self._lock)
            data = lock_format.dump(without_recent(self.recorded))
            keep_open_requests(self._journal.parent, self.recorded)
            replace_file(self._lock, data)
            self._seen = fingerprint(data)
            keep_recent(self._journal.parent, self.recorded)
            self._put_journal_away()
        self._folded_at = self._clock()

    def close(self) -> None:
        """Folds what is left in the journal, with the answers that it could not take."""
        for event in self._learned:
            self._advance(event)
        try:
            if self._descriptor is not None or self._learned:
                self.fold()
        finally:
            self._close_journal()

    def _advance(self, event: Event) -> None:
        entry = advance(self._entries.get(event.key), event)
        if entry is None:
            self._entries.pop(event.key, None)
        else:
            self._entries[event.key] = entry

    def _append(self, batch: tuple[Event, ...]) -> None:
        if self._descriptor is None:
            self._open()
        assert self._descriptor is not None
        data = records.encode(batch, self._length)
        write_all(self._descriptor, data)
        sync(self._descriptor)
        if not os.fstat(self._descriptor).st_nlink:
            raise FileNotFoundError(errno.ENOENT, "somebody removed it")
        self._length += len(data)

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(self._journal, flags, PRIVATE)
        header = records.encode_header()
        write_all(self._descriptor, header)
        sync(self._descriptor)
        sync_folder(self._journal.parent)
        self._length = len(header)

    def _close_journal(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _put_journal_away(self) -> None:
        self._close_journal()
        if not self._journal.exists():
            return
        self._journal.rename(self._free_name())
        sync_folder(self._runs)
        sync_folder(self._journal.parent)

    def _free_name(self) -> Path:
        number = 1
        while (path := self._runs / f"{self._run}.{number}.journal").exists():
            number += 1
        return path


def _changed_lock(path: Path) -> StorageError:
    return StorageError(
        f"{path} was changed by something else while this run was at work (a checkout or a pull?)",
        hint="nothing is lost, it stays in the journal; the next command brings both together:"
        "\n\n  lsq-sync status",
    )
