"""Each limit at its edge: what still passes, and the first plan that does not."""

import pytest

from lsq_sync.core.change import Plan
from lsq_sync.core.model import FieldRule
from lsq_sync.core.safety import Limits, Refusal, refusals, unreviewed
from lsq_sync.core.state import Entry, Recorded
from lsq_sync.core.values import Value
from lsq_sync.render.words import counted
from tests.core.support import ACCOUNT, desired, live_of, opened, payload, plan_of, recorded


def updating(count: int) -> Plan:
    return plan_of([desired({"a": "1"}, key=f"LN-{number}") for number in range(count)])


def codes(found: tuple[Refusal, ...]) -> list[str]:
    return [refusal.code for refusal in found]


@pytest.mark.parametrize(
    ("updates", "limit", "refused"),
    [(0, 0, False), (1, 0, True), (5, 5, False), (6, 5, True), (99, None, False)],
)
def test_the_number_of_updates(updates: int, limit: int | None, refused: bool) -> None:
    found = refusals(updating(updates), 0, Limits(max_updates=limit))
    assert codes(found) == (["max-updates"] if refused else [])
    if refused:
        assert (
            found[0].message == f"the plan has {counted(updates, 'update')}, the limit is {limit}"
        )
        assert (found[0].actual, found[0].limit) == (updates, limit)
        assert (found[0].setting, found[0].flag) == ("safety.max_updates", "--max-updates")
        assert found[0].ways == "--max-updates or safety.max_updates"


SHARES = [
    # updates, recorded, percent, least population, refused
    (1, 10, 10.0, 10, False),
    (2, 10, 10.0, 10, True),
    (2, 9, 10.0, 10, False),
    (2, 9, 10.0, 9, True),
    (1, 10, 0.0, 10, True),
    (0, 10, 0.0, 10, False),
    (3, 10, None, 10, False),
    (5, 0, 10.0, 0, False),
    (20, 10, 100.0, 10, True),
    (10, 10, 100.0, 10, False),
    (1, 1000, 0.1, 10, False),
    (2, 1000, 0.1, 10, True),
]


@pytest.mark.parametrize(("updates", "population", "percent", "least", "refused"), SHARES)
def test_the_share_of_the_recorded_opportunities(
    updates: int, population: int, percent: float | None, least: int, refused: bool
) -> None:
    limits = Limits(max_update_percent=percent, min_population=least)
    found = refusals(updating(updates), population, limits)
    assert codes(found) == (["max-update-percent"] if refused else [])


@pytest.mark.parametrize(
    ("updates", "population", "percent", "words"),
    [
        (
            2,
            10,
            10,
            "has 2 updates, which is 20 % of the 10 recorded opportunities, the limit is 10 %",
        ),
        (
            1,
            3,
            10,
            "has 1 update, which is 33.3 % of the 3 recorded opportunities, the limit is 10 %",
        ),
        (1, 9, 11.1111, "which is 11.1111111 % of the 9"),
        (
            1001,
            10000,
            10,
            "which is 10.01 % of the 10000 recorded opportunities, the limit is 10 %",
        ),
        (
            20,
            10,
            50,
            "has 20 updates, which is 200 % of the 10 recorded opportunities, the limit is 50 %",
        ),
        (1, 30000, 0, "which is 0.00333 % of the 30000 recorded opportunities, the limit is 0 %"),
    ],
)
def test_the_share_is_told_so_that_it_is_over_the_limit(
    updates: int, population: int, percent: float, words: str
) -> None:
    limits = Limits(max_update_percent=percent, min_population=1)
    (found,) = refusals(updating(updates), population, limits)
    assert words in found.message
    assert found.setting == found.ways == "safety.max_update_percent"
    assert isinstance(found.actual, float)
    assert found.actual > percent


PROTECTED: dict[str, tuple[tuple[str, ...], dict[str, Value], int]] = {
    # the protected fields, what is changed, in how many refusals
    "changed": (("a",), {"a": "1"}, 1),
    "cleared": (("a",), {"a": None}, 1),
    "another one": (("b",), {"a": "1"}, 0),
    "both": (("a", "b"), {"a": "1", "b": "1"}, 2),
    "a sub-field": (("set",), {"set~part": "1"}, 1),
    "exactly the sub-field": (("set~part",), {"set~part": "1"}, 1),
    "another sub-field": (("set~other",), {"set~part": "1"}, 0),
    "a longer name": (("set",), {"settled": "1"}, 0),
    "the set by name, its sub-field is protected": (("set~part",), {"set": None}, 1),
}


@pytest.mark.parametrize("case", PROTECTED)
def test_protected_fields(case: str) -> None:
    protected, fields, count = PROTECTED[case]
    found = refusals(plan_of(desired(fields)), 0, Limits(protected_fields=protected))
    assert codes(found) == ["protected-field"] * count
    for refusal in found:
        assert refusal.setting == "safety.protected_fields"
        assert refusal.flag == "--allow-protected"
        assert "of 1 opportunity" in refusal.message
        assert refusal.ways == "--allow-protected or safety.protected_fields"


def test_a_protected_note_goes_by_its_wire_name() -> None:
    plan = plan_of(desired(note="text"))
    found = refusals(plan, 0, Limits(protected_fields=("OpportunityNote",)))
    assert codes(found) == ["protected-field"]


def test_a_protected_field_counts_where_it_is_sent_and_changes() -> None:
    limits = Limits(protected_fields=("a",))
    several = [desired({"a": "1"}, key=f"LN-{number}") for number in range(3)]
    (found,) = refusals(plan_of(several), 0, limits)
    assert found.message == "the plan changes the protected field a of 3 opportunities"
    assert found.actual == 3
    one = desired({"a": "1"})
    held = Entry(pending=opened(payload(a="2")))
    for known, live in ((recorded(a="1"), None), (held, None), (None, live_of(a="1"))):
        assert not refusals(plan_of(one, known, live), 0, limits)
    assert not refusals(plan_of((), Recorded(ACCOUNT, {"LN-1": recorded(a="1")})), 0, limits)


def test_a_protected_field_may_go_along_as_it_is() -> None:
    rules = {"a": FieldRule(send_with=("b",))}
    plan = plan_of(desired({"a": "1", "b": "2"}, rules=rules), recorded(a="0", b="2"))
    assert plan.updates[0].wire_fields == {"a": "1", "b": "2"}
    assert not refusals(plan, 0, Limits(protected_fields=("b",)))


def test_every_broken_limit_is_told() -> None:
    limits = Limits(max_updates=1, max_update_percent=1, min_population=1, protected_fields=("a",))
    found = refusals(updating(5), 10, limits)
    assert codes(found) == ["max-updates", "max-update-percent", "protected-field"]


def test_without_limits_nothing_is_refused() -> None:
    assert refusals(updating(50), 50, Limits()) == ()


def test_a_first_apply_that_nobody_looked_at() -> None:
    assert unreviewed(updating(10)) is None
    found = unreviewed(updating(11))
    assert found is not None
    assert (found.code, found.limit, found.actual) == ("first-apply", 10, 11)
    assert "would overwrite 11 opportunities without a look, the limit of that is 10" in (
        found.message
    )
    assert found.flag == found.ways == "--max-updates"
