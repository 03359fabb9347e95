"""Which part of the specs a command works on. It narrows the inputs of the plan, not the plan."""

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase

from lsq_sync.core.model import DesiredOpportunity
from lsq_sync.core.state import Entry, Recorded


@dataclass(frozen=True, slots=True)
class Selection:
    """`only` and `skipped` are patterns: a glob over key and label, `type:x` or `file:x`.

    `files` are spec files, relative to the workspace; None is all of them. With files nothing is
    released, as an opportunity that no spec has belongs to none of them.
    """

    only: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    files: frozenset[str] | None = None

    def narrow(
        self, desired: tuple[DesiredOpportunity, ...], recorded: Recorded
    ) -> tuple[tuple[DesiredOpportunity, ...], Recorded]:
        """Both inputs of a plan, less what is not selected."""
        if not (self.only or self.skipped) and self.files is None:
            return desired, recorded
        keys = {one.key for one in desired}
        chosen = tuple(one for one in desired if self._has(one))
        chosen_keys = {one.key for one in chosen}
        entries = {
            key: entry
            for key, entry in recorded.entries.items()
            if key in chosen_keys or (key not in keys and self._may_release(key, entry))
        }
        return chosen, replace(recorded, entries=entries)

    def _has(self, one: DesiredOpportunity) -> bool:
        if self.files is not None and one.origin.file not in self.files:
            return False
        return self._passes(one.key, one.label, one.type, one.origin.file)

    def _may_release(self, key: str, entry: Entry) -> bool:
        return self.files is None and self._passes(key, "", entry.type, "")

    def _passes(self, key: str, label: str, type_name: str, file: str) -> bool:
        def hit(pattern: str) -> bool:
            kind, _, rest = pattern.partition(":")
            if kind == "type" and rest:
                return fnmatchcase(type_name, rest)
            if kind == "file" and rest:
                return fnmatchcase(file, rest)
            return any(fnmatchcase(text.lower(), pattern.lower()) for text in (key, label) if text)

        if self.only and not any(map(hit, self.only)):
            return False
        return not any(map(hit, self.skipped))
