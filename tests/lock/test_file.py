"""The state of a workspace in files: overlaid when read, folded when written, never guessed."""

import errno
import os
import shutil
import stat
from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from lsq_sync.core.events import Event, Queued, Withdrawn, replay
from lsq_sync.core.model import Account
from lsq_sync.core.state import Entry, OpenRequest, Payload, Recorded, RequestID, RunID
from lsq_sync.errors import LockError, StorageError, WriterBusyError
from lsq_sync.lock import writer as writer_module
from lsq_sync.lock.emergency import Emergency, emergency_places
from lsq_sync.lock.file import FileStore
from lsq_sync.lock.format import dump, load
from lsq_sync.lock.open_requests import keep_open_requests
from lsq_sync.lock.records import decode, encode, encode_header
from lsq_sync.lock.writer import FOLD_SECONDS, Writer
from tests.lock.recorded_disk import watched
from tests.lock.states import (
    ACCOUNT,
    NOON,
    ONE,
    RUN,
    SMALL,
    TWO,
    accepted,
    intended,
    later,
    succeeded,
)

NAME = "lsq-sync.lock"
AS_ROOT = os.geteuid() == 0


class Place:
    """A workspace with nothing but its state."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lock = root / NAME
        self.folder = root / ".lsq-sync"
        self.journal = self.folder / "journal"
        self.runs = self.folder / "runs"
        self.store = self.store_of(ACCOUNT)

    def store_of(self, account: Account) -> FileStore:
        return FileStore(self.lock, NAME, self.folder, account)

    def put(self, state: Recorded) -> None:
        self.lock.write_bytes(dump(state))

    def put_journal(self, *groups: Sequence[Event], tail: bytes = b"") -> None:
        data = encode_header()
        for group in groups:
            data += encode(group, len(data))
        self.folder.mkdir(exist_ok=True)
        self.journal.write_bytes(data + tail)

    def recorded(self) -> Recorded:
        return load(self.lock.read_bytes(), NAME)

    def tree(self) -> dict[str, tuple[int, int, bytes | None]]:
        """Everything that is there, with its time and content."""
        found = {}
        for path in sorted((self.root, *self.root.rglob("*"))):
            status = path.stat()
            content = path.read_bytes() if path.is_file() else None
            found[str(path)] = (status.st_mtime_ns, status.st_mode, content)
        return found

    def kept_events(self) -> list[Event]:
        """What the journals of past runs hold."""
        journals = sorted(self.runs.iterdir())
        return [event for path in journals for event in decode(path.read_bytes()).events]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "workspace").mkdir()
    return Place(tmp_path / "workspace")


# --- reading


def test_where_nothing_was_recorded_nothing_is_there(place: Place) -> None:
    assert not place.store.exists
    assert place.store.read() == Recorded()
    assert list(place.root.iterdir()) == []


def test_whether_anything_but_the_lock_says_something(place: Place) -> None:
    place.put(SMALL)
    assert place.store.only_lock() == place.lock
    place.put_journal()
    assert place.store.only_lock() is None
    place.journal.unlink()
    keep_open_requests(place.folder, Recorded(ACCOUNT))
    assert place.store.only_lock() == place.lock
    keep_open_requests(place.folder, SMALL)
    assert place.store.only_lock() is None
    keep_open_requests(place.folder, Recorded(ACCOUNT))
    emergency = Emergency(emergency_places(place.lock, place.folder))
    assert emergency.keep([intended()])
    assert place.store.only_lock() is None


def test_a_lock_alone_is_the_state(place: Place) -> None:
    place.put(SMALL)
    assert place.store.exists
    assert place.store.read() == SMALL


def test_a_journal_alone_is_the_state(place: Place) -> None:
    place.put_journal([intended()], [accepted()])
    assert place.store.exists
    assert place.store.read().entries == replay({}, [intended(), accepted()])


def test_the_journal_lies_over_the_lock(place: Place) -> None:
    place.put(SMALL)
    events: list[Event] = [succeeded(TWO, "r-2"), intended(ONE, at=9)]
    place.put_journal(events)
    assert place.store.read() == Recorded(ACCOUNT, replay(SMALL.entries, events))


@pytest.mark.parametrize("tail", [b"", b"000000c4 half of a rec"])
def test_reading_writes_nothing(place: Place, tail: bytes) -> None:
    place.put(SMALL)
    place.put_journal([intended()], tail=tail)
    before = place.tree()
    place.store.read()
    assert place.store.exists
    assert place.tree() == before


def test_a_reader_sees_what_a_writer_has_just_recorded(place: Place) -> None:
    with place.store.writer(RUN, NOON) as writer:
        writer.record([intended()])
        assert place.store_of(ACCOUNT).read().entries == writer.recorded.entries
        writer.record([accepted()])
        assert place.store_of(ACCOUNT).read().entries == writer.recorded.entries


def test_a_reader_between_folding_and_putting_away_sees_the_same(place: Place) -> None:
    """It reads the journal first, and then a lock that has it already."""
    place.put_journal([intended()], [accepted()])
    once = replay({}, [intended(), accepted()])
    place.put(Recorded(ACCOUNT, once))
    assert place.store.read().entries == once


# --- writing


def test_a_run_that_records_nothing_leaves_no_trace_in_the_lock(place: Place) -> None:
    with place.store.writer(RUN, NOON):
        pass
    assert not place.lock.exists()
    place.put(SMALL)
    before = place.tree()[str(place.lock)]
    with place.store.writer(RUN, NOON):
        pass
    assert place.tree()[str(place.lock)] == before
    assert not place.journal.exists()


def test_a_run_ends_with_a_lock_and_its_journal_put_away(place: Place) -> None:
    with place.store.writer(RUN, NOON) as writer:
        writer.record([intended()])
        assert not place.lock.exists()
        writer.record([accepted(), succeeded()])
    assert place.recorded() == Recorded(ACCOUNT, replay({}, place.kept_events()))
    assert place.recorded() == place.store.read()
    assert [path.name for path in place.runs.iterdir()] == [f"{RUN}.1.journal"]
    assert not place.journal.exists()


def test_a_run_that_fails_is_folded_too(place: Place) -> None:
    def fails() -> None:
        with place.store.writer(RUN, NOON) as writer:
            writer.record([intended()])
            raise ValueError("bug")

    with pytest.raises(ValueError, match="bug"):
        fails()
    assert place.recorded().entries == replay({}, [intended()])


def test_the_journal_is_folded_every_half_minute(place: Place) -> None:
    now = 1000.0
    place.runs.mkdir(parents=True)
    writer = Writer(
        place.lock, place.journal, place.runs, Recorded(ACCOUNT), RUN, clock=lambda: now
    )
    writer.record([intended()])
    now += FOLD_SECONDS - 0.1
    writer.record([accepted()])
    assert not place.lock.exists()
    now += 0.1
    writer.record([succeeded()])
    assert place.recorded() == writer.recorded
    assert not place.journal.exists()
    writer.record([intended(TWO)])
    assert place.journal.exists()
    assert TWO not in place.recorded().entries
    writer.close()
    assert place.recorded() == writer.recorded
    assert sorted(path.name for path in place.runs.iterdir()) == [
        f"{RUN}.1.journal",
        f"{RUN}.2.journal",
    ]
    assert place.kept_events() == [intended(), accepted(), succeeded(), intended(TWO)]


def test_a_fold_that_takes_long_comes_less_often(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more than a hundredth of the time goes into it."""
    now = 1000.0

    def slow(*_: object) -> None:
        nonlocal now
        now += 2.0

    monkeypatch.setattr(writer_module, "keep_recent", slow)
    place.runs.mkdir(parents=True)
    writer = Writer(
        place.lock, place.journal, place.runs, Recorded(ACCOUNT), RUN, clock=lambda: now
    )
    folded_at = []
    for _ in range(1000):
        writer.record([accepted()])
        if not place.journal.exists():
            folded_at.append(now)
        now += 1.0
    writer.close()
    assert [after - before for before, after in pairwise(folded_at)] == [202.0] * 4


