"""Reading live values: few calls, all or nothing, asked again only where that can help."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest

from lsq_sync.core.answers import (
    AccountAnswer,
    AccountFound,
    NotAllowed,
    ReadAnswer,
    ReadFailed,
    Rows,
    TooFast,
)
from lsq_sync.core.model import Live, LiveOpportunity
from lsq_sync.core.reading import MOST_IDS, Wanted
from lsq_sync.errors import AuthenticationError, LsqSyncError, NetworkError
from lsq_sync.reader import Reader
from tests.support.clock import VirtualClock, run

FOR_NOW = ReadFailed("HTTP 503", retry=True)
SLOW_DOWN = TooFast("limit", 25, 5.0)


def guid(number: int) -> str:
    return f"5ca5b042-51ea-4699-b6f0-{number:012x}"


def wanted(number: int, code: int | None = 12005) -> Wanted:
    return Wanted(f"k{number}", guid(number), ("a",), code)


def found(group: Sequence[Wanted]) -> Rows:
    return Rows({one.key: LiveOpportunity({"a": one.key}) for one in group})


@dataclass(slots=True)
class FakeSource:
    """Answers reads; `answers` come first, one a call."""

    answers: list[Any] = field(default_factory=list)
    takes: Callable[[], Any] | None = None
    groups: list[Sequence[Wanted]] = field(default_factory=list)
    under_way: int = 0
    most: int = 0

    async def read(self, group: Sequence[Wanted]) -> ReadAnswer:
        self.groups.append(group)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.takes:
            await self.takes()
        self.under_way -= 1
        return self.answers.pop(0) if self.answers else found(group)

    async def account(self) -> AccountAnswer:
        return self.answers.pop(0) if self.answers else AccountFound("60000")


def reading(
    listed: Sequence[Wanted], *answers: Any
) -> tuple[dict[str, LiveOpportunity], FakeSource, VirtualClock]:
    source = FakeSource(list(answers))

    async def main(clock: VirtualClock) -> tuple[dict[str, LiveOpportunity], VirtualClock]:
        return await Reader(source, clock.surroundings()).read(listed), clock

    live, clock = run(main)
    return live, source, clock


def failing(*answers: Any) -> tuple[LsqSyncError, FakeSource]:
    source = FakeSource(list(answers))

    async def main(clock: VirtualClock) -> None:
        await Reader(source, clock.surroundings()).read([wanted(0)])

    with pytest.raises(LsqSyncError) as caught:
        run(main)
    return caught.value, source


def test_everything_is_read_under_its_key_in_the_order_asked() -> None:
    listed = [wanted(2), wanted(0, None), wanted(1, 12006)]
    live, source, _ = reading(listed)
    assert list(live) == ["k2", "k0", "k1"]
    assert {key: one.fields["a"] for key, one in live.items()} == {k: k for k in live}
    assert len(source.groups) == 3


def test_nothing_wanted_costs_nothing() -> None:
    live, source, _ = reading([])
    assert (live, source.groups) == ({}, [])


def test_no_more_than_a_few_reads_are_under_way_at_once() -> None:
    source = FakeSource()

    async def main(clock: VirtualClock) -> None:
        async def takes() -> None:
            await clock.sleep(1)

        source.takes = takes
        await Reader(source, clock.surroundings()).read([wanted(n, None) for n in range(60)])

    run(main)
    assert (source.most, len(source.groups)) == (25, 60)


def test_what_one_call_brings_is_handed_over_before_the_last_is_made() -> None:
    source = FakeSource()
    handed_over: list[int] = []
    calls_before: list[int] = []

    def use(live: Live) -> None:
        handed_over.append(len(live))
        calls_before.append(len(source.groups))

    async def main(clock: VirtualClock) -> None:
        source.takes = partial(clock.sleep, 1)
        reader = Reader(source, clock.surroundings())
        await reader.read_each([wanted(n, 12005) for n in range(60 * MOST_IDS)], use)

    run(main)
    assert handed_over == [MOST_IDS] * 60
    assert calls_before[0] < 60


def test_what_fails_for_now_is_asked_again_with_growing_pauses() -> None:
    live, source, clock = reading([wanted(0)], *[FOR_NOW] * 4)
    assert (list(live), len(source.groups)) == (["k0"], 5)
    assert clock.slept == [0.25, 0.5, 1.0, 2.0]  # half of the longest: chance is 0.5


def test_it_is_not_asked_for_ever() -> None:
    error, source = failing(*[FOR_NOW] * 99)
    assert isinstance(error, NetworkError)
    assert "HTTP 503" in error.message
    assert len(source.groups) == 5


def test_the_rate_limit_is_waited_for_by_the_pacer_and_costs_no_try() -> None:
    live, source, clock = reading([wanted(0)], *[SLOW_DOWN] * 50, *[FOR_NOW] * 4)
    assert (list(live), len(source.groups), len(clock.slept)) == (["k0"], 55, 4)


@pytest.mark.parametrize("answers", [[SLOW_DOWN] * 999, [TooFast("a day", 1, 86400.0)]])
def test_a_limit_without_end_ends_the_reading(answers: list[Any]) -> None:
    error, source = failing(*answers)
    assert isinstance(error, NetworkError)
    assert len(source.groups) == min(len(answers), 100)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(NotAllowed("HTTP 401"), AuthenticationError), (ReadFailed("no list"), NetworkError)],
)
def test_what_is_final_is_told_at_once(answer: Any, kind: type) -> None:
    error, source = failing(answer)
    assert isinstance(error, kind)
    assert answer.reason in error.message
    assert error.hint
    assert len(source.groups) == 1


def test_the_short_code_of_the_account() -> None:
    source = FakeSource([FOR_NOW, AccountFound("60001")])

    async def main(clock: VirtualClock) -> str:
        return await Reader(source, clock.surroundings()).short_code()

    assert run(main) == "60001"


# --- a bulk read that shows nothing


def missing(group: Sequence[Wanted]) -> Rows:
    return Rows({one.key: LiveOpportunity(missing=True) for one in group})


def test_a_bulk_read_that_shows_none_of_them_is_not_believed() -> None:
    """Else every value would be sent without having seen what somebody changed."""
    group = [wanted(number) for number in range(3)]
    live, source, _ = reading(group, missing(group))
    assert live == found(group).live
    assert [[one.code for one in asked] for asked in source.groups] == [
        [12005] * 3, [None], [None], [None],
    ]  # fmt: skip


def test_where_one_is_not_there_by_itself_either_all_are_missing() -> None:
    group = [wanted(number) for number in range(3)]
    live, source, _ = reading(group, missing(group), missing(group[:1]))
    assert live == missing(group).live
    assert len(source.groups) == 2


def test_a_bulk_read_that_shows_some_is_believed() -> None:
    group = [wanted(number) for number in range(3)]
    some = Rows({**missing(group).live, **found(group[1:2]).live})
    live, source, _ = reading(group, some)
    assert (live, len(source.groups)) == (some.live, 1)


def test_where_the_type_matters_one_of_another_type_is_missing() -> None:
    group = [wanted(0)]
    source = FakeSource([missing(group)])

    async def main(clock: VirtualClock) -> dict[str, LiveOpportunity]:
        return await Reader(source, clock.surroundings(), of_their_type=True).read(group)

    assert run(main) == missing(group).live
    assert len(source.groups) == 1
