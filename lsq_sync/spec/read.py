"""The spec files and type schemas of a workspace: found, read, checked and built in one go."""

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from lsq_sync.core.model import DesiredOpportunity
from lsq_sync.core.values import ValueRules, shown
from lsq_sync.errors import Diagnostic, Origin, WorkspaceError
from lsq_sync.spec.build import Built, build, duplicates
from lsq_sync.spec.document import Block, Node
from lsq_sync.spec.files import MAX_BYTES, spec_files
from lsq_sync.spec.load import decoded, load, too_large
from lsq_sync.spec.names import nearest, suggestion
from lsq_sync.spec.stencil import Stencils
from lsq_sync.spec.types import SUFFIX, OpportunityType, read_type
from lsq_sync.spec.validate import problems, spec_problems

_TYPE_NAME = re.compile("[a-z0-9][a-z0-9_-]{0,63}")
"""As in the format of a spec; it becomes part of a path."""


def is_type_name(text: str) -> bool:
    """Whether a type can be called so: it is part of a file name."""
    return _TYPE_NAME.fullmatch(text) is not None


def type_name_of(title: str) -> str:
    """The name of a type by its display name: `Home Loan` is `home-loan`; a name stays itself."""
    if is_type_name(title):
        return title
    return "-".join(re.findall("[a-z0-9]+", title.lower()))[:64].rstrip("-")


@dataclass(frozen=True, slots=True)
class Specs:
    """All that the specs say, and everything that is wrong with them, sorted by place."""

    opportunities: tuple[DesiredOpportunity, ...]
    types: dict[str, OpportunityType]
    files: tuple[str, ...]
    problems: tuple[Diagnostic, ...]
    digests: Mapping[str, str]
    """What tells one content of a file from another, of each that could be read."""


def find_specs(root: Path, folder: str) -> tuple[str, ...]:
    """The spec files below a folder of the workspace, sorted, hidden ones left out.

    Raises WorkspaceError when there is no such folder, or one below it cannot be read: without
    it a plan would release whatever stands there.
    """
    top = root / folder
    if not top.is_dir():
        raise WorkspaceError(
            f"there is no folder {folder}/ in the workspace {root}",
            hint="create it, or set paths.specs in lsq-sync.yaml",
        )

    def stop(error: OSError) -> None:
        place = Path(str(error.filename)).relative_to(root).as_posix()
        raise WorkspaceError(
            f"{place} cannot be read: {error.strerror}",
            hint="make it readable: without its specs, its opportunities would be released",
        )

    names = spec_files(os.fspath(top), stop)
    return tuple(sorted((Path(folder) / name).as_posix() for name in names))


def read_specs(root: Path, files: Iterable[str], schemas: str, rules: ValueRules) -> Specs:
    """Reads the files (paths relative to `root`); never raises for what stands in them."""
    reader = _Reader(root, schemas, rules)
    names = tuple(files)
    built = [reader.read(name) for name in names]
    opportunities = tuple(one for part in built for one in part.opportunities)
    found = [problem for part in built for problem in part.problems]
    found += duplicates(opportunities)
    problems = tuple(sorted(set(found)))
    return Specs(opportunities, reader.types, names, problems, reader.digests)


def read_one_by_one(
    root: Path, files: Iterable[str], schemas: str, rules: ValueRules
) -> Iterator[tuple[str, Built, str | None]]:
    """Each file with what stands in it, and what tells one content of it from another; None where
    it could not be read."""
    reader = _Reader(root, schemas, rules)
    for file in files:
        built = reader.read(file)
        yield file, built, reader.digests.get(file)


def built_from(root: Path, data: bytes, file: str, schemas: str, rules: ValueRules) -> Built:
    """What stands in `data`, as if it were this spec file; never raises for what that is."""
    return _Reader(root, schemas, rules).built(data, file)


