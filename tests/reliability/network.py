"""The CRM without HTTP: the simulator's core behind what the client takes for a session of aiohttp.

Every call takes virtual time, may be lost on either way, and may arrive later than its caller
waited for it. Whoever watches is told of each update before the CRM sees it, and of each answer
that reached the client.
"""

import heapq
import json
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from types import SimpleNamespace
from typing import Any, Protocol

import aiohttp
from yarl import URL

from lsq_sync.simulator.account import NOTE, Account, Field, Opportunity, OpportunityType, User
from lsq_sync.simulator.clock import moment
from lsq_sync.simulator.crm import Crm
from lsq_sync.simulator.http import Simulator
from lsq_sync.simulator.scenario import Scenario
from lsq_sync.simulator.wire import Reply, Request, json_reply
from tests.reliability.crashing import Crash, CrashError
from tests.support.clock import Timeline
from tests.support.session import Response, request_of

CODE = 12005
FIELDS = ("mx_Custom_1", "mx_Custom_2", "mx_Custom_3")
KEYS = tuple(f"5ca5b042-51ea-4699-b6f0-84c40ab1277{number}" for number in range(5))
ASYNC_HOST, HOST = "https://async.invalid", "https://sync.invalid"

ACCOUNT = Account(
    types=(
        OpportunityType(
            CODE,
            "Loan",
            (
                Field(NOTE, "Notes", "ActivityEvent_Note"),
                *(Field(name, f"Field {name[-1]}", "String") for name in FIELDS),
            ),
        ),
    ),
    opportunities=tuple(
        Opportunity(key, CODE, f"lead-{key[-1]}", "", dict.fromkeys(FIELDS, "")) for key in KEYS
    ),
    users=(User("u-1", "Robot", "r@example.com"), User("u-2", "Person", "p@example.com")),
)


class Fate(Enum):
    """What becomes of a call on its way."""

    WELL = "arrives and is answered"
    NOT_SENT = "no connection"
    LOST_BEFORE = "lost on the way there"
    LOST_AFTER = "its answer is lost on the way back"
    LATE = "no answer in time; it arrives later"
    GATEWAY = "a gateway answers 502 to 504, after it went through"
    NO_ACCEPTANCE = "HTTP 200 with something else in it, after it went through"


@dataclass(frozen=True)
class Weather:
    """How the CRM and the network behave for a while. `rough` is the share of calls that do not
    go well, `fog` that of status answers that are stale or say nothing, `lies` that of Success told
    as FAILURE."""

    scenario: Scenario = field(default_factory=Scenario)
    rough: float = 0.0
    fog: float = 0.0
    lies: float = 0.0


class Watcher(Protocol):
    """Judges what happens."""

    def posts(self, key: str, fields: Mapping[str, str], note: str | None) -> int: ...

    def issued(self, number: int, request_id: str) -> None: ...

    def told_submit(self, number: int, status: int, body: Any) -> None: ...

    def told_status(self, request_id: str, status: int, body: Any) -> None: ...

    def told_read(self, shown: Mapping[str, Mapping[str, str]]) -> None: ...


