"""What a plan is made from: the specs and the lock."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from lsq_sync.commands.workspace import Workspace
from lsq_sync.core.identity import names_of
from lsq_sync.core.state import Entry, Recorded
from lsq_sync.lock.newest import newest_of
from lsq_sync.spec.read import Specs

if TYPE_CHECKING:
    from lsq_sync.commands.touched import Moments
    from lsq_sync.index.format import Index
    from lsq_sync.index.untouched import Found, Untouched


@dataclass(frozen=True, slots=True)
class Inputs:
    """Specs and lock, less the files of which everything is as it was recorded: those that are
    so `by_index`, and those that were `found` to be so.

    `population` counts all that is recorded, `newest` is when the last outcome of it came, and
    `lock` is the fingerprint of the lock.
    """

    specs: Specs
    recorded: Recorded
    population: int
    newest: datetime | None
    lock: bytes | None
    by_index: "Untouched | None" = None
    index: "Index | None" = None
    """The one that was read, where nothing has changed since it was made."""

    found: "tuple[Found, ...]" = ()
    """Files that were read elsewhere and found untouched: they are left out, too."""
    left_out: Mapping[str, Entry] = field(default_factory=dict)
    """What is recorded of those that were found."""

    is_of_the_lock: bool = True
    """Whether all that is recorded was in the lock."""

    made_with: str | None = None
    """What an index of this would depend on besides; None where none is to be kept."""

    moments: "Moments" = ()
    """When what this was read from had been touched last."""

    @property
    def untouched(self) -> int:
        """How many opportunities were left out, because they are as they were recorded."""
        return self.population - len(self.recorded.entries)


def read_all(workspace: Workspace) -> Inputs:
    """Everything. Raises SpecError and LockError."""
    specs = workspace.specs()
    recorded, lock, is_all_of_the_lock = workspace.store.reading()
    newest = newest_of(recorded)
    return Inputs(
        specs, recorded, len(recorded.entries), newest, lock, is_of_the_lock=is_all_of_the_lock
    )


def may_be_twice(names: Set[str], specs: Specs, rest: Recorded) -> bool:
    """Whether an opportunity may stand in two files, or under two keys, where those of these names
    were left out; or one that no spec has any more is of a type that was not read."""
    known = (name for key, entry in rest.entries.items() for name in names_of(key, entry))
    return (
        any(one.key in names for one in specs.opportunities)
        or any(name in names for name in known)
        or not {entry.type for entry in rest.entries.values()} <= {"", *specs.types}
    )
