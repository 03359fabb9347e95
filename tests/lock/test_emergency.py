"""Answers that a full or failing disk could not take are kept elsewhere, found and folded in."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsq_sync.core.events import Event, Rejected, Withdrawn, replay
from lsq_sync.errors import LockError, StorageError
from lsq_sync.lock.disk import sync
from lsq_sync.lock.emergency import emergency_places
from lsq_sync.lock.records import encode, encode_header
from tests.lock.recorded_disk import RecordedDisk, watched
from tests.lock.states import NOON, ONE, RUN, TWO, accepted, intended, later, succeeded
from tests.lock.test_file import Place

APPEND = ".lsq-sync/journal"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    for name in ("workspace", "temporary", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    return Place(tmp_path / "workspace")


@pytest.fixture
def disk(place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordedDisk]:
    with watched(place.root, monkeypatch) as disk:
        yield disk


def kept(place: Place) -> list[Path]:
    """The emergency files, wherever they may be."""
    return [path for path in emergency_places(place.lock, place.folder) if path.exists()]


def lose_answers(place: Place, disk: RecordedDisk, *answers: Event) -> StorageError:
    """A run whose disk takes two intents, and not their answers; what it says at its end."""

    def run() -> None:
        with place.store.writer(RUN, NOON) as writer:
            writer.record([intended(ONE), intended(TWO)])
            disk.fill_up(0)
            for answer in answers:
                with pytest.raises(StorageError):
                    writer.record([answer])

    with pytest.raises(StorageError) as caught:
        run()
    disk.heal()
    return caught.value


ANSWERS: tuple[Event, ...] = (accepted(ONE, "r-1"), accepted(TWO, "r-2"))
EXPECTED = replay({}, [intended(ONE), intended(TWO), *ANSWERS])


def test_answers_go_where_there_is_room_and_the_next_command_folds_them_in(
    place: Place, disk: RecordedDisk
) -> None:
    said = lose_answers(place, disk, *ANSWERS)
    [path] = kept(place)
    assert path.parent.name == "home"
    assert str(path) in said.message
    assert "lsq-sync status" in said.hint
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert place.store.read().entries == EXPECTED
    assert kept(place) == [path], "reading writes nothing"
    with place.store.writer(RUN, later(60)) as writer:
        assert [event for event in writer.left_behind if event in ANSWERS] == [*ANSWERS]
    assert kept(place) == []
    assert place.recorded().entries == place.store.read().entries == EXPECTED


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EROFS])
@pytest.mark.parametrize("step", [f"write {APPEND}", f"sync {APPEND}"])
def test_each_fault_of_the_journal_keeps_every_answer(
    place: Place, disk: RecordedDisk, step: str, number: int
) -> None:
    """The lock takes them at the end, as only the journal failed: then nothing is left behind."""
    with place.store.writer(RUN, NOON) as writer:
        writer.record([intended(ONE), intended(TWO)])
        disk.fail(step, number)
        for answer in ANSWERS:
            with pytest.raises(StorageError, match=os.strerror(number)):
                writer.record([answer])
        assert len(kept(place)) == 1, "durable at once, not only at the end"
        with pytest.raises(StorageError):
            writer.record([intended("never sent", at=9)])
    assert place.recorded().entries == EXPECTED
    assert kept(place) == []


def test_other_answers_than_a_request_id_are_kept_too(place: Place, disk: RecordedDisk) -> None:
    lose_answers(place, disk, Rejected(ONE, later(1), "MX"), Withdrawn(TWO, later(1), "too fast"))
    found = place.store.read().entries
    request = found[ONE].request
    assert request is not None
    assert request.reason == "MX"
    assert TWO not in found


def test_a_place_that_fails_later_is_given_up_for_the_next(
    place: Place, disk: RecordedDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home that fills up after the first answer: the next place has both."""
    calls = 0

    def failing(descriptor: int) -> None:
        nonlocal calls
        if "/home/" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            calls += 1
            if calls > 1:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(descriptor)

    monkeypatch.setattr("lsq_sync.lock.emergency.sync", failing)
    lose_answers(place, disk, *ANSWERS)
    [path] = kept(place)
    assert path.parent.name == "temporary"
    assert place.store.read().entries == EXPECTED


def test_where_no_place_takes_them_they_are_said(
    place: Place, disk: RecordedDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_arguments: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("lsq_sync.lock.emergency.sync", failing)
    said = lose_answers(place, disk, *ANSWERS, Rejected(TWO, later(2), "no such field"))
    assert kept(place) == []
    assert f"{ONE}: request r-1" in said.message
    assert f"{TWO}: request r-2" in said.message
    assert f"{TWO}: rejected, no such field" in said.message


def test_what_was_kept_may_be_folded_in_twice_and_undoes_nothing_later(
    place: Place, disk: RecordedDisk
) -> None:
    """Killed between the fold and the removal, and settled since by another machine."""
    lose_answers(place, disk, *ANSWERS)
    [path] = kept(place)
    data = path.read_bytes()
    with place.store.writer(RUN, later(60)) as writer:
        writer.record([succeeded(ONE, "r-1", at=61)])
        settled = writer.recorded.entries
    path.write_bytes(data)
    with place.store.writer(RUN, later(90)):
        pass
    assert place.recorded().entries == settled
    assert kept(place) == []


def test_answers_are_known_though_lock_and_journal_are_gone(
    place: Place, disk: RecordedDisk
) -> None:
    """Each is kept with the request that it is about."""
    lose_answers(place, disk, *ANSWERS)
    place.journal.unlink()
    assert place.store.read().entries == EXPECTED


def test_one_that_cannot_be_removed_stops_the_command(
    place: Place, disk: RecordedDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be folded in again for ever."""
    lose_answers(place, disk, *ANSWERS)

    really = Path.unlink

    def failing(path: Path, *, missing_ok: bool = False) -> None:
        if "emergency" in path.name:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        really(path, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", failing)
        with (
            pytest.raises(StorageError, match=r"emergency.*Permission denied"),
            place.store.writer(RUN, later(60)),
        ):
            raise AssertionError("nobody gets here")
    assert place.store.read().entries == EXPECTED


def test_one_that_is_damaged_is_refused(place: Place, disk: RecordedDisk) -> None:
    lose_answers(place, disk, *ANSWERS)
    [path] = kept(place)
    data = path.read_bytes()
    path.write_bytes(data[:90] + b"X" + data[91:])
    with pytest.raises(LockError, match="cannot be read") as caught:
        place.store.read()
    assert str(path) in caught.value.message


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
def test_what_somebody_else_put_in_its_place_is_not_ours(
    place: Place, disk: RecordedDisk, kind: str, tmp_path: Path
) -> None:
    *_, there = emergency_places(place.lock, place.folder)
    header = encode_header()
    other = tmp_path / "other"
    other.write_bytes(header + encode([intended("planted")], len(header)))
    if kind == "link":
        there.symlink_to(other)
    elif kind == "folder":
        there.mkdir()
    else:
        os.mkfifo(there)
    assert place.store.read().entries == {}
    with place.store.writer(RUN, NOON):
        pass
    assert os.path.lexists(there)


def test_another_workspace_has_another_file(place: Place, tmp_path: Path) -> None:
    other = emergency_places(tmp_path / "other.lock", place.folder)
    assert not {*other} & {*emergency_places(place.lock, place.folder)}
