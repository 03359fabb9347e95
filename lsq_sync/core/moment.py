"""Moments as text: RFC 3339, UTC, whole seconds, the one form of every file and message."""

from datetime import UTC, datetime

_FORM = "%Y-%m-%dT%H:%M:%SZ"


def moment(at: datetime) -> str:
    """The text of an aware moment."""
    return at.astimezone(UTC).strftime(_FORM)


def read_moment(text: str) -> datetime:
    """The moment of such a text, also with fractions or an offset; ValueError for any other."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return at.astimezone(UTC)
