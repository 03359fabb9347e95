"""Guessing what a misspelt name was meant to be."""

import difflib
from collections.abc import Iterable

import pytest

from lsq_sync.spec.names import nearest, suggestion

FIELDS = ("Status", "Owner", "mx_Custom_6", "mx_Custom_66", "Expected Deal Size")

GUESSES = [
    # written, meant
    ("status", "Status"),
    ("Statsu", "Status"),
    ("OWNER", "Owner"),
    ("mx_custom_6", "mx_Custom_6"),
    ("expected deal size", "Expected Deal Size"),
    ("Deal Size", "Expected Deal Size"),
    ("", None),
    ("x", None),
    ("कर्ज़", None),
    ("Status" * 1000, None),
]


@pytest.mark.parametrize(("written", "meant"), GUESSES)
def test_the_nearest_name(written: str, meant: str | None) -> None:
    assert nearest(written, FIELDS) == meant


def test_a_guess_or_what_there_is() -> None:
    assert suggestion("status", FIELDS) == "did you mean 'Status'?"
    assert suggestion("x", ("a", "", "b")) == "known: 'a', 'b'"
    assert suggestion("x", ()) == ""
    assert suggestion("x", ("",)) == ""


def test_a_long_list_is_cut() -> None:
    known = [f"name {number:02}" for number in range(20)]
    assert suggestion("zzz", known[:8]).endswith("'name 07'")
    assert suggestion("zzz", known).endswith("'name 07' and 12 more")


def test_the_same_typo_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may stand in each of 100,000 opportunities."""
    asked: list[str] = []
    real = difflib.get_close_matches

    def look_up(word: str, known: Iterable[str], n: int, cutoff: float) -> list[str]:
        asked.append(word)
        return real(word, list(known), n, cutoff)

    monkeypatch.setattr(difflib, "get_close_matches", look_up)
    for _ in range(5):
        assert nearest("a typo of this test", ("A typo of this text",)) is not None
    assert len(asked) == 1
