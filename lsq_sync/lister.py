"""Lists the opportunities of a type that were modified since a moment, page by page.

The CRM pages by number only, so a row may move to another page while we turn them. Whatever a
pass may have missed is looked for in another one.
"""

from dataclasses import dataclass, field

from lsq_sync.reader import PageReader

_MOST_PASSES = 5
_MOST_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Listed:
    """The ids, sorted; `missed` is how many more the CRM counts than it showed."""

    ids: tuple[str, ...]
    missed: int = 0


@dataclass(slots=True)
class _Pass:
    """What one pass over all pages saw."""

    ids: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    rows: int = 0
    totals: set[int] = field(default_factory=set)

    @property
    def is_sound(self) -> bool:
        """Every row once, and nothing moved meanwhile."""
        seen = len(self.ids | self.others)
        return seen == self.rows and all(total == seen for total in self.totals)


async def list_modified(pages: PageReader, code: int, since: str, until: str) -> Listed:
    """Ids of opportunities with this event code. Raises what `Reader.read` raises."""
    ids: set[str] = set()
    others: set[str] = set()
    total = 0
    for _ in range(_MOST_PASSES):
        seen = await _pass(pages, code, since, until)
        ids |= seen.ids
        others |= seen.others
        total = max(seen.totals, default=0)
        if seen.is_sound or 0 < total <= len(ids | others):
            break
    return Listed(tuple(sorted(ids)), max(0, total - len(ids | others)))


async def _pass(pages: PageReader, code: int, since: str, until: str) -> _Pass:
    seen = _Pass()
    for page in range(1, _MOST_PAGES + 1):
        answer = await pages.page(code, since, until, page)
        seen.ids.update(answer.ids)
        seen.others.update(answer.others)
        seen.rows += answer.rows
        if answer.total is not None:
            seen.totals.add(answer.total)
        if not answer.rows or (answer.total is not None and seen.rows >= answer.total):
            break
    return seen
