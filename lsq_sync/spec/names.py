"""Guessing what a misspelt name was meant to be."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

_SHOWN = 8


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known name that looks most like `word`, whatever its case; None if none does."""
    return _nearest(word, tuple(known))


@lru_cache(maxsize=1000)  # a typo may stand in every one of many opportunities
def _nearest(word: str, known: tuple[str, ...]) -> str | None:
    import difflib  # for mistakes alone

    by_folded = {name.casefold(): name for name in known}
    hits = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[hits[0]] if hits else None


def called(name: str, titles: Mapping[str, str]) -> str | None:
    """The name among these, each with its title, that is called so by itself or by its title."""
    if name in titles:
        return name
    by_title = {title.casefold(): one for one, title in titles.items() if title}
    return by_title.get(name.casefold())


def suggestion(word: str, known: Iterable[str]) -> str:
    """A hint for a word that is none of the known ones: the nearest, else what there is."""
    names = [name for name in known if name]
    near = nearest(word, names)
    if near is not None:
        return f"did you mean {near!r}?"
    if not names:
        return ""
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"known: {', '.join(map(repr, names[:_SHOWN]))}{more}"