class Network:
    """Stands in for `aiohttp.ClientSession`, of which the client uses one method."""

    def __init__(
        self, timeline: Timeline, chance: random.Random, crash: Crash, watcher: Watcher
    ) -> None:
        self._timeline = timeline
        self._chance = chance
        self._crash = crash
        self._watcher = watcher
        self._simulator = Simulator(ACCOUNT, Scenario(), timeline.started)
        self._late: list[tuple[float, int, Request]] = []
        self.weather = Weather()
        self.fates = dict.fromkeys(Fate, 0)

    @property
    def crm(self) -> Crm:
        """The account, as of now."""
        self._catch_up()
        return self._simulator.crm

    @property
    def secrets(self) -> dict[str, str]:
        """The environment that opens it."""
        keys = self._simulator.keys
        return {
            "LSQ_ACCESS_KEY": keys.access_key,
            "LSQ_SECRET_KEY": keys.secret_key,
            "LSQ_X_API_KEY": keys.x_api_key,
        }

    def turn_to(self, weather: Weather) -> None:
        """From now on it behaves so."""
        self._catch_up()
        self.weather = weather
        self._simulator.set_scenario(weather.scenario, moment(self._timeline.seconds))

    def values(self, key: str) -> Mapping[str, str]:
        """What the CRM holds of an opportunity now."""
        record = self.crm.records.by_id(key)
        assert record is not None
        return record.values

    def edit(self, key: str, name: str, value: str) -> None:
        """Somebody edits a field in the CRM."""
        self.crm.change(key, {name: value}, self._timeline.seconds)

    def _catch_up(self) -> None:
        while self._late and self._late[0][0] <= self._timeline.seconds:
            at, _, request = heapq.heappop(self._late)
            self._simulator.handle(request, moment(at))
        self._simulator.crm.advance(self._timeline.seconds)

    # --- the one method

    @asynccontextmanager
    async def request(
        self,
        method: str,
        url: URL,
        *,
        data: bytes | None,
        headers: Mapping[str, str],
        allow_redirects: bool,
        trace_request_ctx: SimpleNamespace,
    ) -> AsyncIterator[Response]:
        assert not allow_redirects
        asked = request_of(method, url, data, headers)
        yield Response(await self._exchange(asked, trace_request_ctx))

    async def _exchange(self, request: Request, trace: SimpleNamespace) -> Reply:
        is_update = request.path == "/opportunity/update"
        fate = self._fate(is_update)
        self.fates[fate] += 1
        await self._travel()
        if fate is Fate.NOT_SENT:
            raise aiohttp.ClientConnectionError
        self._crash.step()
        trace.sent = True
        number = self._posted(request) if is_update else 0
        await self._travel()
        if fate is Fate.LATE:
            await self._is_late(request)
        if fate is Fate.LOST_BEFORE:
            raise aiohttp.ServerDisconnectedError
        reply = self._answered(request, number)
        answered_at = self._timeline.seconds
        await self._travel()
        if fate is Fate.LOST_AFTER:
            raise aiohttp.ServerDisconnectedError
        self._crash.step()
        reply = self._spoilt(reply, fate)
        self._tell(request, number, reply, answered_at)
        return reply

    def _fate(self, is_update: bool) -> Fate:
        if self._chance.random() >= self.weather.rough:
            return Fate.WELL
        later = () if is_update else (Fate.LATE,)
        return self._chance.choice([one for one in Fate if one not in later])

    async def _travel(self) -> None:
        await self._timeline.sleep(self._chance.uniform(0.01, 0.2))
        if self._crash.dead:
            raise CrashError

    async def _is_late(self, request: Request) -> None:
        """Arrives when nobody waits for it any more."""
        arrives = self._timeline.seconds + 30 + self._chance.uniform(0, 120)
        heapq.heappush(self._late, (arrives, len(self._late), request))
        await self._timeline.sleep(30)
        raise TimeoutError

    def _answered(self, request: Request, number: int) -> Reply:
        self._catch_up()
        reply = self._simulator.handle(request, moment(self._timeline.seconds))
        if number and (request_id := _json(reply).get("RequestID")):
            self._watcher.issued(number, request_id)
        if request.path.endswith("/status"):
            reply = self._fogged(reply)
        return reply

    def _spoilt(self, reply: Reply, fate: Fate) -> Reply:
        if fate is Fate.GATEWAY:
            return json_reply({"message": "Bad gateway"}, self._chance.choice([502, 503, 504]))
        if fate is Fate.NO_ACCEPTANCE:
            return Reply(200, b"<html>Please wait</html>")
        return reply

    def _fogged(self, reply: Reply) -> Reply:
        """A status answer that is older than it should be, or says little, or the wrong thing."""
        content = _json(reply)
        task = content.get("TaskStatus")
        if not isinstance(task, dict):
            return reply
        if task["Status"] == "Success" and self._chance.random() < self.weather.lies:
            told = {"Status": "FAILURE", "StatusReason": "MXUnknown: it did not work"}
            return json_reply({**content, "TaskStatus": told})
        if self._chance.random() >= self.weather.fog:
            return reply
        nothing = {"StatusReason": None, "Message": None}
        return self._chance.choice(
            [
                json_reply({**content, "TaskStatus": {**nothing, "Status": "In-Queue"}}),
                json_reply({**content, "TaskStatus": {**nothing, "Status": "ERROR"}}),
                json_reply({**content, "TaskStatus": {**nothing, "Status": "In-Process"}}),
                json_reply({**content, "TaskStatus": None}),
                json_reply({"message": "Internal server error"}, 500),
                json_reply({"message": "Forbidden"}, 403),
            ]
        )

    # --- telling

    def _posted(self, request: Request) -> int:
        content = json.loads(request.body)
        fields = {one["SchemaName"]: one["Value"] for one in content["Fields"]}
        key = content["ProspectOpportunityId"]
        return self._watcher.posts(key, fields, content.get("OpportunityNote"))

    def _tell(self, request: Request, number: int, reply: Reply, at: float) -> None:
        body = _json(reply)
        if number:
            self._watcher.told_submit(number, reply.status, body)
        elif request.path.endswith("/status"):
            self._watcher.told_status(request.query["requestid"], reply.status, body)
        elif "OpportunityManagement" in request.path and reply.status == 200 and body:
            self._watcher.told_read(self._shown(request, at))

    def _shown(self, request: Request, at: float) -> dict[str, Mapping[str, str]]:
        """The opportunities that a read asked for, as a read showed them then."""
        asked = f"{request.body.decode()}{request.query}".lower()
        seen_at = at - self.weather.scenario.read_lag_seconds
        return {
            record.id: record.values_at(seen_at)
            for record in self.crm.records
            if record.id.lower() in asked
        }


def _json(reply: Reply) -> dict[str, Any]:
    try:
        content = json.loads(reply.body)
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {"rows": content}


def calm(scenario: Scenario) -> Weather:
    """Everything arrives, every answer is right."""
    return Weather(replace(scenario, faults=()))
