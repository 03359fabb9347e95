"""`lsq-sync why`: where the values of an opportunity come from, and what became of them."""

from collections.abc import Iterable
from dataclasses import replace

from lsq_sync.commands.state import key_among
from lsq_sync.commands.workspace import Workspace
from lsq_sync.core.model import UNTYPED, DesiredOpportunity, FieldRule
from lsq_sync.core.plan import NOTE_RULE, carried_value, wanted_fields
from lsq_sync.core.provenance import Attempt, Ending, Explained, Reason, attempts
from lsq_sync.core.state import NOTE, Entry, value_of
from lsq_sync.core.values import ABSENT
from lsq_sync.errors import UsageError
from lsq_sync.git import commit_of
from lsq_sync.lock.history import past_events
from lsq_sync.spec.names import called, nearest
from lsq_sync.spec.read import Specs


def run(workspace: Workspace, key: str, names: tuple[str, ...]) -> Explained:
    """Explains the fields of an opportunity, all by default. Offline, without keys.

    Raises UsageError when nothing is known of it or of a field, and what reading specs and lock
    raises.
    """
    specs = workspace.specs()
    recorded = workspace.store.read()
    desired = {one.key: one for one in specs.opportunities}
    found = key_among(key, {*desired, *recorded.entries})
    one, entry = desired.get(found), recorded.entries.get(found) or Entry()
    tried = attempts(pair for pair in past_events(workspace.state_folder) if pair[1].key == found)
    kind = one.type if one else entry.type
    known = _reasons(one, entry, tried, _rules(workspace, specs, kind))
    chosen = _chosen(names, known, found)
    return Explained(
        key=found,
        type=kind,
        label=one.label if one else "",
        guid=entry.guid,
        origin=one.origin if one else None,
        last=entry.request,
        reasons=tuple(_with_commit(workspace, reason) for reason in chosen),
    )


def _rules(workspace: Workspace, specs: Specs, kind: str) -> dict[str, FieldRule]:
    return dict(specs.types[kind].fields if kind in specs.types else workspace.field_rules(kind))


def _reasons(
    one: DesiredOpportunity | None,
    entry: Entry,
    tried: dict[str, Attempt],
    rules: dict[str, FieldRule],
) -> dict[str, Reason]:
    """In the order of the spec, then what only the lock or the past knows, by name."""
    wanted = {want.name: want for want in wanted_fields(one)} if one else {}
    carried = entry.pending.payload.names if entry.pending else ()
    noted = () if entry.note is ABSENT else (NOTE,)
    names = dict.fromkeys((*wanted, *sorted({*entry.fields, *noted, *carried, *tried})))
    return {
        name: Reason(
            name=name,
            rule=NOTE_RULE if name == NOTE else rules.get(name, UNTYPED),
            desired=wanted[name].value if name in wanted else ABSENT,
            recorded=value_of(entry, name),
            carried=carried_value(entry.pending, name),
            origin=wanted[name].origin if name in wanted else None,
            attempt=tried.get(name) or _last_request(entry, name),
        )
        for name in names
    }


def _last_request(entry: Entry, name: str) -> Attempt | None:
    """What the lock itself says: enough where another machine applied, and has the journals."""
    opened = entry.pending
    if opened and name in opened.payload.names:
        ending: Ending = "pending" if opened.request_id else "unknown"
        return Attempt(opened.run, opened.sent_at, ending, opened.request_id)
    return None


def _chosen(names: tuple[str, ...], known: dict[str, Reason], key: str) -> Iterable[Reason]:
    """Fields are named by schema name, by display name, or the note by `note`."""
    if not names:
        return known.values()
    titles = {reason.name: reason.rule.title for reason in known.values()}
    found = []
    for name in names:
        field = called(name, titles)
        if field is None:
            near = nearest(name, known)
            raise UsageError(
                f"nothing is known of {name} of {key}",
                hint=f"did you mean {near}?" if near else f"known are {', '.join(known)}",
            )
        found.append(known[field])
    return found


def _with_commit(workspace: Workspace, reason: Reason) -> Reason:
    if reason.origin is None:
        return reason
    commit = commit_of(workspace.root, reason.origin.file, reason.origin.line)
    return replace(reason, commit=commit)
