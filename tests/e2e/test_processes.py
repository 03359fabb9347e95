"""The tool as a process: signals, kill -9, closed pipes, a terminal that asks."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.terminal import Terminal, without_colour
from tests.support.world import LOANS, ROOT, World, new_world

ONE = LOANS[0]
MANY = LOANS[:40]


def _until(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_sending_stops_cleanly_and_the_next_apply_goes_on(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    limit = {"rate_limit": {"calls": 5, "seconds": 0.3}}
    with new_world(tmp_path, api=limit) as world:
        world.fields(*MANY, mx_Custom_6=1)
        process = world.start("apply", "--yes", "--max-updates", "99", "--format", "json")
        _until(lambda: world.crm.crm.count("submit") >= 7)
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
        result = json.loads(out)
        assert process.returncode == code
        assert "stopping" in err
        assert "lsq-sync apply" in err
        sent = len(world.sent())
        assert result["summary"]["pending"] + result["summary"]["unsent"] == 40
        assert result["summary"]["pending"] == sent < 40
        assert not (world.root / ".lsq-sync/journal").exists()
        world.apply("--max-updates", "99")
        assert sorted(body["ProspectOpportunityId"] for body in world.sent()) == sorted(MANY)


def test_a_signal_while_waiting_leaves_requests_open_for_status(tmp_path: Path) -> None:
    with new_world(tmp_path, {"queue": {"delay_seconds": 3600}}) as world:
        world.fields(ONE, mx_Custom_6=1)
        process = world.start("apply", "--yes", "--format", "json")
        _until(lambda: world.crm.crm.count("status") >= 1)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
        assert (process.returncode, json.loads(out)["summary"]["pending"]) == (130, 1)
        world.crm.skip(3600)
        assert world.json("status").summary["succeeded"] == 1


def test_a_second_signal_ends_at_once_and_loses_nothing(tmp_path: Path) -> None:
    slow = {"faults": [{"on": "submit", "every": 1, "do": "delay", "seconds": 30}]}
    with new_world(tmp_path, slow, account={"host": None}) as world:
        world.fields(ONE, mx_Custom_6=1)
        process = world.start("apply", "--yes")
        _until(lambda: world.crm.crm.count("submit") >= 1)
        process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=3)
        assert process.returncode == 130
        world.scenario()
        assert world.json("status").summary["unknown"] == 1


def test_after_kill_9_the_next_command_folds_names_the_unknown_and_repeats_nothing(
    tmp_path: Path,
) -> None:
    faults = [{"on": "submit", "call": 8, "do": "delay", "seconds": 60}]
    limit = {"rate_limit": {"calls": 4, "seconds": 0.2}}
    account = {"host": None}
    with new_world(tmp_path, {"faults": faults}, api=limit, account=account) as world:
        world.fields(*MANY, mx_Custom_6=1)
        process = world.start("apply", "--yes", "--max-updates", "99")
        _until(lambda: world.crm.crm.count("submit") >= 12)
        process.kill()
        process.communicate()
        world.scenario()
        before = {body["ProspectOpportunityId"] for body in world.sent()}
        listed = world.json("state", "list").document["opportunities"]
        accepted = {key for key, entry in listed.items() if entry["pending"]["request_id"]}
        ended = world.json("status")
        assert "an earlier run was cut short" in ended.err
        assert ended.summary["succeeded"] == len(accepted)
        assert ended.summary["unknown"] >= 1
        after = world.json("apply", "--yes", "--max-updates", "99")
        assert after.code == 4
        posted = [body["ProspectOpportunityId"] for body in world.sent()]
        assert len(posted) == len(set(posted)), "an opportunity was posted twice"
        assert before <= set(posted)


def test_a_reader_that_goes_away_ends_no_run(tmp_path: Path) -> None:
    with new_world(tmp_path, api={"rate_limit": {"calls": 100, "seconds": 0.1}}) as world:
        world.fields(*MANY, mx_Custom_6=1)
        command = f"{sys.executable} -m lsq_sync -C {world.root} apply --yes --max-updates 99"
        ended = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command} | true"],
            cwd=ROOT,
            env={**os.environ, **world.environment},
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stderr
        assert "BrokenPipe" not in ended.stderr
        world.assert_nothing_to_do()


@pytest.mark.parametrize(("answer", "code", "sent"), [("yes", 0, 1), ("y", 5, 0), ("", 5, 0)])
def test_on_a_terminal_only_a_whole_yes_goes_on(
    world: World, answer: str, code: int, sent: int
) -> None:
    world.fields(ONE, mx_Custom_6=1)
    told, ended = _on_a_terminal(world, ["apply"], answer)
    assert ended == code, told
    told = without_colour(told)
    assert "Only the answer yes goes on" in told
    assert "Expected Deal Size (mx_Custom_6)" in told
    assert len(world.sent()) == sent


def test_a_question_that_nobody_answers_ends_at_the_deadline(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    told, ended = _on_a_terminal(world, ["apply", "--deadline", "6"], None)
    assert ended == 4, told
    told = without_colour(told)
    assert "nothing was sent: the deadline of 6 s came first" in told
    assert world.crm.crm.count("submit") == 0


def test_ctrl_c_at_the_question_sends_nothing(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    told, ended = _on_a_terminal(world, ["apply"], "\x03")
    assert ended == 130, told
    assert world.crm.crm.count("submit") == 0


@pytest.mark.parametrize("columns", [30, 200])
def test_a_terminal_gets_colour_and_lines_that_fit(world: World, columns: int) -> None:
    world.spec({ONE: {"label": "A long label " * 5, "fields": {"mx_Custom_5": "word " * 60}}})
    told, _ = _on_a_terminal(world, ["plan"], None, columns=columns)
    assert "\x1b[" in told
    plain = without_colour(told)
    assert max(len(line) for line in plain.splitlines()) <= columns
    told, _ = _on_a_terminal(world, ["--no-color", "plan"], None, columns=columns)
    assert "\x1b[" not in told


def test_a_terminal_shows_a_live_bar(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    told, ended = _on_a_terminal(world, ["apply", "--yes"], None)
    assert ended == 0
    plain = without_colour(told)
    assert "sending" in plain
    assert "1/1" in plain


def _on_a_terminal(
    world: World, arguments: list[str], answer: str | None, columns: int = 120
) -> tuple[str, int]:
    """What a person sees, and the exit code; the answer is typed when a question stands there.

    None: nothing is typed.
    """
    terminal = Terminal(world, *arguments, columns=columns)
    if answer is not None:
        terminal.wait_for("\n> ")
        terminal.type(answer if answer == "\x03" else f"{answer}\n")
    code = terminal.end()
    return terminal.told, code
