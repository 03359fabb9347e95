"""Everything that calls the CRM, at work side by side on one pacer and on virtual time."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

from benchmarks import loans
from lsq_sync.core.budget import RateLimit
from lsq_sync.core.change import Action, Change, FieldChange
from lsq_sync.core.events import Event
from lsq_sync.core.reading import Wanted
from lsq_sync.core.state import OpenRequest, Payload, RequestID, RunID
from lsq_sync.crm.client import Calls, Client, Place
from lsq_sync.crm.credentials import Credentials
from lsq_sync.crm.pacing import Pacer
from lsq_sync.executor import Executor
from lsq_sync.poller import Poller
from lsq_sync.reader import Reader
from lsq_sync.running import Stop
from lsq_sync.simulator.scenario import Scenario
from tests.support.clock import STARTED, Timeline
from tests.support.virtual_crm import HOST, VirtualCRM, Way

LIMIT = RateLimit(25, 5.0)
_RUN = RunID("20260831T083800Z-00a1b2")


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
        account, self.keys = loans.account_with(opportunities)
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
        executor = Executor(self.client, self.ledger, _RUN, Stop(), self.around, LIMIT.calls)
        await executor.send(updates)

    async def poll(self, count: int) -> None:
        """A question about each of so many requests of an earlier run."""
        opened = [(key, self._submitted(key)) for key in self.keys[:count]]
        await Poller(self.client, self.ledger, Stop(), self.around, opened).once()

    def _submitted(self, key: str) -> OpenRequest:
        fields = [{"SchemaName": "mx_Custom_6", "Value": "4"}]
        body = json.dumps({"ProspectOpportunityId": key, "Fields": fields}).encode()
        task = self.crm.simulator.crm.submit(body, 0.0)
        return OpenRequest(Payload({"mx_Custom_6": "4"}), _RUN, STARTED, RequestID(task.request_id))

    async def read_in_bulk(self, count: int) -> None:
        """So many opportunities; that the account has none of them makes its answers short."""
        ids = (str(UUID(int=number)) for number in range(count))
        wanted = (Wanted(one, one, ("mx_Custom_6",), loans.CODE) for one in ids)
        await Reader(self.client, self.around, of_their_type=True).read(wanted)

    async def read(self, singles: int) -> None:
        """So many opportunities one by one, and the others in bulk."""
        wanted = [
            Wanted(key, key, ("mx_Custom_6",), None if number < singles else loans.CODE)
            for number, key in enumerate(self.keys)
        ]
        await Reader(self.client, self.around).read(wanted)


def _change(key: str) -> Change:
    value = FieldChange("mx_Custom_6", Action.UPDATE, None, "5", known=False)
    return Change(key, Action.UPDATE, (value,), type="loan")
