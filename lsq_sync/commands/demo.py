"""`lsq-sync demo`: the whole loop on the simulator, every step a real command with its output."""

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lsq_sync.display import Screen
from lsq_sync.errors import StorageError, WorkspaceError
from lsq_sync.render.lines import BLANK, Line, Piece, Style, line
from lsq_sync.simulator import Account, RunningSimulator, Scenario, SimulatorThread, sample_account
from lsq_sync.simulator.data import account_text
from lsq_sync.simulator.scenario import Queue, RateLimit
from lsq_sync.spec.schemas import schema_text

_MARKER = ".lsq-sync-demo"
_SOURCES = Path(__file__).parents[2]
_COUNT = 300
_LOANS, _INSURANCES = 30, 10
_LOAN, _INSURANCE = 12005, 12006
_LONGEST_OUTPUT = 24
_HEAD = 14
_WIPED = frozenset({"LSQ_SYNC_STATE_DIR", "LSQ_ASYNC_HOST", "LSQ_HOST"})


@dataclass(frozen=True, slots=True)
class _Speed:
    """How quick the simulated account is, and how long people get to read."""

    limit: RateLimit
    queue: Queue
    pause: float


_REAL = _Speed(RateLimit(calls=25, seconds=5), Queue(delay_seconds=1.0, per_minute=400), 1.5)
_FAST = _Speed(RateLimit(calls=200, seconds=1), Queue(delay_seconds=0.1), 0.0)


def run(folder: Path, shown_folder: Path, screen: Screen, *, fast: bool) -> int:
    """Runs the demo; 0 when every step ended as it should.

    Makes the workspace `folder`; one that an earlier demo left there is replaced. Raises
    WorkspaceError when something else is there, StorageError when it cannot be written.
    """
    speed = _FAST if fast else _REAL
    account = sample_account(_COUNT, seed=7)
    scenario = Scenario(name="demo", rate_limit=speed.limit, queue=speed.queue)
    with SimulatorThread(account, scenario) as crm:
        try:
            specs = _make_workspace(folder, account, crm, speed)
        except OSError as error:
            raise StorageError(f"{folder} cannot be written: {error.strerror}") from None
        demo = _Demo(folder, crm, specs, screen, speed.pause if screen.is_terminal else 0)
        demo.play(account)
        (folder / "crm.json").write_text(account_text(_as_it_is_now(account, crm)), "utf-8")
        screen.show(_how_to_go_on(shown_folder, crm))
        return 0 if demo.went_well else 1


# --- the workspace


@dataclass(frozen=True, slots=True)
class _Specs:
    """The spec files of the demo, and what is done to them on stage."""

    loans: Path
    edited: str
    deleted: str


