"""A whole account behind its rate limit, on virtual time: nothing waits, and every call is counted.

The client, the pacer, the executor, the poller and the reader are the real ones, and so are whole
commands where those are run; only HTTP is left out. The server's own log says how fast the calls
came, so a run of half an hour takes a second and gives the same figures every time.
"""

import io
import math
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from yarl import URL

from lsq_sync import cli
from lsq_sync.commands import session
from lsq_sync.crm.client import Client
from lsq_sync.simulator.account import Account
from lsq_sync.simulator.clock import moment
from lsq_sync.simulator.http import Simulator
from lsq_sync.simulator.limit import busiest_window
from lsq_sync.simulator.scenario import Kind, Scenario
from tests.support.clock import Timeline
from tests.support.session import Response, request_of

HOST = "https://crm.invalid"

Way = Callable[[int], tuple[float, float]]
"""Of the n-th call, counted from 0: seconds until it arrives, and from there until its answer."""


def steady(answer_seconds: float) -> Way:
    """Every call is answered after the same time; half of it is the way there."""
    return lambda _number: (answer_seconds / 2, answer_seconds / 2)


def jittered(window: float, first: int, answer_seconds: float, seed: int = 1) -> Way:
    """Calls arrive up to 4 % of a window late, the first ones and 2 % of the others 20 to 40 %:
    a cold handshake, a lost packet. The late ones are what breaks limiters that count sends."""
    chance = random.Random(seed)

    def way(number: int) -> tuple[float, float]:
        is_late = number < first or chance.random() < 0.02
        arrival = chance.uniform(0.2, 0.4) if is_late else chance.uniform(0.0, 0.04)
        return arrival * window, answer_seconds

    return way


class VirtualCRM:
    """The simulator's core, for what the client takes for a session of aiohttp."""

    def __init__(self, timeline: Timeline, account: Account, scenario: Scenario, way: Way) -> None:
        self.timeline = timeline
        self.simulator = Simulator(account, scenario, timeline.started)
        self._way = way
        self._calls = 0

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
        """The one method that the client uses."""
        assert not allow_redirects
        arrival, answer = self._way(self._calls)
        self._calls += 1
        trace_request_ctx.sent = True
        await self.timeline.sleep(arrival)
        asked = request_of(method, url, data, headers)
        reply = self.simulator.handle(asked, moment(self.timeline.seconds))
        await self.timeline.sleep(answer)
        yield Response(reply)

    # --- what the server saw

    @property
    def calls(self) -> Counter[Kind]:
        """How many of each kind arrived."""
        return Counter(entry.kind for entry in self.simulator.log.entries())

    @property
    def refused(self) -> int:
        """How many the rate limit refused."""
        return sum(entry.limited for entry in self.simulator.log.entries())

    @property
    def busiest_window(self) -> int:
        """The most that arrived in any window of the limit."""
        limit = self.simulator.scenario.rate_limit
        return busiest_window(self.arrivals(), limit.seconds)

    def arrivals(self, *kinds: Kind) -> list[float]:
        """When they arrived, all or those of some kinds."""
        entries = self.simulator.log.entries()
        return [entry.at for entry in entries if not kinds or entry.kind in kinds]

    def utilisation(self, *kinds: Kind) -> float:
        """The least possible time from the first to the last of them, to what it took."""
        arrivals, limit = self.arrivals(*kinds), self.simulator.scenario.rate_limit
        least = (math.ceil(len(arrivals) / limit.calls) - 1) * limit.seconds
        return least / (arrivals[-1] - arrivals[0])

    # --- commands

    def run(self, root: Path, *arguments: str) -> tuple[int, str, str]:
        """A whole command in a workspace: its exit code, what it printed, and what it told.

        The lock is folded by the real clock, every half minute of virtual time would be often.
        """
        out, err = io.StringIO(), io.StringIO()
        keys = self.simulator.keys
        environment = {
            "LSQ_ACCESS_KEY": keys.access_key,
            "LSQ_SECRET_KEY": keys.secret_key,
            "LSQ_X_API_KEY": keys.x_api_key,
        }
        with (
            mock.patch.dict(os.environ, environment),
            mock.patch.object(session, "open_client", self._open_client),
            redirect_stdout(out),
            redirect_stderr(err),
        ):
            around = self.timeline.surroundings(random.Random(1).random)
            code = cli.run(["-C", str(root), *arguments], around)
        return code, out.getvalue(), err.getvalue()

    @asynccontextmanager
    async def _open_client(
        self, place: Any, keys: Any, pacer: Any, calls: Any, watch: Any
    ) -> AsyncIterator[Client]:
        yield Client(self, pacer, place, keys, calls, watch)  # type: ignore[arg-type]
