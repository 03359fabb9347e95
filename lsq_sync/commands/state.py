"""`lsq-sync state list|show`: the recorded state, read only."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from lsq_sync.commands.workspace import Workspace
from lsq_sync.core.model import FieldRule
from lsq_sync.core.state import Recorded
from lsq_sync.core.values import is_guid
from lsq_sync.errors import UsageError
from lsq_sync.lock.format import entry_to_json
from lsq_sync.render.document import Document, masked_entry
from lsq_sync.spec.names import nearest


@dataclass(frozen=True, slots=True)
class Found:
    """A part of the recorded state; `rules` are the fields of each type that occurs in it."""

    recorded: Recorded
    rules: Mapping[str, Mapping[str, FieldRule]]

    @property
    def documents(self) -> dict[str, Document]:
        """The entries as they stand in the lock, sensitive values masked."""
        return {
            key: masked_entry(entry, entry_to_json(entry), self.rules[entry.type])
            for key, entry in sorted(self.recorded.entries.items())
        }


def run_list(workspace: Workspace) -> Found:
    """Everything that is recorded, the journal of a running or killed command included."""
    return _found(workspace, workspace.store.read())


def run_show(workspace: Workspace, key: str) -> Found:
    """The entry of one opportunity, by its key, or by the start of it where only one fits.

    Raises UsageError when there is none, or more than one.
    """
    recorded = workspace.store.read()
    name = key_among(key, recorded.entries)
    return _found(workspace, replace(recorded, entries={name: recorded.entries[name]}))


def _found(workspace: Workspace, recorded: Recorded) -> Found:
    types = {entry.type for entry in recorded.entries.values()}
    return Found(recorded, {name: workspace.field_rules(name) for name in types})


def key_among(key: str, known: Collection[str]) -> str:
    """The opportunity with this key, or the only one whose key begins so.

    Raises UsageError when there is none, or more than one.
    """
    wanted = key.lower() if is_guid(key) else key
    if wanted in known:
        return wanted
    fitting = [name for name in known if name.startswith(key.lower())]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"{len(fitting)} opportunities begin with {key}", hint="give more of it")
    near = nearest(key, known)
    hint = f"did you mean {near}?" if near else "what is recorded:\n\n  lsq-sync state list"
    raise UsageError(f"nothing is recorded of {key}", hint=hint)
