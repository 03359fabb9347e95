"""The state of a workspace in files: the lock, the journal, the folder of past runs.

Reading overlays the journal in memory and writes nothing. Writing appends to the journal, durably,
and folds it into the lock at the start, at the end and about every half minute between. Requests
that are open then are kept beside, as the lock may be restored from git: they are folded in again.
"""

import errno
import hashlib
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from lsq_sync.core.model import Account
from lsq_sync.core.state import (
    Accepted,
    Entry,
    Event,
    Intended,
    OpenRequest,
    Queued,
    Recorded,
    RunID,
    advance,
    replay,
)
from lsq_sync.errors import LockError, StorageError
from lsq_sync.lock import format as lock_format
from lsq_sync.lock import records
from lsq_sync.lock.disk import (
    PRIVATE,
    make_folder,
    replace_file,
    sync,
    sync_folder,
    write_all,
)
from lsq_sync.lock.writer_lock import only_writer

FOLD_SECONDS = 30.0


class FileStore:
    """The recorded state of one workspace. `name` is how messages call the lock file."""

    def __init__(self, lock: Path, name: str, folder: Path, account: Account) -> None:
        self._lock = lock
        self._name = name
        self._folder = folder
        self._account = account

    @property
    def exists(self) -> bool:
        """Whether anything was ever recorded here."""
        return self._lock.exists() or self._journal.exists()

    @property
    def _journal(self) -> Path:
        return self._folder / "journal"

    def read(self) -> Recorded:
        """Lock and journal together, in memory only.

        Raises LockError when one of them cannot be trusted, or belongs to another account.
        """
        recorded, events, _ = self._load()
        return replace(recorded, entries=replay(recorded.entries, events))

    @contextmanager
    def writer(self, run: RunID, now: datetime) -> Iterator["Writer"]:
        """The one writer of this workspace; what an earlier one left is folded in first.

        Raises WriterBusyError, LockError, and StorageError when nothing can be written here.
        """
        with _told_as_storage_error(self._folder):
            make_folder(self._folder)
            make_folder(self._folder / "runs")
            _ignore_folder(self._folder)
        with only_writer(self._folder / "writer.lock", now):
            recorded, events, seen = self._load()
            account = self._account.with_what_is_known(recorded.account)
            state = Recorded(account, replay(recorded.entries, events))
            runs = self._folder / "runs"
            writer = Writer(
                self._lock, self._journal, runs, state, run, left_behind=events, seen=seen
            )
            if events or self._journal.exists():
                writer.fold()
            try:
                yield writer
            finally:
                writer.close()

    def _load(self) -> tuple[Recorded, tuple[Event, ...], bytes | None]:
        """The journal first: if a writer folds it meanwhile, it is replayed once too often,
        which does no harm; the other way round it would be missed."""
        events = self._load_journal()
        try:
            data = _content(self._lock)
        except OSError as error:
            raise LockError(f"{self._name} cannot be read: {error.strerror}") from None
        recorded = Recorded() if data is None else lock_format.load(data, self._name)
        if recorded.account and not recorded.account.is_same_as(self._account):
            raise _other_account(self._name, recorded.account, self._account)
        lost = self._open_requests_unknown_to(recorded.entries)
        return recorded, (*lost, *events), data

    def _open_requests_unknown_to(self, known: Mapping[str, Entry]) -> Iterator[Event]:
        """What was open when this workspace last wrote its lock, and is not in it any more."""
        file = _open_requests_beside(self._journal)
        try:
            kept = lock_format.load(_content(file) or b"", file.name)
        except (OSError, LockError):
            return
        if kept.account and kept.account.is_same_as(self._account):
            for key, entry in kept.entries.items():
                if entry.pending and not _knows_of(known.get(key), entry.pending):
                    yield from _as_it_was(key, entry.type, entry.pending)

    def _load_journal(self) -> tuple[Event, ...]:
        try:
            data = _content(self._journal)
        except OSError as error:
            raise LockError(f"{self._journal} cannot be read: {error.strerror}") from None
        if data is None:
            return ()
        journal = records.decode(data)
        if journal.damaged_at is not None:
            raise _damaged_journal(self._journal, journal.damaged_at)
        if journal.format != records.FORMAT:
            raise LockError(
                f"{self._journal} has the format {journal.format}, "
                f"this version reads {records.FORMAT}",
                hint="run the version of lsq-sync that wrote it: its next command folds it in",
            )
        return journal.events


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
        seen: bytes | None = None,
    ) -> None:
        """`left_behind` are events of a run that did not fold its journal itself, `seen` is the
        lock as `recorded` was read from it."""
        self.left_behind = left_behind
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
        self._seen = _fingerprint(seen)

    @property
    def recorded(self) -> Recorded:
        """The state with everything in it that was recorded so far."""
        return Recorded(self._account, dict(self._entries))

    def entry(self, key: str) -> Entry | None:
        """What is recorded of one opportunity now."""
        return self._entries.get(key)

    def record(self, events: Iterable[Event]) -> None:
        """Returns when the events are durable.

        Raises StorageError when they are not, and ever after: what stands behind a torn record
        would be cut off with it. Nothing may be sent on the strength of them then.
        """
        batch = tuple(events)
        try:
            if self._broken:
                raise self._broken
            with _told_as_storage_error(self._journal):
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
        with _told_as_storage_error(self._lock):
            if _fingerprint(_content(self._lock)) != self._seen:
                raise _changed_lock(self._lock)
            data = lock_format.dump(self.recorded)
            self._keep_open_requests()
            replace_file(self._lock, data)
            self._seen = _fingerprint(data)
            self._put_journal_away()
        self._folded_at = self._clock()

    def _keep_open_requests(self) -> None:
        """A second line of defence: where it cannot be written, an old one must not stay."""
        opened = {
            key: Entry(type=entry.type, pending=entry.pending)
            for key, entry in self._entries.items()
            if entry.pending
        }
        file = _open_requests_beside(self._journal)
        try:
            replace_file(file, lock_format.dump(Recorded(self._account, opened)), PRIVATE)
        except OSError:
            with suppress(OSError):
                file.unlink()

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


