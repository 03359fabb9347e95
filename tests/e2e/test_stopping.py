"""Stop means stop (invariant 9): signals at every phase of every kind of command."""

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.acting import Signalled, acted
from tests.support.world import LOANS, ROOT, World, new_world

IS_LONG = bool(os.environ.get("LSQ_SYNC_LONG"))
THREE = LOANS[:3]
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 143}
APPLY = ("apply", "--yes", "--format", "json")

BEFORE_SENDING = {
    "loading": "lsq_sync.commands.workspace:read_specs",
    "taking the writer lock": "lsq_sync.lock.file:only_writer",
    "planning": "lsq_sync.commands.apply:plan_from",
    "settling": "lsq_sync.commands.settling:Settling._read",
}
"""Nothing has been sent there: the document is an error."""

WHILE_SENDING = {
    "first send": ("lsq_sync.crm.client:Client.submit", 1),
    "later send": ("lsq_sync.crm.client:Client.submit", 3),
    "recording": ("lsq_sync.lock.ledger:Ledger.record", 4),
    "waiting": ("lsq_sync.poller:Poller.until_settled", 1),
    "asking": ("lsq_sync.crm.client:Client.status", 2),
    "verifying": ("lsq_sync.commands.verifying:Verifying.verify", 1),
    "folding": ("lsq_sync.lock.writer:replace_by_pieces", 1),
    "putting away": ("lsq_sync.lock.writer:Writer._put_journal_away", 1),
    "printing": ("lsq_sync.output:to_texts", 1),
}
"""The document is the result."""

SHORT = ["recording", "waiting", "verifying", "folding", "printing"]


def _cases(phases: Sequence[str], short: Sequence[str]) -> list[tuple[str, signal.Signals]]:
    """Every phase with every signal; in the short run some phases, and the signals in turn."""
    if IS_LONG:
        return [(phase, number) for phase in phases for number in CODES]
    return list(zip(short, itertools.cycle(CODES), strict=False))


def _goes_on(world: World) -> None:
    """The next apply ends what was begun, and posts nothing a second time."""
    assert not (world.root / ".lsq-sync/journal").exists()
    world.run("status", "--wait")
    world.apply()
    sent = [body["ProspectOpportunityId"] for body in world.sent()]
    assert sorted(sent) == sorted(THREE)


@pytest.mark.parametrize(
    ("phase", "number"), _cases(list(BEFORE_SENDING), ["loading", "planning", "settling"])
)
def test_a_signal_before_anything_was_sent(
    world: World, phase: str, number: signal.Signals
) -> None:
    world.fields(*THREE, mx_Custom_6=1)
    ended = acted(world, Signalled(BEFORE_SENDING[phase], (number,)), *APPLY)
    assert ended.code == CODES[number], ended
    assert ended.document["format"] == "lsq-sync/error/v1"
    assert ended.document["error"]["code"] == "interrupted"
    assert world.crm.crm.count("submit") == 0
    _goes_on(world)


@pytest.mark.parametrize(("phase", "number"), _cases(list(WHILE_SENDING), SHORT))
def test_a_signal_once_something_was_sent(world: World, phase: str, number: signal.Signals) -> None:
    world.fields(*THREE, mx_Custom_6=1)
    place, call = WHILE_SENDING[phase]
    ended = acted(world, Signalled(place, (number,), call), *APPLY)
    assert ended.code == CODES[number], ended
    assert ended.document["format"] == "lsq-sync/result/v1"
    sent = world.crm.crm.count("submit")
    counts = ended.summary
    assert counts["unsent"] == len(THREE) - sent
    assert counts["succeeded"] + counts["pending"] == sent
    assert bool(sent < len(THREE)) == (phase in ("first send", "later send", "recording"))
    if counts["unsent"] or counts["pending"]:
        assert "  lsq-sync apply\n" in ended.err or "  lsq-sync status" in ended.err
    _goes_on(world)


@pytest.mark.parametrize(
    ("phase", "number"),
    _cases(["taking the writer lock", "asking", "folding", "printing"], ["asking"]),
)
def test_a_signal_while_status_asks(tmp_path: Path, phase: str, number: signal.Signals) -> None:
    places = {name: place for name, (place, _) in WHILE_SENDING.items()} | BEFORE_SENDING
    with new_world(tmp_path, {"queue": {"delay_seconds": 3600}}, account={"host": None}) as world:
        world.fields(*THREE, mx_Custom_6=1)
        world.apply("--no-wait")
        world.crm.skip(3600)
        ended = acted(world, Signalled(places[phase], (number,)), "status", "--format", "json")
        assert ended.code == CODES[number], ended
        assert ended.document["format"].startswith("lsq-sync/")
        assert world.json("status").code == 0
        world.assert_nothing_to_do()


