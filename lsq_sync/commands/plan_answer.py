"""What a plan with nothing to do says, kept for the next one, which looks at it first of all."""

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePath

from lsq_sync.commands.touched import moments
from lsq_sync.commands.workspace import Workspace
from lsq_sync.core.moment import read_moment
from lsq_sync.errors import LsqSyncError
from lsq_sync.index.answer import NAME, Answer, dump, evidence
from lsq_sync.index.format import Index
from lsq_sync.index.made_with import made_with, zone_files
from lsq_sync.index.place import write_private
from lsq_sync.index.private import read_private
from lsq_sync.lock.emergency import emergency_places
from lsq_sync.places import CACHE, SETTINGS
from lsq_sync.spec.settings import read_settings


def keep_answer(workspace: Workspace, index: Index, says: Callable[[], str]) -> None:
    """Keeps what a plan of these specs and this lock says on stdout, if it has nothing to do and
    says nothing besides.

    The index tells of which contents of specs and lock, and with which settings and schemas, that
    is so. If these are no longer there, or are touched meanwhile, nothing is kept.
    """
    with suppress(OSError, LsqSyncError):
        before = moments(workspace)
        if not index.is_whole or {one.file for one in index.files} != {*workspace.spec_files()}:
            return
        answer = _answer(workspace, says())
        data = dump(answer, _evidence(workspace, index, answer))
        holds = _is_what_was_read(workspace, index) and before == moments(workspace)
        if holds and data != _kept(workspace.state_folder):
            write_private(workspace.state_folder, NAME, data)


def _answer(workspace: Workspace, says: str) -> Answer:
    paths = workspace.settings.paths
    absent = emergency_places(workspace.root / paths.lock, workspace.state_folder)
    return Answer(
        says,
        os.fspath(PurePath(paths.specs)),
        paths.schemas,
        paths.lock,
        tuple(map(os.fspath, zone_files(workspace.settings))),
        tuple(os.fspath(Path.cwd() / path) for path in absent),
    )


def _evidence(workspace: Workspace, index: Index, answer: Answer) -> str:
    specs = {_below(answer.specs, one.file): one.digest for one in index.files}
    root, state = os.fspath(workspace.root), os.fspath(workspace.state_folder)
    return evidence(root, state, answer, specs, index.lock, workspace.environment)


def _below(folder: str, file: str) -> str:
    return os.fspath(PurePath(file).relative_to(folder))


def _is_what_was_read(workspace: Workspace, index: Index) -> bool:
    """Whether settings, schemas and state are those that the index goes with, and there is nothing
    to say of them."""
    data = (workspace.root / SETTINGS).read_bytes()
    newest = read_moment(index.newest) if index.newest else None
    store = workspace.store
    return (
        read_settings(data, workspace.environment) == workspace.settings
        and made_with(workspace.root, workspace.settings) == index.made_with
        and store.only_lock() is not None
        and store.set_back_from(newest, bytes.fromhex(index.lock)) is None
    )


def _kept(state: Path) -> bytes | None:
    return read_private(os.fspath(state / CACHE / NAME))
