"""Walks a page of the docs: runs its commands in order beside a simulated CRM, and compares.

What a page may hold:

- a `console` block: lines after `$ ` are commands, the others what they print; a line of `…` stands
  for lines left out. A command that fails is followed by `echo $?`, which shows its exit code;
- a `yaml title="FILE"` block: a file of the workspace as it then is;
- a `diff` block that begins with `--- FILE`: an edit, whose old lines stand once in the file;
- a comment such as `<!-- walk: change ID FIELD VALUE -->`: what is there before the page begins,
  and what happens in the CRM meanwhile.

`LSQ_SYNC_UPDATE=1` puts what was really printed into the page.
"""

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from lsq_sync import cli
from lsq_sync.simulator import RunningSimulator, Scenario, SimulatorThread, sample_account
from lsq_sync.simulator.command import SAMPLE_COUNT, SAMPLE_SEED, banner
from lsq_sync.simulator.scenario_file import scenario_from
from tests.support.command import QUICK

ROOT = Path(__file__).parents[2]
_ADDRESS = "127.0.0.1:8787"
"""Where the simulator of a reader is."""

_IS_RECORDED = bool(os.environ.get("LSQ_SYNC_UPDATE"))
"""What goes into a page took as long as it says."""

_LEFT_OUT = "…"
_ASKS = re.compile(r"(Only the answer yes goes on\.\n> )")


