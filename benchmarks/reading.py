"""Reading live values of many opportunities: how many calls, and how long."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.tables import Table
from lsq_sync.simulator import RunningSimulator, SimulatorThread, sample_account
from lsq_sync.simulator.scenario_file import scenario_from

_LOAN = 12005
_LOAN_SCHEMA = Path(__file__).parents[1] / "schemas/types/loan.schema.json"
_OPPORTUNITIES = 10_000
_COMMANDS = (("plan", "--refresh"), ("drift",))


def tables(folder: Path) -> list[Table]:
    """Calls are exact; seconds are of a simulator on the same machine, with no limit."""
    account = sample_account(2 * _OPPORTUNITIES + 500, seed=7)
    keys = [one.id for one in account.opportunities if one.code == _LOAN][:_OPPORTUNITIES]
    with SimulatorThread(account, scenario_from({"rate_limit": {"enabled": False}})) as crm:
        root, other = folder / "ws", folder / "importing"
        _workspace_for(root, crm, keys)
        rows = [_measured(root, crm, *words) for words in _COMMANDS]
        _empty_workspace(other, crm)
        (other / "ids").write_text("\n".join(keys), encoding="utf-8")
        rows.append(_measured(other, crm, "import", "--ids-file", "ids"))
        rows += [_measured(other, crm, *words, more=", every field") for words in _COMMANDS]
    title = f"reading {len(keys):,} opportunities live"
    return [Table(title, ("command", "calls", "seconds"), tuple(rows))]


def _measured(root: Path, crm: RunningSimulator, *words: str, more: str = "") -> tuple[str, ...]:
    before, began = crm.crm.count(), time.perf_counter()
    _run(root, crm, *words)
    took = time.perf_counter() - began
    return f"`{' '.join(words)}`{more}", f"{crm.crm.count() - before}", f"{took:.1f}"


def _empty_workspace(root: Path, crm: RunningSimulator) -> None:
    (root / "specs").mkdir(parents=True)
    (root / "schemas/types").mkdir(parents=True)
    shutil.copy(_LOAN_SCHEMA, root / "schemas/types")
    (root / "lsq-sync.yaml").write_text(
        f"version: 1\naccount: {{name: bench, async_host: '{crm.url}', host: '{crm.url}'}}\n",
        encoding="utf-8",
    )


def _workspace_for(root: Path, crm: RunningSimulator, keys: list[str]) -> None:
    _empty_workspace(root, crm)
    fields = "{mx_Custom_6: '5', mx_Custom_3: Website, mx_Custom_8: 2026-12-01 12:00:00}"
    listed = "".join(f"  {key}: {{fields: {fields}}}\n" for key in keys)
    text = f"version: 1\ncode: {_LOAN}\nopportunities:\n{listed}"
    (root / "specs/a.yaml").write_text(text, encoding="utf-8")


def _run(root: Path, crm: RunningSimulator, *words: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "lsq_sync", "-C", str(root), "-q", *words, "--format", "json"],
        env={**os.environ, **crm.environment},
        stdout=subprocess.DEVNULL,
        check=True,
    )
