"""A lock that git has set back: what it does not know any more is at least said."""

import re

import pytest

from tests.support.world import LOANS, World

ONE, TWO = LOANS[:2]
LOCK = "lsq-sync.lock"
SAID = "the lock is older than what was recorded here"


def _twice_applied(world: World) -> bytes:
    """Two applies, the second a year later; the lock after the first."""
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    settled = re.compile(rb'(?<="settled_at": ")\d{4}')
    first = settled.sub(b"2001", (world.root / LOCK).read_bytes())
    world.fields(ONE, mx_Custom_6=2)
    world.apply()
    return first


def test_a_revert_of_spec_and_lock_is_noticed(world: World) -> None:
    first = _twice_applied(world)
    assert SAID not in world.run("plan").err
    world.fields(ONE, mx_Custom_6=1)
    (world.root / LOCK).write_bytes(first)
    ended = world.run("plan")
    assert "Nothing to do" in ended.out
    assert SAID in ended.err
    assert "plan --refresh" in ended.err
    assert SAID in world.run("apply", "--yes").err
    conflict = world.json("plan", "--refresh").summary
    assert conflict["conflict"] == 1


def test_a_lock_of_the_same_second_is_known_by_its_fingerprint(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    first = (world.root / LOCK).read_bytes()
    world.fields(ONE, mx_Custom_6=2)
    world.apply()
    (world.root / LOCK).write_bytes(first)
    assert SAID in world.run("plan").err


def test_no_lock_at_all_is_noticed_as_well(world: World) -> None:
    _twice_applied(world)
    (world.root / LOCK).unlink()
    assert SAID in world.run("plan").err


@pytest.mark.parametrize("content", [b"", b"\xff", b"soon", b"2026-99-99T00:00:00Z"])
def test_a_memory_that_cannot_be_read_says_nothing(world: World, content: bytes) -> None:
    first = _twice_applied(world)
    (world.root / ".lsq-sync/newest").write_bytes(content)
    (world.root / LOCK).write_bytes(first)
    assert SAID not in world.run("plan").err


def test_what_was_forgotten_on_purpose_is_not_missed(world: World) -> None:
    _twice_applied(world)
    world.run("state", "forget", ONE, "--yes")
    assert SAID not in world.run("plan").err
