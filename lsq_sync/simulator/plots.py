"""What a scenario holds in store for single updates: verdicts, breakdowns, losses.

Decided once, when the update is accepted.
"""

from dataclasses import dataclass

from lsq_sync.simulator.faults import Picker, Subject
from lsq_sync.simulator.scenario import Reject, Scenario, SystemFault


@dataclass(frozen=True, slots=True)
class Plot:
    """One update's fate, besides what the rules say about it."""

    fault: SystemFault | None = None
    reject: Reject | None = None
    lost: bool = False

    def breaks_down(self, attempts: int) -> bool:
        """Whether the attempt after so many others fails for want of the system."""
        return self.fault is not None and attempts < self.fault.failures


class PlotBook:
    """The scenario's plots, with their counters."""

    def __init__(self, scenario: Scenario) -> None:
        self._faults = tuple((one, Picker(one.which)) for one in scenario.system_faults)
        self._rejects = tuple((one, Picker(one.which)) for one in scenario.rejects)
        self._lost = tuple(Picker(one.which) for one in scenario.lost_updates)

    def plot(self, subject: Subject) -> Plot:
        return Plot(
            fault=next((one for one, picker in self._faults if picker.picks(subject)), None),
            reject=next((one for one, picker in self._rejects if picker.picks(subject)), None),
            lost=any(picker.picks(subject) for picker in self._lost),
        )
