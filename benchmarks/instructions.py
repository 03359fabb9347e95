"""How many instructions a process takes, counted by valgrind: on a busy machine the same as on a
quiet one."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.processes import ROOT, BenchmarkError, environment

Command = tuple[str, ...]

_COUNTING = ("valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null")
_COUNTED = re.compile(r"^==\d+== I +refs: +([\d,]+)", re.MULTILINE)


def can_count() -> bool:
    """Whether valgrind is here."""
    return shutil.which(_COUNTING[0]) is not None


def count(commands: Sequence[Command]) -> list[float]:
    """The instructions of each command. They run beside each other: that does not matter here.

    Raises BenchmarkError when a command fails.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(_count, commands))


def read_count(told: str) -> float | None:
    """From what valgrind tells at the end."""
    found = _COUNTED.search(told)
    return float(found[1].replace(",", "")) if found else None


def _count(command: Command) -> float:
    ended = subprocess.run(
        [*_COUNTING, *command],
        env={**environment(), "PYTHONHASHSEED": "0"},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    found = read_count(ended.stderr)
    if ended.returncode or found is None:
        raise BenchmarkError(f"{' '.join(command)} cannot be counted:\n{ended.stderr[-2000:]}")
    return found