def test_what_a_killed_run_left_is_folded_in_first_and_told(place: Place) -> None:
    place.put(SMALL)
    place.put_journal([intended(ONE, at=9)], [accepted(ONE, "r-9")], tail=b"0000")
    expected = place.store.read()
    with place.store.writer(RUN, NOON) as writer:
        assert writer.left_behind == (intended(ONE, at=9), accepted(ONE, "r-9"))
        assert writer.recorded == expected
        assert place.recorded() == expected
        assert not place.journal.exists()
    with place.store.writer(RUN, later(60)) as writer:
        assert writer.left_behind == ()


def test_the_entries_of_a_writer_are_those_it_recorded(place: Place) -> None:
    place.put(SMALL)
    with place.store.writer(RUN, NOON) as writer:
        before = writer.recorded
        assert writer.entry(ONE) == SMALL.entries[ONE]
        assert writer.entry("nobody") is None
        writer.record([intended("new")])
        assert writer.entry("new") is not None
        assert before == SMALL


def test_the_account_is_recorded_with_what_only_the_lock_knows(place: Place) -> None:
    place.put(SMALL)
    known = Account("renamed", ACCOUNT.async_host)
    with place.store_of(known).writer(RUN, NOON) as writer:
        writer.record([intended()])
    assert place.recorded().account == replace(ACCOUNT, name="renamed")


