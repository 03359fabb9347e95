"""A simulator that runs: the pure one, the clock that tells it the time, and a lock."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime

from lsq_sync.simulator.account import DEFAULT_KEYS, Account, Keys
from lsq_sync.simulator.clock import Clock
from lsq_sync.simulator.http import Simulator
from lsq_sync.simulator.log import Entry
from lsq_sync.simulator.sample import sample_account
from lsq_sync.simulator.scenario import Scenario
from lsq_sync.simulator.view import CrmView
from lsq_sync.simulator.wire import Reply, Request


class RunningSimulator:
    """A simulator that answers on `url`. Its methods may be called from any thread."""

    def __init__(
        self,
        account: Account | None = None,
        scenario: Scenario | None = None,
        *,
        keys: Keys = DEFAULT_KEYS,
        sink: Callable[[Entry], None] | None = None,
    ) -> None:
        scenario = scenario or Scenario()
        self.keys = keys
        self.url = ""
        self._clock = Clock(scenario.time_scale)
        self._lock = threading.RLock()  # a watcher may ask back
        self._simulator = Simulator(
            account or sample_account(), scenario, datetime.now(UTC), keys, sink
        )
        self.crm = CrmView(self._simulator, self._clock, self._lock)

    @property
    def environment(self) -> dict[str, str]:
        """What a client needs to be told to call this account."""
        return {
            "LSQ_ACCESS_KEY": self.keys.access_key,
            "LSQ_SECRET_KEY": self.keys.secret_key,
            "LSQ_X_API_KEY": self.keys.x_api_key,
            "LSQ_ASYNC_HOST": self.url,
            "LSQ_HOST": self.url,
        }

    def change(self, key: str, field: str, value: str) -> None:
        """Somebody edits a record in the CRM, now. Raises KeyError."""
        with self._lock:
            now = self._clock.now().simulated
            self._simulator.crm.advance(now)
            self._simulator.crm.change(key, {field: value}, now)

    def delete(self, key: str) -> None:
        """Somebody deletes a record in the CRM, now. Raises KeyError."""
        with self._lock:
            now = self._clock.now().simulated
            self._simulator.crm.advance(now)
            self._simulator.crm.delete(key, now)

    def set_scenario(self, scenario: Scenario) -> None:
        """From now on this scenario holds. Calls are counted from 1 again; records stay."""
        with self._lock:
            self._simulator.set_scenario(scenario, self._clock.now())
            self._clock.set_scale(scenario.time_scale)

    def skip(self, seconds: float) -> None:
        """Lets so many simulated seconds pass at once."""
        self._clock.skip(seconds)

    def handle(self, request: Request) -> Reply:
        """Answers a call as of now."""
        with self._lock:
            return self._simulator.handle(request, self._clock.now())
