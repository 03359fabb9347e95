"""What the commands of `lsq-sync ci` did. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Commented:
    """What was done: created, edited, unchanged, skipped (`why` tells) or put into the summary."""

    action: str
    pull_request: int | None = None
    page: str = ""
    plan: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The plan, and where it was reviewed."""

    plan: str
    pull_request: int
    page: str


@dataclass(frozen=True, slots=True)
class Reported:
    """What was done: created, edited, unchanged, closed, or none was needed."""

    action: str
    number: int | None = None
    page: str = ""


@dataclass(frozen=True, slots=True)
class Pushed:
    """The new commit of the branch; None where there was nothing new to record."""

    branch: str
    commit: str | None
    tries: int = 0
    merged: bool = False


@dataclass(frozen=True, slots=True)
class Pulled:
    """Whether the branch knew more than the lock that is here."""

    branch: str
    is_newer: bool