# --- who may read and write what


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_local_files_are_private(place: Place) -> None:
    with place.store.writer(RUN, NOON) as writer:
        writer.record([intended()])
        assert mode(place.journal) == 0o600
        assert mode(place.folder / "writer.lock") == 0o600
    [kept] = place.runs.iterdir()
    assert (mode(kept), mode(place.folder), mode(place.runs)) == (0o600, 0o700, 0o700)


def test_the_local_folder_keeps_itself_out_of_git(place: Place) -> None:
    with place.store.writer(RUN, NOON):
        pass
    assert (place.folder / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("kept", [0o600, 0o664])
def test_the_lock_keeps_its_mode(place: Place, kept: int) -> None:
    place.put(SMALL)
    place.lock.chmod(kept)
    with place.store.writer(RUN, NOON) as writer:
        writer.record([intended()])
    assert mode(place.lock) == kept


def test_a_lock_that_is_a_link_stays_one(place: Place, tmp_path: Path) -> None:
    place.put(SMALL)
    shared = tmp_path / "shared.lock"
    place.lock.rename(shared)
    place.lock.symlink_to(shared)
    with place.store.writer(RUN, NOON) as writer:
        writer.record([intended("new")])
    assert place.lock.is_symlink()
    assert "new" in load(shared.read_bytes(), NAME).entries


def test_a_link_in_place_of_the_journal_is_not_followed(place: Place, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    with place.store.writer(RUN, NOON) as writer:
        place.journal.symlink_to(victim)
        with pytest.raises(StorageError):
            writer.record([intended()])
        place.journal.unlink()
    assert not victim.exists()


# --- refusals


OTHER = Account("other", "https://elsewhere.example")


def test_the_lock_of_another_account_is_refused(place: Place) -> None:
    place.put(SMALL)
    before = place.tree()[str(place.lock)]
    store = place.store_of(OTHER)
    with pytest.raises(LockError, match="belongs to the account 'acme'"):
        store.read()
    with pytest.raises(LockError, match="belongs to the account"), store.writer(RUN, NOON):
        raise AssertionError("nobody gets here")
    assert place.tree()[str(place.lock)] == before


@pytest.mark.parametrize(
    ("recorded", "ours", "same"),
    [
        (ACCOUNT, replace(ACCOUNT, name="renamed"), True),
        (ACCOUNT, replace(ACCOUNT, async_host="https://new.example"), True),
        (ACCOUNT, replace(ACCOUNT, short_code="10002"), False),
        (ACCOUNT, Account("acme", ACCOUNT.async_host), True),
        (ACCOUNT, Account("acme", "https://new.example"), False),
        (ACCOUNT, Account("acme", ACCOUNT.async_host, "https://new.example"), False),
    ],
)
def test_which_account_is_the_same(
    place: Place, recorded: Account, ours: Account, same: bool
) -> None:
    place.put(Recorded(recorded))
    store = place.store_of(ours)
    if same:
        assert store.read().account == recorded
    else:
        with pytest.raises(LockError):
            store.read()


def damaged(place: Place) -> None:
    place.put_journal([intended()], [accepted()])
    data = bytearray(place.journal.read_bytes())
    data[100] ^= 1
    place.journal.write_bytes(bytes(data))


def of_another_version(place: Place) -> None:
    place.put_journal()
    body = b'{"group":0,"format":"lsq-sync/journal/v2"}'
    head = b"%08x %s " % (len(body), sha256(body).hexdigest()[:16].encode())
    place.journal.write_bytes(head + body + b"\n")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (damaged, "is damaged at byte 69"),
        (of_another_version, "has the format lsq-sync/journal/v2"),
        (lambda place: (place.folder.mkdir(), place.journal.mkdir()), "cannot be read"),
        (lambda place: place.lock.mkdir(), "cannot be read"),
        (lambda place: place.lock.write_bytes(b"{"), "is cut off"),
    ],
)
def test_what_cannot_be_trusted_is_refused_and_left_as_it_is(
    place: Place, spoil: object, message: str
) -> None:
    assert callable(spoil)
    spoil(place)
    files = {path: path.read_bytes() for path in place.root.rglob("*") if path.is_file()}
    with pytest.raises(LockError, match=message) as caught:
        place.store.read()
    assert caught.value.hint or "cannot be read" in message
    with pytest.raises(LockError, match=message), place.store.writer(RUN, NOON):
        raise AssertionError("nobody gets here")
    assert files == {path: path.read_bytes() for path in files}
    assert place.journal.exists() or place.lock.exists()


