"""A workspace beside a simulated CRM, and the commands a user would type in it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lsq_sync.simulator import RunningSimulator, SimulatorThread, sample_account
from lsq_sync.simulator.scenario_file import scenario_from
from tests.support.command import Ended, run

ROOT = Path(__file__).parents[2]
ACCOUNT = sample_account(60, seed=7)
LOANS = [one.id for one in ACCOUNT.opportunities if one.code == 12005]
INSURANCES = [one.id for one in ACCOUNT.opportunities if one.code == 12006]

Fields = Mapping[str, Any]


class World:
    """One workspace and one account. `settings` are written as YAML, JSON being YAML; without
    `account={"host": None}` among them the CRM is read as well."""

    def __init__(self, root: Path, crm: RunningSimulator, settings: Mapping[str, Any]) -> None:
        self.root = root
        self.crm = crm
        self.environment = dict(crm.environment)
        (root / "specs").mkdir(parents=True)
        (root / "schemas/types").mkdir(parents=True)
        shutil.copy(ROOT / "schemas/types/loan.schema.json", root / "schemas/types")
        account: dict[str, Any] = {"name": "test", "async_host": crm.url, "host": crm.url}
        account |= settings.get("account", {})
        if account["host"] is None:
            self.environment.pop("LSQ_HOST", None)
        content = {"version": 1, **settings, "account": account}
        self.write("lsq-sync.yaml", json.dumps(content, indent=1))

    def write(self, name: str, text: str) -> Path:
        """A file of the workspace."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def spec(
        self, opportunities: Mapping[str, Fields], name: str = "specs/a.yaml", **more: Any
    ) -> None:
        """A spec: opportunity -> its mapping; `more` are further top-level keys."""
        content = {"version": 1, **more, "opportunities": opportunities}
        self.write(name, json.dumps(content, indent=1, ensure_ascii=False))

    def fields(self, *keys: str, name: str = "specs/a.yaml", **fields: Any) -> None:
        """A spec that gives all these opportunities the same values of loans."""
        self.spec({key: {"fields": fields} for key in keys}, name, type="loan")

    def run(self, *arguments: str, stdin: str = "") -> Ended:
        """A command in this workspace."""
        return run("-C", str(self.root), *arguments, environment=self.environment, stdin=stdin)

    def json(self, *arguments: str) -> Ended:
        """The same with --format json."""
        return self.run(*arguments, "--format", "json")

    def apply(self, *arguments: str, code: int = 0) -> Ended:
        """Applies; where all went well, a plan afterwards must be empty (invariant 12)."""
        ended = self.json("apply", "--yes", *arguments)
        assert ended.code == code, ended
        if code == 0 and not arguments:
            self.assert_nothing_to_do()
        return ended

    def assert_nothing_to_do(self) -> None:
        """The plan is empty."""
        ended = self.json("plan", "--detailed-exitcode")
        assert (ended.code, ended.document["opportunities"]) == (0, []), ended.out

    def plan(self, *arguments: str) -> dict[str, Any]:
        """The plan document."""
        ended = self.json("plan", *arguments)
        assert ended.code == 0, ended
        return ended.document

    def actions(self, *arguments: str) -> dict[str, str]:
        """The planned action of each opportunity."""
        return {one["id"]: one["action"] for one in self.plan(*arguments)["opportunities"]}

    @property
    def lock(self) -> dict[str, Any]:
        """The lock file."""
        content: dict[str, Any] = json.loads((self.root / "lsq-sync.lock").read_text("utf-8"))
        return content

    @property
    def entries(self) -> dict[str, Any]:
        """The recorded opportunities."""
        entries: dict[str, Any] = self.lock["opportunities"]
        return entries

    def sent(self) -> list[dict[str, Any]]:
        """The bodies of the updates that the CRM accepted, in their order."""
        return [json.loads(task.payload) for task in self.crm.crm.tasks()]

    def scenario(self, **switches: Any) -> None:
        """The CRM behaves differently from here on."""
        self.crm.set_scenario(scenario_from({**_QUIET, **switches}))

    def start(self, *arguments: str, **more: Any) -> "subprocess.Popen[str]":
        """A command as a process of its own, for signals and kills."""
        import os

        return subprocess.Popen(
            [sys.executable, "-m", "lsq_sync", "-C", str(self.root), *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            **more,
        )


_QUIET: Mapping[str, Any] = {"rate_limit": {"enabled": False}, "seed": 1}


@contextmanager
def new_world(
    root: Path, scenario: Mapping[str, Any] | None = None, **settings: Any
) -> Iterator[World]:
    """A world with a CRM of its own; without a scenario it limits nothing and settles at once."""
    with SimulatorThread(ACCOUNT, scenario_from({**_QUIET, **(scenario or {})})) as crm:
        yield World(root / "workspace", crm, settings)
