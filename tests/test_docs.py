"""The docs say what is true: commands, exit codes, examples, copies of schemas."""

import os
import re
from pathlib import Path

import click
import pytest

from lsq_sync import cli
from tests.docs import reference
from tests.support.command import run

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def _commands(group: click.Group, prefix: str = "") -> list[str]:
    names = []
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            names += _commands(command, f"{prefix}{name} ")
        else:
            names.append(f"{prefix}{name}")
    return names


COMMANDS = _commands(cli.command_line)


def test_the_readme_lists_exactly_the_commands_there_are() -> None:
    table = README.partition("## Commands")[2].partition("## Exit codes")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    cells = [re.split(r"(?<!\\)\|", row)[1] for row in rows]
    listed = [
        name
        for cell in cells
        for name in re.findall(r"`((?:(?:state|schema|ci) )?[a-z]+(?:-[a-z]+)*)", cell)
    ]
    assert sorted(listed) == sorted(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    ended = run(*command.split(), "--help")
    assert ended.code == 0
    assert ended.out.startswith(f"Usage: lsq-sync {command}")
    described = ended.out.split("\n\n")[1].strip()
    assert described.endswith((".", ")"))


def test_every_option_that_the_readme_names_exists() -> None:
    options = {
        option
        for command in _walk(cli.command_line)
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", README)) - {"--strict"}
    assert named <= options | {"--help"}


def _walk(command: click.Command) -> list[click.Command]:
    inner = command.commands.values() if isinstance(command, click.Group) else []
    return [command, *(each for one in inner for each in _walk(one))]


def test_the_exit_codes_of_the_readme_are_those_of_the_code() -> None:
    table = README.partition("## Exit codes")[2].partition("## How it is built")[0]
    listed = {int(code) for row in re.findall(r"^\| ([\d, ]+) \|", table, re.MULTILINE)
              for code in row.split(",")}  # fmt: skip
    assert listed == {*cli._EXIT_CODES.values(), cli._USAGE, cli._BUG}


def test_the_examples_of_the_repository_are_valid_and_plan() -> None:
    validated = run("-C", str(ROOT), "validate")
    assert (validated.code, validated.out) == (0, "All valid: 3 files, 6 opportunities.\n")
    assert run("-C", str(ROOT), "plan").code == 0


def test_the_example_specs_show_every_feature_of_the_format() -> None:
    text = "\n".join(path.read_text("utf-8") for path in sorted((ROOT / "specs").glob("*.yaml")))
    features = (
        "type: ", "code: ", "defaults:", "label: ", "note: ", "note: null", ": null", "LN-",
        "[PAN, Aadhaar]", "mx_CustomObject_1:", "+05:30", "&branch", "*branch", ": |",
        "yaml-language-server",
    )  # fmt: skip
    assert [feature for feature in features if feature not in text] == []


def test_the_spec_in_the_readme_is_valid(tmp_path: Path) -> None:
    spec = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert spec is not None
    assert run("init", str(tmp_path / "ws"), "--region", "in21").code == 0
    (tmp_path / "ws/specs/readme.yaml").write_text(spec[1], encoding="utf-8")
    assert run("-C", str(tmp_path / "ws"), "validate").code == 0


def test_the_readme_is_at_most_three_screens_of_fifty_lines() -> None:
    assert len(README.splitlines()) <= 150


def test_links_of_the_docs_lead_somewhere() -> None:
    for file in ("README.md", "CONTRIBUTING.md", "docs/ci.md"):
        text = (ROOT / file).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            there = ((ROOT / file).parent / target).exists()
            assert there or target.startswith("https://"), f"{file}: {target}"


def test_the_reference_is_what_the_code_says() -> None:
    """To mend: `make reference`, and read the difference."""
    if os.environ.get("LSQ_SYNC_UPDATE"):
        reference.write()
    for path, text in reference.pages().items():
        stale = f"{path.name} is not what the code says: run {reference.COMMAND}"
        assert path.read_text(encoding="utf-8") == text, stale
