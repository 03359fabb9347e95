"""The real command says at once what it said before, wherever that is all that is asked."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from lsq_sync import entry
from lsq_sync.places import STATE_VARIABLE
from tests.index.workspace import World

SAID = "Nothing to do: 1,200 opportunities are as the specs want.\n"
NOISE = (STATE_VARIABLE, "NO_COLOR", "FORCE_COLOR", "LSQ_HOST", "LSQ_ASYNC_HOST")


def _begun(
    world: World, *arguments: str, more: Mapping[str, str] | None = None, stdout: int = -1
) -> "subprocess.Popen[str]":
    """The command, which tells on stderr what it imports."""
    kept = {name: text for name, text in os.environ.items() if name not in NOISE}
    command = [sys.executable, "-X", "importtime", "-m", "lsq_sync", *arguments]
    return subprocess.Popen(
        command,
        cwd=world.root,
        env={**kept, "HOME": str(world.root), **(more or {})},  # each test has its own
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
    )


def _run(world: World, *arguments: str, more: Mapping[str, str] | None = None) -> tuple[str, bool]:
    """What it prints, and whether it made a plan for that. Succeeds."""
    process = _begun(world, *arguments, more=more)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out, _made_a_plan(err)


def _made_a_plan(imported: str) -> bool:
    return "click" in imported


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Large enough for an answer to be kept. Not to be changed."""
    made = World(tmp_path_factory.mktemp("workspace"), per_file=400)
    assert _run(made, "plan") == (SAID, True)
    return made


@pytest.fixture
def large(tmp_path: Path) -> World:
    made = World(tmp_path, per_file=400)
    assert _run(made, "plan") == (SAID, True)
    return made


ASKED: Sequence[Sequence[str]] = (
    ["plan"],
    ["plan", "--detailed-exitcode"],
    ["-C", ".", "plan"],
    ["-C", "specs/..", "plan", "--detailed-exitcode"],
    ["-C", "specs/sub", "plan"],
)


@pytest.mark.parametrize("arguments", ASKED)
def test_it_is_said_again_without_a_plan(shared: World, arguments: Sequence[str]) -> None:
    assert _run(shared, *arguments) == (SAID, False)


OTHERS: Sequence[Sequence[str]] = (
    ["-q", "plan"],
    ["plan", "specs"],
    ["plan", "--retry-rejected"],
    ["plan", "--only", "*"],
    ["-C", "", "plan"],
    ["--no-color", "plan"],
)


@pytest.mark.parametrize("arguments", OTHERS)
def test_whatever_else_is_asked_is_planned(shared: World, arguments: Sequence[str]) -> None:
    """And prints the same here."""
    assert _run(shared, *arguments) == (SAID, True)


@pytest.mark.parametrize(
    "arguments",
    [[], ["plan", "plan"], ["plan", "-h"], ["-C", "plan"], ["-C", "-q", "plan"], ["--version"],
     ["validate"], ["apply"], ["-C", "a", "-C", "b", "plan"], ["plan", "--detailed"]],
)  # fmt: skip
def test_these_ask_for_more_than_a_plan(arguments: Sequence[str]) -> None:
    assert entry._folder_of_a_plan(arguments) is None


def test_json_is_made_anew(shared: World) -> None:
    out, made = _run(shared, "plan", "--format", "json")
    assert made
    assert out.startswith("{")


def test_with_colour_it_is_made_anew(shared: World) -> None:
    out, made = _run(shared, "plan", more={"FORCE_COLOR": "1"})
    assert made
    assert "\x1b[" in out


def test_a_shell_that_completes_is_answered(shared: World) -> None:
    _, made = _run(shared, "plan", more={"_LSQ_SYNC_COMPLETE": "bash_source"})
    assert made


def test_on_a_terminal_it_is_made_anew(shared: World) -> None:
    leader, follower = pty.openpty()
    process = _begun(shared, "plan", stdout=follower)
    _, err = process.communicate(timeout=60)
    os.close(follower)
    shown = os.read(leader, 4096).decode()
    os.close(leader)
    assert _made_a_plan(err)
    assert "Nothing to do" in shown


def test_an_output_that_is_full_is_told(shared: World) -> None:
    with Path("/dev/full").open("w") as full:
        process = _begun(shared, "plan", stdout=full.fileno())
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "the result cannot be written: No space left on device" in err


def test_an_output_that_nobody_reads_is_no_failure(shared: World) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    process = _begun(shared, "plan", stdout=theirs)
    os.close(theirs)
    process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_closed_output_is_no_failure(shared: World) -> None:
    command = f"{sys.executable} -m lsq_sync plan >&-"
    more = {**os.environ, "HOME": str(shared.root)}
    ended = subprocess.run(
        command, shell=True, cwd=shared.root, env=more, stderr=subprocess.PIPE, check=True
    )
    assert ended.stderr == b""


def test_another_encoding(shared: World) -> None:
    command = [sys.executable, "-m", "lsq_sync", "plan"]
    told = {**os.environ, "HOME": str(shared.root), "PYTHONIOENCODING": "utf-16"}
    ended = subprocess.run(command, cwd=shared.root, env=told, capture_output=True, check=True)
    assert ended.stdout.decode("utf-16") == SAID


def test_what_changed_is_planned_and_what_changed_back_is_known(large: World) -> None:
    large.edit("specs/a.yaml", "'11'", "'12'")
    out, made = _run(large, "plan")
    assert made
    assert "1 to update" in out
    large.edit("specs/a.yaml", "'12'", "'11'")
    assert _run(large, "plan") == (SAID, False)


def test_a_state_elsewhere_has_an_answer_of_its_own(large: World, tmp_path: Path) -> None:
    more = {STATE_VARIABLE: str(tmp_path / "elsewhere")}
    assert _run(large, "plan", more=more) == (SAID, True)
    assert _run(large, "plan", more=more) == (SAID, False)
    assert _run(large, "plan") == (SAID, False)


def test_what_is_wrong_is_told(large: World) -> None:
    large.write("specs/d.yaml", "version: 2\n")
    process = _begun(large, "plan")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "specs/d.yaml:1" in err


def test_a_folder_that_cannot_be_read_is_told(large: World) -> None:
    """Its opportunities would be released otherwise."""
    (large.root / "specs").rename(large.root / "gone")
    process = _begun(large, "plan")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "there is no folder specs/" in err


def test_a_folder_without_settings_around_it_is_told(shared: World) -> None:
    process = _begun(shared, "-C", "/", "plan")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "there is no lsq-sync.yaml in /" in err


def test_from_one_place_and_another_it_is_the_same_answer(shared: World, tmp_path: Path) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "lsq_sync", "-C", str(shared.root), "plan"]
    more = {**os.environ, "HOME": str(shared.root)}
    ended = subprocess.run(
        command, cwd=tmp_path, env=more, capture_output=True, text=True, check=True
    )
    assert (ended.stdout, _made_a_plan(ended.stderr)) == (SAID, False)
    assert _run(shared, "plan") == (SAID, False)


@pytest.mark.parametrize("at", ["_said_before", "_is_written"])
def test_an_interrupt_before_anything_runs_is_told(shared: World, at: str) -> None:
    code = (
        "import signal, sys; from lsq_sync import entry; "
        f"entry.{at} = lambda *_: signal.raise_signal(signal.SIGINT); "
        "sys.argv[1:] = ['plan']; entry.main()"
    )
    more = {**os.environ, "HOME": str(shared.root)}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=shared.root, env=more, capture_output=True, text=True
    )
    assert ended.returncode == 130
    assert ended.stderr.startswith("error: ")
    assert "Traceback" not in ended.stderr
