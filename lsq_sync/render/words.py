"""Numbers and times in words."""


def counted(number: int, word: str) -> str:
    """The number with its noun: `1 field`, `2 fields`, `3 opportunities`."""
    if number == 1:
        return f"1 {word}"
    plural = f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
    return f"{number:,} {plural}"


def duration(seconds: float) -> str:
    """A length of time in the unit that fits it."""
    if seconds < 10:
        return f"{seconds:.3g} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
