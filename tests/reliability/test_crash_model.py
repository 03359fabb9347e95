"""Every crash of small workloads loses nothing; and the model finds each bug planted into lock/."""

import hashlib
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lsq_sync.lock import disk, emergency, writer
from tests.reliability.crashes import WORKLOADS, Workload, look, look_again, quick_folder

IS_LONG = bool(os.environ.get("LSQ_SYNC_LONG"))
SHORT = [one for one in WORKLOADS if one.name in ("a fold in the middle", "a disk that fails")]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    with quick_folder(tmp_path) as made:
        yield made


@pytest.mark.parametrize("workload", WORKLOADS if IS_LONG else SHORT, ids=lambda one: one.name)
def test_no_crash_loses_what_was_promised(workload: Workload, folder: Path) -> None:
    looked = look(workload, folder)
    assert looked.bad == []
    assert looked.crashes > looked.steps > 20


def test_nor_does_a_crash_of_the_recovery(folder: Path) -> None:
    looked = look_again(WORKLOADS[0], folder, every=1 if IS_LONG else 40)
    assert looked.bad == []
    assert looked.crashes > looked.steps > 10


# --- planted bugs


@contextmanager
def _no_folder_sync_where_the_journal_begins(patch: pytest.MonkeyPatch) -> Iterator[None]:
    def opens(self: writer.Writer) -> None:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(writer, "sync_folder", lambda _folder: None)
            really(self)

    really = writer.Writer._open
    patch.setattr(writer.Writer, "_open", opens)
    yield


@contextmanager
def _no_sync_before_the_rename(patch: pytest.MonkeyPatch) -> Iterator[None]:
    really = disk.sync

    def only_folders(descriptor: int) -> None:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            really(descriptor)

    patch.setattr(disk, "sync", only_folders)
    yield


@contextmanager
def _no_sync_after_the_rename(patch: pytest.MonkeyPatch) -> Iterator[None]:
    patch.setattr(disk, "sync_folder", lambda _folder: None)
    yield


@contextmanager
def _no_sync_of_an_append(patch: pytest.MonkeyPatch) -> Iterator[None]:
    patch.setattr(writer, "sync", lambda _descriptor: None)
    yield


@contextmanager
def _journal_put_away_before_the_lock_is_there(patch: pytest.MonkeyPatch) -> Iterator[None]:
    really = writer.Writer.fold

    def early(self: writer.Writer) -> None:
        self._put_journal_away()
        really(self)

    patch.setattr(writer.Writer, "fold", early)
    yield


@contextmanager
def _lock_written_in_place(patch: pytest.MonkeyPatch) -> Iterator[None]:
    def in_place(path: Path, pieces: Iterable[bytes], mode: int | None = None) -> bytes:
        data = b"".join(pieces)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode or 0o666)
        disk.write_all(descriptor, data)
        disk.sync(descriptor)
        os.close(descriptor)
        disk.sync_folder(path.parent)
        return hashlib.sha256(data).digest()

    patch.setattr(writer, "replace_by_pieces", in_place)
    yield


@contextmanager
def _acknowledged_before_it_is_written(patch: pytest.MonkeyPatch) -> Iterator[None]:
    """Group commit gone wrong: each record writes the group before it."""
    really = writer.Writer._append
    waiting: list[tuple[object, ...]] = [()]

    def late(self: writer.Writer, batch: tuple[object, ...]) -> None:
        before, waiting[0] = waiting[0], batch
        really(self, before)  # type: ignore[arg-type]

    patch.setattr(writer.Writer, "_append", late)
    yield


BUGS: list[Callable[[pytest.MonkeyPatch], object]] = [
    _no_folder_sync_where_the_journal_begins,
    _no_sync_before_the_rename,
    _no_sync_after_the_rename,
    _no_sync_of_an_append,
    _journal_put_away_before_the_lock_is_there,
    _lock_written_in_place,
    _acknowledged_before_it_is_written,
]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__.strip("_"))
def test_the_model_finds_a_planted_bug(
    folder: Path, bug: Callable[[pytest.MonkeyPatch], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    with bug(monkeypatch):  # type: ignore[attr-defined]
        looked = look(WORKLOADS[1], folder, until_bad=True)
    assert looked.bad


def test_it_finds_an_emergency_file_that_is_not_synced(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [failing] = [one for one in WORKLOADS if one.name == "a disk that fails"]
    monkeypatch.setattr(emergency, "sync", lambda _descriptor: None)
    assert look(failing, folder, until_bad=True).bad
