"""A local stand-in for a LeadSquared account: the CRM's API, its queue and its surprises.

Shares no code with the rest of the package, so that one misreading of the API cannot confirm
itself. The core is pure (`http.Simulator.handle`): `running` gives it a clock, `server` a socket.
"""

from lsq_sync.simulator.account import DEFAULT_KEYS, Account, Keys
from lsq_sync.simulator.data import load_account
from lsq_sync.simulator.errors import SimulatorError
from lsq_sync.simulator.running import RunningSimulator
from lsq_sync.simulator.sample import sample_account
from lsq_sync.simulator.scenario import Scenario
from lsq_sync.simulator.scenario_file import load_scenario, read_scenario, scenario_from
from lsq_sync.simulator.server import SimulatorThread, serving

__all__ = [
    "DEFAULT_KEYS",
    "Account",
    "Keys",
    "RunningSimulator",
    "Scenario",
    "SimulatorError",
    "SimulatorThread",
    "load_account",
    "load_scenario",
    "read_scenario",
    "sample_account",
    "scenario_from",
    "serving",
]
