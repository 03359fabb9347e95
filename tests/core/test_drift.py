"""Live against recorded: what counts as drift, and what does not."""

from datetime import timedelta

import pytest

from lsq_sync.core.change import Action
from lsq_sync.core.drift import Drift, Group, drift_of
from lsq_sync.core.model import DesiredOpportunity, FieldRule, LiveOpportunity
from lsq_sync.core.plan import PlanRules, make_plan
from lsq_sync.core.state import READ_LAG, Entry, Replaced
from lsq_sync.core.values import ABSENT, Absent, DataType, Value
from tests.core.support import ACCOUNT, KEY, NOW, desired, lock, opened, payload

NUMBER = FieldRule(DataType.NUMBER, title="Amount")


def drift(
    one: DesiredOpportunity, entry: Entry | None, live: LiveOpportunity | None, **rules: object
) -> Drift:
    recorded = lock(entry)
    seen = {} if live is None else {KEY: live}
    known = PlanRules(now=NOW)
    return drift_of(make_plan(ACCOUNT, [one], recorded, seen, known), recorded, seen, known)


def row(was: Value | Absent, now: Value | Absent, wanted: Value = "1", **more: object) -> Drift:
    entry = Entry(fields={} if was is ABSENT else {"a": was}, **more)  # type: ignore[arg-type]
    live = LiveOpportunity({} if now is ABSENT else {"a": now})
    return drift(desired({"a": wanted}, rules={"a": NUMBER}, type="loan"), entry, live)


ACTIONS = [
    # recorded, live, desired, what the row says
    ("1", "1", "1", None),
    ("1", "1.00", "1", None),
    ("1", "1", "2", None),
    ("1", "2", "1", Action.CONFLICT),
    ("1", "2", "2", Action.ADOPT),
    ("1", "3", "2", Action.CONFLICT),
    ("1", None, "1", Action.CONFLICT),
    ("1", None, None, Action.ADOPT),
    (None, "0", None, None),
    (ABSENT, "2", "1", None),
    ("1", ABSENT, "1", None),
]


@pytest.mark.parametrize(("was", "now", "wanted", "action"), ACTIONS)
def test_the_table(
    was: Value | Absent, now: Value | Absent, wanted: Value, action: Action | None
) -> None:
    found = row(was, now, wanted)
    assert [change.action for change in found.rows] == ([action] if action else [])
    assert (found.found, found.fields, found.checked) == (bool(action), int(bool(action)), 1)


@pytest.mark.parametrize(("now", "drifts"), [("1", False), ("5", False), ("7", True)])
def test_what_an_open_request_carries_is_expected(now: Value, drifts: bool) -> None:
    found = row("1", now, "5", pending=opened(payload(a="5")))
    assert found.found is drifts


@pytest.mark.parametrize(
    ("now", "age", "drifts"),
    [("0", 10, False), ("7", 10, True), ("0", READ_LAG.total_seconds(), True)],
)
def test_a_read_that_lags_is_expected(now: Value, age: float, drifts: bool) -> None:
    replaced = Replaced(NOW - timedelta(seconds=age), {"a": "0"})
    assert row("1", now, replaced=replaced).found is drifts


def test_a_note_drifts_like_a_field() -> None:
    found = drift(desired(note="mine"), Entry(note="mine"), LiveOpportunity({}, "theirs"))
    assert [part.live for part in found.rows[0].fields] == ["theirs"]


def test_companions_and_releases_are_no_drift() -> None:
    rule = FieldRule(send_with=("b",))
    entry = Entry(fields={"a": "1", "old": "x"})
    live = LiveOpportunity({"a": "1", "b": "z", "old": "y"})
    assert not drift(desired({"a": "2"}, rules={"a": rule}), entry, live).found


def test_missing_and_unread_are_told_apart() -> None:
    gone = drift(desired({"a": "1"}), Entry(fields={"a": "1"}), LiveOpportunity(missing=True))
    assert ([one.key for one in gone.missing], gone.rows, gone.found) == ([KEY], (), True)
    unread = drift(desired({"a": "1"}), Entry(fields={"a": "1"}), None)
    assert (unread.unread, unread.checked, unread.found) == ((KEY,), 0, False)


def test_groups_count_opportunities_by_type_and_field() -> None:
    keys = [f"5ca5b042-51ea-4699-b6f0-{number:012x}" for number in range(3)]
    specs = [desired({"a": "1", "b": "1"}, key=key, rules={"a": NUMBER}) for key in keys]
    recorded = lock(Entry(fields={"a": "1", "b": "1"}), keys[0])
    entries = {key: Entry(fields={"a": "1", "b": "1"}) for key in keys}
    recorded = type(recorded)(ACCOUNT, entries)
    live = {key: LiveOpportunity({"a": "2", "b": "1"}) for key in keys}
    live[keys[0]] = LiveOpportunity({"a": "2", "b": "2"})
    rules = PlanRules(now=NOW)
    found = drift_of(make_plan(ACCOUNT, specs, recorded, live, rules), recorded, live, rules)
    assert found.groups == (Group("", "a", "Amount", 3), Group("", "b", "", 1))
    assert found.fields == 4
