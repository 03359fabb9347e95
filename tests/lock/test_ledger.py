"""Recording from many tasks at once: few syncs, and nobody goes on before theirs is durable."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from lsq_sync.core.events import Event, replay
from lsq_sync.core.state import Entry
from lsq_sync.errors import StorageError
from lsq_sync.lock.file import FileStore
from lsq_sync.lock.ledger import Ledger
from lsq_sync.lock.writer import Writer
from tests.lock.states import ACCOUNT, NOON, ONE, RUN, TWO, accepted, intended
from tests.support.clock import VirtualClock, after, run, turns, within

NAME = "lsq-sync.lock"


class SlowWriter(Writer):
    """A writer that finishes when it is let, or fails; it never is at two things at once."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.batches: list[tuple[Event, ...]] = []
        self.durable: list[Event] = []
        self.let = threading.Event()
        self.let.set()
        self.fault = fault
        self._busy = threading.Lock()

    def record(self, events: Any) -> None:
        assert self._busy.acquire(blocking=False), "two at once"
        try:
            batch = tuple(events)
            self.batches.append(batch)
            self.let.wait(10)
            if self.fault:
                raise self.fault
            self.durable += batch
        finally:
            self._busy.release()

    def entry(self, key: str) -> Entry | None:
        return replay({}, self.durable).get(key)


def test_many_at_once_cost_few_syncs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[int] = []
    monkeypatch.setattr("lsq_sync.lock.writer.sync", synced.append)
    store = FileStore(tmp_path / NAME, NAME, tmp_path / ".lsq-sync", ACCOUNT)

    async def main(_clock: VirtualClock) -> None:
        ledger = Ledger(writer)
        await ledger.record(intended("first"))
        synced.clear()
        await asyncio.gather(*(ledger.record(intended(f"k{number}")) for number in range(500)))
        assert len(writer.recorded.entries) == 501

    with store.writer(RUN, NOON) as writer:
        run(main)
        assert len(synced) <= 3
    assert len(store.read().entries) == 501


def test_each_returns_only_when_its_own_events_are_durable() -> None:
    writer = SlowWriter()

    async def main(_clock: VirtualClock) -> None:
        ledger = Ledger(writer)

        async def one(key: str) -> None:
            event = intended(key)
            await ledger.record(event)
            assert event in writer.durable
            assert ledger.entry(key) is not None
            await ledger.record(accepted(key))
            assert accepted(key) in writer.durable

        await asyncio.gather(*(one(f"k{number}") for number in range(50)))

    run(main)
    assert len(writer.durable) == 100
    assert len(writer.batches) <= 6


def test_what_comes_while_one_batch_is_written_is_the_next_batch() -> None:
    writer = SlowWriter()

    async def main(_clock: VirtualClock) -> None:
        ledger = Ledger(writer)
        writer.let.clear()
        first = asyncio.ensure_future(ledger.record(intended(ONE)))
        await turns()
        others = [asyncio.ensure_future(ledger.record(intended(f"k{n}"))) for n in range(9)]
        await turns()
        assert not first.done()
        writer.let.set()
        await asyncio.gather(first, *others)

    run(main)
    assert [len(batch) for batch in writer.batches] == [1, 9]


def test_the_events_of_one_caller_stay_together_and_in_order() -> None:
    writer = SlowWriter()

    async def main(_clock: VirtualClock) -> None:
        ledger = Ledger(writer)
        await asyncio.gather(
            ledger.record(intended(ONE), accepted(ONE)), ledger.record(intended(TWO), accepted(TWO))
        )

    run(main)
    assert writer.durable == [intended(ONE), accepted(ONE), intended(TWO), accepted(TWO)]


@pytest.mark.parametrize("before", [0, 1], ids=["in the middle", "before it began"])
def test_what_a_cancelled_caller_recorded_becomes_durable(before: int) -> None:
    writer = SlowWriter()

    async def main(_clock: VirtualClock) -> None:
        ledger = Ledger(writer)
        writer.let.clear()
        others = [asyncio.ensure_future(ledger.record(intended(TWO))) for _ in range(before)]
        await turns()
        caller = asyncio.ensure_future(ledger.record(intended(ONE)))
        await turns()
        caller.cancel()
        await turns()
        assert caller.cancelled()
        writer.let.set()
        await ledger.settle()
        await asyncio.gather(*others)
        assert intended(ONE) in writer.durable

    run(main)


def test_settling_waits_for_all_of_it_and_may_be_given_up() -> None:
    writer = SlowWriter()

    async def main(_clock: VirtualClock) -> None:
        ledger = Ledger(writer)
        await ledger.settle()
        writer.let.clear()
        caller = asyncio.ensure_future(ledger.record(intended(ONE)))
        await turns()
        impatient = asyncio.ensure_future(ledger.settle())
        await turns()
        impatient.cancel()
        await turns()
        assert impatient.cancelled()
        writer.let.set()
        await ledger.settle()
        await within(1, caller)
        assert writer.durable == [intended(ONE)]

    run(main)


@pytest.mark.parametrize("fault", [StorageError("disk full"), ValueError("a bug")])
def test_a_failure_reaches_everyone_and_stays(fault: Exception) -> None:
    writer = SlowWriter(fault)

    async def main(_clock: VirtualClock) -> None:
        ledger = Ledger(writer)
        writer.let.clear()
        waiting = [asyncio.ensure_future(ledger.record(intended(f"k{n}"))) for n in range(3)]
        await turns()
        waiting += [asyncio.ensure_future(ledger.record(intended(f"l{n}"))) for n in range(3)]
        await turns()
        writer.let.set()
        found = await within(60, asyncio.gather(*waiting, return_exceptions=True))
        assert found == [fault] * 6
        with pytest.raises(type(fault)):
            await ledger.record(intended("later"))
        await ledger.settle()

    run(main)


def test_a_failure_that_its_caller_does_not_wait_for_is_no_noise() -> None:
    writer = SlowWriter(StorageError("disk full"))

    async def main(_clock: VirtualClock) -> None:
        ledger = Ledger(writer)
        writer.let.clear()
        caller = asyncio.ensure_future(ledger.record(intended(ONE)))
        await turns()
        caller.cancel()
        await turns()
        writer.let.set()
        await ledger.settle()

    run(main)


def test_answers_reach_the_writer_also_after_a_failure() -> None:
    """Only the writer knows another place for them."""
    writer = SlowWriter(StorageError("disk full"))

    async def main(_clock: VirtualClock) -> None:
        ledger = Ledger(writer)
        for event in (intended(ONE), accepted(TWO)):
            with pytest.raises(StorageError):
                await ledger.record(event)

    run(main)
    assert writer.batches == [(intended(ONE),), (accepted(TWO),)]


def test_a_slow_disk_does_not_hold_up_the_others() -> None:
    writer = SlowWriter()
    ticks: list[float] = []

    async def main(clock: VirtualClock) -> None:
        ledger = Ledger(writer)
        writer.let.clear()
        caller = asyncio.ensure_future(ledger.record(intended(ONE)))
        await turns()
        after(0, lambda: ticks.append(clock.monotonic()))
        await turns()
        writer.let.set()
        await caller

    run(main)
    assert ticks == [0.0]
