"""Live values: what a command reads from the synchronous host, and what it learns by that."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from lsq_sync.commands.workspace import Workspace
from lsq_sync.core.events import Seen
from lsq_sync.core.model import DesiredOpportunity, LiveOpportunity
from lsq_sync.core.reading import Rules, Wanted, readable, shows, wanted_of, wanted_of_request
from lsq_sync.core.state import Entry, Recorded
from lsq_sync.core.values import ValueRules, is_guid
from lsq_sync.lock.writer import Writer
from lsq_sync.poller import ReadBack
from lsq_sync.reader import Reader
from lsq_sync.running import Recorder
from lsq_sync.spec.read import Specs
from lsq_sync.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What it takes to read opportunities and to compare what they hold, by type."""

    values: ValueRules
    rules: Callable[[str], Rules]
    codes: Callable[[str], int | None]
    desired: Mapping[str, DesiredOpportunity] = field(default_factory=dict)

    def request(self, key: str, entry: Entry | None) -> Wanted | None:
        """What to read of an open request; None where there is none, or no GUID to read it by."""
        if entry is None or entry.pending is None:
            return None
        known = self.desired.get(key)
        code = known.code if known else self.codes(entry.type)
        one = wanted_of_request(key, entry, entry.pending, code)
        return one if is_guid(one.identifier) else None

    def sensitive_in(self, entry: Entry | None) -> tuple[str, ...]:
        """The values of sensitive fields that an opportunity has, or is about to have."""
        if entry is None:
            return ()
        rules = self.rules(entry.type)
        opened = entry.pending.payload.fields if entry.pending else {}
        held = (*entry.fields.items(), *opened.items())
        return tuple(
            value for name, value in held if value and (rule := rules.get(name)) and rule.sensitive
        )


def knowledge_of_specs(workspace: Workspace, specs: Specs) -> Knowledge:
    """What the specs say, and the type schemas that they name."""
    kinds = specs.types
    return Knowledge(
        values=workspace.settings.values,
        rules=lambda name: kinds[name].fields if name in kinds else workspace.field_rules(name),
        codes=lambda name: kinds[name].code if name in kinds else None,
        desired={one.key: one for one in specs.opportunities},
    )


def knowledge_of_lock(workspace: Workspace, recorded: Recorded) -> Knowledge:
    """What is known without the specs, which may be broken."""
    names = {entry.type for entry in recorded.entries.values() if entry.pending and entry.type}
    kinds = {name: kind for name in sorted(names) if (kind := workspace.type_named(name))}
    return Knowledge(
        values=workspace.settings.values,
        rules=lambda name: kinds[name].fields if name in kinds else {},
        codes=lambda name: kinds[name].code if name in kinds else None,
    )


def seen_in(
    live: Mapping[str, LiveOpportunity], writer: Writer, know: Knowledge, around: Surroundings
) -> tuple[Seen, ...]:
    """An event for each open request whose every value is in the CRM."""
    return tuple(
        Seen(key, around.now(), entry.pending.run)
        for key, one in live.items()
        if (entry := writer.entry(key)) and entry.pending and not entry.pending.seen
        if shows(entry.pending.payload, one, know.rules(entry.type), know.values)
    )


def reading_back(
    reader: Reader, recorder: Recorder, writer: Writer, know: Knowledge, around: Surroundings
) -> ReadBack:
    """Settles open requests by what the CRM shows."""

    async def read_back(keys: Collection[str]) -> Collection[str]:
        wanted = readable(know.request(key, writer.entry(key)) for key in keys)
        live = await reader.read(wanted)
        events = seen_in(live, writer, know, around)
        if events:
            await recorder.record(*events)
        for event in events:
            around.tell(event)
        return {event.key for event in events}

    return read_back


def of_records(know: Knowledge, keys: Iterable[str], recorded: Recorded) -> tuple[Wanted, ...]:
    """What to read of these opportunities: what their specs manage, and what is on its way."""
    found = []
    for key in dict.fromkeys(keys):
        one, entry = know.desired.get(key), recorded.entries.get(key)
        own, opened = one and wanted_of(one, entry), know.request(key, entry)
        if own and opened:
            own = replace(own, names=tuple(dict.fromkeys((*own.names, *opened.names))))
        found.append(own or opened)
    return readable(found)
