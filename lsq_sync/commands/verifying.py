"""After the verdicts: are the values that the CRM says it took really there?"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lsq_sync.commands.live import Knowledge
from lsq_sync.core.model import Live
from lsq_sync.core.polling import FIRST_GAP, VISIBLE_SECONDS
from lsq_sync.core.reading import Wanted, readable, shows, wanted_of
from lsq_sync.core.state import Payload, Recorded
from lsq_sync.reader import Reader
from lsq_sync.running import Stop
from lsq_sync.surroundings import Surroundings
from lsq_sync.tasks import first_of

_MOST_SINGLES = 50
"""So many are read one by one; of more that cannot be read in bulk none is."""

_GROWTH = 2.0


@dataclass(frozen=True, slots=True)
class Verifying:
    """Reads back until everything shows, for as long as a read usually lags."""

    reader: Reader
    know: Knowledge
    around: Surroundings
    ends_at: float = math.inf
    """When a read that is under way is given up, on the monotonic clock."""

    async def verify(
        self, done: Mapping[str, Payload], recorded: Recorded, stop: Stop, deadline: float
    ) -> dict[str, bool]:
        """Whether the values of each show, by key; what was not read is left out.

        Raises NetworkError or AuthenticationError when it cannot be read.
        """
        wanted = _affordable(self._wanted(done, recorded))
        verified: dict[str, bool] = {}
        until = min(deadline, self.around.monotonic() + VISIBLE_SECONDS)
        looking = self._look(wanted, done, verified, until)
        await first_of(looking, stop.wait(), self.around.until(self.ends_at))
        return verified

    def _wanted(self, done: Mapping[str, Payload], recorded: Recorded) -> Iterable[Wanted]:
        for key in done:
            one = self.know.desired.get(key)
            if one is not None:
                yield wanted_of(one, recorded.entries.get(key))

    async def _look(
        self,
        wanted: tuple[Wanted, ...],
        done: Mapping[str, Payload],
        verified: dict[str, bool],
        until: float,
    ) -> None:
        def compare(live: Live) -> None:
            for key, seen in live.items():
                rules = self.know.rules(self.know.desired[key].type)
                verified[key] = shows(done[key], seen, rules, self.know.values)

        gap = FIRST_GAP
        while wanted:
            await self.reader.read_each(wanted, compare)
            wanted = tuple(one for one in wanted if not verified[one.key])
            if self.around.monotonic() + gap > until:
                return
            if wanted:
                await self.around.sleep(gap)
                gap *= _GROWTH


def _affordable(wanted: Iterable[Wanted]) -> tuple[Wanted, ...]:
    listed = readable(wanted)
    singles = sum(not one.in_bulk for one in listed)
    return listed if singles <= _MOST_SINGLES else tuple(one for one in listed if one.in_bulk)
