"""The figures of `docs/reliability.md`: crash states, kills and seeded histories, counted.

`python -m tests.reliability [SECONDS]`: with a number, each part takes about so long.
"""

import itertools
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.reliability.crashes import WORKLOADS, look, look_again, quick_folder
from tests.reliability.kills import COMMANDS, sweep
from tests.reliability.test_simulation import lived
from tests.support.world import new_world

_LONG = 100_000.0
_STEP = 3
"""Every third step of a command is one at which it is killed."""


def main() -> None:
    """Runs the three parts and prints a line for each."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else _LONG
    _say("crash states", *_crash_states())
    for command in COMMANDS:
        _say(f"kills of {command}", *_kills(command))
    _say("seeded histories", *_histories(seconds))


def _say(what: str, counts: Counter[str], seconds: float) -> None:
    ", ".join(f"{number:,} {name}" for name, number in counts.items())


def _crash_states() -> tuple[Counter[str], float]:
    began = time.monotonic()
    counts: Counter[str] = Counter(workloads=len(WORKLOADS))
    for workload in WORKLOADS:
        with tempfile.TemporaryDirectory() as root, quick_folder(Path(root)) as folder:
            looked = look(workload, folder)
        counts += Counter({"steps": looked.steps, "states": looked.crashes})
        counts["bad"] += len(looked.bad)
    with tempfile.TemporaryDirectory() as root, quick_folder(Path(root)) as folder:
        again = look_again(WORKLOADS[0], folder, every=10)
    counts["states of the recovery"] = again.crashes
    counts["bad"] += len(again.bad)
    return counts, time.monotonic() - began


def _kills(command: str) -> tuple[Counter[str], float]:
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as root, new_world(Path(root)) as world:
        swept = sweep(world, command, itertools.count(1, _STEP))
    counts = Counter(kills=swept.kills, unknown=swept.unknown)
    counts["bad"] = len(swept.bad)
    return counts, time.monotonic() - began


def _histories(seconds: float) -> tuple[Counter[str], float]:
    began = time.monotonic()
    counts: Counter[str] = Counter(seeds=0, bad=0)
    for seed in range(1000):
        if time.monotonic() - began > seconds:
            break
        with tempfile.TemporaryDirectory() as root:
            world, faults = lived(seed, Path(root))
        counts += world.counted()
        counts["seeds"] += 1
        counts["bad"] += len(faults)
    counts["bad"] += 0
    return counts, time.monotonic() - began


if __name__ == "__main__":
    main()
