"""Selecting narrows the inputs of a plan, so that nothing outside of it is touched or released."""

import pytest

from lsq_sync.core.selection import Selection
from lsq_sync.core.state import Entry, Recorded
from tests.core.support import ACCOUNT, desired, plan_of, recorded

ACME = desired(
    {"a": "1"}, key="LN-1", file="specs/loans.yaml", label="Acme, home loan", type="loan"
)
ZETA = desired({"a": "1"}, key="LN-2", file="specs/loans.yaml", label="Zeta", type="loan")
OTHER = desired({"a": "1"}, key="PO-1", file="specs/more/policies.yaml", type="policy")
SPECS = (ACME, ZETA, OTHER)
GONE = {"LN-9": Entry("loan", fields={"a": "1"}), "PO-9": Entry("policy", fields={"a": "1"})}
KNOWN = Recorded(ACCOUNT, {**{one.key: recorded(a="1") for one in SPECS}, **GONE})

CHOSEN: dict[str, tuple[Selection, list[str], list[str]]] = {
    # the selection, the keys that are planned, the keys that may be released
    "everything": (Selection(), ["LN-1", "LN-2", "PO-1"], ["LN-9", "PO-9"]),
    "one key": (Selection(only=("LN-1",)), ["LN-1"], []),
    "a key in another case": (Selection(only=("ln-1",)), ["LN-1"], []),
    "a glob over keys": (Selection(only=("LN-*",)), ["LN-1", "LN-2"], ["LN-9"]),
    "a glob with a class": (Selection(only=("LN-[2-9]",)), ["LN-2"], ["LN-9"]),
    "a glob over labels": (Selection(only=("acme*",)), ["LN-1"], []),
    "a label in full": (Selection(only=("Acme, home loan",)), ["LN-1"], []),
    "part of a key is no match": (Selection(only=("LN",)), [], []),
    "one of two patterns": (Selection(only=("zeta", "PO-*")), ["LN-2", "PO-1"], ["PO-9"]),
    "nothing fits": (Selection(only=("LN-7",)), [], []),
    "a type": (Selection(only=("type:loan",)), ["LN-1", "LN-2"], ["LN-9"]),
    "a glob over types": (Selection(only=("type:p*",)), ["PO-1"], ["PO-9"]),
    "a type in another case": (Selection(only=("type:Loan",)), [], []),
    "a file": (Selection(only=("file:specs/loans.yaml",)), ["LN-1", "LN-2"], []),
    "a glob over files": (Selection(only=("file:specs/more/*",)), ["PO-1"], []),
    "no kind after all": (Selection(only=("type:", "LN-1")), ["LN-1"], []),
    "all but a key": (Selection(skipped=("LN-1",)), ["LN-2", "PO-1"], ["LN-9", "PO-9"]),
    "all but a type": (Selection(skipped=("type:policy",)), ["LN-1", "LN-2"], ["LN-9"]),
    "all but a file": (
        Selection(skipped=("file:specs/loans.yaml",)),
        ["PO-1"],
        ["LN-9", "PO-9"],
    ),
    "only and except": (
        Selection(only=("type:loan",), skipped=("zeta", "LN-9")),
        ["LN-1"],
        [],
    ),
    "a path: nothing is released": (
        Selection(files=frozenset({"specs/loans.yaml"})),
        ["LN-1", "LN-2"],
        [],
    ),
    "a path and a pattern": (
        Selection(only=("zeta",), files=frozenset({"specs/loans.yaml"})),
        ["LN-2"],
        [],
    ),
    "a path with nothing in it": (Selection(files=frozenset()), [], []),
    "a pattern that is no glob": (Selection(only=("[",)), [], []),
}


@pytest.mark.parametrize("case", CHOSEN)
def test_what_a_selection_chooses(case: str) -> None:
    selection, planned, releasable = CHOSEN[case]
    wanted, known = selection.narrow(SPECS, KNOWN)
    assert [one.key for one in wanted] == planned
    assert sorted(known.entries) == sorted([*planned, *releasable])
    assert known.account == ACCOUNT


@pytest.mark.parametrize("case", CHOSEN)
def test_nothing_outside_of_a_selection_is_in_the_plan(case: str) -> None:
    selection, planned, releasable = CHOSEN[case]
    wanted, known = selection.narrow(SPECS, KNOWN)
    keys = {change.key for change in plan_of(wanted, known).changes}
    assert keys == {*planned, *releasable}


def test_what_stands_in_a_spec_that_is_not_selected_is_never_released() -> None:
    """Its key is in the specs, so it is not gone, whatever the entry says of its type."""
    moved = Recorded(ACCOUNT, {"PO-1": Entry("loan", fields={"a": "1"})})
    _, known = Selection(only=("type:loan",)).narrow(SPECS, moved)
    assert known.entries == {}


def test_a_selection_with_many_stars_ends() -> None:
    long = desired({"a": "1"}, key="a" * 200)
    wanted, _ = Selection(only=("*a" * 40 + "b",)).narrow((long,), KNOWN)
    assert wanted == ()
