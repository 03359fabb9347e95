"""Seeded histories: nothing is lost, nothing is repeated blindly, every difference is named.

A seed that fails is replayed with

    LSQ_SYNC_SEED=<seed> .venv/bin/python -m pytest -q tests/reliability/test_simulation.py
"""

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lsq_sync import executor
from lsq_sync.core import events, plan, state
from lsq_sync.core.events import Intended, Succeeded, Withdrawn
from lsq_sync.core.state import Entry, RunID
from lsq_sync.lock import file as lock_file
from lsq_sync.lock.file import FileStore
from lsq_sync.lock.writer import Writer
from tests.reliability.crashes import quick_folder
from tests.reliability.world import World

IS_LONG = bool(os.environ.get("LSQ_SYNC_LONG"))
ONE_SEED = os.environ.get("LSQ_SYNC_SEED")
BATCH = 10
SEEDS = 1000 if IS_LONG else 40
MOST_SEEDS_FOR_A_BUG = 30

Plant = Callable[[pytest.MonkeyPatch], None]


def lived(seed: int, folder: Path) -> tuple[World, list[str]]:
    with quick_folder(folder) as root:
        world = World(seed, root)
        return world, world.live()


def told(world: World, faults: list[str]) -> str:
    """What somebody needs who looks into it."""
    return "\n".join(
        [
            f"seed {world.seed}:",
            *(f"  {fault}" for fault in faults),
            "what led to it (second, step):",
            *world.trace,
            "to see it again:",
            f"  LSQ_SYNC_SEED={world.seed} .venv/bin/python -m pytest -q "
            "tests/reliability/test_simulation.py",
        ]
    )


def batches() -> list[range]:
    if ONE_SEED:
        return [range(int(ONE_SEED), int(ONE_SEED) + 1)]
    return [range(start, start + BATCH) for start in range(0, SEEDS, BATCH)]


@pytest.mark.parametrize("seeds", batches(), ids=lambda seeds: f"{seeds.start}-{seeds.stop - 1}")
def test_whatever_happens_nothing_is_lost_or_repeated_blindly(seeds: range, tmp_path: Path) -> None:
    counts: Counter[str] = Counter()
    for seed in seeds:
        world, faults = lived(seed, tmp_path)
        assert not faults, told(world, faults)
        counts += world.counted()
    if not ONE_SEED:
        _assert_much_happened(counts)


def _assert_much_happened(counts: Counter[str]) -> None:
    """A simulation in which nothing goes wrong would show nothing."""
    least = {
        "updates": 30,
        "crashes": 2,
        "answers lost": 1,
        "landed late": 5,
        "differences named": 5,
        "calls that went wrong": 10,
    }
    assert counts >= Counter(least), counts


def test_the_same_seed_gives_the_same_history(tmp_path: Path) -> None:
    first, _ = lived(5, tmp_path)
    second, _ = lived(5, tmp_path)
    assert first.trace == second.trace
    assert first.network.fates == second.network.fates


# --- planted bugs


def _nothing_is_held(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan, "open_request", lambda _entry, _rules: None)


def _late_window_ignored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(
        state.OpenRequest, "may_land_until", lambda self, _window: self.sent_at + timedelta(hours=1)
    )


def _in_queue_does_not_renew_the_window(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(state.OpenRequest, "may_land_until", lambda self, window: self.sent_at + window)


def _any_success_counts(patch: pytest.MonkeyPatch) -> None:
    """Accepted is taken for applied."""
    really = events._accept

    def accepts(entry: Entry, event: events.Accepted) -> Entry:
        after = really(entry, event)
        return events._succeed(after, Succeeded(event.key, event.at, event.request_id))

    patch.setattr(events, "_accept", accepts)


def _intent_not_recorded(patch: pytest.MonkeyPatch) -> None:
    """It is in memory, and on the disk only with the answer."""
    really = Writer.record
    kept: list[Any] = []

    def records(self: Writer, events: Any) -> None:
        batch = tuple(events)
        if all(isinstance(event, Intended) for event in batch):
            kept.extend(batch)
            for event in batch:
                self._advance(event)
            return
        really(self, (*kept, *batch))
        kept.clear()

    patch.setattr(Writer, "record", records)


def _journal_not_folded(patch: pytest.MonkeyPatch) -> None:
    """What a crash left in it is thrown away by the next writer."""
    really = FileStore._opened

    def opened(self: FileStore, run: RunID) -> Writer:
        self._journal.unlink(missing_ok=True)
        return really(self, run)

    patch.setattr(FileStore, "_opened", opened)


def _lost_answers_are_taken_for_not_sent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(executor, "Lost", Withdrawn)


def _open_requests_not_kept_beside_the_lock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lock_file, "forgotten_requests", lambda *_arguments: ())


def _rejections_are_forgotten(patch: pytest.MonkeyPatch) -> None:
    really = events._reject
    patch.setattr(
        events, "_reject", lambda entry, event: really(entry, replace(event, resend=True))
    )


def _conflicts_are_overwritten(patch: pytest.MonkeyPatch) -> None:
    really: Any = plan._against_live

    def overwrites(*arguments: Any) -> Any:
        *others, rules = arguments
        return really(*others, replace(rules, overwrite=True))

    patch.setattr(plan, "_against_live", overwrites)


def _resends_whatever_is_open(patch: pytest.MonkeyPatch) -> None:
    """--resend-unknown lets go of requests with a RequestID too."""
    really = plan.open_request

    def opened(entry: Entry, rules: plan.PlanRules) -> Any:
        return None if rules.resend_unknown else really(entry, rules)

    patch.setattr(plan, "open_request", opened)


def _failing_polls_reject(patch: pytest.MonkeyPatch) -> None:
    """ERROR without a reason is taken for a verdict."""
    patch.setattr("lsq_sync.crm.protocol.Waiting", lambda status, queued=False: _failed(status))


def _failed(reason: str) -> Any:
    from lsq_sync.core.answers import Failed

    return Failed(reason)


BUGS: list[tuple[Plant, int]] = [
    (_nothing_is_held, 0),
    (_late_window_ignored, 0),
    (_in_queue_does_not_renew_the_window, 6),
    (_any_success_counts, 0),
    (_intent_not_recorded, 0),
    (_journal_not_folded, 8),
    (_lost_answers_are_taken_for_not_sent, 0),
    (_open_requests_not_kept_beside_the_lock, 8),
    (_rejections_are_forgotten, 3),
    (_conflicts_are_overwritten, 4),
    (_resends_whatever_is_open, 12),
    (_failing_polls_reject, 0),
]
"""Each with the first seed that showed it: where the short run begins to look."""


@pytest.mark.parametrize(
    ("plant", "seed"), BUGS, ids=lambda given: getattr(given, "__name__", "from")
)
def test_it_finds_a_planted_bug(
    plant: Plant, seed: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    plant(monkeypatch)
    first = 0 if IS_LONG else seed
    for one in range(first, first + MOST_SEEDS_FOR_A_BUG):
        if lived(one, tmp_path)[1]:
            return
    raise AssertionError(f"not found within {MOST_SEEDS_FOR_A_BUG} seeds")
