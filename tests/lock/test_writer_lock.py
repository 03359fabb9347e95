"""One writer a workspace: an OS lock that dies with its process, whatever ended it."""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsq_sync.core.events import Event, replay
from lsq_sync.core.state import Entry
from lsq_sync.errors import StorageError, WriterBusyError
from lsq_sync.lock.file import FileStore
from lsq_sync.lock.writer_lock import only_writer
from tests.lock.states import ACCOUNT, NOON, RUN, accepted, intended, later

NAME = "lsq-sync.lock"
ROOT = Path(__file__).parents[2]

HOLDS = """
import sys
from pathlib import Path
from lsq_sync.lock.writer_lock import only_writer
from tests.lock.states import NOON
with only_writer(Path(sys.argv[1]), NOON):
    print("held", flush=True)
    sys.stdin.read()
"""

RECORDS = """
import sys
from pathlib import Path
from tests.lock.states import NOON, RUN, accepted, intended
from tests.lock.test_writer_lock import store_in
with store_in(Path(sys.argv[1])).writer(RUN, NOON) as writer:
    for number in range(100_000):
        writer.record([intended(f"k{number}", at=number), intended(f"l{number}", at=number)])
        print(2 * number + 1, flush=True)
        writer.record([accepted(f"k{number}", f"r{number}", at=number)])
        print(2 * number + 2, flush=True)
"""


def store_in(root: Path) -> FileStore:
    return FileStore(root / NAME, NAME, root / ".lsq-sync", ACCOUNT)


@contextlib.contextmanager
def other_process(script: str, *arguments: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_a_second_process_is_refused_with_who_and_since_when(tmp_path: Path) -> None:
    path = tmp_path / "writer.lock"
    with other_process(HOLDS, path) as process:
        assert first_line(process) == "held"
        with pytest.raises(WriterBusyError) as caught, only_writer(path, later(60)):
            raise AssertionError("nobody gets here")
    assert caught.value.message == (
        "another lsq-sync is writing in this workspace: "
        f"process {process.pid} on {socket.gethostname()}, since 2026-08-31T12:00:00Z"
    )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_process_that_died_holds_nothing(tmp_path: Path, how: signal.Signals) -> None:
    path = tmp_path / "writer.lock"
    with other_process(HOLDS, path) as process:
        assert first_line(process) == "held"
        process.send_signal(how)
        process.wait()
        with only_writer(path, NOON):
            pass


def test_a_refused_process_leaves_the_owner_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "writer.lock"
    with only_writer(path, NOON):
        before = path.read_bytes()
        with pytest.raises(WriterBusyError), only_writer(path, later(60)):
            raise AssertionError("nobody gets here")
        assert path.read_bytes() == before
        assert json.loads(before)["pid"] == os.getpid()


def test_the_lock_can_be_taken_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "writer.lock"
    path.write_text("something much longer than what will stand here " * 10)
    for second in range(3):
        with only_writer(path, later(second)):
            owner = json.loads(path.read_bytes())
            assert owner["since"] == f"2026-08-31T12:00:0{second}Z"


def test_a_block_that_fails_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "writer.lock"
    with pytest.raises(ValueError, match="bug"), only_writer(path, NOON):
        raise ValueError("bug")
    with only_writer(path, NOON):
        pass


def test_an_error_of_the_block_is_not_told_as_one_of_the_lock(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), only_writer(tmp_path / "writer.lock", NOON):
        raise FileNotFoundError("of the block")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": 1}', b"\xff\xfe", b"null"])
def test_an_owner_that_has_not_said_who_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "writer.lock"
    path.write_bytes(content)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with (
            pytest.raises(WriterBusyError, match="has not said which one"),
            only_writer(path, NOON),
        ):
            raise AssertionError("nobody gets here")


def test_a_file_system_without_locks_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_arguments: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("lsq_sync.lock.writer_lock.fcntl.flock", fails)
    with (
        pytest.raises(StorageError, match="Operation not supported"),
        only_writer(tmp_path / "writer.lock", NOON),
    ):
        raise AssertionError("nobody gets here")


@pytest.mark.parametrize("acknowledged", [1, 2, 7, 30, 61])
def test_what_a_killed_process_was_told_is_durable_is_there(
    tmp_path: Path, acknowledged: int
) -> None:
    """`kill -9` in the middle of a run; the next command goes on from what it left."""
    with other_process(RECORDS, tmp_path) as process:
        for number in range(1, acknowledged + 1):
            assert first_line(process) == str(number)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert process.stdout is not None
        rest = process.stdout.read().split()
    told = int(rest[-1]) if rest else acknowledged
    found = store_in(tmp_path).read().entries
    assert found in [expected(count) for count in (told, told + 1)]
    with store_in(tmp_path).writer(RUN, NOON) as writer:
        assert writer.left_behind
        assert writer.recorded.entries == found
    assert not (tmp_path / ".lsq-sync/journal").exists()


def expected(steps: int) -> dict[str, Entry]:
    """The state after so many records of the other process."""
    events: list[Event] = []
    for step in range(steps):
        number = step // 2
        if step % 2:
            events.append(accepted(f"k{number}", f"r{number}", at=number))
        else:
            events += [intended(f"{key}{number}", at=number) for key in "kl"]
    return replay({}, events)