@contextmanager
def _told_as_storage_error(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"{path} cannot be written: {error.strerror}",
            hint="nothing more was sent; make room or set the permissions, "
            "then run the command again",
        ) from None


def _ignore_folder(folder: Path) -> None:
    """The local state keeps itself out of git, also where nobody wrote a .gitignore."""
    marker = folder / ".gitignore"
    if not marker.exists():
        marker.write_text("*\n", encoding="utf-8")


def _open_requests_beside(journal: Path) -> Path:
    """In the form of a lock, replaced before it: what it has too much, the journal still has."""
    return journal.with_name("open")


def _knows_of(entry: Entry | None, request: OpenRequest) -> bool:
    """Whether the lock has it, or a later one of the same opportunity."""
    listed = (entry.pending, entry.request) if entry else ()
    return any(one.sent_at >= request.sent_at for one in listed if one)


def _as_it_was(key: str, type_name: str, request: OpenRequest) -> Iterator[Event]:
    yield Intended(key, request.sent_at, request.run, request.payload, type_name)
    if request.request_id is not None:
        yield Accepted(key, request.sent_at, request.request_id)
        if request.queued_at:
            yield Queued(key, request.queued_at, request.request_id)


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _fingerprint(content: bytes | None) -> bytes | None:
    return None if content is None else hashlib.sha256(content).digest()


def _changed_lock(path: Path) -> StorageError:
    return StorageError(
        f"{path} was changed by something else while this run was at work (a checkout or a pull?)",
        hint="nothing is lost, it stays in the journal; the next command brings both together:"
        "\n\n  lsq-sync status",
    )


def _other_account(name: str, theirs: Account, ours: Account) -> LockError:
    return LockError(
        f"{name} belongs to the account {theirs.name!r} at {theirs.async_host}, "
        f"the settings name {ours.name!r} at {ours.async_host}",
        hint="one account is one workspace: use the settings of that account, "
        "or a workspace of its own for this one (lsq-sync init)",
    )


def _damaged_journal(path: Path, offset: int) -> LockError:
    return LockError(
        f"{path} is damaged at byte {offset}: something after it was written later, "
        "so it may hide RequestIDs",
        hint="bring the file back from a backup; if there is none, move it away and check the "
        "opportunities of the last run in the CRM before the next apply",
    )
