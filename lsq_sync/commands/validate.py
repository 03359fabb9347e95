"""`lsq-sync validate`: specs and settings against their schemas; no network, no keys."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lsq_sync.commands.verdict import Verdict
from lsq_sync.commands.workspace import find_workspace
from lsq_sync.errors import Diagnostic, SettingsError, UsageError
from lsq_sync.places import SETTINGS


@dataclass(frozen=True, slots=True)
class Validated:
    """Everything that is wrong, and how much was looked at."""

    problems: tuple[Diagnostic, ...]
    files: int
    opportunities: int

    @property
    def verdict(self) -> Verdict:
        """Any problem is an error."""
        return Verdict.FAILED if self.problems else Verdict.DONE


def run(base: Path, environment: Mapping[str, str], paths: tuple[str, ...]) -> Validated:
    """Checks the settings and every spec; with `paths`, tells only what is wrong there.

    A path may be a file outside of the specs folder: it is then checked as a spec as well.
    """
    try:
        workspace = find_workspace(base, environment)
    except SettingsError as error:
        if not error.diagnostics:
            raise
        return Validated(error.diagnostics, files=1, opportunities=0)
    places = [workspace.inside(path) for path in paths]
    for path, place in zip(paths, places, strict=True):
        if not (workspace.root / place).exists():
            raise UsageError(f"there is no file or folder {path}")
    extra = [place for place in places if place.endswith((".yaml", ".yml"))]
    specs = workspace.checked_specs(place for place in extra if place != SETTINGS)
    if not places:
        return Validated(specs.problems, len(specs.files), len(specs.opportunities))
    files = [file for file in specs.files if _is_at(file, places)]
    found = [one for one in specs.opportunities if _is_at(one.origin.file, places)]
    others = set(specs.files) - set(files)  # a broken type schema concerns every place
    told = tuple(problem for problem in specs.problems if problem.origin.file not in others)
    return Validated(told, len(files), len(found))


def _is_at(file: str, places: list[str]) -> bool:
    return any(place in (".", file) or file.startswith(f"{place}/") for place in places)
