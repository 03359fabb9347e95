"""What a command of the tool costs its process.

A process counts the peak of its memory from its fork on, so the command is started by a small
process that holds nothing, not by one that holds a simulator.
"""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_STARTER = """
import json, os, sys
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ,
                         file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)])
_, status, usage = os.wait4(process, 0)
unit = 1 if sys.platform == "darwin" else 1024
code = os.waitstatus_to_exitcode(status)
print(json.dumps([code, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6]))
"""


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of CPU, and megabytes at the worst moment."""

    cpu: float
    peak: float


def cost_of(root: Path, environment: Mapping[str, str], *words: str) -> Cost:
    """Runs a command in a workspace. Raises RuntimeError when it does not end with 0."""
    command = [sys.executable, "-m", "lsq_sync", "-C", str(root), "-q", *words, "--format", "json"]
    starting = [sys.executable, "-I", "-S", "-c", _STARTER, *command]
    ended = subprocess.run(
        starting, env={**os.environ, **environment}, capture_output=True, text=True, check=True
    )
    code, cpu, peak = json.loads(ended.stdout)
    if code:
        raise RuntimeError(f"{' '.join(words)} ended with {code}: {ended.stderr[-1000:]}")
    return Cost(cpu, peak)
