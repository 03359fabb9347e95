"""kill -9 at any point: the next command folds, names what is unknown, goes on."""

import itertools
import os
from pathlib import Path

import pytest

from tests.reliability.kills import COMMANDS, kill_again_and_again, sweep
from tests.support.world import new_world

IS_LONG = bool(os.environ.get("LSQ_SYNC_LONG"))
EVERY = 1 if IS_LONG else 31


@pytest.mark.parametrize("command", COMMANDS if IS_LONG else ["apply", "status"])
def test_a_kill_at_any_step(tmp_path: Path, command: str) -> None:
    with new_world(tmp_path) as world:
        swept = sweep(world, command, itertools.count(EVERY // 2 + 1, EVERY))
    assert swept.bad == []
    assert (swept.ended, swept.kills >= 2) == (1, True)


@pytest.mark.skipif(not IS_LONG, reason="a long sweep")
def test_a_kill_in_the_middle_of_any_write(tmp_path: Path) -> None:
    with new_world(tmp_path) as world:
        swept = sweep(world, "apply", itertools.count(1), torn=True)
    assert swept.bad == []


@pytest.mark.parametrize("seed", range(20 if IS_LONG else 1))
def test_kills_at_random_again_and_again(tmp_path: Path, seed: int) -> None:
    limit = {"rate_limit": {"calls": 5, "seconds": 0.3}}
    with new_world(tmp_path, api=limit) as world:
        swept = kill_again_and_again(world, seed, most=10 if IS_LONG else 3)
    assert swept.bad == []
    assert swept.kills, swept.last
