"""`lsq-sync import`: live opportunities into a spec file and the lock. Nothing is sent.

The lock learns first: a run that is killed between the two leaves recorded values that no spec
has, which a plan would only forget, and the same import works again. The other way round, a spec
without its recorded values would plan updates.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path

from lsq_sync import signals
from lsq_sync.commands.refresh import keep_account, need_host
from lsq_sync.commands.session import Session, Talk
from lsq_sync.commands.steps import Steps
from lsq_sync.commands.workspace import Workspace, new_run
from lsq_sync.core.identity import as_the_specs_call_it
from lsq_sync.core.importing import Draft, Report, Skipped, events_of, sorted_out
from lsq_sync.core.model import SUBFIELD, Live
from lsq_sync.core.reading import Wanted
from lsq_sync.core.state import NOTE
from lsq_sync.core.values import DataType, ValueProblemError, canonical
from lsq_sync.crm.credentials import FOR_READS
from lsq_sync.errors import SpecError, UsageError
from lsq_sync.lister import Listed, list_modified
from lsq_sync.lock.disk import content_of, replace_file, told_as_storage_error
from lsq_sync.lock.writer import Writer
from lsq_sync.reader import PageReader, Reader
from lsq_sync.spec.build import Built
from lsq_sync.spec.document import Block
from lsq_sync.spec.edit import CannotEditError, edited
from lsq_sync.spec.imported import (
    Checked,
    Target,
    checked,
    draft_of,
    field_places,
    new_spec,
    tree_of,
)
from lsq_sync.spec.load import load
from lsq_sync.spec.names import suggestion
from lsq_sync.spec.read import Specs, built_from
from lsq_sync.spec.types import SUFFIX, OpportunityType
from lsq_sync.surroundings import Surroundings

_ENDINGS = (".yaml", ".yml")
_NAME_FIELD = "mx_Custom_1"
"""Holds the name of an opportunity (seen on live accounts), where no field says that it does."""

_NAME_TITLES = ("Opportunity Name", "Name")
_NOTE_NAMES = ("note", NOTE, "ActivityEvent_Note")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Options:
    """What to import, of which kind, and where to."""

    ids: tuple[str, ...] = ()
    modified_since: str | None = None
    type: str | None = None
    code: int | None = None
    fields: tuple[str, ...] = ()
    out: str | None = None


def run(
    workspace: Workspace,
    options: Options,
    around: Surroundings,
    steps: Steps,
    watch: Callable[[str, str], None] = lambda _what, _answer: None,
) -> Report:
    """Imports. Raises an LsqSyncError for whatever stops it before anything is written."""
    need_host(workspace, "live values")
    target = _target(workspace, options)
    file = _file(workspace, options.out or f"{workspace.settings.paths.specs}/{_stem(target)}.yaml")
    talk = Talk(workspace, around, FOR_READS, watch, steps.notice)
    talk.keys()
    with (
        signals.held(),
        workspace.store.writer(new_run(around), around.now()) as writer,
        signals.let_through(),
    ):
        return _Import(workspace, options, target, file, around, steps, talk, writer).run_it()


@dataclass(slots=True)
class _Import:
    """One run of the command, step by step."""

    workspace: Workspace
    options: Options
    target: Target
    file: str
    around: Surroundings
    steps: Steps
    talk: Talk
    writer: Writer
    missed: int = 0
    skipped: tuple[Skipped, ...] = field(default_factory=tuple)

    def run_it(self) -> Report:
        started = self.around.monotonic()
        specs = self.workspace.specs()
        path = self.workspace.root / self.file
        before = content_of(path)
        names = self._names(before)
        live = self._read(specs, names)
        found = {key: one for key, one in live.items() if not one.missing}
        done = self._checked(found, names, before)
        if done.drafts:
            after = _text(done.drafts, self.target, self.file, before, self.workspace)
            with signals.held():
                self._keep(done, path, after)
        return Report(
            file=self.file,
            is_new=before is None,
            type=self.target.type,
            code=self.target.code,
            drafts=done.drafts,
            skipped=self.skipped,
            missing=tuple(key for key, one in live.items() if one.missing),
            left_out=done.left_out,
            not_managed=_not_managed(self.options, self.target),
            titles=_titles(self.target),
            unlisted=self.missed,
            calls=asdict(self.talk.calls),
            elapsed_seconds=self.around.monotonic() - started,
        )

    # --- gathering

    def _names(self, before: bytes | None) -> tuple[str, ...]:
        """The fields to import: those asked for, or all; and what the file has defaults for, as
        an opportunity that does not name such a field would get the default."""
        chosen = dict.fromkeys(_chosen(self.options.fields, self.target))
        return tuple(chosen | dict.fromkeys(_defaults_in(before, self.file, self.target)))

    def _read(self, specs: Specs, names: tuple[str, ...]) -> Live:
        """What the CRM says of those that are to be imported."""
        label = _label_field(self.target)
        columns = tuple(dict.fromkeys((*names, *([label] if label else []))))

        async def read(session: Session) -> Live:
            told = 0

            def tell(number: int) -> None:
                nonlocal told
                told += number
                self.steps.step(told)

            reader = Reader(session.client, self.around, tell, of_their_type=True)
            await keep_account(reader, self.writer)
            asked = [*self.options.ids, *await self._listed(session)]
            chosen = sorted_out(asked, specs.opportunities, self.writer.recorded.entries)
            self.skipped = chosen.skipped
            self.steps.begin("reading", len(chosen.wanted))
            code = self.target.code
            return await reader.read(Wanted(key, key, columns, code) for key in chosen.wanted)

        try:
            return self.talk.hold_or_raise(read, "stopped while it was reading")
        finally:
            self.steps.end()

    async def _listed(self, session: Session) -> tuple[str, ...]:
        """The ids of what was modified since. The end of the window is tomorrow, so that what is
        modified while we turn pages does not fall out of it."""
        if self.options.modified_since is None:
            return ()
        since = _moment(self.options.modified_since, self.target)
        until = (self.around.now() + _DAY).strftime("%Y-%m-%d %H:%M:%S")
        self.steps.notice(f"listing what was modified since {since} UTC")
        pages = PageReader(session.client, self.around)
        listed: Listed = await list_modified(pages, self.target.code, since, until)
        self.missed = listed.missed
        return listed.ids

    # --- deciding

    def _checked(self, found: Live, names: tuple[str, ...], before: bytes | None) -> Checked:
        """What a spec can say of them. Where that is not all that the file has defaults for, a
        plan would set the default: such an opportunity is not imported."""
        label = _label_field(self.target)
        defaults = set(_defaults_in(before, self.file, self.target))
        empty = (set(names) if self.options.fields else set()) | defaults
        drafts = [
            draft_of(key, one, names, _name_of(one.fields.get(label)), self.target, empty)
            for key, one in found.items()
        ]
        done = checked(drafts, found, self.target, self._built)
        spoilt = {left.key for left in done.left_out if left.name in defaults}
        kept = tuple(draft for draft in done.drafts if draft.key not in spoilt)
        written = {draft.key for draft in kept}
        told = {left.key for left in done.left_out}
        self.skipped += tuple(
            Skipped(key, "none of its fields has a value that a spec can say")
            if key not in spoilt
            else Skipped(key, f"{self.file} has a default for a value that a spec cannot say")
            for key in found
            if key not in written and (key in spoilt or key not in told)
        )
        return Checked(kept, done.meant, done.left_out)

    def _built(self, data: bytes) -> Built:
        settings = self.workspace.settings
        return built_from(
            self.workspace.root, data, self.file, settings.paths.schemas, settings.values
        )

    # --- doing

    def _keep(self, done: Checked, path: Path, after: bytes) -> None:
        meant = [done.meant[draft.key] for draft in done.drafts]
        now = self.around.now()
        recorded, renamed = as_the_specs_call_it(meant, self.writer.recorded, now)
        self.writer.record((*renamed, *events_of(meant, recorded.entries, now)))
        with told_as_storage_error(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, after)


# --- what kind


def _target(workspace: Workspace, options: Options) -> Target:
    """The kind of opportunity. Raises UsageError where it is not clear, or not known."""
    values = workspace.settings.values
    known = _known_types(workspace)
    if options.type is not None:
        kind = workspace.type_named(options.type)
        if kind is None or kind.code is None:
            file = f"{workspace.settings.paths.schemas}/types/{options.type}{SUFFIX}"
            hint = suggestion(options.type, known) or "make it, or import by --code and --fields"
            raise UsageError(f"there is no type schema {file} that can be read", hint=hint)
        if options.code not in (None, kind.code):
            raise UsageError(f"the type {kind.name} has the code {kind.code}, not {options.code}")
        return Target(kind.code, kind, values)
    if options.code is not None:
        found = next((kind for kind in known.values() if kind.code == options.code), None)
        if found is None and not options.fields:
            raise UsageError(
                f"no type schema has the code {options.code}, so the fields are not known",
                hint="name them with --fields, or describe the type in "
                f"{workspace.settings.paths.schemas}/types/",
            )
        return Target(options.code, found, values)
    if len(known) == 1:
        (kind,) = known.values()
        assert kind.code is not None
        return Target(kind.code, kind, values)
    raise UsageError(
        "which opportunity type? name it with --type or --code",
        hint=f"types of this workspace: {', '.join(known)}" if known else "",
    )


def _known_types(workspace: Workspace) -> dict[str, OpportunityType]:
    folder = workspace.root / workspace.settings.paths.schemas / "types"
    names = sorted(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}"))
    found = ((name, workspace.type_named(name)) for name in names)
    return {name: kind for name, kind in found if kind is not None and kind.code is not None}


def _stem(target: Target) -> str:
    return target.type or str(target.code)


def _chosen(fields: tuple[str, ...], target: Target) -> Iterable[str]:
    """Names of fields and sub-fields; a custom field set stands for all its parts.

    Raises UsageError for one that the type does not have, or that no spec can set.
    """
    if target.kind is None:
        return tuple(NOTE if name in _NOTE_NAMES else name for name in fields)
    known = target.kind.manageable
    if not fields:
        return known
    chosen: list[str] = []
    for name in fields:
        if name in _NOTE_NAMES:
            chosen.append(NOTE)
            continue
        named = [one for one in known if one == name or one.startswith(f"{name}{SUBFIELD}")]
        if not named:
            why = target.kind.unmanageable.get(name)
            what = f"{name} cannot be managed: {why}" if why else f"there is no field {name}"
            raise UsageError(f"{what} (type {target.type})", hint=suggestion(name, known))
        chosen += named
    return chosen


def _not_managed(options: Options, target: Target) -> Mapping[str, str]:
    return target.kind.unmanageable if target.kind and not options.fields else {}


def _titles(target: Target) -> Mapping[str, str]:
    rules = target.kind.fields if target.kind else {}
    return {name: rule.title for name, rule in rules.items() if rule.title}


def _label_field(target: Target) -> str:
    """The field with the name of an opportunity; none where it is sensitive: labels are shown."""
    if target.kind is None:
        return _NAME_FIELD
    rules = target.kind.fields
    titled = (name for name, rule in rules.items() if rule.title in _NAME_TITLES)
    found = next(titled, _NAME_FIELD)
    return found if found in rules and not rules[found].sensitive else ""


def _name_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def _moment(text: str, target: Target) -> str:
    """A date or a moment of the command line, in UTC. Raises UsageError when it is none."""
    try:
        found = canonical(DataType.DATE_TIME, text, target.values)
    except ValueProblemError as fault:
        raise UsageError(f"--modified-since: {fault.message}", hint=fault.hint) from None
    if found is None:
        raise UsageError("--modified-since is empty", hint="write a date such as 2026-08-01")
    return found


# --- where to


def _file(workspace: Workspace, out: str) -> str:
    """The spec file, as the workspace calls it. Raises UsageError for one that is none."""
    folder = workspace.settings.paths.specs
    file = workspace.inside(out)
    parts = file.split("/")
    hidden = any(part.startswith(".") for part in parts)
    if not file.startswith(f"{folder}/") or not file.endswith(_ENDINGS) or hidden:
        raise UsageError(
            f"{out} would be no spec file",
            hint=f"specs stand under {folder}/ and end with .yaml or .yml",
        )
    return file


def _defaults_in(before: bytes | None, file: str, target: Target) -> tuple[str, ...]:
    """The fields that the file has defaults for.

    Raises UsageError where the file is for opportunities of another kind.
    """
    document = load(before, file).document if before is not None else None
    if not isinstance(document, Block):
        return ()
    has = (document.get("type"), document.get("code"))
    wants = (target.type or None, None if target.kind else str(target.code))
    if has != wants and has != (wants[0], str(target.code)):
        raise UsageError(
            f"{file} is for opportunities of {_kind_in_words(*has)}",
            hint="name another file with --out",
        )
    defaults = document.get("defaults")
    fields = defaults.get("fields") if isinstance(defaults, Block) else None
    return tuple(name for _, name in field_places(fields)) if isinstance(fields, Block) else ()


def _kind_in_words(name: object, code: object) -> str:
    if name:
        return f"the type {name}"
    return f"the code {code}" if code else "no particular type"


def _text(
    drafts: tuple[Draft, ...],
    target: Target,
    file: str,
    before: bytes | None,
    workspace: Workspace,
) -> bytes:
    """The whole file; where there is one already, with the drafts added and nothing else changed.

    Raises SpecError where nothing can be added to it.
    """
    if before is None:
        return new_spec(drafts, target, file, workspace.settings.paths.schemas).encode()
    try:
        added = {draft.key: tree_of(draft, target) for draft in drafts}
        return edited(before, {"opportunities": added})
    except CannotEditError as error:
        raise SpecError(
            f"{file}:{error.line}: nothing can be added to it: {error.why}",
            hint="name another file with --out",
        ) from None