@dataclass(frozen=True)
class Command:
    """One command of a page, and the lines of the page that show what it prints."""

    words: str
    first: int
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Edit:
    """Lines of a file that become others; without `old` the file is new."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Happening:
    """What somebody else does."""

    words: tuple[str, ...]


Step = Command | Edit | Happening


# --- reading a page


def steps(page: str) -> Iterator[Step]:
    """What a page does, in its order."""
    lines = page.split("\n")
    at = 0
    while at < len(lines):
        comment = re.fullmatch(r"<!-- walk: (.+) -->", lines[at])
        fence = re.fullmatch(r"```(\S*) ?(.*)", lines[at])
        at += 1
        if comment:
            yield Happening(tuple(shlex.split(comment[1])))
        if fence:
            end = lines.index("```", at)
            yield from _of_block(fence[1], fence[2], lines[at:end], at)
            at = end + 1


def _of_block(language: str, information: str, lines: list[str], first: int) -> Iterator[Step]:
    named = re.fullmatch(r'title="(.+)"', information)
    if language == "console":
        yield from _commands(lines, first)
    elif named:
        yield Edit(named[1], "", "\n".join(lines) + "\n")
    elif language == "diff" and lines[0].startswith("--- "):
        old = (line[1:] for line in lines[1:] if line[:1] in (" ", "-"))
        new = (line[1:] for line in lines[1:] if line[:1] in (" ", "+"))
        yield Edit(lines[0][4:], "\n".join(old) + "\n", "\n".join(new) + "\n")


def _commands(lines: list[str], first: int) -> Iterator[Command]:
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield Command(lines[start][2:], first + start + 1, tuple(lines[start + 1 : end]))


# --- walking it


Printed = tuple[Command, list[str]]


def walk(path: Path, folder: Path) -> None:
    """Walks the page in the folder, and asserts that it tells what happens."""
    page = path.read_text(encoding="utf-8")
    stale = [(step, lines) for step, lines in walked(page, folder) if not is_shown(lines, step)]
    if stale and _IS_RECORDED:
        path.write_text(_corrected(page, stale), encoding="utf-8")
        stale = []
    for step, printed in stale:
        assert "\n".join(printed) == "\n".join(step.shown), f"{path.name}: $ {step.words}"


def walked(page: str, folder: Path, environment: Mapping[str, str] | None = None) -> list[Printed]:
    """Every command of the page, with the lines that it printed."""
    walker = _Walker(folder, environment or {})
    found: list[Printed] = []
    with SimulatorThread(sample_account(SAMPLE_COUNT, SAMPLE_SEED), _scenario({})) as crm:
        for step in steps(page):
            if isinstance(step, Command):
                found.append((step, walker.run(step.words, crm)))
            elif isinstance(step, Edit):
                walker.edit(step)
            else:
                walker.happen(step.words, crm)
    walker.assert_no_silent_failure()
    return found


def _corrected(page: str, stale: list[Printed]) -> str:
    lines = page.split("\n")
    for step, printed in reversed(stale):
        lines[step.first : step.first + len(step.shown)] = printed
    return "\n".join(lines)


class _Walker:
    """The reader's terminal."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._home = folder
        self._code = 0
        self._before = ""
        self._environment = {
            **environment,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Asha Kumar", "GIT_AUTHOR_EMAIL": "asha.kumar@lender.example",
            "GIT_COMMITTER_NAME": "Asha Kumar", "GIT_COMMITTER_EMAIL": "asha.kumar@lender.example",
        }  # fmt: skip

    def run(self, words: str, crm: RunningSimulator) -> list[str]:
        """Runs a command as a reader would; gives the lines that it prints."""
        before, self._before = self._before, words
        if words == "echo $?":
            code, self._code = self._code, 0
            return [str(code)]
        self.assert_no_silent_failure(before)
        if words == "lsq-sync simulate":
            text = banner(crm, sample_account(SAMPLE_COUNT, SAMPLE_SEED), Scenario())
        elif words.startswith("export "):
            text = self._export(words.replace(_ADDRESS, _address(crm)))
        elif words.startswith("cd "):
            self._folder, text = self._folder / words[3:], ""
        elif words.startswith("lsq-sync ") and not set(words) & set("|<>;&"):
            text = self._tool(shlex.split(words)[1:])
        else:
            text = self._shell(words)
        text = text.replace(_address(crm), _ADDRESS).replace(f"{self._home}/", "")
        return [line.rstrip() for line in text.removesuffix("\n").split("\n")] if text else []

    def assert_no_silent_failure(self, before: str = "") -> None:
        """A page that shows a failure shows its exit code."""
        assert self._code == 0, f"exit code {self._code} of {before or self._before} is not shown"

    def edit(self, step: Edit) -> None:
        """What the reader does in an editor."""
        path = self._folder / step.file
        text = path.read_text(encoding="utf-8") if step.old else ""
        assert text.count(step.old) == 1 or not step.old, f"{step.file} has not once:\n{step.old}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace(step.old, step.new) if step.old else step.new, "utf-8")

    def happen(self, words: tuple[str, ...], crm: RunningSimulator) -> None:
        """Something that the page does not show: a workspace is there, somebody else acts."""
        match words:
            case ("keys",):
                self._environment |= crm.environment
            case ("workspace",):
                self._make_workspace(crm)
            case ("edit", file, old, new):
                self.edit(Edit(file, old, new))
            case ("change", key, field, value):
                crm.change(key, field, value)
            case ("delete", key):
                crm.delete(key)
            case ("scenario", content):
                crm.set_scenario(_scenario(json.loads(content)))
            case _:
                raise AssertionError(f"nobody can do {words}")

    def _make_workspace(self, crm: RunningSimulator) -> None:
        """What the reader of a how-to has: settings, the schema of loans, a first commit."""
        self._environment |= crm.environment
        for words in (
            "git init --quiet --initial-branch main",
            "lsq-sync init . --name acme --region in21",
            "lsq-sync schema pull --type loan",
            "git add . && git commit --quiet --message Workspace",
        ):
            self.run(words, crm)

    def _export(self, words: str) -> str:
        for assignment in shlex.split(words)[1:]:
            name, _, value = assignment.partition("=")
            self._environment[name] = value
        return ""

    def _tool(self, words: list[str]) -> str:
        """In this process, on the quick clock; whoever is asked says yes."""
        printed = io.StringIO()
        with (
            contextlib.chdir(self._folder),
            mock.patch.dict(os.environ, self._environment),
            mock.patch.object(cli, "_has_somebody_to_ask", return_value=True),
            mock.patch("sys.stdin", io.StringIO("yes\n")),
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
        ):
            self._code = cli.run(words, None if _IS_RECORDED else QUICK)
        return _ASKS.sub(r"\1yes\n", printed.getvalue())

    def _shell(self, words: str) -> str:
        done = subprocess.run(
            ["bash", "-c", words],
            cwd=self._folder,
            env={**os.environ, **self._environment, **_path_with_the_tool(self._home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        self._code = done.returncode
        return done.stdout


def _address(crm: RunningSimulator) -> str:
    return crm.url.removeprefix("http://")


def _path_with_the_tool(home: Path) -> Mapping[str, str]:
    """Where a shell finds `lsq-sync`: this one."""
    folder = home / ".bin"
    folder.mkdir(exist_ok=True)
    script = folder / "lsq-sync"
    python = shlex.quote(sys.executable)
    script.write_text(f'#!/bin/sh\nexec {python} -m lsq_sync "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    paths = (str(ROOT), os.environ.get("PYTHONPATH", ""))
    return {
        "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }


def _scenario(switches: Mapping[str, Any]) -> Scenario:
    """The quick clock of a test would run into the limit, which counts real seconds."""
    limit = {} if _IS_RECORDED else {"rate_limit": {"enabled": False}}
    return scenario_from({**limit, **switches})


# --- comparing

_VOLATILE = (
    (r"127\.0\.0\.1:\d+", "HOST"),
    (r"\b\d{8}T\d{6}Z-[0-9a-f]{6}\b", "RUN"),
    (r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?Z?", "TIME"),
    (r"\b(commit|main) [0-9a-f]{7,}", r"\1 COMMIT"),
    (r"\b\d+ calls\)", "CALLS)"),  # a slow machine asks once more
    (r"^ Date: .*", " Date: TIME"),
    (r"\b(request|plan) [0-9a-f-]{8,}", r"\1 ID"),
    (r"\b(about )?\d+(\.\d+)? (s|min)\b(?!,? of|\.| for)", "DURATION"),
)


def is_shown(printed: list[str], step: Command) -> bool:
    """Whether the page shows this, apart from what is another with every run."""
    whole = _settled_lines(step.shown)
    parts = f"\n{whole}".split(f"\n{_LEFT_OUT}\n")
    pattern = r"\n(?:.*\n)+?".join(re.escape(part) for part in parts)
    return re.fullmatch(pattern, f"\n{_settled_lines(printed)}") is not None


PROGRESS = re.compile(r"(sending|waiting|reading): [\d,]+ of [\d,]+ \w+(, [\d,]+ \w+)*")
"""How far a command is: on a slow machine it says so more often."""


def _settled_lines(lines: Iterable[str]) -> str:
    return "".join(f"{_settled(line)}\n" for line in lines if not PROGRESS.match(line))


def _settled(line: str) -> str:
    for pattern, word in _VOLATILE:
        line = re.sub(pattern, word, line)
    return line.rstrip()
