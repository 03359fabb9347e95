"""`lsq-sync accept`: live values into the specs, in place, and into the lock. Nothing is sent.

The specs are written first: a run that is killed between the two leaves specs that want what the
CRM has, which the next accept, or an apply, records. The other way round the lock would take a
value of the CRM for our own, and the next apply would write over it without a word.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from lsq_sync import signals
from lsq_sync.commands.left_behind import call_as_the_specs_do
from lsq_sync.commands.plan import Choice, selected
from lsq_sync.commands.refresh import live_values
from lsq_sync.commands.state import key_among
from lsq_sync.commands.workspace import Workspace, new_run
from lsq_sync.core.accepting import Accepted, Kept, Report, Taken, weigh
from lsq_sync.core.events import Adopted
from lsq_sync.core.model import DesiredOpportunity, Live
from lsq_sync.core.plan import PlanRules, wanted_fields
from lsq_sync.core.reading import WHY_UNREAD, readable, wanted_of
from lsq_sync.core.state import NOTE, Entry, Payload
from lsq_sync.core.values import ABSENT, Value, ValueRules, is_guid, same_as_live
from lsq_sync.errors import Origin, UsageError
from lsq_sync.lock.disk import replace_file, told_as_storage_error
from lsq_sync.lock.writer import Writer
from lsq_sync.spec.build import Built
from lsq_sync.spec.document import Block
from lsq_sync.spec.dump import Tree
from lsq_sync.spec.edit import CannotEditError, edited
from lsq_sync.spec.fields import tree_of
from lsq_sync.spec.load import load
from lsq_sync.spec.names import called, suggestion
from lsq_sync.spec.read import Specs, built_from
from lsq_sync.surroundings import Surroundings


def run(
    workspace: Workspace,
    key: str | None,
    names: tuple[str, ...],
    choice: Choice,
    around: Surroundings,
    watch: Callable[[str, str], None] = lambda _what, _answer: None,
    notice: Callable[[str], None] = lambda _text: None,
) -> Report:
    """Accepts for the opportunity `key`, or without one for all that were chosen.

    Raises UsageError for an opportunity or a field that the specs do not have, and what reading
    specs, lock and CRM raises.
    """
    with (
        signals.held(),
        workspace.store.writer(new_run(around), around.now()) as writer,
        signals.let_through(),
    ):
        specs = workspace.specs()
        call_as_the_specs_do(writer, specs.opportunities, around.now())
        chosen = _chosen(workspace, specs, writer, key, choice, around)
        named = tuple(_name_among(name, chosen[0]) for name in names) if key else ()
        wanted = readable(wanted_of(one, writer.entry(one.key)) for one in chosen)
        live: Live = {}
        if wanted:
            live = live_values(workspace, writer.recorded, wanted, around, watch, notice)
        rules = workspace.rules(specs, around)
        return _Accept(workspace, rules, around, writer, live, named, key is not None).run_it(
            chosen
        )


def _chosen(
    workspace: Workspace,
    specs: Specs,
    writer: Writer,
    key: str | None,
    choice: Choice,
    around: Surroundings,
) -> tuple[DesiredOpportunity, ...]:
    if key is None:
        return selected(workspace, specs, writer.recorded, choice, around)[0]
    by_key = {one.key: one for one in specs.opportunities}
    return (by_key[key_among(key, by_key)],)


def _name_among(name: str, one: DesiredOpportunity) -> str:
    """A managed field by its schema name or display name, or the note by `note`."""
    known = {want.name: want.rule.title for want in wanted_fields(one)}
    found = called(name, known)
    if found is None:
        raise UsageError(
            f"no spec manages {name} of {one.key}",
            hint=suggestion(name, (*known, *filter(None, known.values()))),
        )
    return found


@dataclass(frozen=True, slots=True)
class _Wish:
    """One value that is to be taken; `spelt` is the key as the file writes it."""

    one: DesiredOpportunity
    taken: Taken
    spelt: str = ""


@dataclass(slots=True)
class _Accept:
    """One run of the command, step by step."""

    workspace: Workspace
    rules: PlanRules
    around: Surroundings
    writer: Writer
    live: Live
    names: tuple[str, ...]
    alone: bool
    kept: list[Kept] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    ahead: int = 0
    read: dict[str, tuple[DesiredOpportunity, ...]] = field(default_factory=dict)
    """What each edited file means."""

    def run_it(self, chosen: Iterable[DesiredOpportunity]) -> Report:
        wishes = [wish for one in chosen for wish in self._wishes(one)]
        by_file: dict[str, list[_Wish]] = {}
        for wish in wishes:
            if wish.taken.in_spec:
                by_file.setdefault(wish.one.origin.file, []).append(wish)
        done = [wish for wish in wishes if not wish.taken.in_spec]
        meant = {wish.one.key: wish.one for wish in wishes}
        texts: dict[str, bytes] = {}
        for file, listed in sorted(by_file.items()):
            before = (self.workspace.root / file).read_bytes()
            after, edits = self._edit(file, before, _as_spelt(before, listed))
            done += edits
            if after != before:
                texts[file] = after
                meant |= {one.key: one for one in self.read[file] if one.key in meant}
        accepted = tuple(_accepted(done, meant))
        with signals.held():
            self._keep(accepted, meant, texts)
        return Report(accepted, tuple(self.kept), tuple(self.missing), self.ahead, tuple(texts))

    def _wishes(self, one: DesiredOpportunity) -> Iterator[_Wish]:
        seen = self.live.get(one.key)
        if seen is None:
            if any(wanted_fields(one)):
                self.kept.append(Kept(one.key, "", WHY_UNREAD, one.origin))
            return
        if seen.missing:
            self.missing.append(one.key)
            return
        entry = self.writer.entry(one.key) or Entry()
        weighed = weigh(one, entry, seen, self.names, self.rules, alone=self.alone)
        self.kept += weighed.kept
        self.ahead += weighed.ahead
        yield from (_Wish(one, taken) for taken in weighed.taken)

    # --- the specs

    def _edit(self, file: str, data: bytes, wishes: list[_Wish]) -> tuple[bytes, list[_Wish]]:
        """The file with as many of the wishes in it as can be, and which; the others are told."""
        try:
            after = edited(data, {"opportunities": self._trees(wishes)})
            self._check(file, after, wishes)
        except CannotEditError as error:
            if len(wishes) == 1:
                (wish,) = wishes
                place = Origin(file, error.line)
                self.kept.append(Kept(wish.one.key, wish.taken.name, error.why, place))
                return data, []
            half = len(wishes) // 2
            data, first = self._edit(file, data, wishes[:half])
            data, second = self._edit(file, data, wishes[half:])
            return data, [*first, *second]
        return after, wishes

    def _trees(self, wishes: Iterable[_Wish]) -> dict[str, Tree]:
        """What the mapping of opportunities is to hold, under the keys as the file spells them."""
        values: dict[str, dict[str, Value]] = {}
        for wish in wishes:
            values.setdefault(wish.spelt, {})[wish.taken.name] = wish.taken.after
        rules = {(wish.spelt, wish.taken.name): wish.taken.rule for wish in wishes}
        return {
            key: tree_of(of_one, lambda name, key=key: rules[key, name], self._values)  # type: ignore[misc]
            for key, of_one in values.items()
        }

    def _check(self, file: str, data: bytes, wishes: Iterable[_Wish]) -> None:
        """Raises CannotEditError where the file would have a problem, or mean something else."""
        built = self._built(file, data)
        if built.problems:
            problem = built.problems[0]
            why = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
            raise CannotEditError(problem.origin.line, why)
        meant = {one.key: one for one in built.opportunities}
        for wish in wishes:
            taken = wish.taken
            values = {want.name: want.value for want in wanted_fields(meant[wish.one.key])}
            kind = taken.rule.data_type
            if not same_as_live(kind, taken.after, values.get(taken.name), self._values):
                raise CannotEditError(taken.origin.line, "a spec cannot say what the CRM has")
        self.read[file] = built.opportunities

    def _built(self, file: str, data: bytes) -> Built:
        schemas = self.workspace.settings.paths.schemas
        return built_from(self.workspace.root, data, file, schemas, self._values)

    @property
    def _values(self) -> ValueRules:
        return self.workspace.settings.values

    # --- the lock

    def _keep(
        self,
        accepted: Iterable[Accepted],
        meant: Mapping[str, DesiredOpportunity],
        texts: Mapping[str, bytes],
    ) -> None:
        for file, data in texts.items():
            path = self.workspace.root / file
            with told_as_storage_error(path):
                replace_file(path, data)
        now = self.around.now()
        events = tuple(
            Adopted(one.key, now, _payload(one, meant[one.key]), one.type) for one in accepted
        )
        if events:
            self.writer.record(events)


def _as_spelt(data: bytes, wishes: Iterable[_Wish]) -> list[_Wish]:
    """GUIDs may be written in any case."""
    document = load(data, "").document
    listed = document.get("opportunities") if isinstance(document, Block) else None
    keys = listed if isinstance(listed, Block) else {}
    spelt = {key.lower() if is_guid(key) else key: key for key in keys}
    return [replace(wish, spelt=spelt[wish.one.key]) for wish in wishes]


def _payload(accepted: Accepted, meant: DesiredOpportunity) -> Payload:
    """What the specs say by now, which is what the next plan compares."""
    names = {taken.name for taken in accepted.taken}
    values = {want.name: want.value for want in wanted_fields(meant) if want.name in names}
    note = values.pop(NOTE) if NOTE in values else ABSENT
    return Payload(values, note)


def _accepted(
    wishes: Iterable[_Wish], meant: Mapping[str, DesiredOpportunity]
) -> Iterator[Accepted]:
    """By opportunity, in the order of the specs, with the places where the values stand now."""
    by_key: dict[str, list[Taken]] = {}
    for wish in wishes:
        by_key.setdefault(wish.one.key, []).append(wish.taken)
    for one in sorted((meant[key] for key in by_key), key=lambda one: one.origin):
        places = {want.name: want.origin for want in wanted_fields(one)}
        taken = tuple(replace(part, origin=places[part.name]) for part in by_key[one.key])
        yield Accepted(one.key, one.type, one.label, one.origin, taken)
