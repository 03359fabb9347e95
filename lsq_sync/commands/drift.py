"""`lsq-sync drift`: live against recorded. Reads; writes nothing, neither here nor in the CRM."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lsq_sync.commands.edits import with_edits
from lsq_sync.commands.plan import Choice, selected
from lsq_sync.commands.refresh import live_values
from lsq_sync.commands.verdict import Verdict
from lsq_sync.commands.workspace import Workspace
from lsq_sync.core.drift import Drift, drift_of
from lsq_sync.core.model import Account, Live
from lsq_sync.core.plan import make_plan
from lsq_sync.core.reading import readable, wanted_of
from lsq_sync.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Drifted:
    """What has drifted, and in which account."""

    account: Account
    drift: Drift

    @property
    def verdict(self) -> Verdict:
        """For --detailed-exitcode."""
        return Verdict.DIFFERENT if self.drift.found else Verdict.DONE


def run(
    workspace: Workspace,
    choice: Choice,
    around: Surroundings,
    watch: Callable[[str, str], None] = lambda _what, _answer: None,
    notice: Callable[[str], None] = lambda _text: None,
) -> Drifted:
    """Reads all managed fields. Raises what reading the specs, the lock and the CRM raises."""
    specs = workspace.specs()
    recorded = workspace.store.read()
    chosen, narrowed = selected(workspace, specs, recorded, choice, around)
    entries = narrowed.entries
    wanted = readable(wanted_of(one, entries.get(one.key)) for one in chosen)
    live = live_values(workspace, recorded, wanted, around, watch, notice) if wanted else {}
    rules = workspace.rules(specs, around)

    def found_in(live: Live) -> Drift:
        plan = make_plan(workspace.settings.account, chosen, narrowed, live, rules)
        return drift_of(plan, narrowed, live, rules)

    drift = found_in(live)
    if drift.rows:
        read = partial(live_values, workspace, recorded, around=around, watch=watch)
        drift = found_in(with_edits(live, drift.rows, recorded, read))
    return Drifted(workspace.settings.account, drift)
