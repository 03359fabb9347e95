"""`lsq-sync state`: the recorded state, read and repaired. Makes no call."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from lsq_sync.commands.workspace import Workspace, new_run
from lsq_sync.core.events import GivenUp, Released
from lsq_sync.core.model import FieldRule
from lsq_sync.core.moment import moment
from lsq_sync.core.state import NOTE, OpenRequest, Recorded
from lsq_sync.core.values import ABSENT, is_guid
from lsq_sync.errors import RefusedError, UsageError
from lsq_sync.lock.entry import entry_to_json
from lsq_sync.lock.merge import Merged
from lsq_sync.lock.writer import Writer
from lsq_sync.render.document import Document
from lsq_sync.render.state_document import masked_entry
from lsq_sync.render.words import counted
from lsq_sync.spec.names import nearest
from lsq_sync.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Found:
    """A part of the recorded state; `rules` are the fields of each type that occurs in it."""

    recorded: Recorded
    rules: Mapping[str, Mapping[str, FieldRule]]

    @property
    def documents(self) -> dict[str, Document]:
        """The entries as they stand in the lock, sensitive values masked."""
        return {
            key: masked_entry(entry_to_json(entry), self.rules[entry.type])
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


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What the lock no longer knows; `request` was given up, `kept` is still open."""

    key: str
    values: int
    request: OpenRequest | None = None
    kept: OpenRequest | None = None


def run_forget(
    workspace: Workspace,
    key: str,
    around: Surroundings,
    confirm: Callable[[str], bool],
    *,
    request: bool,
) -> Forgotten:
    """Forgets what is recorded of an opportunity, or with `request` only gives up on its open
    request. `confirm` is asked first. Nothing is sent.

    Raises UsageError when there is nothing to forget, RefusedError when the answer was no.
    """
    with workspace.store.writer(new_run(around), around.now()) as writer:
        name = key_among(key, writer.recorded.entries)
        entry = writer.recorded.entries[name]
        if request:
            return _give_up(writer, name, entry.pending, around, confirm)
        values = len(entry.fields) + (entry.note is not ABSENT)
        _ask(confirm, f"forget {counted(values, 'recorded value')} of {name}?")
        names = (*entry.fields, NOTE)
        writer.record([Released(name, around.now(), tuple(sorted(names)), whole=True)])
        return Forgotten(name, values, kept=entry.pending)


def _give_up(
    writer: Writer,
    key: str,
    opened: OpenRequest | None,
    around: Surroundings,
    confirm: Callable[[str], bool],
) -> Forgotten:
    if opened is None:
        raise UsageError(
            f"{key} has no open request",
            hint=f"to forget its values:\n\n  lsq-sync state forget {key}",
        )
    sent = f"request {opened.request_id}" if opened.request_id else "the update without an answer"
    _ask(
        confirm,
        f"give up on {sent} of {key}, sent {moment(opened.sent_at)}? It may still be carried out",
    )
    writer.record([GivenUp(key, around.now(), opened.run)])
    return Forgotten(key, 0, request=opened)


def _ask(confirm: Callable[[str], bool], question: str) -> None:
    if not confirm(question):
        raise RefusedError("nothing was forgotten: the answer was not yes", code="declined")


def run_merge(workspace: Workspace, around: Surroundings) -> Merged | None:
    """Resolves the conflict that git has left in the lock; None where there is none."""
    return workspace.store.merge(around.now())


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
