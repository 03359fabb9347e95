"""Replacing files: the old content or the new, for those who may read it, and nothing else."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsq_sync.lock.disk import (
    PRIVATE,
    fingerprint,
    make_folder,
    replace_by_pieces,
    replace_file,
    write_all,
)
from tests.lock.recorded_disk import watched


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_new_file_has_the_mode_of_new_files(tmp_path: Path) -> None:
    replace_file(tmp_path / "a", b"x")
    assert ((tmp_path / "a").read_bytes(), mode(tmp_path / "a")) == (b"x", 0o644)


@pytest.mark.parametrize("kept", [0o600, 0o640, 0o664, 0o644])
def test_a_replaced_file_keeps_its_mode(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    path.chmod(kept)
    replace_file(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", kept)


def test_a_mode_that_is_asked_for_is_given(tmp_path: Path) -> None:
    path = tmp_path / "a"
    replace_file(path, b"x", PRIVATE)
    assert mode(path) == 0o600
    path.chmod(0o644)
    replace_file(path, b"y", PRIVATE)
    assert mode(path) == 0o600


@pytest.mark.parametrize("existing", [None, 0o600])
def test_what_is_private_is_so_from_its_first_byte(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, existing: int | None
) -> None:
    path = tmp_path / "plan.json"
    if existing is not None:
        path.touch(existing)
    modes = []

    def write(descriptor: int, data: bytes) -> int:
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return really(descriptor, data)

    really = os.write
    monkeypatch.setattr(os, "write", write)
    replace_file(path, b"secret", PRIVATE if existing is None else None)
    assert modes == [0o600]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    target = tmp_path / "elsewhere/real"
    target.write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to("elsewhere/real")
    replace_file(link, b"new")
    assert link.is_symlink()
    assert (target.read_bytes(), link.read_bytes()) == (b"new", b"new")
    assert [path.name for path in (tmp_path / "elsewhere").iterdir()] == ["real"]


@pytest.mark.parametrize("step", ["create temporary", "write temporary", "sync temporary"])
def test_a_replacement_that_fails_leaves_the_old_file_and_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with watched(tmp_path, monkeypatch) as disk:
        disk.fail(step)
        with pytest.raises(OSError, match="No space left"):
            replace_file(path, b"new")
    assert path.read_bytes() == b"old"
    assert [left.name for left in tmp_path.iterdir()] == ["a"]


def test_what_a_killed_process_left_beside_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / f".a.{os.getpid()}.tmp").write_bytes(b"half of somethi")
    replace_file(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"new"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_write_that_takes_a_few_bytes_is_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: really(descriptor, data[:3]))
    replace_file(tmp_path / "a", b"0123456789")
    assert (tmp_path / "a").read_bytes() == b"0123456789"


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 2500])
def test_pieces_become_a_file_and_its_fingerprint(tmp_path: Path, count: int) -> None:
    pieces = [b"%d," % number if number % 7 else b"" for number in range(count)]
    assert replace_by_pieces(tmp_path / "a", iter(pieces)) == fingerprint(b"".join(pieces))
    assert (tmp_path / "a").read_bytes() == b"".join(pieces)


def test_pieces_that_do_not_come_leave_the_old_file_and_no_other(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield from [b"new"] * 1500
        raise ValueError("no more")

    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(ValueError, match="no more"):
        replace_by_pieces(tmp_path / "a", pieces())
    assert (tmp_path / "a").read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


def test_a_disk_that_fills_up_in_the_middle_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with watched(tmp_path, monkeypatch) as disk:
        descriptor = os.open(tmp_path / "a", os.O_WRONLY | os.O_CREAT)
        disk.fill_up(4)
        with pytest.raises(OSError, match="No space left") as caught:
            write_all(descriptor, b"0123456789")
        os.close(descriptor)
    assert caught.value.errno == errno.ENOSPC
    assert (tmp_path / "a").read_bytes() == b"0123"


def test_a_folder_of_ours_is_for_us_alone(tmp_path: Path) -> None:
    make_folder(tmp_path / "a/b")
    assert mode(tmp_path / "a/b") == 0o700
    make_folder(tmp_path / "a/b")
