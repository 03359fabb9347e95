"""The account's limit outlives a command: what one process leaves, the next one counts."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.core.budget import RateLimit
from lsq_sync.crm.pace_memory import PaceMemory
from lsq_sync.crm.pacing import Pacer
from tests.crm.model_server import Call, Server, calls, limits
from tests.support.clock import VirtualClock, run

USUAL = RateLimit(25, 5.0)
WALL = 1_788_165_480.0


@pytest.fixture(scope="module")
def dead() -> int:
    """The id of a process that is no more."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@contextmanager
def paced(
    clock: VirtualClock, folder: Path, limit: RateLimit, offset: float, *, killed: bool = False
) -> Iterator[Pacer]:
    """A process of its own: its monotonic clock begins somewhere else."""

    def monotonic() -> float:
        return clock.monotonic() + offset

    memory = PaceMemory(folder, limit)
    recent = memory.recall(WALL + clock.monotonic(), monotonic())
    memory.opened(WALL + clock.monotonic(), recent, monotonic())
    pacer = Pacer(limit, monotonic, clock.sleep, recent)
    yield pacer
    if not killed:
        memory.closed(WALL + clock.monotonic(), pacer.recent_ends, monotonic())


@settings(deadline=None)
@given(
    limit=limits,
    runs=st.lists(st.tuples(st.lists(calls, max_size=6), st.integers(1, 320)), max_size=4),
)
def test_processes_one_after_the_other_are_never_too_fast(
    tmp_path_factory: pytest.TempPathFactory,
    limit: RateLimit,
    runs: list[tuple[list[Call], int]],
) -> None:
    folder = tmp_path_factory.mktemp("state")
    server = Server(limit)

    async def main(clock: VirtualClock) -> None:
        for number, (wanted, pause) in enumerate(runs):
            with paced(clock, folder, limit, 1000.0 * number) as pacer:
                await server.serve_all(clock, pacer, wanted)
            await clock.sleep(pause / 64)

    run(main, debug=False)
    assert server.busiest() <= limit.calls


def test_the_next_process_waits_for_the_calls_of_the_last(tmp_path: Path) -> None:
    async def main(clock: VirtualClock) -> None:
        server = Server(USUAL)
        with paced(clock, tmp_path, USUAL, 0.0) as pacer:
            await server.serve_all(clock, pacer, [Call(0.0)] * 20)
        await clock.sleep(1.0)
        with paced(clock, tmp_path, USUAL, 777.0) as pacer:
            await server.serve_all(clock, pacer, [Call(0.0)] * 20)
        assert server.arrivals == [0.0] * 20 + [1.0] * 5 + [5.0] * 15

    run(main)


def test_what_the_last_process_gave_up_may_arrive_after_its_end(tmp_path: Path) -> None:
    limit = RateLimit(1, 5.0)

    async def main(clock: VirtualClock) -> None:
        server = Server(limit)
        with paced(clock, tmp_path, limit, 0.0) as pacer:
            await server.serve_all(clock, pacer, [Call(0.0, given_up=True, late=1.0)])
        await clock.sleep(0.25)
        with paced(clock, tmp_path, limit, 777.0) as pacer:
            await server.serve_all(clock, pacer, [Call(0.0)])
        assert server.arrivals == [1.0, 6.0]

    run(main)


def test_what_is_long_past_does_not_count(tmp_path: Path) -> None:
    memory = PaceMemory(tmp_path, USUAL)
    memory.closed(WALL, [10.0, 12.0], 12.0)
    assert memory.recall(WALL + 60, 500.0) == [438.0, 440.0]


def test_a_process_that_did_not_say_when_it_ended_may_have_called_until_now(
    tmp_path: Path, dead: int
) -> None:
    memory = PaceMemory(tmp_path, USUAL)
    memory.opened(WALL, [], 12.0)
    file = tmp_path / "pacing.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "pid": dead}))
    assert memory.recall(WALL + 60, 500.0) == [500.0] * 25


def test_a_process_that_still_runs_counts_with_what_it_began_with(tmp_path: Path) -> None:
    memory = PaceMemory(tmp_path, USUAL)
    memory.opened(WALL, [11.0], 12.0)
    assert memory.recall(WALL + 1, 500.0) == [498.0]


@pytest.mark.parametrize("jump", [-3600.0, -5.0, -1e9])
def test_a_wall_clock_that_was_set_back_is_taken_for_just_now(tmp_path: Path, jump: float) -> None:
    memory = PaceMemory(tmp_path, USUAL)
    memory.closed(WALL, [12.0], 12.0)
    [end] = memory.recall(WALL + jump, 500.0)
    assert 500.0 <= end <= 501.0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"{}",
        b'{"open": true}',
        b'{"open": true, "pid": "1", "ends": []}',
        b'{"open": true, "pid": null, "ends": []}',
        b'{"open": true, "pid": 1e999, "ends": []}',
        b'{"open": true, "pid": 99999999999999999999, "ends": []}',
        b'{"open": false, "pid": 1, "ends": null}',
        b'{"open": false, "pid": 1, "ends": 5}',
        b'{"open": false, "pid": 1, "ends": ["x"]}',
        b'{"open": false, "pid": 1, "ends": [[]]}',
        b'{"open": false, "pid": 1, "ends": {"a": 1}}',
        b'{"open": false, "pid": 1, "ends": [1' + b"0" * 400 + b"]}",
        b'{"open": false, "pid": 1, "ends": [' + b"1" * 5000 + b"]}",
    ],
)
def test_a_file_that_cannot_be_read_is_no_memory(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pacing.json").write_bytes(content)
    assert PaceMemory(tmp_path, USUAL).recall(WALL, 500.0) == []


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e308"])
def test_odd_numbers_never_hold_back_for_longer_than_a_window(tmp_path: Path, number: str) -> None:
    (tmp_path / "pacing.json").write_text(f'{{"open": false, "pid": 1, "ends": [{number}]}}')
    ends = PaceMemory(tmp_path, USUAL).recall(WALL, 500.0)
    assert all(end <= 501.0 for end in ends)

    async def main(clock: VirtualClock) -> None:
        pacer = Pacer(USUAL, lambda: clock.monotonic() + 500.0, clock.sleep, ends * 25)
        async with pacer.slot():
            assert clock.monotonic() <= 6.0

    run(main)


def test_a_folder_that_is_not_there_or_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    for folder in (tmp_path / "nothing", tmp_path / "file"):
        (tmp_path / "file").write_text("")
        memory = PaceMemory(folder, USUAL)
        memory.opened(WALL, [], 0.0)
        memory.closed(WALL, [], 0.0)
        assert memory.recall(WALL, 0.0) == []
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_file_is_private_and_alone(tmp_path: Path) -> None:
    memory = PaceMemory(tmp_path, USUAL)
    memory.opened(WALL, [1.0], 2.0)
    memory.closed(WALL, [1.0], 2.0)
    [file] = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text()) == {
        "pid": os.getpid(),
        "open": False,
        "ends": [WALL - 1.0],
    }
