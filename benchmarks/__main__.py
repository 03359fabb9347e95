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

from benchmarks.data import make_workspace
from benchmarks.reading import show_reading
from lsq_sync.simulator import RunningSimulator, SimulatorThread, sample_account
from lsq_sync.simulator.scenario_file import scenario_from

_ROUNDS = 5
_UPDATES, _CALLS, _SECONDS = 250, 25, 1.0


def main() -> None:
    """Runs everything and prints the tables."""
    print(f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores\n")
    with tempfile.TemporaryDirectory() as folder:
        _show_commands(Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        _show_apply(Path(folder) / "ws")
    with tempfile.TemporaryDirectory() as folder:
        show_reading(Path(folder) / "ws")


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


def _show_apply(root: Path) -> None:
    """The server's own log says how fast the updates came and whether any was too much."""
    limit = {"calls": _CALLS, "seconds": _SECONDS}
    scenario = scenario_from({"rate_limit": limit, "queue": {"delay_seconds": 0.2}})
    account = sample_account(2 * _UPDATES, seed=7)
    with SimulatorThread(account, scenario) as crm:
        keys = [one.id for one in account.opportunities if one.code == 12005][:_UPDATES]
        _workspace_for(root, crm, keys)
        _apply(root, crm)
        sends = [entry.at for entry in crm.crm.log("submit")]
        every = [entry.at for entry in crm.crm.log()]
        least = (-(-_UPDATES // _CALLS) - 1) * _SECONDS
        least_all = (-(-len(every) // _CALLS) - 1) * _SECONDS
        print(f"\n| {_UPDATES} updates at {_CALLS} per {_SECONDS:g} s | figure |\n|---|---|")
        print(f"| sending, seconds (least possible {least:g}) | {_span(sends):.2f} |")
        print(f"| sending / least possible | {_span(sends) / least:.3f} |")
        print(f"| all {len(every)} calls / least possible | {_span(every) / least_all:.3f} |")
        print(f"| refused for the rate limit | {crm.crm.rate_limited()} |")
        print(f"| most calls in any {_SECONDS:g} s | {crm.crm.busiest_window()} |")


def _span(moments: list[float]) -> float:
    return moments[-1] - moments[0]


def _workspace_for(root: Path, crm: RunningSimulator, keys: list[str]) -> None:
    (root / "specs").mkdir(parents=True)
    (root / "lsq-sync.yaml").write_text(
        f"version: 1\naccount: {{name: bench, async_host: '{crm.url}', host: null}}\n"
        f"api: {{rate_limit: {{calls: {_CALLS}, seconds: {_SECONDS}}}}}\n",
        encoding="utf-8",
    )
    listed = "".join(f"  {key}: {{fields: {{mx_Custom_6: '5'}}}}\n" for key in keys)
    (root / "specs/a.yaml").write_text(f"version: 1\nopportunities:\n{listed}", encoding="utf-8")


def _apply(root: Path, crm: RunningSimulator) -> None:
    command = [sys.executable, "-m", "lsq_sync", "-C", str(root), "-q", "apply", "--yes"]
    subprocess.run(
        [*command, "--max-updates", str(_UPDATES)],
        env={**os.environ, **crm.environment},
        stdout=subprocess.DEVNULL,
        check=True,
    )


if __name__ == "__main__":
    main()
