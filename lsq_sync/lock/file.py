"""The state of a workspace in files: the lock, the journal, the folder of past runs.

Reading overlays the journal in memory and writes nothing. Writing is `writer.py`'s.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lsq_sync import signals
from lsq_sync.core.events import Event, replay
from lsq_sync.core.model import Account
from lsq_sync.core.state import Entry, Recorded, RunID
from lsq_sync.errors import LockError
from lsq_sync.lock import format as lock_format
from lsq_sync.lock import records
from lsq_sync.lock.disk import (
    content_of,
    fingerprint,
    fingerprint_of,
    ignore_folder,
    is_of_a_living_process,
    make_folder,
    replace_file,
    told_as_storage_error,
)
from lsq_sync.lock.emergency import emergency_places, kept_in_emergency, still_news
from lsq_sync.lock.newest import set_back_from
from lsq_sync.lock.open_requests import forgotten_requests, may_have_forgotten
from lsq_sync.lock.recent import with_recent
from lsq_sync.lock.writer import Writer
from lsq_sync.lock.writer_lock import only_writer
from lsq_sync.places import CACHE

if TYPE_CHECKING:
    from lsq_sync.lock.merge import Merged


@dataclass(frozen=True, slots=True)
class _Found:
    """What the files say: the lock, open requests that it lost, a journal not folded in yet, and
    answers that a full disk could not take."""

    recorded: Recorded
    restored: tuple[Event, ...]
    journal: tuple[Event, ...]
    lock: bytes | None
    emergency: tuple[Event, ...] = ()

    @property
    def entries(self) -> dict[str, Entry]:
        """All of it together."""
        found = replay(self.recorded.entries, (*self.restored, *self.journal))
        return replay(found, still_news(self.emergency, found))


class Reading(NamedTuple):
    """What is recorded, and the fingerprint of the lock that was read for it; None where there is
    no lock. `is_all_of_the_lock`: nothing else was known."""

    recorded: Recorded
    lock: bytes | None
    is_all_of_the_lock: bool


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
        return self.reading().recorded

    def reading(self) -> Reading:
        """The same, and from which lock. Raises what `read` raises."""
        found = self._load()
        besides = (*found.journal, *found.restored, *found.emergency)
        recorded = replace(found.recorded, entries=found.entries)
        return Reading(recorded, fingerprint(found.lock), not besides)

    def fingerprint(self) -> bytes | None:
        """Of the lock file; None where it cannot be read."""
        try:
            with self._lock.open("rb") as file:
                return fingerprint_of(file)
        except OSError:
            return None

    def set_back_from(self, newest: datetime | None, lock: bytes | None) -> datetime | None:
        """When the last outcome came that was recorded here, if the lock with this fingerprint,
        whose own last is `newest`, does not know it: a revert or a checkout has set it back."""
        return set_back_from(self._folder, newest, lock)

    def only_lock(self) -> Path | None:
        """The lock file, where nothing is known besides what is in it: no journal, no answers that
        a full disk could not take, no open requests that git may have taken out of it."""
        if self._journal.exists() or may_have_forgotten(self._folder):
            return None
        kept = kept_in_emergency(emergency_places(self._lock, self._folder))
        return None if any(True for _ in kept) else self._lock

    @contextmanager
    def writer(self, run: RunID, now: datetime) -> Iterator[Writer]:
        """The one writer of this workspace; what an earlier one left is folded in first.

        Raises WriterBusyError, LockError, and StorageError when nothing can be written here.
        """
        self._make_folders()
        with only_writer(self._folder / "writer.lock", now):
            with signals.held():
                _remove_leftovers(self._lock.resolve(), self._folder)
                writer = self._opened(run)
            try:
                yield writer
            finally:
                with signals.held():
                    writer.close()

    def merge(self, now: datetime) -> "Merged | None":
        """Brings the two sides of a git conflict in the lock together; None where there is none.

        Raises what `writer` raises, and LockError when they cannot be brought together: nothing is
        changed then.
        """
        from lsq_sync.lock.merge import has_markers, merge

        self._make_folders()
        with only_writer(self._folder / "writer.lock", now), signals.held():
            text = lock_format.text_of(content_of(self._lock) or b"", self._name)
            if not has_markers(text):
                return None
            merged = merge(text, self._name)
            account = merged.recorded.account
            if account and not account.is_same_as(self._account):
                raise _other_account(self._name, account, self._account)
            with told_as_storage_error(self._lock):
                replace_file(self._lock, lock_format.dump(merged.recorded))
            return merged

    def folded(self, run: RunID, now: datetime) -> bytes | None:
        """The lock as it stands once everything that is known is in it; None where nothing is.

        Raises what `writer` raises.
        """
        with self.writer(run, now):
            pass
        return content_of(self._lock)

    def bring_in(self, base: bytes | None, theirs: bytes, run: RunID, now: datetime) -> bool:
        """Takes in what another copy of the lock learnt since both were `base`; whether it did.

        Raises what `writer` and `merge_of_copies` raise: nothing is changed then.
        """
        ours = self.folded(run, now)
        with only_writer(self._folder / "writer.lock", now), signals.held():
            merged = self.merge_of_copies(base, ours, theirs)
            if merged == ours:
                return False
            with told_as_storage_error(self._lock):
                replace_file(self._lock, merged)
            return True

    def merge_of_copies(
        self, base: bytes | None, ours: bytes | None, theirs: bytes | None
    ) -> bytes:
        """Two copies of the lock as one; `base` is what both were made from.

        Raises LockError when one of them cannot be trusted, when they are of different accounts,
        and when both have an open request of their own for one opportunity.
        """
        from lsq_sync.lock.merge import merge_since

        before, here, there = known = [
            Recorded() if data is None else lock_format.load(data, self._name)
            for data in (base, ours, theirs)
        ]
        for one in known:
            if one.account and not one.account.is_same_as(self._account):
                raise _other_account(self._name, one.account, self._account)
        if ours == base and theirs is not None:
            return theirs
        if theirs == base and ours is not None:
            return ours
        return lock_format.dump(merge_since(before, here, there, self._name).recorded)

    def _make_folders(self) -> None:
        with told_as_storage_error(self._folder):
            make_folder(self._folder)
            make_folder(self._folder / "runs")
            ignore_folder(self._folder)

    def _opened(self, run: RunID) -> Writer:
        """A writer that has folded in what it found."""
        found = self._load()
        writer = Writer(
            self._lock,
            self._journal,
            self._folder / "runs",
            Recorded(self._account.with_what_is_known(found.recorded.account), found.entries),
            run,
            left_behind=(*found.journal, *found.emergency),
            restored=found.restored,
            seen=found.lock,
            population=len(found.recorded.entries),
        )
        if found.restored or found.emergency or self._journal.exists():
            writer.fold()
        return writer

    def _load(self) -> "_Found":
        """The journal first: if a writer folds it meanwhile, it is replayed once too often,
        which does no harm; the other way round it would be missed."""
        journal = self._load_journal()
        emergency = tuple(kept_in_emergency(emergency_places(self._lock, self._folder)))
        try:
            data = content_of(self._lock)
        except OSError as error:
            raise LockError(f"{self._name} cannot be read: {error.strerror}") from None
        recorded = Recorded() if data is None else lock_format.load(data, self._name)
        if recorded.account and not recorded.account.is_same_as(self._account):
            raise _other_account(self._name, recorded.account, self._account)
        restored = tuple(forgotten_requests(self._folder, self._account, recorded))
        entries = with_recent(self._folder, self._account, recorded.entries)
        recorded = replace(recorded, entries=entries)
        return _Found(recorded, restored, journal, data, emergency)

    def _load_journal(self) -> tuple[Event, ...]:
        try:
            data = content_of(self._journal)
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


def _remove_leftovers(lock: Path, folder: Path) -> None:
    """Half-written files of processes that are no more."""
    places = (
        *((lock.parent, f".{lock.name}.*.tmp"), (folder, "*.tmp")),
        *((folder / "runs", ".*.tmp"), (folder / CACHE, ".*.tmp")),
    )
    for where, pattern in places:
        for path in where.glob(pattern):
            with suppress(OSError):
                if not is_of_a_living_process(path):
                    path.unlink()


def _other_account(name: str, theirs: Account, ours: Account) -> LockError:
    return LockError(
        f"{name} belongs to the account {theirs.name!r} at {_hosts(theirs)}, "
        f"the settings name {ours.name!r} at {_hosts(ours)}",
        hint="one account is one workspace: use the settings of that account, "
        "or a workspace of its own for this one (lsq-sync init)",
    )


def _hosts(account: Account) -> str:
    return f"{account.async_host} and {account.host}" if account.host else account.async_host


def _damaged_journal(path: Path, offset: int) -> LockError:
    return LockError(
        f"{path} is damaged at byte {offset}: something after it was written later, "
        "so it may hide RequestIDs",
        hint="bring the file back from a backup; if there is none, move it away and check the "
        "opportunities of the last run in the CRM before the next apply",
    )
