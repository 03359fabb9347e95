"""A plan file holds while nothing that it touches has moved, and no longer."""

import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lsq_sync.commands.plan_file import SavedPlan, _checksum, check, load, save
from lsq_sync.core.budget import RateLimit, budget
from lsq_sync.core.change import Action, Plan
from lsq_sync.core.events import Accepted, Event, Intended, Rejected, Succeeded, replay
from lsq_sync.core.model import Account, DesiredField, DesiredNote, DesiredOpportunity
from lsq_sync.core.plan import PlanRules, make_plan
from lsq_sync.core.state import Entry, OpenRequest, Payload, Recorded, RequestID, RunID
from lsq_sync.errors import Origin, RefusedError, StorageError
from lsq_sync.render.document import to_text
from lsq_sync.render.plan_document import PLAN_FORMAT, plan_document

ACCOUNT = Account("acme", "https://async.example")
NOON = datetime(2026, 8, 31, 12, 0, 0, tzinfo=UTC)
RUN = RunID("run")
OPTIONS = {"retry_rejected": False, "resend_unknown": True}


def opportunity(key: str, note: str | None = None, **fields: str | None) -> DesiredOpportunity:
    place = Origin("specs/a.yaml", 4)
    return DesiredOpportunity(
        key,
        place,
        tuple(DesiredField(name, value, place) for name, value in fields.items()),
        DesiredNote(note, place) if note else None,
        label=f"The one called {key}",
    )


DESIRED = (
    opportunity("a-update", a="new", b=None),
    opportunity("b-first", note="नोट \u2028 \ud800", a="1"),
    opportunity("c-unchanged", a="same"),
    opportunity("d-waits", a="2"),
    opportunity("e-gives-up-b", a="same"),
)
RECORDED = Recorded(
    ACCOUNT,
    {
        "a-update": Entry(fields={"a": "old", "b": "x"}),
        "c-unchanged": Entry(fields={"a": "same"}),
        "d-waits": Entry(pending=OpenRequest(Payload({"a": "2"}), RUN, NOON, RequestID("r-d"))),
        "e-gives-up-b": Entry(fields={"a": "same", "b": "gone"}),
        "f-released": Entry(fields={"a": "1"}),
    },
)
BOUND = {"a-update", "b-first", "e-gives-up-b", "f-released"}


def planned(
    desired: tuple[DesiredOpportunity, ...] = DESIRED,
    recorded: Recorded = RECORDED,
    account: Account = ACCOUNT,
    now: datetime = NOON,
) -> Plan:
    return make_plan(account, desired, recorded, None, PlanRules(now))


