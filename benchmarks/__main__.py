"""Start-up, a cold plan, and an apply at the rate limit; a Markdown table of medians.

Figures of one run on one machine: compare the rows of a table, not tables of two machines.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import apply, reading
from benchmarks.data import make_workspace

_ROUNDS = 5


def main() -> None:
    """Runs everything and prints the tables."""
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores\n")
    with tempfile.TemporaryDirectory() as folder:
        _show_commands(Path(folder))
    for measured in (apply.tables, reading.tables):
        with tempfile.TemporaryDirectory() as folder:
            for table in measured(Path(folder)):
                print(f"\n{table.markdown()}", end="")


def _show_commands(folder: Path) -> None:
    cases: dict[str, Callable[[], None]] = {
        "python -c pass": lambda: _python("-c", "pass"),
        "--version": lambda: _run(folder, "--version"),
        "--help": lambda: _run(folder, "--help"),
    }
    for size, files in ((1_000, 1), (10_000, 1), (10_000, 100)):
        root = folder / f"{size}-{files}"
        make_workspace(root, size, files=files)
        cases[f"validate, {size:,} opportunities, {files} files"] = _command(root, "validate")
        cases[f"plan --format json, {size:,}, {files} files"] = _command(
            root, "plan", "--format", "json"
        )
    print(f"| command (median of {_ROUNDS}, interleaved) | wall ms | x python |")
    print("|---|---|---|")
    medians = _medians(cases)
    floor = medians["python -c pass"]
    for name, median in medians.items():
        print(f"| `{name}` | {median * 1000:.0f} | {median / floor:.1f} |")


def _medians(cases: dict[str, Callable[[], None]]) -> dict[str, float]:
    samples: dict[str, list[float]] = {name: [] for name in cases}
    for _ in range(_ROUNDS):
        for name, case in cases.items():
            began = time.perf_counter()
            case()
            samples[name].append(time.perf_counter() - began)
    return {name: statistics.median(found) for name, found in samples.items()}


def _command(root: Path, *arguments: str) -> Callable[[], None]:
    return lambda: _run(root, "-C", str(root), *arguments)


def _run(_folder: Path, *arguments: str) -> None:
    _python("-m", "lsq_sync", *arguments)


def _python(*arguments: str) -> None:
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)


if __name__ == "__main__":
    main()