def test_a_lock_may_not_be_two_writers_in_one_process_either(place: Place) -> None:
    with (
        place.store.writer(RUN, NOON),
        pytest.raises(WriterBusyError),
        place.store.writer(RUN, NOON),
    ):
        raise AssertionError("nobody gets here")


# --- disks that fail


FAULTS = [
    "create .lsq-sync/journal",
    "write .lsq-sync/journal",
    "sync .lsq-sync/journal",
    "sync .lsq-sync",
]


@pytest.mark.parametrize("step", FAULTS)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
def test_what_could_not_be_made_durable_is_not_recorded(
    place: Place, monkeypatch: pytest.MonkeyPatch, step: str, number: int
) -> None:
    place.put(SMALL)
    with watched(place.root, monkeypatch) as disk:
        with place.store.writer(RUN, NOON) as writer:
            disk.fail(step, number)
            with pytest.raises(StorageError, match=os.strerror(number)) as caught:
                writer.record([intended("new")])
            assert "then run the command again" in caught.value.hint
            assert writer.recorded == SMALL
            assert writer.entry("new") is None
            disk.heal()
        assert place.recorded() == SMALL


def test_an_intent_that_is_not_known_to_be_durable_is_not_found_later(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in the file when the sync fails, and nothing was sent on it: no unknown request."""
    with watched(place.root, monkeypatch) as disk:
        with place.store.writer(RUN, NOON) as writer:
            writer.record([intended(ONE)])
            disk.fail("sync .lsq-sync/journal", errno.EIO)
            with pytest.raises(StorageError):
                writer.record([intended(TWO)])
            assert set(place.store.read().entries) == {ONE}
            disk.heal()
        assert set(place.recorded().entries) == {ONE}


def test_after_a_record_that_failed_there_is_no_other(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is behind a torn record would be cut off with it."""
    with watched(place.root, monkeypatch) as disk:
        with place.store.writer(RUN, NOON) as writer:
            writer.record([intended(ONE)])
            disk.fill_up(40)
            with pytest.raises(StorageError):
                writer.record([intended(TWO)])
            disk.heal()
            with pytest.raises(StorageError):
                writer.record([intended("three")])
            assert set(place.store.read().entries) == {ONE}
            assert set(writer.recorded.entries) == {ONE}
        assert set(place.recorded().entries) == {ONE}


@pytest.mark.parametrize("room", range(0, 69, 4))
def test_a_journal_whose_beginning_failed_holds_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    with watched(place.root, monkeypatch) as disk:
        with place.store.writer(RUN, NOON) as writer:
            disk.fill_up(room)
            for key in (ONE, TWO):
                with pytest.raises(StorageError):
                    writer.record([intended(key)])
            disk.heal()
            assert place.store.read().entries == {}
        assert place.store.read().entries == {}


def test_an_answer_that_the_journal_could_not_take_gets_into_the_lock(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The RequestID reached us: it is not given up while there is another place for it."""
    with watched(place.root, monkeypatch) as disk:
        with place.store.writer(RUN, NOON) as writer:
            writer.record([intended(ONE), intended(TWO)])
            disk.fail("write .lsq-sync/journal")
            with pytest.raises(StorageError):
                writer.record([accepted(ONE, "r-1"), intended("three")])
            with pytest.raises(StorageError):
                writer.record([accepted(TWO, "r-2")])
            known: list[Event] = [
                intended(ONE),
                intended(TWO),
                accepted(ONE, "r-1"),
                accepted(TWO, "r-2"),
            ]
            assert writer.recorded.entries == replay({}, known)
        entries = place.recorded().entries
    assert {key: entry.pending and entry.pending.request_id for key, entry in entries.items()} == {
        ONE: "r-1",
        TWO: "r-2",
    }
    assert place.store.read() == place.recorded()


def test_a_lock_that_cannot_be_replaced_for_now_does_no_harm(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The events are durable in the journal; to say they were not would call a lie a truth."""
    now = 0.0
    place.runs.mkdir(parents=True)
    with watched(place.root, monkeypatch) as disk:
        writer = Writer(
            place.lock, place.journal, place.runs, Recorded(ACCOUNT), RUN, clock=lambda: now
        )
        disk.fail("write temporary")
        now += FOLD_SECONDS
        writer.record([intended()])
        assert place.store.read().entries == writer.recorded.entries
        writer.record([accepted()])
        with pytest.raises(StorageError, match=NAME):
            writer.close()
    assert not place.lock.exists()
    assert place.store.read().entries == replay({}, [intended(), accepted()])
    with place.store.writer(RUN, NOON) as writer:
        assert writer.left_behind == (intended(), accepted())
    assert place.recorded().entries == replay({}, [intended(), accepted()])


def test_a_fold_that_failed_is_tried_again_half_a_minute_later(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    tried_at = []

    def fails(*_: object) -> None:
        tried_at.append(now)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writer_module, "replace_by_pieces", fails)
    place.runs.mkdir(parents=True)
    writer = Writer(
        place.lock, place.journal, place.runs, Recorded(ACCOUNT), RUN, clock=lambda: now
    )
    while now < 3 * FOLD_SECONDS:
        now += 1.0
        writer.record([accepted()])
    assert tried_at == [FOLD_SECONDS, 2 * FOLD_SECONDS, 3 * FOLD_SECONDS]


def test_a_journal_that_cannot_be_put_away_is_folded_in_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = f"rename .lsq-sync/journal .lsq-sync/runs/{RUN}.1.journal"
    with watched(place.root, monkeypatch) as disk:
        disk.fail(step, errno.EIO)
        with (
            pytest.raises(StorageError, match="Input/output error"),
            place.store.writer(RUN, NOON) as writer,
        ):
            writer.record([intended()])
    assert place.recorded() == place.store.read()
    with place.store.writer(RUN, NOON):
        pass
    assert place.recorded().entries == replay({}, [intended()])
    assert not place.journal.exists()


def test_a_journal_that_somebody_removed_is_no_place_for_events(place: Place) -> None:
    """`git clean -fdx` beside a run: what is appended to it from then on is nowhere."""
    with place.store.writer(RUN, NOON) as writer:
        writer.record([intended(ONE)])
        place.journal.unlink()
        with pytest.raises(StorageError, match="journal"):
            writer.record([accepted(ONE, "r-1"), intended(TWO)])
        assert set(writer.recorded.entries) == {ONE}
    request = place.recorded().entries[ONE].pending
    assert request is not None
    assert request.request_id == "r-1"


def test_a_state_folder_that_somebody_removed_loses_nothing_that_was_recorded(
    place: Place,
) -> None:
    with place.store.writer(RUN, NOON) as writer:
        writer.record([intended(ONE)])
        shutil.rmtree(place.folder)
        with pytest.raises(StorageError):
            writer.record([accepted(ONE, "r-1")])
    assert place.recorded().entries == replay({}, [intended(ONE), accepted(ONE, "r-1")])


# --- a lock that somebody else changes meanwhile


PULLED = Recorded(ACCOUNT, {**SMALL.entries, "pulled": Entry(fields={"a": "1"})})


def test_a_lock_that_git_changed_during_a_run_is_not_overwritten(place: Place) -> None:
    """A pull or a checkout beside a long run; what it brought must not be lost either."""
    place.put(SMALL)

    def run_beside_a_pull() -> None:
        with place.store.writer(RUN, NOON) as writer:
            writer.record([intended(ONE, at=9)])
            place.put(PULLED)
            writer.record([accepted(ONE, "r-9")])

    with pytest.raises(StorageError, match="was changed") as caught:
        run_beside_a_pull()
    assert "lsq-sync status" in caught.value.hint
    assert place.recorded() == PULLED
    both = replay(PULLED.entries, [intended(ONE, at=9), accepted(ONE, "r-9")])
    assert place.store.read().entries == both
    with place.store.writer(RUN, later(60)):
        pass
    assert place.recorded().entries == both


@pytest.mark.parametrize("before", [None, SMALL])
def test_a_lock_that_came_or_went_during_a_run_is_noticed_too(
    place: Place, before: Recorded | None
) -> None:
    if before:
        place.put(before)

    def run_beside_git() -> None:
        with place.store.writer(RUN, NOON) as writer:
            writer.record([intended("new")])
            if before:
                place.lock.unlink()
            else:
                place.put(SMALL)

    with pytest.raises(StorageError, match="was changed"):
        run_beside_git()
    assert place.journal.exists()
    assert "new" in place.store.read().entries


def test_a_lock_that_was_written_anew_with_the_same_content_is_no_change(place: Place) -> None:
    place.put(SMALL)
    with place.store.writer(RUN, NOON) as writer:
        writer.record([intended("new")])
        place.put(SMALL)
    assert "new" in place.recorded().entries


def test_folding_in_the_middle_of_a_run_is_no_change_by_others(place: Place) -> None:
    now = 0.0
    place.put(SMALL)
    place.runs.mkdir(parents=True)
    writer = Writer(
        place.lock, place.journal, place.runs, SMALL, RUN, lambda: now, seen=place.lock.read_bytes()
    )
    for number in range(3):
        writer.record([intended(f"k{number}")])
        now += FOLD_SECONDS
    writer.close()
    assert {"k0", "k1", "k2"} <= set(place.recorded().entries)


# --- a lock that was restored from git


def sent(place: Place, *events: Event, run_id: RunID = RUN) -> Recorded:
    """A whole run; gives what it recorded."""
    with place.store.writer(run_id, NOON) as writer:
        writer.record(events)
    return place.recorded()


def pending(place: Place) -> dict[str, str | None]:
    """The open requests that a reader and the next writer see."""
    read = place.store.read().entries
    with place.store.writer(RunID("next"), later(600)) as writer:
        assert writer.recorded.entries == read
    assert place.store.read().entries == read
    return {key: entry.pending.request_id for key, entry in read.items() if entry.pending}


@pytest.mark.parametrize("restored", [None, Recorded(ACCOUNT), SMALL])
def test_an_open_request_that_a_restored_lock_has_lost_is_known_again(
    place: Place, restored: Recorded | None
) -> None:
    """`git checkout -- lsq-sync.lock`, which our own messages name as the repair step."""
    sent(place, intended("a", at=9), accepted("a", "r-a"), intended("lost", at=9))
    if restored:
        place.put(restored)
    else:
        place.lock.unlink()
    assert place.store.read().entries["a"].pending
    with place.store.writer(RunID("next"), later(600)) as writer:
        assert {event.key for event in writer.restored} == {"a", "lost"}
    known = {TWO: "r-2"} if restored is SMALL else {}
    assert pending(place) == {"a": "r-a", "lost": None, **known}
    request = place.recorded().entries["a"].pending
    assert request == OpenRequest(
        Payload({"mx_Custom_6": "200000"}), RUN, later(9), RequestID("r-a")
    )
    with place.store.writer(RunID("after"), later(900)) as writer:
        assert writer.left_behind == ()


def test_when_the_crm_last_said_in_queue_is_known_again_too(place: Place) -> None:
    queued = Queued("a", later(900), RequestID("r-a"))
    before = sent(place, intended("a", at=9), accepted("a", "r-a"), queued)
    place.lock.unlink()
    assert place.store.read() == Recorded(None, before.entries)


@pytest.mark.parametrize("committed", [1, 2])
def test_what_was_told_since_the_lock_was_committed_is_known_again(
    place: Place, committed: int
) -> None:
    """The restored lock has the request, but not its RequestID, or not that it waits still."""
    told: list[Event] = [intended(), accepted(), Queued(ONE, later(7200), RequestID("r-1"))]
    before = sent(place, *told)
    place.put(Recorded(ACCOUNT, replay({}, told[:committed])))
    assert place.store.read().entries == before.entries
    assert pending(place) == {ONE: "r-1"}
    assert place.recorded().entries == before.entries


def test_a_request_that_the_lock_knows_better_stays_as_the_lock_says(place: Place) -> None:
    """A colleague's job has settled it, or sent a newer one, and the lock was pulled."""
    open_one = sent(place, intended("a", at=9), accepted("a", "r-a"))
    settled = replay(open_one.entries, [succeeded("a", "r-a", at=60)])
    place.put(Recorded(ACCOUNT, settled))
    assert pending(place) == {}
    newer = replay(settled, [intended("a", "9", at=120), accepted("a", "r-b", at=121)])
    place.put(Recorded(ACCOUNT, newer))
    assert pending(place) == {"a": "r-b"}


def test_a_request_that_was_withdrawn_since_the_lock_was_written_is_gone(place: Place) -> None:
    """Killed before the next fold; what is kept beside the lock is older than the journal."""
    now = 0.0
    place.runs.mkdir(parents=True)
    writer = Writer(
        place.lock, place.journal, place.runs, Recorded(ACCOUNT), RUN, clock=lambda: now
    )
    writer.record([intended("a"), intended("b")])
    now += FOLD_SECONDS
    writer.record([accepted("b", "r-b")])
    writer.record([Withdrawn("a", later(31), "too fast")])
    assert place.journal.exists()
    assert pending(place) == {"b": "r-b"}


def test_a_request_that_was_displaced_before_a_fold_and_given_back_after_it_is_open(
    place: Place,
) -> None:
    """Sent again by the user's wish, folded in, refused for now, then killed."""
    before = sent(place, intended("a", at=9), accepted("a", "r-a"))
    again, now, lock = RunID("again"), 0.0, place.lock.read_bytes()
    writer = Writer(
        place.lock, place.journal, place.runs, before, again, clock=lambda: now, seen=lock
    )
    writer.record([replace(intended("a", at=60), run=again), intended("b", at=60)])
    now += FOLD_SECONDS
    writer.record([accepted("b", "r-b")])
    writer.record([Withdrawn("a", later(91), "too fast", again)])
    assert place.journal.exists()
    assert pending(place) == {"a": "r-a", "b": "r-b"}


def test_a_restored_lock_and_a_journal_that_goes_on_from_the_lost_one(place: Place) -> None:
    now = 0.0
    place.runs.mkdir(parents=True)
    writer = Writer(
        place.lock, place.journal, place.runs, Recorded(ACCOUNT), RUN, clock=lambda: now
    )
    now += FOLD_SECONDS
    writer.record([intended("a"), intended("b"), intended("c")])
    writer.record([accepted("a", "r-a"), accepted("b", "r-b"), Withdrawn("c", later(31), "x")])
    writer.record([succeeded("b", "r-b")])
    place.put(SMALL)
    assert pending(place) == {"a": "r-a", TWO: "r-2"}
    assert place.recorded().entries["b"].fields == {"mx_Custom_6": "200000"}


def test_a_request_that_was_settled_here_is_not_known_again(place: Place) -> None:
    sent(place, intended("a", at=9), accepted("a", "r-a"))
    sent(place, succeeded("a", "r-a", at=60), run_id=RunID("next"))
    place.lock.unlink()
    assert pending(place) == {}


@pytest.mark.parametrize("content", [b"", b"{", b"\x00" * 50, b'{"format": "x"}', None])
def test_a_memory_of_open_requests_that_cannot_be_read_is_none(
    place: Place, content: bytes | None
) -> None:
    sent(place, intended("a"), accepted("a", "r-a"))
    if content is None:
        (place.folder / "open").unlink()
        (place.folder / "open").mkdir()
    else:
        (place.folder / "open").write_bytes(content)
    place.put(SMALL)
    assert place.store.read() == SMALL


def test_the_open_requests_of_another_account_are_not_ours(place: Place) -> None:
    sent(place, intended("a"), accepted("a", "r-a"))
    place.lock.unlink()
    assert place.store_of(OTHER).read() == Recorded()


def test_the_memory_of_open_requests_is_private(place: Place) -> None:
    sent(place, intended("a"))
    assert mode(place.folder / "open") == 0o600


@pytest.mark.parametrize("obstacle", [".lsq-sync", ".lsq-sync/runs", ".lsq-sync/writer.lock"])
def test_a_state_folder_that_cannot_be_written_is_a_storage_error(
    place: Place, obstacle: str
) -> None:
    path = place.root / obstacle
    if obstacle.endswith("writer.lock"):
        path.mkdir(parents=True)
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_text("a file")
    with pytest.raises(StorageError) as caught, place.store.writer(RUN, NOON):
        raise AssertionError("nobody gets here")
    assert ".lsq-sync" in caught.value.message


@pytest.mark.parametrize("step", ["open", "write", "ftruncate"])
def test_a_writer_lock_that_cannot_be_written_is_a_storage_error(
    place: Place, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with place.store.writer(RUN, NOON):
        pass

    def fails(*_arguments: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patch:
        patch.setattr(os, step, fails)
        with (
            pytest.raises(StorageError, match="Read-only file system"),
            place.store.writer(RUN, NOON),
        ):
            raise AssertionError("nobody gets here")
    with place.store.writer(RUN, NOON):  # the lock was let go
        pass


@pytest.mark.skipif(AS_ROOT, reason="no folder is read-only for root")
def test_a_folder_without_permission_to_write(place: Place) -> None:
    place.folder.mkdir()
    place.folder.chmod(0o500)
    try:
        with pytest.raises(StorageError, match="Permission denied"), place.store.writer(RUN, NOON):
            raise AssertionError("nobody gets here")
    finally:
        place.folder.chmod(0o700)


def test_half_written_files_of_killed_writers_are_removed_by_the_next(place: Place) -> None:
    place.folder.mkdir()
    place.runs.mkdir()
    (place.folder / "cache").mkdir()
    left = [
        place.root / f".{NAME}.99999999.tmp",
        place.folder / ".open.99999999.tmp",
        place.folder / "pacing.99999999.tmp",
        place.folder / "cache" / ".answer.99999999.tmp",
        place.runs / ".a-run.json.99999999.tmp",
        place.runs / f".a-run.json.{os.getpid()}.tmp",
    ]
    others = [place.root / ".somebody-elses.tmp", place.runs / f".a-run.json.{os.getppid()}.tmp"]
    for path in (*left, *others):
        path.write_bytes(b"half of somethi")
    place.store.read()
    assert all(path.exists() for path in left), "reading writes nothing"
    with place.store.writer(RUN, NOON):
        assert not any(path.exists() for path in left)
    assert all(path.exists() for path in others), "not ours, or its process is at work on it"
