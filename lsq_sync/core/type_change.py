"""What changed in the description of an opportunity type, field by field."""

from dataclasses import dataclass
from enum import StrEnum

from lsq_sync.errors import Diagnostic


class Turn(StrEnum):
    """What became of a field."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Detail:
    """One thing that changed about a field: a word before and after, or members of a list."""

    what: str
    before: str = ""
    after: str = ""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldTurn:
    """A field that is not what it was; a sub-field by its flat name, `~` between."""

    name: str
    title: str
    turn: Turn
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True)
class PulledType:
    """A type as the CRM has it, and what that means here.

    `written` are the files that are not what they were, `problems` what no longer fits in the
    specs of this type, `is_new` whether the type was not described before; `reference` is how a
    spec names the file.
    """

    name: str
    title: str
    code: int
    file: str
    reference: str
    fields: int
    is_new: bool
    written: tuple[str, ...]
    changes: tuple[FieldTurn, ...]
    left_out: tuple[str, ...]
    problems: tuple[Diagnostic, ...]
