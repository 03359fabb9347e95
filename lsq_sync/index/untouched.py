"""Spec files that need not be read: they are what they were, and so are their lines in the lock."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import NamedTuple

from lsq_sync.core.change import Action, Change
from lsq_sync.core.identity import names_of
from lsq_sync.core.model import DesiredOpportunity
from lsq_sync.core.moment import moment
from lsq_sync.core.state import Entry
from lsq_sync.index.format import Index, Members, UntouchedFile
from lsq_sync.lock.lines import Line

_NO_LINES = hashlib.sha256().hexdigest()


class Untouched(NamedTuple):
    """The files of an index that still are untouched, and the lines of the lock that are not
    theirs."""

    files: tuple[UntouchedFile, ...]
    members: tuple[Members, ...]
    others: tuple[Line, ...]

    @property
    def keys(self) -> frozenset[str]:
        """The opportunities of the files, by all names that they are known by."""
        names = (name for one in self.members for part in one for name in part)
        return frozenset(names)


def still_untouched(
    index: Index, digests: Mapping[str, str], lines: Iterable[Line], *, is_same_lock: bool
) -> Untouched:
    """What is left of an index: `digests` are those of the spec files as they are now."""
    pairs = zip(index.files, index.members(), strict=True)
    same = [(file, its) for file, its in pairs if digests.get(file.file) == file.digest]
    listed = list(lines)
    if not is_same_lock:
        found = _digests(listed, {key: file.file for file, its in same for key in its.keys})
        same = [(file, its) for file, its in same if found.get(file.file, _NO_LINES) == file.lines]
    keys = {key for _, its in same for key in its.keys}
    others = tuple(line for line in listed if line[0] not in keys)
    return Untouched(tuple(file for file, _ in same), tuple(its for _, its in same), others)


class Found(NamedTuple):
    """A spec file that was found untouched: what tells its content from another, and its
    opportunities."""

    file: str
    digest: str
    keys: tuple[str, ...]


def found_in(
    desired: Iterable[DesiredOpportunity],
    digests: Mapping[str, str],
    changes: Iterable[Change],
    entries: Mapping[str, Entry],
) -> list[Found]:
    """The files of these digests of which a plan leaves every opportunity as it is recorded."""
    moving = {change.key for change in changes if not _stays_untouched(change, entries)}
    keys: dict[str, list[str]] = {file: [] for file in digests}
    for file, group in groupby(desired, attrgetter("origin.file")):
        keys[file] += (one.key for one in group)
    found = (Found(file, digests[file], tuple(of_file)) for file, of_file in keys.items())
    return [one for one in found if moving.isdisjoint(one.keys) and entries.keys() >= {*one.keys}]


def with_what_the_lock_has(
    found: Iterable[Found], entries: Mapping[str, Entry], lines: Iterable[Line]
) -> Iterator[tuple[UntouchedFile, Members]]:
    """Files with what the lock has of them."""
    files = list(found)
    owners = {key: one.file for one in files for key in one.keys}
    of_lines = _digests(lines, owners)
    for file, digest, keys in files:
        known = [entries[key] for key in keys]
        ends = [entry.request.settled_at for entry in known if entry.request]
        names = (names_of(key, entry) for key, entry in zip(keys, known, strict=True))
        guids = tuple(guid for _, *others in names for guid in others)
        newest = moment(max(ends)) if ends else ""
        untouched = UntouchedFile(file, digest, of_lines.get(file, _NO_LINES), newest, len(keys))
        yield untouched, Members(keys, guids)


def _stays_untouched(change: Change, entries: Mapping[str, Entry]) -> bool:
    """Whether it stays so at any time: nothing of it is on its way."""
    is_unchanged = change.action is Action.UNCHANGED and change.entry.pending is None
    return is_unchanged and entries.get(change.key) is change.entry


def _digests(lines: Iterable[Line], owners: Mapping[str, str]) -> dict[str, str]:
    """Of the lines that the opportunities of each file have, in the order of the lock; `owners` is
    the file of each."""
    found = {file: hashlib.sha256() for file in {*owners.values()}}
    for key, line in lines:
        if (file := owners.get(key)) is not None:
            found[file].update(line)
    return {file: digest.hexdigest() for file, digest in found.items()}
