"""At the limit: 25 calls in 5 s with answers of 200 ms, on virtual time; the server's log judges.

The least possible time from the first to the last of N calls is (ceil(N / 25) - 1) * 5 s. A slot is
free 5 s after its answer was read, so an answer time of 0.2 s leaves 5 / 5.2 = 0.96 of that speed.
Virtual time makes every figure exact: what holds here holds on any machine.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from lsq_sync.core.budget import RateLimit
from lsq_sync.core.change import Action, Change, FieldChange
from lsq_sync.core.reading import Wanted
from lsq_sync.core.state import (
    Accepted,
    Event,
    OpenRequest,
    Payload,
    RequestID,
    RunID,
    Succeeded,
)
from lsq_sync.crm.client import Calls, Client, Place
from lsq_sync.crm.credentials import Credentials
from lsq_sync.crm.pacing import Pacer
from lsq_sync.executor import Executor
from lsq_sync.poller import Poller
from lsq_sync.reader import Reader
from lsq_sync.running import Stop
from lsq_sync.simulator import sample_account
from lsq_sync.simulator.scenario import Scenario
from tests.support.clock import STARTED, Timeline
from tests.support.virtual_crm import HOST, VirtualCRM, Way, jittered, steady

LIMIT = RateLimit(25, 5.0)
ANSWER_SECONDS = 0.2
LOAN = 12005
RUN = RunID("20260831T083800Z-00a1b2")

ways = pytest.mark.parametrize(
    ("way", "at_least"),
    [
        pytest.param(lambda: steady(ANSWER_SECONDS), 0.95, id="steady"),
        pytest.param(
            lambda: jittered(LIMIT.seconds, LIMIT.calls, ANSWER_SECONDS), 0.93, id="late arrivals"
        ),
    ],
)


@dataclass
class Ledger:
    """Remembers, and takes no time."""

    events: list[Event] = field(default_factory=list)

    async def record(self, *events: Event) -> None:
        self.events += events

    def count(self, kind: type[Event]) -> int:
        return sum(isinstance(event, kind) for event in self.events)


class Work:
    """A client, and all that calls through its one pacer."""

    def __init__(self, way: Way, opportunities: int) -> None:
        self.timeline = Timeline()
        account = sample_account(opportunities * 4 // 3 + 4)
        self.keys = [one.id for one in account.opportunities if one.code == LOAN][:opportunities]
        self.crm = VirtualCRM(self.timeline, account, Scenario(), way)
        self.around = self.timeline.surroundings(lambda: 0.5)
        self.ledger = Ledger()
        ours = self.crm.simulator.keys
        self.client = Client(
            self.crm,  # type: ignore[arg-type]
            Pacer(LIMIT, self.timeline.monotonic, self.timeline.sleep),
            Place(HOST, "/opportunity/update/status", "/opportunity/update/metrics", 30.0, HOST),
            Credentials(ours.access_key, ours.secret_key, ours.x_api_key),
            Calls(),
        )

    def run(self, *works: Callable[[], Awaitable[object]]) -> None:
        """All of them side by side, to their end."""

        async def main() -> None:
            await asyncio.gather(*(work() for work in works))

        self.timeline.run(main())

    async def send(self) -> None:
        """An update of each opportunity."""
        updates = tuple(_change(key) for key in self.keys)
        executor = Executor(self.client, self.ledger, RUN, Stop(), self.around, LIMIT.calls)
        await executor.send(updates)

    async def poll(self, count: int) -> None:
        """A question about each of so many requests of an earlier run."""
        opened = [(key, self._submitted(key)) for key in self.keys[:count]]
        await Poller(self.client, self.ledger, Stop(), self.around, opened).once()

    def _submitted(self, key: str) -> OpenRequest:
        fields = [{"SchemaName": "mx_Custom_6", "Value": "4"}]
        body = json.dumps({"ProspectOpportunityId": key, "Fields": fields}).encode()
        task = self.crm.simulator.crm.submit(body, 0.0)
        return OpenRequest(Payload({"mx_Custom_6": "4"}), RUN, STARTED, RequestID(task.request_id))

    async def read(self, singles: int) -> None:
        """So many opportunities one by one, and the others in bulk."""
        wanted = [
            Wanted(key, key, ("mx_Custom_6",), None if number < singles else LOAN)
            for number, key in enumerate(self.keys)
        ]
        await Reader(self.client, self.around).read(wanted)


def _change(key: str) -> Change:
    value = FieldChange("mx_Custom_6", Action.UPDATE, None, "5", known=False)
    return Change(key, Action.UPDATE, (value,), type="loan")


@ways
def test_sending_comes_near_the_limit_and_never_over_it(
    way: Callable[[], Way], at_least: float
) -> None:
    work = Work(way(), 2500)
    work.run(work.send)
    assert work.ledger.count(Accepted) == 2500
    assert work.crm.calls == {"submit": 2500}
    assert work.crm.refused == 0
    assert work.crm.busiest_window == LIMIT.calls
    assert work.crm.utilisation() >= at_least


@ways
def test_sends_polls_and_reads_share_it(way: Callable[[], Way], at_least: float) -> None:
    work = Work(way(), 1250)
    work.run(work.send, lambda: work.poll(600), lambda: work.read(singles=650))
    assert work.ledger.count(Accepted) == 1250
    assert work.ledger.count(Succeeded) == 600
    assert work.crm.calls == {"submit": 1250, "status": 600, "read": 651}
    assert work.crm.refused == 0
    assert work.crm.busiest_window == LIMIT.calls
    assert work.crm.utilisation() >= at_least
