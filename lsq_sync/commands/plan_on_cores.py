"""The inputs of a large plan, read on several cores.

Each core reads some of the spec files and says which of them are as they were recorded: that is
little to hand back, and mostly all of them. The others are read anew, as where there is one core.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from lsq_sync.commands.inputs import Inputs, may_be_twice
from lsq_sync.commands.workspace import Workspace, spec_error
from lsq_sync.core.identity import names_of
from lsq_sync.core.plan import is_untouched
from lsq_sync.core.state import Entry
from lsq_sync.cores import cores, on_cores
from lsq_sync.errors import LockError
from lsq_sync.index.untouched import Found
from lsq_sync.lock.file import Reading
from lsq_sync.lock.newest import newest_of
from lsq_sync.spec.read import read_one_by_one

_LEAST_BYTES = 2 * 1024 * 1024
"""Of specs; fewer are read about as soon as a process is forked."""

_LEAST_FILES = 4
_TRIES = 4


def read_on_cores(workspace: Workspace) -> Inputs | None:
    """Everything but what is as it was recorded; None where that is better read on one core.

    Raises SpecError.
    """
    files = workspace.spec_files()
    if cores() < 2 or not _are_many(workspace, files):
        return None
    try:
        reading = workspace.store.reading()
        entries = reading.recorded.entries
        found = _found(workspace, files, entries) if entries else []
    except (LockError, OSError):  # what is wrong with the specs is told before
        return None
    return _inputs(workspace, files, reading, found)


def _are_many(workspace: Workspace, files: Sequence[str]) -> bool:
    try:
        size = sum((workspace.root / file).stat().st_size for file in files)
    except OSError:  # it is told where the file is read
        return False
    return len(files) >= _LEAST_FILES and size >= _LEAST_BYTES


def _found(workspace: Workspace, files: Sequence[str], entries: Mapping[str, Entry]) -> list[Found]:
    """The untouched files. Raises OSError where a core fails."""
    count = cores()
    shares = [files[start::count] for start in range(count)]
    work = partial(_untouched_of, workspace, entries)
    return sorted(one for found in on_cores(work, shares) for one in found)


def _untouched_of(
    workspace: Workspace, entries: Mapping[str, Entry], files: Sequence[str]
) -> list[Found]:
    """Those of the files of which everything is as it was recorded.

    Where this is so of few, it ends before: they are read better by whoever needs them.
    """
    settings = workspace.settings
    found: list[Found] = []
    read = read_one_by_one(workspace.root, files, settings.paths.schemas, settings.values)
    for number, (file, built, digest) in enumerate(read):
        untouched = all(is_untouched(one, entries) for one in built.opportunities)
        if digest is not None and untouched and not built.problems:
            found.append(Found(file, digest, tuple(one.key for one in built.opportunities)))
        elif number >= _TRIES and len(found) < number / 2:
            break
    return found


def _inputs(
    workspace: Workspace,
    files: Sequence[str],
    reading: Reading,
    found: Sequence[Found],
) -> Inputs | None:
    recorded, lock, is_of_the_lock = reading
    entries = recorded.entries
    keys = [key for one in found for key in one.keys]
    left_out = {key: entries[key] for key in keys}
    rest = replace(recorded, entries={k: one for k, one in entries.items() if k not in left_out})
    untouched = {one.file for one in found}
    specs = workspace.specs_of(file for file in files if file not in untouched)
    names = [name for key in keys for name in names_of(key, entries[key])]
    known = frozenset(names)
    if len(known) < len(names) or may_be_twice(known, specs, rest):
        return None
    if specs.problems:
        raise spec_error(specs.problems)
    newest = newest_of(recorded)
    return Inputs(
        *(specs, rest, len(entries), newest, lock),
        found=tuple(found),
        left_out=left_out,
        is_of_the_lock=is_of_the_lock,
    )
