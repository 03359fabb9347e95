"""The workspace that a command works in: where it is, its settings, its specs, its state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lsq_sync.core.model import FieldRule
from lsq_sync.core.plan import PlanRules
from lsq_sync.core.selection import Selection
from lsq_sync.core.state import Recorded, RunID
from lsq_sync.errors import Diagnostic, SpecError, UsageError, WorkspaceError
from lsq_sync.lock.file import FileStore
from lsq_sync.places import SETTINGS, state_folder
from lsq_sync.spec.build import rules_by_type
from lsq_sync.spec.read import Specs, find_specs, read_specs
from lsq_sync.spec.settings import Settings, read_settings
from lsq_sync.spec.types import SUFFIX, OpportunityType, read_type
from lsq_sync.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Workspace:
    """One CRM account's folder. `base` is where the command was started."""

    root: Path
    base: Path
    settings: Settings
    state_folder: Path
    environment: Mapping[str, str]

    @property
    def store(self) -> FileStore:
        """The recorded state."""
        lock = self.settings.paths.lock
        return FileStore(self.root / lock, lock, self.state_folder, self.settings.account)

    def specs(self) -> Specs:
        """Every spec of the workspace. Raises SpecError with everything that is wrong."""
        found = self.checked_specs()
        if found.problems:
            raise spec_error(found.problems)
        return found

    def checked_specs(self, also: Iterable[str] = ()) -> Specs:
        """The same, with the problems as values; `also` are further files to read."""
        return self.specs_of(sorted({*self.spec_files(), *also}))

    def spec_files(self) -> tuple[str, ...]:
        """Where the specs are. Raises WorkspaceError."""
        return find_specs(self.root, self.settings.paths.specs)

    def specs_of(self, files: Iterable[str]) -> Specs:
        """What stands in these files, with the problems as values."""
        return read_specs(self.root, files, self.settings.paths.schemas, self.settings.values)

    def selection(
        self, specs: Specs, paths: Iterable[str], only: tuple[str, ...], skipped: tuple[str, ...]
    ) -> Selection:
        """What PATH, --only and --except choose. Raises UsageError for a PATH without specs."""
        chosen = [self._files_at(path, specs.files) for path in paths]
        files = frozenset().union(*chosen) if chosen else None
        return Selection(only, skipped, files)

    def rules(
        self,
        specs: Specs,
        around: Surroundings,
        *,
        retry_rejected: bool = False,
        resend_unknown: bool = False,
        overwrite: bool = False,
    ) -> PlanRules:
        """What a plan depends on besides its inputs."""
        return PlanRules(
            now=around.now(),
            late_window=self.settings.api.late_window,
            values=self.settings.values,
            retry_rejected=retry_rejected,
            resend_unknown=resend_unknown,
            overwrite=overwrite,
            types=rules_by_type(specs.types),
        )

    def field_rules(self, type_name: str) -> Mapping[str, FieldRule]:
        """What the schema of a type knows of its fields; nothing where it cannot be read."""
        kind = self.type_named(type_name)
        return kind.fields if kind else {}

    def type_named(self, type_name: str) -> OpportunityType | None:
        """The type of this name; None where its schema is missing or cannot be read."""
        file = f"{self.settings.paths.schemas}/types/{type_name}{SUFFIX}"
        try:
            text = (self.root / file).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError):
            return None
        kind = read_type(type_name, text, file)
        return kind if isinstance(kind, OpportunityType) else None

    def _files_at(self, path: str, files: Iterable[str]) -> frozenset[str]:
        place = self.inside(path)
        found = frozenset(file for file in files if place in (".", file) or _below(file, place))
        if not found:
            raise UsageError(
                f"{path} is no spec file or folder of the workspace {self.root}",
                hint=f"the specs are under {self.settings.paths.specs}/",
            )
        return found

    def inside(self, path: str) -> str:
        """A path of the command line as the workspace calls it, with / and relative to it."""
        place = (self.base / path).resolve()
        if not place.exists() and (self.root / path).exists():
            place = (self.root / path).resolve()
        root = self.root.resolve()
        return place.relative_to(root).as_posix() if place.is_relative_to(root) else str(place)


def _below(file: str, folder: str) -> bool:
    return file.startswith(f"{folder}/")


def find_workspace(base: Path, environment: Mapping[str, str]) -> Workspace:
    """The workspace around a folder, found by walking up to `lsq-sync.yaml`.

    Raises WorkspaceError when there is none, SettingsError when its settings are wrong.
    """
    root = find_root(base)
    try:
        data = (root / SETTINGS).read_bytes()
    except OSError as error:
        what = f"{root / SETTINGS} cannot be read: {error.strerror}"
        raise WorkspaceError(what) from None
    return Workspace(
        root=root,
        base=base,
        settings=read_settings(data, environment),
        state_folder=root / state_folder(environment),
        environment=environment,
    )


def find_root(base: Path) -> Path:
    """The nearest folder, from `base` up, that holds `lsq-sync.yaml`."""
    if not base.is_dir():
        raise UsageError(f"there is no folder {base}")
    for folder in (base, *base.resolve().parents):
        if (folder / SETTINGS).is_file():
            return folder
    raise WorkspaceError(
        f"there is no {SETTINGS} in {base.resolve()} or a folder above it",
        hint="change into a workspace, or make one:\n\n  lsq-sync init",
    )


def spec_error(problems: tuple[Diagnostic, ...]) -> SpecError:
    """What stops a command when the specs are wrong."""
    count, files = len(problems), len({problem.origin.file for problem in problems})
    return SpecError(
        f"{count} problem{'s' if count > 1 else ''} in {files} file{'s' if files > 1 else ''}",
        diagnostics=problems,
    )


def new_run(around: Surroundings) -> RunID:
    """The id of a run: when it began, and enough chance to tell two of one second apart."""
    tail = int(around.chance() * 0x1000000)
    return RunID(f"{around.now():%Y%m%dT%H%M%SZ}-{tail:06x}")


def is_first_run(recorded: Recorded) -> bool:
    """Whether nothing was ever recorded here."""
    return recorded.account is None and not recorded.entries
