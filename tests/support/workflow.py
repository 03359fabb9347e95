"""Runs the steps of a workflow file that are ours, as the runner of GitHub would: in this process.

Only what the examples use is understood, and everything else fails: an expression that nobody looks
at here is one that nobody has tried.
"""

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.support.command import Ended, run

FOLDER = Path(__file__).parents[2] / "docs/examples/github"
_SECRETS = "secrets."
_TIMEOUT = "20"


def steps_of(file: Path) -> list[dict[str, Any]]:
    """The steps of the one job of a workflow."""
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    (job,) = content["jobs"].values()
    steps: list[dict[str, Any]] = job["steps"]
    return steps


def commands_of(step: Mapping[str, Any]) -> list[str]:
    """The words of a step's one command; a redirection at its end stays."""
    return shlex.split(step["run"])


@dataclass
class Job:
    """A job of an example. `base` is the environment of the runner, `secrets` are whole variables,
    `before` happens before the step of its name."""

    name: str
    root: Path
    base: Mapping[str, str]
    secrets: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    conclusion: str = "success"
    before: Mapping[str, Callable[[], object]] = field(default_factory=dict)
    ended: dict[str, Ended] = field(default_factory=dict)
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    failed: bool = False

    def run(self) -> "Job":
        """Every step whose turn comes; `failed` says whether the job is red."""
        for number, step in enumerate(steps_of(FOLDER / self.name)):
            if "run" in step and self._is_due(step.get("if", "success()")):
                self._step(str(step.get("name", step["run"])), number, step)
        return self

    def _step(self, name: str, number: int, step: Mapping[str, Any]) -> None:
        if name in self.before:
            self.before[name]()
        words = commands_of(step)
        own = {key: self._value(text) for key, text in step.get("env", {}).items()}
        output = self.root / f".output-{number}"
        environment = {**self.base, **own, "GITHUB_OUTPUT": str(output)}
        target = None
        if words[-2:-1] == [">"]:
            words, target = words[:-2], self.root / words[-1]
        assert words[0] == "lsq-sync"
        given = [own[word[1:]] if word.startswith("$") else word for word in words[1:]]
        if "--timeout" in given:  # nobody waits here for what will not come
            given[given.index("--timeout") + 1] = _TIMEOUT
        ended = run("-C", str(self.root), *given, environment=environment)
        if target:
            target.write_text(ended.out, encoding="utf-8")
        self.ended[name] = ended
        self._keep(step, output)
        if ended.code and not step.get("continue-on-error"):
            self.failed = True

    def _keep(self, step: Mapping[str, Any], output: Path) -> None:
        if output.exists():
            pairs = (line.split("=", 1) for line in output.read_text("utf-8").splitlines())
            self.outputs[step["id"]] = dict(pairs)
            output.unlink()

    def _value(self, text: str) -> str:
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda found: self._expression(found[1]), text)

    def _expression(self, text: str) -> str:
        if text.startswith(_SECRETS):
            return self.secrets.get(text.removeprefix(_SECRETS), "")
        known: dict[str, Callable[[], str]] = {
            "github.token": lambda: self.base["GITHUB_TOKEN"],
            "steps.reviewed.outputs.plan || inputs.plan": lambda: (
                self.outputs.get("reviewed", {}).get("plan") or self.inputs.get("plan", "")
            ),
        }
        return known[text]()

    def _is_due(self, condition: str) -> bool:
        return all(self._holds(part) for part in condition.split(" && ")) and (
            not self.failed or "always()" in condition or "!cancelled()" in condition
        )

    def _holds(self, part: str) -> bool:
        left, _, right = part.partition(" == ")
        known = {
            "github.event_name": self.base["GITHUB_EVENT_NAME"],
            "github.event.workflow_run.conclusion": self.conclusion,
        }
        if right:
            return known[left] == right.strip("'")
        assert part in ("success()", "always()", "!cancelled()")
        return True
