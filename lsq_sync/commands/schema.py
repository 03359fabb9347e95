"""`lsq-sync schema pull`: an opportunity type's metadata into its type schema. Sends nothing."""

import json
import posixpath
from collections.abc import Callable
from dataclasses import dataclass

from lsq_sync.commands.refresh import check_account, need_host
from lsq_sync.commands.session import Session, Talk
from lsq_sync.commands.workspace import Workspace
from lsq_sync.core.metadata import ListedType, TypeMetadata
from lsq_sync.core.type_change import PulledType
from lsq_sync.core.values import shown
from lsq_sync.crm.credentials import FOR_READS
from lsq_sync.errors import Diagnostic, SpecError, UsageError
from lsq_sync.lock.disk import content_of, replace_file, told_as_storage_error
from lsq_sync.reader import Reader, TypeReader
from lsq_sync.spec.load import decoded
from lsq_sync.spec.names import nearest
from lsq_sync.spec.read import is_type_name, type_name_of
from lsq_sync.spec.schemas import Schema, schema_text
from lsq_sync.spec.type_changes import changes
from lsq_sync.spec.type_schema import to_text, type_schema
from lsq_sync.spec.types import SUFFIX, OpportunityType, read_type
from lsq_sync.surroundings import Surroundings

_SPEC_SCHEMA = "spec.schema.json"


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which type is meant: its code, or what to look for among the account's types."""

    wanted: str
    code: int | None
    before: Schema | None


def run(
    workspace: Workspace,
    name: str | None,
    code: int | None,
    around: Surroundings,
    watch: Callable[[str, str], None] = lambda _what, _answer: None,
) -> PulledType:
    """Reads the type and writes its schema, unless that is what stands there already.

    `name` is the type's name or its display name; without `code` the schema that is there tells
    it, else the account's list of types. Raises UsageError, SpecError for a schema that cannot be
    read, what reading the CRM raises, or StorageError; nothing is written then.
    """
    if name is None and code is None:
        raise UsageError("which type?", hint="name it, or its event code:\n\n  --type loan")
    need_host(workspace, "the type")
    asked = _asked(workspace, name, code)
    recorded = workspace.store.read()

    async def ask(session: Session) -> TypeMetadata:
        if recorded.account and recorded.account.short_code:
            check_account(recorded, await Reader(session.client, around).short_code())
        reader = TypeReader(session.client, around)
        chosen = asked.code or _chosen(await reader.types(), asked.wanted)
        return await reader.metadata(chosen)

    talk = Talk(workspace, around, FOR_READS, watch)
    told = talk.hold_or_raise(ask, "stopped while it was reading; nothing was written")
    return _keep(workspace, asked, told)


def _asked(workspace: Workspace, name: str | None, code: int | None) -> _Asked:
    wanted = name or ""
    before = _before(workspace, _file(workspace, type_name_of(wanted))) if wanted else None
    known = before["x-lsq-code"] if before else None
    if code and known and code != known:
        file = _file(workspace, type_name_of(wanted))
        raise UsageError(
            f"{file} describes the event code {known:.0f}, not {code}",
            hint="name another type, or delete the file first",
        )
    return _Asked(wanted, code or (known and int(known)), before)


def _file(workspace: Workspace, name: str) -> str:
    return f"{workspace.settings.paths.schemas}/types/{name}{SUFFIX}"


def _before(workspace: Workspace, file: str) -> Schema | None:
    """The schema that stands there. Raises SpecError where it cannot be read: what somebody
    marked in it, such as sensitive fields, would be lost."""
    with told_as_storage_error(workspace.root / file):
        data = content_of(workspace.root / file)
    if data is None:
        return None
    text = decoded(data, file)
    found = text if isinstance(text, Diagnostic) else read_type("", text, file)
    if isinstance(text, str) and isinstance(found, OpportunityType):
        content: Schema = json.loads(text)
        return content
    assert isinstance(found, Diagnostic)
    raise SpecError(
        f"{file} cannot be read, so what was added to it by hand would be lost",
        hint="correct it, take it back from git, or delete it; then pull again",
        diagnostics=(found,),
    )


def _chosen(types: tuple[ListedType, ...], wanted: str) -> int:
    """The code of the type that is called so. Raises UsageError unless there is one."""
    fitting = [one for one in types if one.title.casefold() == wanted.casefold()]
    fitting = fitting or [one for one in types if type_name_of(one.title) == type_name_of(wanted)]
    if len(fitting) == 1:
        return fitting[0].code
    listed = ", ".join(f"{one.title} ({one.code})" for one in fitting or types)
    if fitting:
        raise UsageError(
            f"several types of the account are called {shown(wanted)}: {listed}",
            hint="name the event code too: --code",
        )
    near = nearest(wanted, [one.title for one in types])
    guess = f"did you mean {near}? " if near else ""
    raise UsageError(
        f"the account has no opportunity type {shown(wanted)}",
        hint=f"{guess}its types are {listed or 'none'}",
    )


def _keep(workspace: Workspace, asked: _Asked, told: TypeMetadata) -> PulledType:
    name = type_name_of(asked.wanted or told.title)
    if not is_type_name(name):
        raise UsageError(
            f"no type can be called {shown(asked.wanted or told.title)}",
            hint="name it in lower-case letters, digits, - and _: --type loan",
        )
    file = _file(workspace, name)
    before = asked.before if asked.wanted else _asked(workspace, name, told.code).before
    content = type_schema(name, told, before)
    spec_schema = f"{workspace.settings.paths.schemas}/{_SPEC_SCHEMA}"
    texts = {file: to_text(content), spec_schema: schema_text(_SPEC_SCHEMA)}
    written = tuple(path for path, text in texts.items() if _write(workspace, path, text))
    return PulledType(
        name=name,
        title=told.title,
        code=told.code,
        file=file,
        reference=posixpath.relpath(file, workspace.settings.paths.specs),
        fields=len(told.fields),
        is_new=before is None,
        written=written,
        changes=changes(before, content) if before else (),
        left_out=told.left_out,
        problems=_problems(workspace, name, file),
    )


def _write(workspace: Workspace, file: str, text: str) -> bool:
    """Whether the file was not that already."""
    path = workspace.root / file
    with told_as_storage_error(path):
        if content_of(path) == text.encode():
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_file(path, text.encode())
    return True


def _problems(workspace: Workspace, name: str, file: str) -> tuple[Diagnostic, ...]:
    """What is wrong in the specs of this type, and in its schema."""
    specs = workspace.checked_specs()
    files = {one.origin.file for one in specs.opportunities if one.type == name} | {file}
    return tuple(problem for problem in specs.problems if problem.origin.file in files)
