"""`lsq-sync simulate`: the CRM simulator on loopback."""

from pathlib import Path

from lsq_sync.errors import LsqSyncError
from lsq_sync.simulator import SimulatorError
from lsq_sync.simulator.command import DEFAULT_PORT
from lsq_sync.simulator.command import run as serve
from lsq_sync.surroundings import collect_garbage


class SimulationError(LsqSyncError):
    """The simulator cannot start: a busy port, a data or scenario file that is wrong."""

    code = "simulator"


def run(
    port: int | None,
    data: Path | None,
    scenario: Path | None,
    log: Path | None,
    *,
    watch: bool,
) -> None:
    """Serves until it is interrupted. Raises SimulationError."""
    collect_garbage()
    try:
        serve(DEFAULT_PORT if port is None else port, data, scenario, log, watch=watch)
    except SimulatorError as error:
        raise SimulationError(str(error)) from None
