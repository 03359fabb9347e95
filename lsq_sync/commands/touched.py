"""Whether what a plan reads was touched meanwhile, also where it is again what it was."""

import os
from collections.abc import Iterator
from pathlib import Path

from lsq_sync.commands.workspace import Workspace
from lsq_sync.index.answer import NOT_READ
from lsq_sync.index.digests import moment_of
from lsq_sync.lock.emergency import emergency_places
from lsq_sync.places import SETTINGS

Moments = tuple[tuple[str, tuple[int, ...] | None], ...]


def moments(workspace: Workspace) -> Moments:
    """Of settings, lock, type schemas and state: as long as these stay the same, so do they. Specs
    are told by the digests of what was read of them."""
    return tuple((str(place), moment_of(os.fspath(place))) for place in _places(workspace))


def _places(workspace: Workspace) -> Iterator[Path]:
    root, paths = workspace.root, workspace.settings.paths
    lock, state = root / paths.lock, workspace.state_folder
    yield from (root / SETTINGS, lock, *emergency_places(lock, state))
    for folder in (root / paths.schemas / "types", state):
        yield folder
        if folder.is_dir():
            yield from sorted(one for one in folder.iterdir() if one.name not in NOT_READ)
