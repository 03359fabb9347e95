"""Everything real but the command line, and everything going wrong at random.

Executor, client, pacer, ledger and files against the simulator; the disk fails, somebody presses
Ctrl-C, answers break off. Whatever happens: no RequestID that reached us is lost, no update is
carried out twice, and no key gets into a file.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from lsq_sync.core.answers import SubmitAnswer, Taken
from lsq_sync.core.budget import RateLimit
from lsq_sync.core.change import Action, Change, FieldChange
from lsq_sync.core.model import Account
from lsq_sync.core.state import Entry, RequestID, RunID
from lsq_sync.crm.client import Client
from lsq_sync.crm.pacing import Pacer
from lsq_sync.errors import NetworkError, StorageError
from lsq_sync.executor import Executor
from lsq_sync.lock.file import FileStore
from lsq_sync.lock.ledger import Ledger
from lsq_sync.poller import Poller
from lsq_sync.running import Stop
from lsq_sync.simulator import RunningSimulator, SimulatorThread
from lsq_sync.simulator.scenario_file import scenario_from
from lsq_sync.surroundings import Surroundings
from tests.crm.calling import KEYS, calling
from tests.simulator.support import ACCOUNT, LOANS

NAME = "lsq-sync.lock"
FAULTS: Sequence[dict[str, Any]] = [
    {"do": "drop_before"},
    {"do": "drop_after"},
    {"do": "delay", "seconds": 5},
    {"do": "truncated"},
    {"do": "empty"},
    {"do": "garbage"},
    {"do": "garbage", "processed": True},
    {"do": "oversized", "bytes": 2_000_000},
    {"do": "status", "status": 502, "processed": True},
    {"do": "status", "status": 503},
    {"do": "rate_limit"},
    {"do": "rate_limit", "answer": 200},
    {"do": "rate_limit", "answer": 403},
]
QUICK = 100.0


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(seconds / QUICK)


def updates() -> list[Change]:
    value = FieldChange("mx_Custom_6", Action.UPDATE, None, "4711", known=False)
    return [Change(one.id, Action.UPDATE, (value,)) for one in LOANS]


def scenario(chance: random.Random, share: float) -> dict[str, Any]:
    faults = [
        {"on": "submit", "call": number, **chance.choice(FAULTS)}
        for number in range(1, 60)
        if chance.random() < share
    ]
    limit = {"enabled": False, "calls": 25, "seconds": 0.05}  # what a refusal tells
    return {"rate_limit": limit, "faults": faults, "seed": 1}


class Listening:
    """A client, and the RequestIDs that it has been given."""

    def __init__(self, client: Client, heard: dict[str, RequestID]) -> None:
        self._client = client
        self._heard = heard

    async def submit(
        self,
        opportunity: str,
        fields: Mapping[str, str],
        note: str | None,
        before: Callable[[], Awaitable[None]],
    ) -> SubmitAnswer:
        answer = await self._client.submit(opportunity, fields, note, before)
        if isinstance(answer, Taken):
            self._heard[opportunity] = answer.request_id
        return answer


class Run:
    """One run, from an empty workspace to a closed writer."""

    def __init__(self, folder: Path, crm: RunningSimulator, seed: int) -> None:
        self.folder = folder
        self.crm = crm
        self.chance = random.Random(seed)
        self.store = FileStore(folder / NAME, NAME, folder / ".lsq-sync", Account("chaos", crm.url))
        self.stop = Stop()
        self.heard: dict[str, RequestID] = {}

    def send(self, prepare: Callable[["Run"], None] = lambda _run: None) -> None:
        now = Surroundings().now
        with self.store.writer(RunID("run-1"), now()) as writer:
            ledger = Ledger(writer)

            async def main() -> None:
                prepare(self)
                around = Surroundings(sleep=_sleep, chance=self.chance.random)
                pacer = Pacer(RateLimit(1000, 0.001), time.monotonic)
                async with calling(self.crm.url, timeout_seconds=0.3, pacer=pacer) as caller:
                    crm = Listening(caller.client, self.heard)
                    executor = Executor(crm, ledger, RunID("run-1"), self.stop, around, 6)
                    try:
                        await executor.send(updates())
                    finally:
                        await ledger.settle()

            asyncio.run(main(), debug=True)

    @property
    def entries(self) -> dict[str, Entry]:
        return dict(self.store.read().entries)

    def assert_nothing_is_lost_or_repeated(self) -> None:
        tasks = self.crm.crm.tasks()
        by_opportunity = [task.opportunity for task in tasks]
        assert len(by_opportunity) == len(set(by_opportunity)), "carried out twice"
        entries = self.entries
        for task in tasks:
            entry = entries.get(task.opportunity)
            assert entry is not None, "sent, and nobody knows"
            assert entry.pending is not None, "open, and nobody knows"
            found = entry.pending.request_id
            assert found == self.heard.get(task.opportunity), "its answer reached us"
            assert found in (None, task.request_id)
        assert set(self.heard) <= {task.opportunity for task in tasks}

    def assert_no_file_holds_a_key(self) -> None:
        for path in self.folder.rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                for key in (KEYS.access_key, KEYS.secret_key, KEYS.x_api_key):
                    assert key.encode() not in data
                    assert quote(key, safe="").encode() not in data


def run_with(
    folder: Path,
    seed: int,
    share: float,
    prepare: Callable[[Run], None] = lambda _run: None,
    fault: type[Exception] | None = None,
) -> Run:
    chance = random.Random(seed)
    with SimulatorThread(ACCOUNT, scenario_from(scenario(chance, share))) as crm:
        run = Run(folder, crm, seed)
        if fault is None:
            run.send(prepare)
        else:
            with pytest.raises(fault):
                run.send(prepare)
        run.assert_nothing_is_lost_or_repeated()
        run.assert_no_file_holds_a_key()
        return run


@pytest.mark.parametrize("seed", range(8))
def test_answers_that_go_wrong(tmp_path: Path, seed: int) -> None:
    run = run_with(tmp_path, seed, share=0.3)
    assert run.stop.error is None or isinstance(run.stop.error, NetworkError)


@pytest.mark.parametrize("seed", range(6))
def test_somebody_stops_it(tmp_path: Path, seed: int) -> None:
    def prepare(run: Run) -> None:
        asyncio.get_running_loop().call_later(run.chance.uniform(0, 0.08), run.stop.now)

    run_with(tmp_path, seed, share=0.2, prepare=prepare)


@pytest.mark.parametrize("seed", range(8))
def test_the_disk_fails_in_the_middle(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal takes no more; what has been answered by then still gets into the lock."""
    left = [random.Random(seed).randint(0, 4)]
    really = os.fsync

    def fails(descriptor: int) -> None:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "journal":
            left[0] -= 1
            if left[0] < 0:
                raise OSError(28, "No space left on device")
        really(descriptor)

    if not Path("/proc/self/fd").exists():
        pytest.skip("cannot tell descriptors apart here")
    monkeypatch.setattr(os, "fsync", fails)
    run_with(tmp_path, seed, share=0.1, fault=StorageError)


def test_a_second_run_repeats_nothing_that_is_open(tmp_path: Path) -> None:
    """What the first one could not settle is settled by asking, or held."""
    with SimulatorThread(ACCOUNT, scenario_from(scenario(random.Random(3), 0.4))) as crm:
        run = Run(tmp_path, crm, 3)
        run.send()
        crm.set_scenario(scenario_from({"rate_limit": {"enabled": False}}))
        opened = [(key, entry.pending) for key, entry in run.entries.items() if entry.pending]
        assert opened
        with run.store.writer(RunID("run-2"), Surroundings().now()) as writer:
            ledger = Ledger(writer)

            async def main() -> None:
                async with calling(crm.url) as caller:
                    around = Surroundings(sleep=_sleep)
                    poller = Poller(caller.client, ledger, Stop(), around, opened)
                    await poller.once()
                    await ledger.settle()

            asyncio.run(main(), debug=True)
        entries = run.entries
        for key, request in opened:
            known = request.request_id is not None
            assert (entries[key].pending is None) == known
        assert len(crm.crm.tasks()) == len({task.opportunity for task in crm.crm.tasks()})
