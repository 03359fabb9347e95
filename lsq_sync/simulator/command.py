"""`simulate` without its command line: serves until it is interrupted. Prints to stderr only."""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final, TextIO

from lsq_sync.simulator.account import Account
from lsq_sync.simulator.data import load_account
from lsq_sync.simulator.http import SUBMIT_PATH
from lsq_sync.simulator.log import Entry
from lsq_sync.simulator.running import RunningSimulator
from lsq_sync.simulator.sample import sample_account
from lsq_sync.simulator.scenario import Scenario
from lsq_sync.simulator.scenario_file import load_scenario
from lsq_sync.simulator.server import serving
from lsq_sync.simulator.sync_calls import CALLS

DEFAULT_PORT: Final = 8787
SAMPLE_COUNT: Final = 200
SAMPLE_SEED: Final = 7


def run(
    port: int = DEFAULT_PORT,
    data_path: Path | None = None,
    scenario_path: Path | None = None,
    log_path: Path | None = None,
    *,
    watch: bool = False,
    stream: TextIO | None = None,
) -> None:
    """Serves until SIGINT or SIGTERM.

    Raises `SimulatorError` for a busy port, unreadable data, a bad scenario. `watch` prints a line
    per call.
    """
    account = load_account(data_path) if data_path else sample_account(SAMPLE_COUNT, SAMPLE_SEED)
    scenario = load_scenario(scenario_path) if scenario_path else Scenario()
    asyncio.run(_serve(account, scenario, port, log_path, _Screen(stream or sys.stderr, watch)))


async def _serve(
    account: Account, scenario: Scenario, port: int, log_path: Path | None, screen: "_Screen"
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with serving(
        account, scenario, port=port, log_path=log_path, watch=screen.watcher
    ) as running:
        screen.show(banner(running, account, scenario))
        await stop.wait()
        screen.show(f"Stopped; calls answered: {running.crm.count()}")


class _Screen:
    """Where the banner and the calls are shown."""

    def __init__(self, stream: TextIO, watch: bool) -> None:
        self._stream = stream
        self.watcher: Callable[[Entry], None] | None = self._call if watch else None

    def show(self, text: str) -> None:
        print(text, file=self._stream, flush=True)

    def _call(self, entry: Entry) -> None:
        self.show(call_line(entry))


def banner(running: RunningSimulator, account: Account, scenario: Scenario) -> str:
    """What is served, where, and what a client has to be told."""
    types = ", ".join(f"{known.display_name} ({known.code})" for known in account.types)
    exports = "\n".join(f"export {name}='{value}'" for name, value in running.environment.items())
    paths = "\n".join(f"  {line}" for line in served(scenario))
    return (
        f"LeadSquared simulator on {running.url}\n"
        f"{len(account.opportunities)} opportunities: {types}; scenario: {scenario.name}\n"
        f"The keys are made up:\n\n{exports}\n\n{paths}\n\nCtrl-C stops it."
    )


def served(scenario: Scenario) -> list[str]:
    """Verb and path of every call."""
    paths = scenario.paths
    status = [path for path in (paths.status, paths.status_alias) if path]
    metrics = [path for path in (paths.metrics, paths.metrics_alias) if path]
    return [
        f"POST {SUBMIT_PATH}",
        *(f"GET  {path}" for path in (*status, *metrics)),
        *(f"{call.verb:<4} {call.path}" for call in CALLS),
    ]


def call_line(entry: Entry) -> str:
    """One call on one line."""
    subject = entry.opportunity or entry.request_id or ""
    fault = f"  [{entry.fault}]" if entry.fault else ""
    status = entry.status if entry.delivered else "---"
    return f"{entry.at:9.3f}  {entry.method:<4} {entry.path}  {status}  {subject}{fault}".rstrip()
