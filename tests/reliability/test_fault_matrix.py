"""Every fault, at every kind of call, at the first, a middle and the last of them.

The real command line and the real client over HTTP on loopback. Each cell applies three updates
while one answer is spoilt; then the outcome, the exit code and what was sent are looked at, and the
next command has to bring the account to what the specs say. Wherever something is printed or
written, canaries are searched.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lsq_sync.simulator import RunningSimulator
from lsq_sync.simulator.scenario_file import scenario_from
from tests.reliability.canaries import KEYS, VALUE, found_in
from tests.reliability.fault_docs import within
from tests.reliability.fault_table import FAULTS, Fault, Meaning, bomb
from tests.reliability.meddler import Meddler, meddling
from tests.support import command
from tests.support.command import Ended
from tests.support.world import ACCOUNT, INSURANCES, LOANS, ROOT, World

IS_LONG = bool(os.environ.get("LSQ_SYNC_LONG"))
SENSITIVE, PLAIN = "mx_Custom_1", "mx_Custom_6"
KINDS = ("submit", "status", "bulk", "details")
POSITIONS = ("first", "middle", "last")
_NUMBERS = {  # of the calls that an apply of three makes; reads come before and after it sends
    "submit": (1, 2, 3), "status": (1, 2, 3), "bulk": (1, 2, 4), "details": (1, 2, 6),
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """One fault at one call."""

    fault: Fault
    kind: str
    position: str

    @property
    def number(self) -> int:
        return _NUMBERS[self.kind][POSITIONS.index(self.position)]

    @property
    def meaning(self) -> Meaning:
        return self.fault.meaning(self.kind)

    @property
    def is_late_read(self) -> bool:
        """All is sent and settled by then; it is only looked at again."""
        return self.kind in ("bulk", "details") and self.position == "last"

    def __str__(self) -> str:
        return f"{self.fault.name}-{self.kind}-{self.position}"


@dataclass(frozen=True)
class Expected:
    """What becomes of the opportunity that met the fault, and of the run."""

    outcome: str
    code: int
    stopped: bool = False


def expected(cell: Cell) -> Expected:
    """What the design says (invariants 2, 4 and 5)."""
    match cell.kind, cell.meaning:
        case _, Meaning.GOOD | Meaning.AGAIN:
            return Expected("succeeded", 0)
        case "submit", Meaning.UNKNOWN:
            # with a synchronous host a lost answer is settled by reading back
            return Expected("succeeded", 0) if cell.fault.processed else Expected("unknown", 4)
        case "submit", Meaning.REJECTED:
            return Expected("rejected", 3)
        case "submit", Meaning.STOP:
            return Expected("unsent", 1, stopped=True)
        case _ if cell.is_late_read:
            return Expected("succeeded", 0)
        case _:
            return Expected("unsent", 1, stopped=True)


STAYING = [fault for fault in FAULTS if fault.status is Meaning.AGAIN]
CELLS = [
    Cell(fault, kind, position) for fault in FAULTS for kind in KINDS for position in POSITIONS
]
_EVERY = 53
"""`make test` takes one cell of so many; it shares no factor with the twelve of a fault."""


@pytest.fixture(scope="module")
def meddler() -> Iterator[Meddler]:
    with meddling() as made:
        yield made


@dataclass(frozen=True)
class Stage:
    """A workspace with three updates to make, and everything that was printed in it."""

    world: World
    meddler: Meddler
    printed: dict[str, str]

    def run(self, *arguments: str) -> Ended:
        ended = self.world.run("-v", *arguments)
        self.printed[f"{len(self.printed)}: stdout of {' '.join(arguments)}"] = ended.out
        self.printed[f"{len(self.printed)}: stderr of {' '.join(arguments)}"] = ended.err
        return ended

    def apply(self, *arguments: str) -> Ended:
        return self.run("apply", "--yes", "--format", "json", "--timeout", "600", *arguments)


@pytest.fixture
def stage(tmp_path: Path, meddler: Meddler, monkeypatch: pytest.MonkeyPatch) -> Stage:
    monkeypatch.setattr(command, "SPEED", 200.0)
    crm = RunningSimulator(ACCOUNT, scenario_from({"rate_limit": {"enabled": False}}), keys=KEYS)
    meddler.stands_before(crm)
    api = {"timeout_seconds": 0.4, "rate_limit": {"calls": 1000, "seconds": 0.1}}
    world = World(tmp_path / "workspace", crm, {"api": api})
    _mark_sensitive(world)
    return Stage(world, meddler, {})


def _mark_sensitive(world: World) -> None:
    path = world.root / "schemas/types/loan.schema.json"
    schema = json.loads(path.read_text("utf-8"))
    schema["$defs"]["fields"]["properties"][SENSITIVE]["x-lsq-sensitive"] = True
    path.write_text(json.dumps(schema), "utf-8")
    schema["x-lsq-code"] = 12006
    schema["properties"]["type"]["const"] = "insurance"
    (path.parent / "insurance.schema.json").write_text(json.dumps(schema), "utf-8")


def write_specs(world: World, kind: str) -> tuple[str, ...]:
    """Two types are two bulk reads; without a type and a code each is read by itself."""
    fields = {SENSITIVE: VALUE, PLAIN: "4711"}
    if kind == "details":
        world.spec({key: {"fields": fields} for key in LOANS[:3]})
        return tuple(LOANS[:3])
    desired = {"loan": LOANS[:2], "insurance": INSURANCES[:1]}
    for name, keys in desired.items():
        world.spec({key: {"fields": fields} for key in keys}, f"specs/{name}.yaml", type=name)
    return (*LOANS[:2], *INSURANCES[:1])


def counted_posts(meddler: Meddler) -> Counter[str]:
    return Counter(json.loads(body)["ProspectOpportunityId"] for body in meddler.posted)


@pytest.mark.parametrize("cell", CELLS if IS_LONG else CELLS[::_EVERY], ids=str)
def test_a_fault(stage: Stage, cell: Cell) -> None:
    if "bomb" in cell.fault.name:
        bomb()  # takes a while to make, and the run has a clock
    keys = write_specs(stage.world, cell.kind)
    meddler = stage.meddler
    meddler.spoils(
        cell.kind, lambda number: number == cell.number, cell.fault.spoil, cell.fault.processed
    )
    ended = stage.apply()
    assert len(meddler.spoilt) == 1, f"{ended.out}{ended.err}"
    assert_as_expected(cell, ended, _hit(meddler), keys)
    assert_posted_once(meddler, cell)
    for line in ("results", "plan", "state list", f"state show {keys[0]}", f"why {keys[0]}"):
        stage.run(*line.split())
    meddler.heal()
    bring_to_desired(stage, cell)
    assert_desired(stage.world, keys)
    assert found_in(stage.world.root, stage.printed, typed=cell.kind != "details") == []


def _hit(meddler: Meddler) -> str | None:
    """The opportunity whose update was answered badly."""
    [heard] = meddler.spoilt
    if heard.kind != "submit":
        return None
    key: str = json.loads(heard.body)["ProspectOpportunityId"]
    return key


def assert_as_expected(cell: Cell, ended: Ended, hit: str | None, keys: tuple[str, ...]) -> None:
    wanted = expected(cell)
    assert ended.code == wanted.code, f"{ended.out}{ended.err}"
    if ended.document["format"] == "lsq-sync/error/v1":
        assert wanted.stopped, ended
        assert hit is None, "something was sent"
        return
    outcomes = {one["id"]: one["outcome"] for one in ended.document["opportunities"]}
    for key in keys if hit is None else [hit]:
        assert outcomes[key] == wanted.outcome, ended
    for key in set(keys) - {hit}:
        allowed = {"succeeded", "pending", "unsent"} if wanted.stopped else {"succeeded"}
        assert outcomes[key] in allowed, ended
    assert ("error" in ended.document) == wanted.stopped


def assert_posted_once(meddler: Meddler, cell: Cell) -> None:
    """No update is sent again, but one that was refused for now."""
    assert meddler.crm is not None
    done = Counter(task.opportunity for task in meddler.crm.crm.tasks())
    assert set(done.values()) <= {1}, "carried out twice"
    again = cell.kind == "submit" and cell.meaning is Meaning.AGAIN
    assert sum(counted_posts(meddler).values()) <= 3 + again
    if expected(cell).stopped and cell.kind != "submit":
        assert not meddler.posted


def bring_to_desired(stage: Stage, cell: Cell) -> None:
    """The next command does it, or says what has to be asked for."""
    after = stage.apply()
    asked = stage.run("status", "--wait", "--timeout", "600")
    assert set(Counter(t.opportunity for t in _tasks(stage)).values()) <= {1}, "carried out twice"
    match expected(cell).outcome:
        case "unknown":
            assert (after.code, asked.code) == (4, 4), after
            assert stage.apply("--resend-unknown").code == 0
        case "rejected":
            assert after.code == 3, after
            assert stage.apply("--retry-rejected").code == 0
        case _:
            assert (after.code, asked.code) == (0, 0), after


def _tasks(stage: Stage) -> Any:
    assert stage.meddler.crm is not None
    return stage.meddler.crm.crm.tasks()


def assert_desired(world: World, keys: tuple[str, ...]) -> None:
    for key in keys:
        fields = world.crm.crm.opportunity(key).fields
        assert (fields[SENSITIVE], fields[PLAIN]) == (VALUE, "4711")
    ended = world.json("plan", "--detailed-exitcode")
    assert (ended.code, ended.document["opportunities"]) == (0, []), ended.out


# --- faults that stay


@pytest.mark.parametrize("fault", STAYING if IS_LONG else STAYING[::40], ids=lambda f: f.name)
def test_a_status_that_never_answers_well(stage: Stage, fault: Fault) -> None:
    """A failing question settles nothing: the requests stay open, or the values settle them."""
    keys = write_specs(stage.world, "status")
    stage.meddler.spoils("status", lambda _number: True, fault.spoil, fault.processed)
    ended = stage.apply("--no-refresh")
    assert ended.code == 4, f"{ended.out}{ended.err}"
    assert ended.summary["pending"] == len(keys)
    stage.run("plan")
    stage.meddler.heal()
    assert stage.run("status", "--wait").code == 0
    assert counted_posts(stage.meddler) == dict.fromkeys(keys, 1)
    assert_desired(stage.world, keys)
    assert found_in(stage.world.root, stage.printed) == []


# --- the page


def test_the_page_shows_this_table() -> None:
    """LSQ_SYNC_UPDATE=1 writes it again."""
    path = ROOT / "docs/reliability-faults.md"
    page = path.read_text("utf-8")
    if os.environ.get("LSQ_SYNC_UPDATE"):
        path.write_text(within(page), "utf-8")
    assert within(page) == page


def test_there_are_enough_faults_and_each_has_a_name() -> None:
    names = {fault.name for fault in FAULTS}
    assert len(names) == len(FAULTS) >= 30
