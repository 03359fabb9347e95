"""An apply at the rate limit: how near it comes to the least time possible."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.tables import Table
from lsq_sync.simulator import RunningSimulator, SimulatorThread, sample_account
from lsq_sync.simulator.scenario_file import scenario_from

_UPDATES, _CALLS, _SECONDS = 250, 25, 1.0


def tables(folder: Path) -> list[Table]:
    """The server's own log says how fast the updates came and whether any was too much."""
    root = folder / "applying"
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
        rows = (
            (f"sending, seconds (least possible {least:g})", f"{_span(sends):.2f}"),
            ("sending / least possible", f"{_span(sends) / least:.3f}"),
            (f"all {len(every)} calls / least possible", f"{_span(every) / least_all:.3f}"),
            ("refused for the rate limit", f"{crm.crm.rate_limited()}"),
            (f"most calls in any {_SECONDS:g} s", f"{crm.crm.busiest_window()}"),
        )
    title = f"{_UPDATES} updates at {_CALLS} per {_SECONDS:g} s"
    return [Table(title, ("", "figure"), rows)]


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
