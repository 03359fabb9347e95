"""Where the workspace is in the repository that a job of a CI has checked out."""

from collections.abc import Mapping
from pathlib import Path


def folder_in_checkout(root: Path, environment: Mapping[str, str]) -> str:
    """The folder, with /; empty at the top, and where no job checked anything out."""
    checkout = environment.get("GITHUB_WORKSPACE")
    if not checkout:
        return ""
    top, here = Path(checkout).resolve(), root.resolve()
    if not here.is_relative_to(top):
        return ""
    place = here.relative_to(top).as_posix()
    return "" if place == "." else place
