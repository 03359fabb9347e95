"""Moments as text: RFC 3339, UTC, whole seconds, the one form of every file and message."""

from datetime import UTC, datetime


def moment(at: datetime) -> str:
    """The text of an aware moment."""
    return f"{at.astimezone(UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"


def read_moment(text: str) -> datetime:
    """The moment of such a text, also with fractions or an offset; ValueError for any other."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} is out of range") from None