def document(plan: Plan) -> dict[str, Any]:
    return plan_document(plan, budget(plan, RateLimit()), (), NOON)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with the plan in it."""
    path = tmp_path / "plan.json"
    save(path, document(planned()), OPTIONS)
    return path


def saved(path: Path) -> SavedPlan:
    return load(path, PLAN_FORMAT)


def refusal(path: Path) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        saved(path)
    assert caught.value.kind == "plan-file"
    assert "lsq-sync plan --out" in caught.value.hint
    return caught.value


def staleness(path: Path, plan: Plan) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        check(saved(path), plan)
    assert caught.value.kind == "stale-plan"
    return caught.value


# --- the file


def test_a_plan_file_is_the_plan_document_with_a_seal(path: Path) -> None:
    content = json.loads(path.read_text("utf-8"))
    assert content.pop("options") == OPTIONS
    assert content.pop("checksum")
    assert content == json.loads(to_text(document(planned())))


def test_what_is_saved_is_what_is_loaded(path: Path) -> None:
    found = saved(path)
    plan = planned()
    assert (found.name, found.id, found.async_host) == ("plan.json", plan.id, ACCOUNT.async_host)
    assert (found.retry_rejected, found.resend_unknown) == (False, True)
    assert {record.key for record in found.records} == BOUND
    changes = {change.key: change for change in plan.changes}
    for record in found.records:
        change = changes[record.key]
        assert (record.action, record.base, record.desired) == (
            change.action,
            change.base,
            change.desired,
        )


def test_only_its_owner_may_read_it(path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    save(path, document(planned()), OPTIONS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [left.name for left in path.parent.iterdir()] == ["plan.json"]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "nothing/plan.json", tmp_path / "file/plan.json", tmp_path):
        with pytest.raises(StorageError, match="cannot be written"):
            save(place, document(planned()), OPTIONS)


def test_the_same_plan_gives_the_same_file(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    save(other, document(planned()), OPTIONS)
    assert other.read_bytes() == path.read_bytes()


# --- edits


def test_every_edit_is_refused(path: Path) -> None:
    """Of any byte; what only moves blanks about is no edit."""
    whole = path.read_bytes()
    before = saved(path)
    accepted = 0
    for place in range(0, len(whole), 7):
        for byte in (b"x", b"0", b'"', b"\n", b""):
            data = whole[:place] + byte + whole[place + 1 :]
            if data == whole:
                continue
            path.write_bytes(data)
            try:
                assert saved(path) == before
                assert json.loads(data) == json.loads(whole)
                accepted += 1
            except RefusedError:
                continue
    assert accepted < len(whole)


def test_a_key_that_stands_twice_is_an_edit(path: Path) -> None:
    """Who reads it sees one of the two, and the other one runs."""
    text = path.read_text("utf-8")
    path.write_text(text.replace('{\n  "format"', '{\n  "opportunities": [],\n  "format"', 1))
    refusal(path)


@pytest.mark.parametrize(
    "edit",
    [
        lambda c: c["opportunities"].clear(),
        lambda c: c["opportunities"].pop(),
        lambda c: c["opportunities"][0].update(id="other"),
        lambda c: c["opportunities"][0].update(action="unchanged"),
        lambda c: c["opportunities"][0].update(label="other"),
        lambda c: c["opportunities"][0]["fields"][0].update(after="other"),
        lambda c: c["opportunities"][0]["fields"][0].update(after=None),
        lambda c: c["options"].update(retry_rejected=True),
        lambda c: c.update(id="0" * 32),
        lambda c: c.update(account="other"),
        lambda c: c.update(async_host="https://other.example"),
        lambda c: c.update(created_at="2027-01-01T00:00:00Z"),
        lambda c: c.update(extra=1),
        lambda c: c["summary"].update(update=0),
        lambda c: c.update(checksum="0" * 64),
        lambda c: c.update(checksum=None),
    ],
)
def test_edits_of_all_kinds(path: Path, edit: Callable[[Any], object]) -> None:
    content = json.loads(path.read_bytes())
    edit(content)
    path.write_text(json.dumps(content))
    assert "edited" in refusal(path).message


def test_a_file_that_was_only_laid_out_anew_still_holds(path: Path) -> None:
    before = saved(path)
    path.write_text(json.dumps(json.loads(path.read_bytes()), sort_keys=True))
    assert saved(path) == before
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert saved(path) == before


# --- what is no plan file


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not valid JSON"),
        (b"{", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"format": ' + b"9" * 5000 + b"}", "not valid JSON"),
        (b"null", "not a plan file of this version"),
        (b"[]", "not a plan file of this version"),
        (b'"lsq-sync/plan/v1"', "not a plan file of this version"),
        (b"{}", "not a plan file of this version"),
        (b'{"format": "lsq-sync/plan/v2"}', "not a plan file of this version"),
        (b'{"format": "lsq-sync/result/v1"}', "not a plan file of this version"),
        (b'{"format": "lsq-sync/plan/v1"}', "not written by plan --out"),
    ],
)
def test_what_is_no_plan_file(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(data)
    assert message in refusal(path).message


def test_the_document_of_format_json_is_no_plan_file(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text(to_text(document(planned())))
    assert "not written by plan --out" in refusal(path).message


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.pop("options"),
        lambda c: c.update(options=[]),
        lambda c: c.pop("opportunities"),
        lambda c: c.update(opportunities=None),
        lambda c: c.update(opportunities=[1]),
        lambda c: c.update(opportunities=[{"id": "a"}]),
        lambda c: c["opportunities"][0].pop("fields"),
        lambda c: c["opportunities"][0].pop("base"),
        lambda c: c.pop("id"),
    ],
)
def test_a_seal_alone_makes_no_plan_file(path: Path, change: Callable[[Any], object]) -> None:
    content = json.loads(path.read_bytes())
    content.pop("checksum")
    change(content)
    path.write_text(json.dumps({**content, "checksum": _checksum(content)}))
    assert "no plan file" in refusal(path).message


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert os.strerror(2) in refusal(tmp_path / "nothing.json").message
    assert os.strerror(21) in refusal(tmp_path).message


# --- holding


def test_it_holds_while_nothing_moves(path: Path) -> None:
    part = check(saved(path), planned())
    assert {change.key for change in part.changes} == BOUND
    assert part.id == planned().id


def test_places_labels_and_the_name_of_the_account_may_change(path: Path) -> None:
    elsewhere = Origin("specs/z.yaml", 99)
    moved = tuple(one._replace(origin=elsewhere, label="new") for one in DESIRED)
    plan = planned(moved, account=replace(ACCOUNT, name="renamed"))
    assert check(saved(path), plan).id == plan.id


def test_records_that_it_does_not_touch_may_move(path: Path) -> None:
    moved = changed("c-unchanged", opportunity("c-unchanged", a="other"))
    desired = (*moved, opportunity("z-new", a="1"))
    events: tuple[Event, ...] = (Succeeded("d-waits", NOON, RequestID("r-d")),)
    recorded = replace(RECORDED, entries=replay(RECORDED.entries, events))
    part = check(saved(path), planned(desired, recorded))
    assert {change.key for change in part.changes} == BOUND


def test_another_account_is_refused(path: Path) -> None:
    plan = planned(account=Account("acme", "https://other.example"))
    with pytest.raises(RefusedError, match=r"was made for https://async\.example") as caught:
        check(saved(path), plan)
    assert caught.value.kind == "plan-file"


def changed(key: str, one: DesiredOpportunity | None) -> tuple[DesiredOpportunity, ...]:
    rest = tuple(other for other in DESIRED if other.key != key)
    return rest if one is None else (*rest, one)


@pytest.mark.parametrize(
    ("desired", "why"),
    [
        (changed("a-update", opportunity("a-update", a="other", b=None)), "the specs want other"),
        (changed("a-update", opportunity("a-update", a="new")), "the specs want other"),
        (changed("a-update", opportunity("a-update", a="new", b=None, c="1")), "the specs want"),
        (changed("a-update", opportunity("a-update", "note", a="new", b=None)), "the specs want"),
        (changed("a-update", None), "the specs want other"),
        (changed("b-first", opportunity("b-first", "other", a="1")), "the specs want other"),
        (changed("b-first", None), "neither the specs nor the lock"),
        ((*DESIRED, opportunity("f-released", a="1")), "the specs want other"),
    ],
)
def test_a_record_that_moved_in_the_specs_is_named(
    path: Path, desired: tuple[DesiredOpportunity, ...], why: str
) -> None:
    error = staleness(path, planned(desired))
    [moved] = error.diagnostics
    assert why in moved.message
    assert "1 record moved" in error.message


def entry(key: str, value: Entry | None) -> Recorded:
    entries = {**RECORDED.entries}
    if value is None:
        entries.pop(key, None)
    else:
        entries[key] = value
    return Recorded(ACCOUNT, entries)


@pytest.mark.parametrize(
    "recorded",
    [
        entry("a-update", Entry(fields={"a": "newer", "b": "x"})),
        entry("a-update", Entry(fields={"a": "new", "b": "x"})),
        entry("a-update", Entry(fields={"a": "old", "b": "x"}, note="n")),
        entry("a-update", None),
        entry("b-first", Entry(fields={"a": "0"})),
        entry("f-released", Entry(fields={"a": "2"})),
        entry("e-gives-up-b", Entry(fields={"a": "same", "b": "other"})),
    ],
)
def test_a_record_that_moved_in_the_lock_is_named(path: Path, recorded: Recorded) -> None:
    error = staleness(path, planned(recorded=recorded))
    [moved] = error.diagnostics
    assert "the lock says something else now" in moved.message


def test_a_record_that_the_lock_forgot_is_named(path: Path) -> None:
    error = staleness(path, planned(recorded=entry("f-released", None)))
    assert "neither the specs nor the lock" in error.diagnostics[0].message


SENT = Intended("a-update", NOON, RUN, Payload({"a": "new", "b": None}))
TAKEN = Accepted("a-update", NOON, RequestID("r"))


@pytest.mark.parametrize(
    "events",
    [
        (SENT,),
        (SENT, TAKEN),
        (SENT, TAKEN, Succeeded("a-update", NOON, RequestID("r"))),
        (SENT, Rejected("a-update", NOON, "MXa: no")),
    ],
)
def test_applying_it_moves_its_records_so_it_applies_once(
    path: Path, events: tuple[Event, ...]
) -> None:
    recorded = replace(RECORDED, entries=replay(RECORDED.entries, events))
    error = staleness(path, planned(recorded=recorded))
    assert [moved.message.partition(":")[0] for moved in error.diagnostics] == ["a-update"]


def test_what_time_alone_has_changed_is_told(tmp_path: Path) -> None:
    """Held when it was planned and looked at, an update when it is applied."""
    path = tmp_path / "plan.json"
    opened = OpenRequest(Payload({"a": "0"}), RUN, NOON, RequestID("r"))
    recorded = Recorded(ACCOUNT, {"x": Entry(fields={"b": "1"}, pending=opened)})
    desired = (opportunity("x", a="1"),)
    before = planned(desired, recorded)
    assert [change.action for change in before.changes] == [Action.HELD]
    save(path, document(before), OPTIONS)
    check(saved(path), before)
    late = planned(desired, recorded, now=NOON + timedelta(hours=13))
    assert [change.action for change in late.changes] == [Action.UPDATE]
    error = staleness(path, late)
    assert "it was held, now it is update" in error.diagnostics[0].message


def test_everything_that_moved_is_named_at_once(path: Path) -> None:
    desired = tuple(one._replace(fields=one.fields[:0]) for one in DESIRED)
    error = staleness(path, planned(desired))
    assert "3 records moved" in error.message
    assert [moved.message.partition(":")[0] for moved in error.diagnostics] == sorted(
        BOUND - {"f-released"}
    )


def test_a_plan_with_nothing_to_do_holds_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    save(path, document(planned((), Recorded(ACCOUNT))), OPTIONS)
    assert check(saved(path), planned()).changes == ()
