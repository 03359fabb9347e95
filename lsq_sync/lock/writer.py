"""The one writer of a workspace: journal first, lock when folding.

Events are durable when `record` returns. They are folded into the lock at the start, at the end
and about every half minute between, or less often where that takes long; folded journals are put
away under `runs/`.
"""

import errno
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from lsq_sync import signals
from lsq_sync.core.events import Accepted, Event, Intended, Rejected, Rekeyed, apply_event
from lsq_sync.core.state import Entry, Recorded, RunID
from lsq_sync.errors import StorageError
from lsq_sync.lock import format as lock_format
from lsq_sync.lock import records
from lsq_sync.lock.disk import (
    PRIVATE,
    fingerprint,
    fingerprint_of,
    replace_by_pieces,
    sync,
    sync_folder,
    told_as_storage_error,
    write_all,
)
from lsq_sync.lock.emergency import Emergency, emergency_places, remove_emergency
from lsq_sync.lock.lines import UnusualLockError
from lsq_sync.lock.newest import keep_newest
from lsq_sync.lock.open_requests import as_it_was, keep_open_requests
from lsq_sync.lock.recent import keep_recent, without_recent
from lsq_sync.lock.splice import spliced

FOLD_SECONDS = 30.0

FOLD_SHARE = 0.01
"""No more of a run's time goes into the folds between, however large the lock is: while one is
made nothing can be recorded, and so nothing be sent."""


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
        population: int = 0,
    ) -> None:
        """`left_behind` are events of a run that did not fold its journal itself, `restored` open
        requests that the lock did not have any more; both are in `recorded`. `seen` is the
        lock as `recorded` was read from it, `population` is how many entries that had."""
        self.left_behind = left_behind
        self.restored = restored
        self._lock = lock
        self._journal = journal
        self._runs = runs
        self._account = recorded.account
        self._entries = dict(recorded.entries)
        self._run = run
        self._clock = clock
        self._fold_at = clock() + FOLD_SECONDS
        self._descriptor: int | None = None
        self._length = 0
        self._broken: StorageError | None = None
        self._places = emergency_places(lock, journal.parent)
        self._emergency = Emergency(self._places)
        self._learned: list[Event] = []
        self._seen = fingerprint(seen)
        self._population = population
        known_since = (*restored, *left_behind)
        self._touched = {key for event in known_since for key in _touched_by(event)}

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
        would be cut off with it. Nothing may be sent on the strength of them then. Answers of the
        CRM among them go to the emergency file.
        """
        batch = tuple(events)
        try:
            if self._broken:
                raise self._broken
            with signals.held(), told_as_storage_error(self._journal):
                self._append(batch)
        except StorageError as error:
            self._broken = error
            self._take_back()
            self._save([event for event in batch if not isinstance(event, Intended)])
            raise
        for event in batch:
            self._advance(event)
        if self._clock() >= self._fold_at:
            self._fold_at = self._clock() + FOLD_SECONDS
            with suppress(StorageError):  # the journal has it all; `close` tries again, and tells
                self.fold()

    def fold(self) -> None:
        """Replaces the lock by the state, then puts the journal away.

        Raises StorageError when it cannot, also when somebody else has changed the lock since it
        was read: the journal keeps everything for the next command.
        """
        began = self._clock()
        with told_as_storage_error(self._lock):
            self._refuse_changed_lock()
            state = Recorded(self._account, self._entries)
            keep_open_requests(self._journal.parent, state)
            self._seen = self._replace_lock(state)
            self._population = len(state.entries)
            self._touched.clear()
            keep_recent(self._journal.parent, state)
            self._put_journal_away()
            keep_newest(self._journal.parent, state, self._seen)
        for path in self._places:
            with told_as_storage_error(path):
                remove_emergency(path)
        ended = self._clock()
        self._fold_at = ended + max(FOLD_SECONDS, (ended - began) / FOLD_SHARE)

    def _refuse_changed_lock(self) -> None:
        try:
            with self._lock.open("rb") as file:
                found = fingerprint_of(file)
        except FileNotFoundError:
            found = None
        if found != self._seen:
            raise _changed_lock(self._lock)

    def _replace_lock(self, state: Recorded) -> bytes:
        """Makes only the lines of what was touched anew, where it can. Gives the fingerprint."""
        if self._seen is not None:
            with suppress(UnusualLockError), self._lock.open("rb") as before:
                pieces = spliced(before, self._population, state, self._touched)
                return replace_by_pieces(self._lock, pieces)
        return replace_by_pieces(self._lock, lock_format.pieces(without_recent(state)))

    def close(self) -> None:
        """Folds what is left in the journal, with the answers that it could not take.

        Raises StorageError that says where those answers are, when the lock does not take them
        either; they are in the message when they are nowhere.
        """
        try:
            if self._descriptor is not None or self._learned:
                self.fold()
        except StorageError as error:
            if self._learned:
                raise _left_in_emergency(error, self._learned, self._emergency.path) from None
            raise
        finally:
            self._emergency.close()
            self._close_journal()

    def _save(self, answers: list[Event]) -> None:
        """Keeps answers elsewhere, each with the request that it is about."""
        if not answers:
            return
        opened = ((event.key, self._entries.get(event.key)) for event in answers)
        about = [
            event
            for key, entry in opened
            if entry and entry.pending
            for event in as_it_was(key, entry.type, entry.pending)
        ]
        self._emergency.keep((*about, *answers))
        self._learned += answers
        for event in answers:
            self._advance(event)

    def _advance(self, event: Event) -> None:
        self._touched.update(_touched_by(event))
        apply_event(self._entries, event)

    def _take_back(self) -> None:
        """What is not known to be durable must not be found later: nothing was sent on it."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._length)

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


def _touched_by(event: Event) -> tuple[str, ...]:
    return (event.key, event.old) if isinstance(event, Rekeyed) else (event.key,)


def _left_in_emergency(
    error: StorageError, answers: list[Event], path: Path | None
) -> StorageError:
    if path is not None:
        return StorageError(
            f"{error.message}; the answers of the CRM that came meanwhile are kept in {path}",
            hint="make room or set the permissions, then run this, which folds it in:"
            "\n\n  lsq-sync status",
        )
    listed = "".join(f"\n  {_in_words(event)}" for event in answers)
    return StorageError(
        f"{error.message}; these answers of the CRM could not be kept anywhere:{listed}",
        hint="keep this message: without it, these updates are unknown to the next command",
    )


def _in_words(event: Event) -> str:
    match event:
        case Accepted(key=key, request_id=request_id):
            return f"{key}: request {request_id}"
        case Rejected(key=key, reason=reason):
            return f"{key}: rejected, {reason}"
        case _:
            return f"{event.key}: {type(event).__name__.lower()}"


def _changed_lock(path: Path) -> StorageError:
    return StorageError(
        f"{path} was changed by something else while this run was at work (a checkout or a pull?)",
        hint="nothing is lost, it stays in the journal; the next command brings both together:"
        "\n\n  lsq-sync status",
    )
