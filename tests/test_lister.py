"""Listing page by page, from a CRM whose rows move while the pages are turned."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from lsq_sync.core.answers import ListAnswer, ModifiedPage
from lsq_sync.lister import Listed, list_modified
from lsq_sync.reader import PageReader
from tests.support.clock import VirtualClock, run
from tests.test_reader import FOR_NOW, guid

SIZE = 10


@dataclass(slots=True)
class FakeFeed:
    """`rows` gives all rows, in their order, as of a call."""

    rows: Callable[[int], Sequence[str]]
    tells_total: bool = True
    calls: int = 0
    failing: list[ListAnswer] = field(default_factory=list)

    async def modified(self, code: int, since: str, until: str, page: int) -> ListAnswer:
        assert (code, since < until) == (12005, True)
        if self.failing:
            return self.failing.pop()
        self.calls += 1
        rows = self.rows(self.calls)
        shown = tuple(rows[(page - 1) * SIZE : page * SIZE])
        return ModifiedPage(shown, (), len(shown), len(rows) if self.tells_total else None)


def _listed(feed: FakeFeed) -> Listed:
    async def main(clock: VirtualClock) -> Listed:
        pages = PageReader(feed, clock.surroundings())
        return await list_modified(pages, 12005, "2026-08-01", "2026-09-01")

    return run(main)


ALL = [guid(number) for number in range(25)]


def test_every_page_is_turned_once() -> None:
    feed = FakeFeed(lambda _: ALL)
    assert (_listed(feed), feed.calls) == (Listed(tuple(ALL)), 3)


def test_without_a_total_pages_are_turned_until_one_is_empty() -> None:
    feed = FakeFeed(lambda _: ALL[:20], tells_total=False)
    assert (_listed(feed), feed.calls) == (Listed(tuple(ALL[:20])), 3)


def test_nothing_was_modified() -> None:
    feed = FakeFeed(lambda _: [])
    assert (_listed(feed), feed.calls) == (Listed(()), 1)


def test_a_page_that_fails_for_now_is_asked_for_again() -> None:
    feed = FakeFeed(lambda _: ALL, failing=[FOR_NOW, FOR_NOW])
    assert _listed(feed) == Listed(tuple(ALL))


def test_rows_that_move_from_page_to_page_are_found_in_another_pass() -> None:
    """The second page of the first pass begins one row late: one is dropped, one comes twice."""
    moved = [ALL[-1], *ALL[:-1]]
    feed = FakeFeed(lambda call: moved if call == 2 else ALL)
    assert _listed(feed) == Listed(tuple(ALL))
    assert feed.calls > 3


def test_without_a_total_a_row_that_comes_twice_is_a_reason_for_another_pass() -> None:
    moved = [ALL[-1], *ALL[:-1]]
    feed = FakeFeed(lambda call: moved if call == 2 else ALL, tells_total=False)
    assert _listed(feed) == Listed(tuple(ALL))


def test_a_row_that_goes_while_the_pages_are_turned_hides_none() -> None:
    """It is deleted behind the first page, so the first of the second moves up unseen."""
    feed = FakeFeed(lambda call: ALL if call == 1 else ALL[1:])
    found = _listed(feed)
    assert set(ALL[1:]) <= set(found.ids)
    assert found.missed == 0


def test_what_never_shows_up_is_counted() -> None:
    hidden = [ALL[0], *ALL[:-1]]  # counts 25, shows 24
    feed = FakeFeed(lambda _: hidden)
    assert _listed(feed) == Listed(tuple(ALL[:-1]), missed=1)
    assert feed.calls == 15
