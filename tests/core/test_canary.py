"""The canary: which outcomes of the first updates let the rest follow."""

import pytest

from lsq_sync.core.canary import Canary, how_it_went
from lsq_sync.core.state import Outcome
from tests.core.support import change_of, desired

LETTERS = {
    "s": Outcome.SUCCEEDED,
    "r": Outcome.REJECTED,
    "p": Outcome.PENDING,
    "?": Outcome.UNKNOWN,
    "u": Outcome.UNSENT,
}


def outcomes(letters: str) -> list[Outcome]:
    return [LETTERS[letter] for letter in letters]


OBJECTIONS = [
    # outcomes, percent that may be rejected, words of the objection
    ("sss", 0, ""),
    ("s", 0, ""),
    ("srs", 0, "1 of the 3 that went out first was rejected: 33.3 %, and"),
    ("srs", 0, "safety.canary_max_rejected_percent allows 0 %"),
    ("rr", 50, "2 of the 2 that went out first were rejected: 100 %"),
    ("ssr", 33.3, "33.3333 %, and safety.canary_max_rejected_percent allows 33.3 %"),
    ("ssr", 34, ""),
    ("ssssr", 20, ""),
    ("sr", 50, ""),
    ("rrr", 100, ""),
    ("ssp", 100, "the outcome of 1 of the 3 that went out first is not known yet"),
    ("p?", 0, "the outcome of 2 of the 2"),
    ("su", 0, "the outcome of 1 of the 2"),
    ("srp", 50, "the outcome of 1 of the 3"),
    ("rrp", 50, "2 of the 3 that went out first were rejected: 66.7 %"),
]


@pytest.mark.parametrize(("letters", "percent", "words"), OBJECTIONS)
def test_too_many_rejections_or_an_open_outcome_object(
    letters: str, percent: float, words: str
) -> None:
    found = Canary(len(letters), percent).objection(outcomes(letters))
    assert bool(found) == bool(words)
    assert words in found


@pytest.mark.parametrize(("size", "first", "rest"), [(1, 1, 3), (3, 3, 1), (4, 4, 0), (9, 4, 0)])
def test_the_first_in_the_order_of_the_plan_go_out_first(size: int, first: int, rest: int) -> None:
    changes = tuple(change_of(desired({"a": "1"}, key=f"LN-{number}")) for number in range(4))
    parts = Canary(size).split(changes)
    assert parts == (changes[:first], changes[first:])
    assert [len(part) for part in parts] == [first, rest]


@pytest.mark.parametrize(
    ("letters", "invisible", "words"),
    [
        ("sss", 0, "all succeeded"),
        ("ssr", 0, "1 was rejected, as allowed"),
        ("rrs", 0, "2 were rejected, as allowed"),
        ("ss", 1, "all succeeded, but the values of 1 do not show in the CRM yet"),
    ],
)
def test_how_it_went_is_said_in_a_few_words(letters: str, invisible: int, words: str) -> None:
    assert how_it_went(outcomes(letters), invisible) == words
