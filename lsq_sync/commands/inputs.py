"""What a plan is made from: the specs and the lock."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lsq_sync.commands.workspace import Workspace
from lsq_sync.core.state import Recorded
from lsq_sync.lock.newest import newest_of
from lsq_sync.spec.read import Specs

if TYPE_CHECKING:
    from lsq_sync.index.settled import Settled


@dataclass(frozen=True, slots=True)
class Inputs:
    """Specs and lock, less what an index vouches for: the `settled` files.

    `population` counts all that is recorded, `newest` is when the last outcome of it came, and
    `lock` is the fingerprint of the lock.
    """

    specs: Specs
    recorded: Recorded
    population: int
    newest: datetime | None
    lock: bytes | None
    settled: "Settled | None" = None
    made_with: str | None = None
    """What an index of this would depend on besides; None where none is to be kept."""

    @property
    def untouched(self) -> int:
        """How many opportunities were left out, because they are as they were recorded."""
        return self.population - len(self.recorded.entries)


def read_all(workspace: Workspace) -> Inputs:
    """Everything. Raises SpecError and LockError."""
    specs = workspace.specs()
    store = workspace.store
    lock = store.fingerprint()
    recorded = store.read()
    return Inputs(specs, recorded, len(recorded.entries), newest_of(recorded), lock)
