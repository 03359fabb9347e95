"""Whole processes, measured in turn: every round runs every command, so that what else the machine
does meanwhile falls on all of them alike."""

import compileall
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[1]

# A process counts the peak of its memory from its fork on, so that it is never less than that of
# the process that started it: this one holds nothing.
_STARTER = """
import json, os, sys, time
file, *command = sys.argv[1:]
flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
output = [(os.POSIX_SPAWN_OPEN, 1, file, flags, 0o600), (os.POSIX_SPAWN_DUP2, 1, 2)]
began = time.perf_counter()
process = os.posix_spawn(command[0], command, os.environ, file_actions=output)
_, status, usage = os.wait4(process, 0)
wall = time.perf_counter() - began
peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
print(json.dumps([os.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime, peak]))
"""


class BenchmarkError(Exception):
    """A command did not do what is measured; the message says which, and what it printed."""


@dataclass(frozen=True, slots=True)
class Case:
    """A command to measure; `key` names it among the results.

    `prepare` runs before each sample and is not measured. `expected` has to stand in what the
    command prints in a first run, which does not count: else it does other work than it should.
    """

    key: str
    command: tuple[str, ...]
    expected: str = ""
    samples_a_round: int = 1
    prepare: Callable[[], None] = lambda: None
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sample:
    """What a process took, or the medians of several: seconds, seconds of CPU, and megabytes of
    resident memory at the worst moment."""

    wall: float
    cpu: float
    peak: float


Results = Mapping[str, Sample]
"""Medians by the key of the case; what was not run is missing."""


def run_in_turn(cases: Iterable[Case], rounds: int) -> dict[str, Sample]:
    """Every case is checked once, then measured in every round.

    Raises BenchmarkError when a command fails, or does other work than it should.
    """
    every = tuple(cases)
    for case in every:
        _tell(f"check: {case.key}")
        _check(case)
    samples: dict[str, list[Sample]] = {case.key: [] for case in every}
    for number in range(rounds):
        _tell(f"round {number + 1} of {rounds}")
        for case in every:
            for _ in range(case.samples_a_round):
                case.prepare()
                samples[case.key].append(run_once(case)[0])
    return {key: median(found) for key, found in samples.items()}


def median(samples: Iterable[Sample]) -> Sample:
    """Of each figure by itself."""
    every = [(one.wall, one.cpu, one.peak) for one in samples]
    return Sample(*map(statistics.median, zip(*every, strict=True)))


def run_once(case: Case) -> tuple[Sample, str]:
    """One process, and what it printed. Raises BenchmarkError when it fails."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "output"
        starting = [sys.executable, "-I", "-S", "-c", _STARTER, str(output), *case.command]
        surroundings = {**environment(), **case.environment}
        ended = subprocess.run(
            starting, env=surroundings, cwd=ROOT, capture_output=True, text=True, check=False
        )
        printed = output.read_text("utf-8", "replace") if output.exists() else ""
    code, *figures = json.loads(ended.stdout) if ended.returncode == 0 else [ended.stderr]
    if code:
        words = " ".join(case.command)
        raise BenchmarkError(f"{case.key}: {words} ended with {code}\n{printed[-2000:]}")
    return Sample(*figures), printed


def cost_of(root: Path, around: Mapping[str, str], *words: str) -> Sample:
    """Of a command of the tool in a workspace, once. Raises BenchmarkError when it fails."""
    command = lsq_sync("-C", str(root), "-q", *words, "--format", "json")
    return run_once(Case(" ".join(words), command, environment=around))[0]


def compile_ahead() -> None:
    """Compiles the tool and the benchmarks, as an installer does."""
    for folder in ("lsq_sync", "benchmarks"):
        compileall.compile_dir(ROOT / folder, quiet=2)


def environment() -> dict[str, str]:
    """Ours without the settings of the interpreter, such as one to write no bytecode."""
    kept = ("PYTHONPATH", "PYTHONHOME")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") or name in kept
    }


def program(name: str) -> str | None:
    """The path of a program: beside the interpreter, else as the shell finds it."""
    beside = Path(sys.executable).parent / name
    return str(beside) if beside.exists() else shutil.which(name)


def python(*arguments: str) -> tuple[str, ...]:
    """A command of this interpreter."""
    return (sys.executable, *arguments)


def lsq_sync(*arguments: str) -> tuple[str, ...]:
    """A command of the tool."""
    return python("-m", "lsq_sync", *arguments)


def _check(case: Case) -> None:
    case.prepare()
    printed = run_once(case)[1]
    if case.expected not in printed:
        raise BenchmarkError(f"{case.key}: not {case.expected!r}, but:\n{printed[-2000:]}")


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
