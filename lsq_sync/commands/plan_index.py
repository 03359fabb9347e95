"""The index of a plan: with it the next plan reads only what has changed since.

It never decides anything but that an opportunity is as it was recorded. Where there is the least
doubt, and wherever something is wrong, everything is read.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from lsq_sync.commands.inputs import Inputs, may_be_twice, read_all
from lsq_sync.commands.plan_on_cores import read_on_cores
from lsq_sync.commands.touched import moments
from lsq_sync.commands.workspace import Workspace
from lsq_sync.core.change import Plan
from lsq_sync.core.moment import moment, read_moment
from lsq_sync.core.state import Recorded
from lsq_sync.errors import LsqSyncError
from lsq_sync.index.digests import digest_of
from lsq_sync.index.format import Index, packed
from lsq_sync.index.made_with import made_with
from lsq_sync.index.place import read_index, write_index
from lsq_sync.index.untouched import Untouched, found_in, still_untouched, with_what_the_lock_has
from lsq_sync.lock import format as lock_format
from lsq_sync.lock.disk import fingerprint_of
from lsq_sync.lock.lines import Line, UnusualLockError, of_known, read_head, read_lines, with_lines
from lsq_sync.spec.files import MAX_BYTES
from lsq_sync.spec.read import Specs

_LEAST_POPULATION = 1000
"""Of fewer opportunities, all are read about as soon as an index."""

_LEAST_SHARE = 3
"""Where fewer than a third of all are in files that did not change, reading all is quicker."""


def read_inputs(workspace: Workspace) -> Inputs:
    """The inputs of a plan, without what is untouched. Raises SpecError and LockError."""
    before = moments(workspace)
    made = made_with(workspace.root, workspace.settings)
    found = _what_changed(workspace, made) or read_on_cores(workspace) or read_all(workspace)
    return replace(found, made_with=made if found.is_of_the_lock else None, moments=before)


def keep_index(workspace: Workspace, inputs: Inputs, plan: Plan) -> Index | None:
    """Writes down which files are untouched now, unless it was written before, or would not be
    worth it; the index, written down or not, where that can be said."""
    if inputs.index is not None:
        return inputs.index
    lock, made = workspace.store.only_lock(), inputs.made_with
    is_large = inputs.population >= _LEAST_POPULATION
    if lock is None or made is None or not (is_large or workspace.state_folder.is_dir()):
        return None
    with suppress(OSError, UnusualLockError):
        index = _index(inputs, plan, lock, made)
        if inputs.moments != moments(workspace):
            return None  # something was touched while the plan was made
        if index and is_large:
            write_index(workspace.state_folder, index)
        return index
    return None


def _what_changed(workspace: Workspace, made: str | None) -> Inputs | None:
    """None where everything has to be read."""
    index = read_index(workspace.state_folder)
    lock = workspace.store.only_lock()
    if index is None or lock is None or index.made_with != made:
        return None
    try:
        return _changed_since(index, workspace, lock)
    except (OSError, ValueError, TypeError, LsqSyncError):  # read all, and it is told
        return None


def _changed_since(index: Index, workspace: Workspace, lock: Path) -> Inputs | None:
    files = workspace.spec_files()
    digests = {file: digest_of(os.fspath(workspace.root / file), MAX_BYTES) for file in files}
    with lock.open("rb") as opened:
        fingerprint = fingerprint_of(opened)
        is_same_lock = fingerprint.hex() == index.lock
        known = {one.file: one.digest for one in index.files}
        if is_same_lock and index.is_whole and digests == known:
            return _nothing_changed(index, workspace, files, fingerprint)
        same = (one for one in index.files if digests.get(one.file) == one.digest)
        if not _is_worth_it(sum(one.opportunities for one in same), index.population):
            return None
        opened.seek(0)
        head = read_head(opened)
        untouched = still_untouched(index, digests, read_lines(opened), is_same_lock=is_same_lock)
    rest = lock_format.load(with_lines(head, (line for _, line in untouched.others)), lock.name)
    specs = _specs_but(untouched, workspace, files)
    if specs.problems or _is_of_another(workspace, rest):
        return None
    if may_be_twice(untouched.keys, specs, rest):
        return None
    return Inputs(
        specs,
        rest,
        sum(one.opportunities for one in untouched.files) + len(rest.entries),
        _newest((*(one.newest for one in untouched.files), *_ends(rest))),
        fingerprint,
        untouched,
        index=index if is_same_lock and not specs.digests else None,
    )


def _nothing_changed(
    index: Index, workspace: Workspace, files: tuple[str, ...], fingerprint: bytes
) -> Inputs:
    nothing = Specs((), {}, files, (), {})
    recorded = Recorded(workspace.settings.account)
    newest = _newest([index.newest])
    population = index.population
    return Inputs(nothing, recorded, population, newest, fingerprint, index=index)


def _specs_but(untouched: Untouched, workspace: Workspace, files: Iterable[str]) -> Specs:
    """What stands in all the other files."""
    left_out = {one.file for one in untouched.files}
    return workspace.specs_of(file for file in files if file not in left_out)


def _is_of_another(workspace: Workspace, recorded: Recorded) -> bool:
    account = recorded.account
    return account is not None and not account.is_same_as(workspace.settings.account)


def _index(inputs: Inputs, plan: Plan, lock: Path, made: str) -> Index | None:
    """None where the lock has another form or content than what was read, and where it would not
    be worth it."""
    before = inputs.by_index or Untouched((), (), ())
    specs, recorded = inputs.specs, inputs.recorded.entries
    found = (*found_in(specs.opportunities, specs.digests, plan.changes, recorded), *inputs.found)
    count = sum(one.opportunities for one in before.files) + sum(len(one.keys) for one in found)
    if not _is_worth_it(count, inputs.population):
        return None
    entries = {**recorded, **inputs.left_out}
    with lock.open("rb") as opened:
        if fingerprint_of(opened) != inputs.lock:
            return None
        opened.seek(0)
        read_head(opened)
        lines = _Counted(of_known(read_lines(opened), {*entries, *before.keys}))
        new = list(with_what_the_lock_has(found, entries, lines))
    if lines.count != inputs.population:
        return None
    files = (*before.files, *(file for file, _ in new))
    members = (*before.members, *(members for _, members in new))
    newest = moment(inputs.newest) if inputs.newest else ""
    assert inputs.lock is not None
    return Index(made, inputs.lock.hex(), lines.count, newest, files, packed(members))


def _is_worth_it(untouched: int, population: int) -> bool:
    """Whether the next plan is quicker with an index of so many."""
    return untouched * _LEAST_SHARE >= population


class _Counted:
    """Lines that are counted on their way."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self.count = 0
        self._lines = lines

    def __iter__(self) -> Iterator[Line]:
        for line in self._lines:
            self.count += 1
            yield line


def _ends(recorded: Recorded) -> list[str]:
    return [moment(one.request.settled_at) for one in recorded.entries.values() if one.request]


def _newest(moments: Iterable[str]) -> datetime | None:
    known = [read_moment(text) for text in {*moments} if text]
    return max(known, default=None)