@pytest.mark.parametrize(
    "phase",
    ["first send", "later send", "waiting", "asking", "verifying"]
    if IS_LONG
    else ["later send", "asking"],
)
def test_a_second_signal_ends_a_conversation_at_once_with_its_result(
    tmp_path: Path, phase: str
) -> None:
    """Answers on their way are not awaited: those updates are unknown, and said to be."""
    slow = {"faults": [{"on": "submit", "call": 3, "do": "delay", "seconds": 30}]}
    with new_world(tmp_path, slow if "send" in phase else {}) as world:
        world.fields(*THREE, mx_Custom_6=1)
        place, call = WHILE_SENDING[phase]
        twice = Signalled(place, (signal.SIGTERM, signal.SIGINT), call)
        ended = acted(world, twice, *APPLY)
        assert ended.code == 143, ended
        assert ended.document["format"] == "lsq-sync/result/v1"
        assert ended.document["error"]["code"] == "interrupted"
        assert sum(ended.summary.values()) == len(THREE)


@pytest.mark.parametrize("phase", ["loading", "folding"])
def test_a_second_signal_outside_of_one_ends_the_process_at_once(world: World, phase: str) -> None:
    """While nothing is said yet the document is an error; the next command folds the journal."""
    world.fields(*THREE, mx_Custom_6=1)
    place = {**BEFORE_SENDING, "folding": WHILE_SENDING["folding"][0]}[phase]
    ended = acted(world, Signalled(place, (signal.SIGHUP, signal.SIGINT)), *APPLY)
    assert ended.code == 143, ended
    if phase == "folding":
        assert ended.document["format"] == "lsq-sync/error/v1"
        assert (world.root / ".lsq-sync/journal").exists()
    world.apply()
    assert len(world.sent()) == len(THREE)


def test_the_same_signal_at_the_same_moment_is_one(world: World) -> None:
    """`timeout` signals the process and then its group; a closing terminal does the like."""
    world.fields(*THREE, mx_Custom_6=1)
    echo = "lsq_sync.poller:Poller.until_settled"
    ended = acted(world, _Echoed(echo, (signal.SIGTERM, signal.SIGTERM)), *APPLY)
    assert (ended.code, ended.summary["pending"]) == (143, 3)
    assert "error" not in ended.document


class _Echoed(Signalled):
    """Both come within a moment."""

    def __call__(self, root: Path) -> None:
        from lsq_sync import signals

        signals._ECHO_SECONDS = 1e9
        super().__call__(root)


def test_a_hangup_that_nohup_ignores_ends_nothing(world: World) -> None:
    world.fields(*THREE, mx_Custom_6=1)
    code = (
        "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN);"
        "from pathlib import Path; from lsq_sync import cli; "
        "from tests.support.acting import Signalled; "
        "Signalled('lsq_sync.poller:Poller.until_settled', (signal.SIGHUP,))(Path()); "
        f"sys.argv[1:] = ['-C', {str(world.root)!r}, 'apply', '--yes']; cli.main()"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **world.environment}
    )
    assert ended.returncode == 0
    world.assert_nothing_to_do()


@pytest.mark.parametrize(
    "command", [("plan",), ("validate",), ("state", "list")] if IS_LONG else [("plan",)]
)
def test_a_reading_command_stops_where_it_is(world: World, command: tuple[str, ...]) -> None:
    world.fields(*THREE, mx_Custom_6=1)
    place = "lsq_sync.commands.workspace:find_root"
    if command == ("validate",):
        place = BEFORE_SENDING["loading"]
    ended = acted(world, Signalled(place, (signal.SIGTERM,)), *command, "--format", "json")
    assert ended.code == 143, ended
    assert ended.document["error"]["code"] == "interrupted"


# --- readers that go away, and places that cannot be written


def _shell(world: World, command: str) -> "subprocess.CompletedProcess[str]":
    tool = f"{sys.executable} -m lsq_sync -C {world.root}"
    return subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command.replace('TOOL', tool)}"],
        cwd=ROOT,
        env={**os.environ, **world.environment},
        capture_output=True,
        text=True,
    )


OUTPUTS = [
    ("TOOL apply --yes | head -1", 0),
    ("TOOL apply --yes --format json >/dev/full", 1),
    ("TOOL -v apply --yes 2>&1 >/dev/null | head -1", 0),
    ("TOOL apply --yes >&- 2>&-", 0),
    ("TOOL apply --yes --format json 2>/dev/full", 0),
]


@pytest.mark.parametrize(("command", "code"), OUTPUTS if IS_LONG else OUTPUTS[1:3])
def test_output_that_nobody_takes_ends_no_run(world: World, command: str, code: int) -> None:
    """What was sent is recorded; only a result that was lost for want of room is a failure."""
    world.fields(*THREE, mx_Custom_6=1)
    ended = _shell(world, command)
    assert ended.returncode == code, ended.stderr
    assert "Traceback" not in ended.stderr
    assert "BrokenPipe" not in ended.stderr
    if code:
        assert "the result cannot be written" in ended.stderr
    elif "json" in command:
        assert json.loads(ended.stdout)["summary"]["succeeded"] == 3
    world.assert_nothing_to_do()
    assert len(world.sent()) == 3
