"""Loans of the simulator's sample account, and workspaces that manage them."""

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from lsq_sync.simulator import sample_account
from lsq_sync.simulator.account import Account

CODE = 12005
_SCHEMA = Path(__file__).parents[1] / "schemas/types/loan.schema.json"
_FILES = 100
"""So many spec files at most, as a team would keep them."""


def account_with(loans: int) -> tuple[Account, list[str]]:
    """A sample account with so many loans, and their GUIDs; every fourth is something else."""
    account = sample_account(loans * 4 // 3 + 4, seed=7)
    return account, [one.id for one in account.opportunities if one.code == CODE][:loans]


def empty_workspace(root: Path, host: str, api: dict[str, object] | None = None) -> None:
    """A workspace for both hosts of the account, without specs; `api` are settings."""
    (root / "specs").mkdir(parents=True)
    (root / "schemas/types").mkdir(parents=True)
    shutil.copy(_SCHEMA, root / "schemas/types")
    account = {"name": "bench", "async_host": host, "host": host}
    settings = {"version": 1, "account": account, **({"api": api} if api else {})}
    (root / "lsq-sync.yaml").write_text(json.dumps(settings), encoding="utf-8")


def loan_workspace(
    root: Path, keys: Sequence[str], host: str, api: dict[str, object] | None = None
) -> None:
    """The same with a spec for each loan: a number, an option, a date and time."""
    empty_workspace(root, host, api)
    files = min(_FILES, len(keys))
    for number in range(files):
        path = root / f"specs/part-{number:03}.yaml"
        path.write_text(_specs(enumerate(keys[number::files])), encoding="utf-8")


def _specs(loans: Iterable[tuple[int, str]]) -> str:
    listed = "".join(
        f"  {key}: {{fields: {{mx_Custom_6: '{number + 5}', mx_Custom_3: Website, "
        "mx_Custom_8: 2026-12-01 12:00:00}}\n"
        for number, key in loans
    )
    return f"version: 1\ntype: loan\nopportunities:\n{listed}"
