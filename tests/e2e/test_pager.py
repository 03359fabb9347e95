"""Long text on a terminal: through a pager, and only there."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.terminal import Terminal, without_colour
from tests.support.world import LOANS, ROOT, World, new_world

MANY = LOANS[:30]
CODE = ("plan", "--detailed-exitcode")


@pytest.fixture(autouse=True)
def _a_long_plan(world: World) -> None:
    world.fields(*MANY, mx_Custom_6=1)


def _pager(tmp_path: Path, script: str) -> dict[str, str]:
    path = tmp_path / "pager"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return {"PAGER": f"{path} --of-mine"}


@pytest.fixture
def telling(tmp_path: Path) -> dict[str, str]:
    """A pager that says how it was called."""
    return _pager(tmp_path, 'echo "PAGED $1 LESS=$LESS"; cat; echo THE END')


def test_it_gets_all_of_it_in_colour(world: World, telling: dict[str, str]) -> None:
    terminal = Terminal(world, *CODE, environment=telling)
    assert terminal.end() == 2
    assert "PAGED --of-mine LESS=FRX" in terminal.told
    assert "\x1b[1m" in terminal.told
    shown = without_colour(terminal.told)
    assert all(shown.count(key) == 1 for key in MANY)
    assert shown.rstrip().endswith("THE END")


def test_the_users_own_settings_of_less_stay(world: World, telling: dict[str, str]) -> None:
    terminal = Terminal(world, "plan", environment={**telling, "LESS": "i"})
    assert terminal.end() == 0
    assert "LESS=i\r" in terminal.told


@pytest.mark.parametrize("command", [("status", "--offline"), ("state", "list"), ("results",)])
def test_whatever_is_long_to_read(
    world: World, telling: dict[str, str], command: tuple[str, ...]
) -> None:
    world.run("apply", "--yes", "--no-wait", "--max-updates", "99")
    terminal = Terminal(world, *command, rows=10, environment=telling)
    terminal.end()
    assert "PAGED" in terminal.told


def test_what_fits_the_screen_is_only_printed(world: World, telling: dict[str, str]) -> None:
    world.fields(*MANY[:2], mx_Custom_6=1)
    terminal = Terminal(world, *CODE, environment=telling)
    assert terminal.end() == 2
    assert "PAGED" not in terminal.told
    assert "Plan: 2 to update" in without_colour(terminal.told)


@pytest.mark.parametrize(
    "switched_off",
    [
        {"LSQ_SYNC_PAGER": ""}, {"LSQ_SYNC_PAGER": "cat"}, {"PAGER": ""}, {"CI": "true"},
        {"TERM": "dumb"}, {"TERM": ""}, {"LSQ_SYNC_PAGER": "/is/none"},
        {"LSQ_SYNC_PAGER": "an 'open quote"},
    ],
)  # fmt: skip
def test_it_can_be_switched_off(
    world: World, telling: dict[str, str], switched_off: dict[str, str]
) -> None:
    terminal = Terminal(world, *CODE, environment={**telling, **switched_off})
    assert terminal.end() == 2
    _assert_printed(terminal)


@pytest.mark.parametrize(
    ("arguments", "rows"),
    [(("--no-pager", *CODE), 40), (CODE, 0), ((*CODE, "--format", "json"), 40)],
)
def test_and_some_do_without_it(
    world: World, telling: dict[str, str], arguments: tuple[str, ...], rows: int
) -> None:
    """A terminal without a height is one that nobody looks at."""
    terminal = Terminal(world, *arguments, rows=rows, environment=telling)
    assert terminal.end() == 2
    _assert_printed(terminal)


def test_a_pager_that_cannot_be_started(world: World, tmp_path: Path) -> None:
    wrong = _pager(tmp_path, "")
    (tmp_path / "pager").write_text("#!/there/is/none\n", encoding="utf-8")
    terminal = Terminal(world, *CODE, environment=wrong)
    assert terminal.end() == 2
    _assert_printed(terminal)


def _assert_printed(terminal: Terminal) -> None:
    shown = without_colour(terminal.told)
    assert "PAGED" not in shown
    assert "Traceback" not in shown
    assert all(key in shown for key in MANY)


def test_apply_asks_and_does_not_page(world: World, telling: dict[str, str]) -> None:
    terminal = Terminal(world, "apply", environment=telling)
    terminal.wait_for("\n> ")
    terminal.type("no\n")
    assert terminal.end() == 5
    assert "PAGED" not in terminal.told


def test_neither_a_pipe_nor_an_input_that_is_none_is_paged(
    world: World, telling: dict[str, str]
) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "lsq_sync", "-C", str(world.root), *CODE],
        cwd=ROOT, env={**os.environ, "TERM": "xterm", **telling}, capture_output=True, text=True,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (2, "")
    assert "PAGED" not in ended.stdout


def test_who_leaves_it_early_has_seen_enough(world: World, tmp_path: Path) -> None:
    environment = _pager(tmp_path, "head -n 1")
    terminal = Terminal(world, *CODE, "--out", "plan.json", environment=environment)
    assert terminal.end() == 2
    shown = without_colour(terminal.told)
    assert "Traceback" not in shown
    assert shown.count("\n~ ") + shown.startswith("~ ") == 1
    assert shown.rstrip().endswith("lsq-sync apply plan.json"), "what is said besides comes after"


def test_ctrl_c_is_a_key_of_the_pager(world: World, tmp_path: Path) -> None:
    environment = _pager(tmp_path, "cat; echo READY; read answer </dev/tty; echo GOT $answer")
    terminal = Terminal(world, *CODE, environment=environment)
    terminal.wait_for("READY")
    terminal.type("\x03")
    terminal.type("enough\n")
    assert terminal.end() == 2
    assert "GOT enough" in without_colour(terminal.told)


def test_after_an_interruption_there_is_no_pager(tmp_path: Path, telling: dict[str, str]) -> None:
    with new_world(tmp_path / "slow", {"queue": {"delay_seconds": 3600}}) as world:
        world.fields(*MANY, mx_Custom_6=1)
        world.run("apply", "--yes", "--no-wait", "--max-updates", "99")
        terminal = Terminal(world, "status", "--wait", rows=10, environment=telling)
        terminal.wait_for("waiting")
        terminal.type("\x03")
        assert terminal.end() == 130
        assert "PAGED" not in terminal.told
        assert "30 open requests" in without_colour(terminal.told)


def test_the_end_of_the_command_is_the_end_of_its_pager(world: World, tmp_path: Path) -> None:
    script = "trap 'echo GONE; exit' TERM; cat; echo READY; while :; do sleep 0.1; done"
    terminal = Terminal(world, *CODE, environment=_pager(tmp_path, script))
    terminal.wait_for("READY")
    os.kill(terminal.child, signal.SIGTERM)
    assert terminal.end() == 143
    assert "GONE" in without_colour(terminal.told)


@pytest.mark.skipif(shutil.which("less") is None, reason="less is not installed")
def test_less_is_what_there_is_without_a_word(world: World) -> None:
    terminal = Terminal(world, *CODE, environment={"TERM": "xterm"})
    terminal.wait_for("\n:")
    assert "to update" not in without_colour(terminal.told)
    terminal.type("G")
    terminal.wait_for("(END)")
    terminal.type("q")
    assert terminal.end() == 2
    assert "30 to update" in without_colour(terminal.told)
