"""The README's way into an existing account, walked: exactly its commands, in its order."""

import re
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from lsq_sync import cli
from lsq_sync.simulator import SimulatorThread
from lsq_sync.simulator.scenario_file import scenario_from
from tests.support.command import run
from tests.support.world import ACCOUNT, LOANS, ROOT

_TITLE = "## Bring an existing account under control in five minutes"


def _commands() -> list[list[str]]:
    """Every command of the section, in the block and in the sentences behind it."""
    section = (ROOT / "README.md").read_text("utf-8").partition(_TITLE)[2].partition("\n## ")[0]
    found = re.findall(r"^lsq-sync ([^#\n]+)|`lsq-sync ([^`\n]+)`", section, re.MULTILINE)
    return [(block or inline).split() for block, inline in found]


@pytest.fixture
def somebody_to_ask() -> Iterator[None]:
    with mock.patch.object(cli, "_has_somebody_to_ask", return_value=True):
        yield


@pytest.mark.usefixtures("somebody_to_ask")
def test_the_five_minutes_of_the_readme(tmp_path: Path) -> None:
    root = tmp_path / "my-account"
    spec = root / "specs/loan.yaml"
    seen: list[str] = []
    with SimulatorThread(ACCOUNT, scenario_from({"rate_limit": {"enabled": False}})) as crm:
        assert run("init", "--region", "in21", str(root)).code == 0
        for command in _commands():
            if command == ["plan"]:
                assert crm.crm.tasks() == ()
                text = spec.read_text("utf-8")
                spec.write_text(re.sub(r"(mx_Custom_6: )\d+", r"\g<1>5", text, count=1), "utf-8")
            if command == ["drift"]:
                crm.change(LOANS[1], "mx_Custom_6", "77")
            ended = run("-C", str(root), *command, environment=crm.environment, stdin="yes\n")
            assert ended.code == 0, (command, ended)
            seen.append(" ".join(command))
            if command == ["plan", "--refresh"]:
                assert "Nothing to do" in ended.out
            if command == ["plan"]:
                assert ended.out.count("Expected Deal Size") == 1
            if command == ["drift"]:
                assert "→ 77" in ended.out
        assert [task.outcome for task in crm.crm.tasks()] == ["succeeded"]
        assert "mx_Custom_6: 77\n" in spec.read_text("utf-8")
        ended = run("-C", str(root), "plan", "--refresh", environment=crm.environment)
        assert "Nothing to do" in ended.out
    assert [one.split()[0] for one in seen] == [
        "schema", "import", "plan", "plan", "apply", "drift", "accept",
    ]  # fmt: skip