def _make_workspace(folder: Path, account: Account, crm: RunningSimulator, speed: _Speed) -> _Specs:
    _clear(folder)
    for part in ("specs", "schemas/types"):
        (folder / part).mkdir(parents=True)
    limit = speed.limit
    texts = {
        _MARKER: "A workspace of `lsq-sync demo`; the next demo replaces it.\n",
        ".gitignore": ".lsq-sync/\n",
        "lsq-sync.yaml": _SETTINGS.format(url=crm.url, calls=limit.calls, seconds=limit.seconds),
        "schemas/spec.schema.json": schema_text("spec.schema.json"),
        "schemas/types/loan.schema.json": schema_text("types/loan.schema.json"),
        "specs/loans.yaml": _loans(account),
        "specs/insurance.yaml": _insurance(account),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    loans = [one.id for one in account.opportunities if one.code == _LOAN]
    return _Specs(folder / "specs/loans.yaml", edited=loans[0], deleted=loans[1])


def _clear(folder: Path) -> None:
    if not folder.exists() or not any(folder.iterdir()):
        return
    if not (folder / _MARKER).exists():
        raise WorkspaceError(
            f"{folder} is there already, and is not from a demo",
            hint="name another folder:\n\n  lsq-sync demo --dir FOLDER",
        )
    shutil.rmtree(folder)


_SETTINGS = """\
version: 1
account:
  name: demo
  async_host: {url}
  host: {url}
  time_zone: Asia/Kolkata
api:
  rate_limit:
    calls: {calls}
    seconds: {seconds:g}
"""


def _loans(account: Account) -> str:
    lines = [
        "# yaml-language-server: $schema=../schemas/types/loan.schema.json",
        "version: 1",
        "type: loan          # schemas/types/loan.schema.json knows its fields",
        "defaults:",
        "  fields: {mx_Custom_3: Website}",
        "opportunities:",
    ]
    chosen = [one for one in account.opportunities if one.code == _LOAN][:_LOANS]
    for number, one in enumerate(chosen):
        lines += [
            f"  {one.id}:",
            f"    label: {one.fields['mx_Custom_1']}",
            "    fields:",
            f'      mx_Custom_6: "{2 + number % 7},{10 + number},000"     # Expected Deal Size',
            f"      mx_Custom_8: 2026-12-{1 + number % 28:02} 17:30:00   # Expected Closure Date",
        ]
        if number % 3 == 0:
            lines.append("      mx_Custom_15: [PAN, Aadhaar]        # Documents Received")
        if number % 5 == 0:
            lines.append("      mx_Custom_5: null                   # Description: cleared")
    return "\n".join(lines) + "\n"


def _insurance(account: Account) -> str:
    lines = ["version: 1", f"code: {_INSURANCE}         # no type schema: values go as written"]
    lines.append("opportunities:")
    chosen = [one for one in account.opportunities if one.code == _INSURANCE][:_INSURANCES]
    for one in chosen:
        lines += [
            f"  {one.id}:",
            f"    label: {one.fields['mx_Custom_1']}",
            "    note: Renewal call done",
            "    fields: {mx_Custom_22: To be named by the customer}",
        ]
    return "\n".join(lines) + "\n"


def _as_it_is_now(account: Account, crm: RunningSimulator) -> Account:
    """The account with what the demo did to it, so that `simulate` goes on from there."""
    now = {view.id: view for view in crm.crm.opportunities() if not view.deleted}
    kept = tuple(
        replace(one, fields=dict(now[one.id].fields), note=now[one.id].note)
        for one in account.opportunities
        if one.id in now
    )
    return replace(account, opportunities=kept)


# --- the play


class _Demo:
    """Plays the steps, and notes whether each command ended as it should."""

    def __init__(
        self, folder: Path, crm: RunningSimulator, specs: _Specs, screen: Screen, pause: float
    ) -> None:
        self._folder = folder
        self._crm = crm
        self._specs = specs
        self._screen = screen
        self._pause = pause
        self.went_well = True

    def play(self, account: Account) -> None:
        """The whole story."""
        self._say(
            "A made-up CRM account",
            f"{len(account.opportunities)} opportunities of two types, simulated on "
            f"{self._crm.url}; nothing leaves this machine. The workspace is {self._folder}: "
            "specs/loans.yaml and specs/insurance.yaml say which values 40 of them should have.",
        )
        scenes = (
            self._a_mistake,
            self._plan_and_apply,
            self._one_field,
            self._a_conflict,
            self._a_rejection,
            self._what_is_recorded,
        )
        for scene in scenes:
            if self.went_well:
                scene()

    def _a_mistake(self) -> None:
        self._say("1. A mistake in a spec", "Somebody misspells an option and a field.")
        good = self._specs.loans.read_text(encoding="utf-8")
        bad = good.replace("Website", "Websit").replace("mx_Custom_8:", "mx_Custom_88:", 1)
        self._specs.loans.write_text(bad, encoding="utf-8")
        self._command("validate", expected=1)
        self._specs.loans.write_text(good, encoding="utf-8")
        self._say("", "Mended:")
        self._command("validate")

    def _plan_and_apply(self) -> None:
        self._say(
            "2. What would be sent",
            "plan compares the specs with what was last applied: nothing yet. It asks nobody and "
            "needs no keys; in a team this goes into the pull request.",
        )
        self._command("plan", "--out", "plan.json", cut=True)
        self._say("", "The same for looking, searching and filtering in a browser:")
        self._page("plan.html", "plan", "--format", "html")
        self._say(
            "3. Apply exactly that plan",
            "The CRM only accepts an update and answers a RequestID; the outcome comes later. So "
            "apply sends at the account's speed, keeps each RequestID, and asks until all settle.",
        )
        self._command("apply", "plan.json")
        self._say("4. Again: nothing to do", "")
        self._command("plan")

    def _one_field(self) -> None:
        self._say("5. One value edited in a spec: one update, with that one field", "")
        self._edit(self._specs.edited, '      mx_Custom_6: "9,99,000"     # Expected Deal Size')
        self._command("plan")
        self._command("apply", "--yes")

    def _a_conflict(self) -> None:
        self._say(
            "6. Somebody changes the same value in the CRM",
            "A colleague sets another amount by hand. The next apply reads what it is about to "
            "send, and does not write over it without being told to.",
        )
        self._crm.change(self._specs.edited, "mx_Custom_6", "750000")
        self._command("drift")
        self._edit(self._specs.edited, '      mx_Custom_6: "9,50,000"     # Expected Deal Size')
        self._command("apply", "--yes", expected=5)
        self._say("", "Both have talked, and the spec is right:")
        self._command("apply", "--yes", "--on-conflict", "overwrite")

    def _a_rejection(self) -> None:
        self._say(
            "7. The CRM says no",
            "Meanwhile somebody deletes an opportunity in the CRM that the spec still has.",
        )
        self._crm.delete(self._specs.deleted)
        self._edit(self._specs.deleted, '      mx_Custom_6: "1,25,000"     # Expected Deal Size')
        self._command("apply", "--yes", expected=3)
        self._say("", "It is not sent again unchanged:")
        self._command("plan", "--detailed-exitcode", expected=2)

    def _what_is_recorded(self) -> None:
        key = self._specs.edited
        self._say("8. What is recorded", "The lock file has one line an opportunity, for git.")
        self._command("why", key, "Expected Deal Size")
        lock = (self._folder / "lsq-sync.lock").read_text(encoding="utf-8")
        entry = next(text for text in lock.split("\n") if text.startswith(f'"{key}"'))
        self._prompt(["grep", key, "lsq-sync.lock"])
        self._screen.show([line(entry)])

    def _edit(self, key: str, new: str) -> None:
        """Replaces the first value of an opportunity, and shows the change as a diff."""
        lines = self._specs.loans.read_text(encoding="utf-8").split("\n")
        at = lines.index(f"  {key}:") + 3
        old, lines[at] = lines[at], new
        self._specs.loans.write_text("\n".join(lines), encoding="utf-8")
        self._screen.show(
            [
                line(Piece(f"specs/loans.yaml, line {at + 1}:", Style.FAINT)),
                line(Piece(f"-{old}", Style.OLD)),
                line(Piece(f"+{new}", Style.NEW)),
            ]
        )

    def _say(self, title: str, text: str) -> None:
        lines: list[Line] = [BLANK]
        if title:
            lines.append(line(Piece(title, Style.STRONG)))
        if text:
            lines.append(line(text))
        self._screen.show(lines)
        time.sleep(self._pause)

    def _prompt(self, words: Iterable[str]) -> None:
        self._prompt_shell(shlex.join(words))

    def _prompt_shell(self, command: str) -> None:
        self._screen.show([BLANK, line(Piece("$ ", Style.FAINT), Piece(command, Style.COMMAND))])

    def _command(self, *words: str, expected: int = 0, cut: bool = False) -> None:
        """Runs the tool as a user would; `cut` leaves out the middle of a long output."""
        self._prompt(["lsq-sync", *words])
        done = self._run(
            words,
            stdout=subprocess.PIPE if cut else None,
            stderr=subprocess.STDOUT if cut else None,
        )
        if cut:
            self._screen.write(_cut(done.stdout))
        code = done.returncode
        if code or expected:
            self._screen.show([line(Piece(f"(exit code {code})", Style.FAINT))])
        if code != expected:
            self.went_well = False
            message = f"this should have ended with exit code {expected}"
            self._screen.show([line(Piece(message, Style.BAD))])
        time.sleep(self._pause)

    def _page(self, name: str, *words: str) -> None:
        """A document that a browser shows."""
        self._prompt_shell(f"lsq-sync {shlex.join(words)} > {name}")
        done = self._run(words, stdout=subprocess.PIPE)
        (self._folder / name).write_text(done.stdout, encoding="utf-8")
        self.went_well = self.went_well and done.returncode == 0
        self._screen.show([line(Piece((self._folder.resolve() / name).as_uri(), Style.FAINT))])
        time.sleep(self._pause)

    def _run(
        self, words: Iterable[str], stdout: int | None = None, stderr: int | None = None
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "lsq_sync", *words],
            cwd=self._folder,
            env=self._environment(),
            stdout=stdout,
            stderr=stderr,
            stdin=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
            check=False,
        )

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in _WIPED and not (name.startswith("LSQ_") and name.endswith("_FILE"))
        }
        keys = {name: self._crm.environment[name] for name in _key_names(self._crm.environment)}
        colour = {"FORCE_COLOR": "1"} if self._screen.colour else {"NO_COLOR": "1"}
        here = os.pathsep.join(filter(None, (str(_SOURCES), os.environ.get("PYTHONPATH"))))
        return {**kept, **keys, **colour, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": here}


def _key_names(environment: Mapping[str, str]) -> list[str]:
    return [name for name in environment if name.endswith("_KEY")]


def _cut(text: str) -> str:
    """Long output with its middle left out; the beginning and the summary tell the story."""
    lines = text.split("\n")
    if len(lines) <= _LONGEST_OUTPUT:
        return text
    tail = _LONGEST_OUTPUT - _HEAD
    left_out = f"  … {len(lines) - _LONGEST_OUTPUT} lines left out here …"
    return "\n".join([*lines[:_HEAD], left_out, *lines[-tail:]])


def _how_to_go_on(folder: Path, crm: RunningSimulator) -> Iterable[Line]:
    port = crm.url.rpartition(":")[2]
    yield BLANK
    yield line(Piece("Go on playing", Style.STRONG))
    yield line("In one terminal, the CRM as the demo left it:")
    yield BLANK
    yield from _copy_begin(folder)
    yield _copy(f"lsq-sync simulate --port {port} --data crm.json")
    yield BLANK
    yield line("In another, edit specs/loans.yaml, and:")
    yield BLANK
    yield from _copy_begin(folder)
    for name in _key_names(crm.environment):
        yield _copy(f"export {name}={shlex.quote(crm.environment[name])}")
    yield _copy("lsq-sync plan")
    yield _copy("lsq-sync apply")


def _copy_begin(folder: Path) -> Iterator[Line]:
    """Into the workspace, where the shell knows the tool."""
    yield _copy(f"cd {shlex.quote(str(folder))}")
    if shutil.which("lsq-sync") is None:
        yield _copy(f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")


def _copy(command: str) -> Line:
    return line(Piece(command, Style.COMMAND), indent=4)