class _Reader:
    """Reads spec files and, once each, the type schemas that they name."""

    def __init__(self, root: Path, schemas: str, rules: ValueRules) -> None:
        self._root = root
        self._types_folder = f"{schemas}/types"
        self._rules = rules
        self._broken_types: set[str] = set()
        self._stencils = Stencils()
        self.types: dict[str, OpportunityType] = {}
        self.digests: dict[str, str] = {}

    def read(self, file: str) -> Built:
        data = _bytes_of(self._root / file, file)
        if isinstance(data, Diagnostic):
            return Built((), (data,))
        self.digests[file] = hashlib.sha256(data).hexdigest()
        return self.built(data, file)

    def built(self, data: bytes, file: str) -> Built:
        loaded = load(data, file, self._stencils)
        if loaded.document is None and loaded.problems:
            return Built((), loaded.problems)
        document = loaded.document
        kind, about_type = self._type_of(document, file)
        typed = _typed_problems(document, file, kind) if kind else []
        built = build(document, file, kind, self._rules)
        told = (loaded.problems, about_type, typed, spec_problems(document, file), built.problems)
        return Built(built.opportunities, tuple(_one_a_place(told)))

    def _type_of(
        self, document: Node, file: str
    ) -> tuple[OpportunityType | None, tuple[Diagnostic, ...]]:
        name = document.get("type") if isinstance(document, Block) else None
        if not isinstance(document, Block) or not isinstance(name, str):
            return None, ()
        origin = Origin(file, *document.value_place("type"))
        kind, fault = self._type(name, origin)
        if kind is None:
            return None, (fault,) if fault else ()
        code = document.get("code")
        if isinstance(code, str) and code != str(kind.code):
            place = Origin(file, *document.value_place("code"))
            message = f"the code is {code}, but the type {name} has {kind.code}"
            return kind, (Diagnostic(place, "code", message, "delete the line"),)
        return kind, ()

    def _type(self, name: str, origin: Origin) -> tuple[OpportunityType | None, Diagnostic | None]:
        """The type; a fault of its file is told once, a missing file wherever it is named."""
        if name in self.types or name in self._broken_types:
            return self.types.get(name), None
        file = f"{self._types_folder}/{name}{SUFFIX}"
        named = _TYPE_NAME.fullmatch(name) is not None
        if not named or not os.path.lexists(self._root / file):
            where = f": {file} does not exist" if named else ""
            hint = suggestion(name, self._known_types())
            if named and not nearest(name, self._known_types()):
                pull = f"lsq-sync schema pull --type {name}"
                hint = f"delete the line, or take the type from the account:\n\n  {pull}"
            return None, Diagnostic(
                origin, "unknown-type", f"there is no type {shown(name)}{where}", hint
            )
        kind = _type_in(self._root / file, name, file)
        if isinstance(kind, Diagnostic):
            self._broken_types.add(name)
            return None, kind
        self.types[name] = kind
        return kind, None

    def _known_types(self) -> list[str]:
        folder = self._root / self._types_folder
        return sorted(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}"))


def _bytes_of(path: Path, file: str) -> bytes | Diagnostic:
    """What stands in a file of at most MAX_BYTES; a pipe or a device is none."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return _unreadable(file, "it is not a file")
        return too_large(found.st_size, file) if found.st_size > MAX_BYTES else path.read_bytes()
    except OSError as error:
        return _unreadable(file, str(error.strerror))


def _unreadable(file: str, why: str) -> Diagnostic:
    hint = "make it readable, or take it away"
    return Diagnostic(Origin(file), "unreadable", f"cannot be read: {why}", hint)


def _type_in(path: Path, name: str, file: str) -> OpportunityType | Diagnostic:
    data = _bytes_of(path, file)
    text = data if isinstance(data, Diagnostic) else decoded(data, file)
    return text if isinstance(text, Diagnostic) else read_type(name, text, file)


def _typed_problems(document: Node, file: str, kind: OpportunityType) -> list[Diagnostic]:
    """An alias is the same mapping again: it is checked once."""
    found = []
    for block in {id(block): block for block in _field_blocks(document)}.values():
        found += problems(block, file, kind.fields_schema)
    return found


def _field_blocks(document: Node) -> Iterator[Block]:
    """Every mapping of fields in a document: the defaults' and each opportunity's."""
    if not isinstance(document, Block):
        return
    listed = document.get("opportunities")
    owners = [document.get("defaults"), *(listed.values() if isinstance(listed, Block) else ())]
    for owner in owners:
        fields = owner.get("fields") if isinstance(owner, Block) else None
        if isinstance(fields, Block):
            yield fields


def _one_a_place(groups: Iterable[Iterable[Diagnostic]]) -> Iterator[Diagnostic]:
    """What an earlier group says of a place is more to the point than what a later one says."""
    told: set[Origin] = set()
    for group in groups:
        fresh = [problem for problem in group if problem.origin not in told]
        yield from fresh
        told.update(problem.origin for problem in fresh)
