"""Which field a reason of the CRM is about, so that people are led to its line. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lsq_sync.core.model import SUBFIELD
from lsq_sync.errors import Origin


@dataclass(frozen=True, slots=True)
class Suspect:
    """A field that was sent: what it is called, and where its value stands."""

    name: str
    title: str = ""
    origin: Origin | None = None


def blamed(reason: str, suspects: Iterable[Suspect]) -> Suspect | None:
    """The field that the reason names: by its schema name, else by its display name.

    A sub-field may be named by itself or by its set. None where no name occurs in it.
    """
    listed = tuple(suspects)
    by_name = (one for one in listed if any(_occurs(name, reason) for name in _names(one.name)))
    by_title = (one for one in listed if one.title and _occurs(one.title, reason))
    return next(by_name, None) or next(by_title, None)


def _names(name: str) -> tuple[str, ...]:
    parent, _, part = name.partition(SUBFIELD)
    return (name, part, parent) if part else (name,)


def _occurs(name: str, text: str) -> bool:
    """As a word of its own: mx_Custom_1 does not occur in mx_Custom_19."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE) is not None
