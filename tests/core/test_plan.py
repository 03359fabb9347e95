"""The table of actions: desired against recorded, live, and the request that is open."""

from dataclasses import replace
from datetime import timedelta

import pytest

from lsq_sync.core.change import Action, Change, Plan
from lsq_sync.core.model import FieldRule, LiveOpportunity
from lsq_sync.core.state import NOTE, Entry, Outcome, Payload, Recorded, Replaced
from lsq_sync.core.values import ABSENT, Absent, DataType, Value
from lsq_sync.errors import Origin
from tests.core.support import (
    ACCOUNT,
    KEY,
    NOW,
    actions,
    at,
    change_of,
    desired,
    final,
    live_of,
    opened,
    part,
    payload,
    plan_of,
    recorded,
)

UPDATE, UNCHANGED, PENDING, HELD = Action.UPDATE, Action.UNCHANGED, Action.PENDING, Action.HELD
CONFLICT, ADOPT, RELEASE, REJECTED = (
    Action.CONFLICT,
    Action.ADOPT,
    Action.RELEASE,
    Action.REJECTED,
)

NUMBER = FieldRule(DataType.NUMBER, "Deal Size")
MOMENT = FieldRule(DataType.DATE_TIME, "Closure")
OPTIONS = FieldRule(DataType.OPTIONS)

NOT = ABSENT
FIELD: dict[str, tuple[Value, Value | Absent, Value | Absent, Action]] = {
    # desired, recorded, live (ABSENT: not known, not read), the action
    "new": ("1", NOT, NOT, UPDATE),
    "new, cleared": (None, NOT, NOT, UPDATE),
    "as recorded": ("1", "1", NOT, UNCHANGED),
    "as recorded, cleared": (None, None, NOT, UNCHANGED),
    "other than recorded": ("1", "0", NOT, UPDATE),
    "cleared": (None, "0", NOT, UPDATE),
    "set again": ("1", None, NOT, UPDATE),
    "all three agree": ("1", "1", "1", UNCHANGED),
    "all three empty": (None, None, None, UNCHANGED),
    "live has it, nothing recorded": ("1", NOT, "1", ADOPT),
    "live is empty as desired, nothing recorded": (None, NOT, None, ADOPT),
    "live has it, other recorded": ("1", "0", "1", ADOPT),
    "live as recorded": ("1", "0", "0", UPDATE),
    "live as recorded, cleared": (None, "0", "0", UPDATE),
    "live empty as recorded": ("1", None, None, UPDATE),
    "over a live value that nobody recorded": ("1", NOT, "0", UPDATE),
    "where live is empty and nobody recorded": ("1", NOT, None, UPDATE),
    "changed in the CRM and in the specs": ("1", "0", "2", CONFLICT),
    "changed in the CRM only": ("1", "1", "2", CONFLICT),
    "cleared in the CRM only": ("1", "1", None, CONFLICT),
    "filled in the CRM only": (None, None, "2", CONFLICT),
    "changed in the CRM, cleared in the specs": (None, "0", "2", CONFLICT),
}


@pytest.mark.parametrize("case", FIELD)
def test_what_happens_to_a_field(case: str) -> None:
    want, was, now, action = FIELD[case]
    entry = None if was is ABSENT else recorded(a=was)
    live = LiveOpportunity() if now is ABSENT else live_of(a=now)
    change = change_of(desired({"a": want}), entry, live)
    assert actions(change) == {"a": action}
    assert change.action is action


@pytest.mark.parametrize("case", FIELD)
def test_what_happens_to_a_note_is_the_same(case: str) -> None:
    want, was, now, action = FIELD[case]
    entry = None if was is ABSENT else Entry(note=was)
    live = LiveOpportunity() if now is ABSENT else live_of(now)
    assert change_of(desired(note=want), entry, live).action is action


@pytest.mark.parametrize("case", FIELD)
def test_without_live_values_the_plan_is_that_of_a_live_record_that_was_not_read(
    case: str,
) -> None:
    want, was, _, _ = FIELD[case]
    entry = None if was is ABSENT else recorded(a=was)
    unread = change_of(desired({"a": want}), entry, LiveOpportunity())
    assert unread == change_of(desired({"a": want}), entry, None)


def test_what_a_field_was_before() -> None:
    one = desired({"a": "1"})
    cases: list[tuple[Entry | None, LiveOpportunity | None, Value, bool]] = [
        # recorded, live, before, known
        (None, None, None, False),
        (recorded(a=None), None, None, True),
        (recorded(a="0"), None, "0", True),
        (recorded(a="0"), live_of(a="2"), "0", True),
        (None, live_of(a="2"), "2", True),
        (None, live_of(a=None), None, True),
        (None, live_of(b="2"), None, False),
    ]
    for entry, live, before, known in cases:
        found = part(change_of(one, entry, live), "a")
        assert (found.before, found.known, found.after) == (before, known, "1")


def test_live_values_are_shown_in_canonical_form() -> None:
    one = desired({"n": "2", "at": "2026-01-01 00:00:00"}, rules={"n": NUMBER, "at": MOMENT})
    change = change_of(one, None, live_of(n="50,000.00", at="4/6/2023 3:23:34 PM"))
    assert (part(change, "n").live, part(change, "n").before) == ("50000", "50000")
    assert part(change, "at").live == "2023-04-06 15:23:34"


def test_an_update_overwrites_where_live_holds_what_nobody_recorded() -> None:
    one = desired({"a": "1", "b": "1", "c": "1", "d": "1"})
    live = live_of(a="0", b=None, c="0", d="1")
    change = change_of(one, recorded(c="0"), live)
    assert {found.name for found in change.fields if found.overwrites} == {"a"}
    assert plan_of(one, recorded(c="0"), live).summary["overwrites"] == 1


# --- forms of one value

FORMS = [
    # rule, desired, recorded, live
    (NUMBER, "200000", "200,000", "2,00,000.000"),
    (NUMBER, None, None, "0"),
    (MOMENT, "2026-09-16 12:00:00", "2026-09-16T12:00:00Z", "9/16/2026 12:00:00 PM"),
    (OPTIONS, "PAN;Aadhaar", "Aadhaar;PAN", "Aadhaar; PAN"),
    (FieldRule(), "two\nlines", "two\nlines", " two\r\nlines\r\n"),
    (FieldRule(), None, None, ""),
]


@pytest.mark.parametrize(("rule", "want", "was", "now"), FORMS)
def test_another_form_of_the_same_value_is_no_change(
    rule: FieldRule, want: Value, was: Value, now: Value
) -> None:
    one = desired({"a": want}, rules={"a": rule})
    assert change_of(one, recorded(a=was)).action is UNCHANGED
    assert change_of(one, recorded(a=was), live_of(a=now)).action is UNCHANGED
    assert change_of(one, None, live_of(a=now)).action is ADOPT


# --- an open request

OPEN: dict[str, tuple[Value, Value | Absent, Value | Absent, Action, Action]] = {
    # desired, recorded, carried by the open request; the action, and when it was seen
    "the same is on its way": ("1", "0", "1", PENDING, UNCHANGED),
    "the same is on its way, nothing recorded": ("1", NOT, "1", PENDING, UNCHANGED),
    "the same clearing is on its way": (None, "0", None, PENDING, UNCHANGED),
    "another is on its way": ("2", "0", "1", HELD, HELD),
    "another is on its way, nothing recorded": ("2", NOT, "1", HELD, HELD),
    "another is on its way, the recorded one is wanted back": ("0", "0", "1", HELD, HELD),
    "a clearing is on its way, the recorded one is wanted back": ("0", "0", None, HELD, HELD),
    "not carried, as recorded": ("0", "0", NOT, UNCHANGED, UNCHANGED),
    "not carried, other than recorded": ("1", "0", NOT, HELD, HELD),
    "not carried, nothing recorded": ("1", NOT, NOT, HELD, HELD),
}


def open_entry(
    case: str, number: int | None = 1, *, seen: bool = False, note: bool = False
) -> Entry:
    _, was, carried, _, _ = OPEN[case]
    if note:
        what = Payload({"z": "9"}, carried)
        return Entry(note=was, pending=opened(what, number, seen=seen))
    fields = {} if was is ABSENT else {"a": was}
    sent = {} if carried is ABSENT else {"a": carried}
    return Entry(fields=fields, pending=opened(Payload({**sent, "z": "9"}), number, seen=seen))


@pytest.mark.parametrize("number", [1, None])
@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize("case", OPEN)
def test_an_open_request_holds_other_values(case: str, seen: bool, number: int | None) -> None:
    want, _, _, action, when_seen = OPEN[case]
    entry = open_entry(case, number, seen=seen)
    one = desired({"a": want, "z": "9"})
    expected = when_seen if seen else action
    assert part(change_of(one, entry), "a").action is expected
    assert part(change_of(one, entry, live_of(a="7", z="9")), "a").action is expected


@pytest.mark.parametrize("case", OPEN)
def test_an_open_request_holds_another_note(case: str) -> None:
    want, _, _, action, _ = OPEN[case]
    change = change_of(desired({"z": "9"}, note=want), open_entry(case, note=True))
    assert part(change, NOTE).action is action


@pytest.mark.parametrize("case", OPEN)
def test_nothing_of_an_opportunity_with_an_open_request_is_sent(case: str) -> None:
    one = desired({"a": OPEN[case][0], "b": "new"})
    change = change_of(one, open_entry(case))
    assert change.action is HELD
    assert change.payload == Payload({})
    assert not change.wire_fields


def test_what_is_open_is_said_with_its_request_and_its_end() -> None:
    accepted = Entry(pending=opened(payload(a="1"), 5))
    unknown = Entry(pending=opened(payload(a="1"), None))
    seen = Entry(pending=opened(payload(a="1"), 5, seen=True))
    same, other = desired({"a": "1"}), desired({"a": "2"})
    of_five = "request request-5 of 2026-09-16T12:00:00Z"
    until = "2026-09-17T00:00:00Z"
    assert change_of(same, accepted).reason == (
        f"on its way: {of_five}, no verdict yet (until {until})"
    )
    assert change_of(other, accepted).reason == (
        f"{of_five}, no verdict yet (until {until}); it may still land, so other values wait for it"
    )
    assert change_of(other, seen).reason.startswith(f"{of_five}, seen in the CRM, no verdict yet")
    assert change_of(same, unknown).reason == (
        f"on its way: an update sent 2026-09-16T12:00:00Z got no answer (open until {until})"
    )


# --- the late window

WINDOW = timedelta(hours=12)


def test_after_the_late_window_the_same_is_sent_again() -> None:
    entry = Entry(pending=opened(payload(a="1"), 5))
    one = desired({"a": "1"})
    end = at() + WINDOW
    assert change_of(one, entry, now=end - timedelta(seconds=1)).action is PENDING
    change = change_of(one, entry, now=end)
    assert change.action is UPDATE
    assert change.reason == (
        "request request-5, sent 2026-09-16T12:00:00Z, got no verdict within 12 hours"
    )


def test_in_queue_starts_the_late_window_again() -> None:
    entry = Entry(pending=opened(payload(a="1"), queued_at=at(3600)))
    one = desired({"a": "1"})
    assert change_of(one, entry, now=at() + WINDOW).action is PENDING
    assert change_of(one, entry, now=at(3600) + WINDOW).action is UPDATE


def test_the_late_window_is_a_setting() -> None:
    entry = Entry(pending=opened(payload(a="1")))
    change = change_of(desired({"a": "1"}), entry, late_window=timedelta(minutes=30))
    assert change.action is UPDATE
    assert change.reason.endswith("got no verdict within 0.5 hours")
    assert change_of(desired({"a": "1"}), entry, late_window=timedelta(0)).action is UPDATE


def test_a_value_that_may_have_landed_is_not_taken_for_the_recorded_one() -> None:
    """Nobody knows whether the CRM has 1 or 2 now: only sending 1 again settles it."""
    entry = Entry(fields={"a": "1", "b": "5"}, pending=opened(payload(a="2"), 5))
    one = desired({"a": "1", "b": "5"})
    late = at() + WINDOW
    assert actions(change_of(one, entry, now=late)) == {"a": UPDATE, "b": UNCHANGED}
    read = live_of(a="1", b="5")
    assert change_of(one, entry, read, now=late).action is UNCHANGED
    lost = entry._replace(pending=opened(payload(a="2"), None))
    assert change_of(one, lost).action is HELD
    assert change_of(one, lost, resend_unknown=True).action is UPDATE


def test_a_note_that_may_have_landed_is_not_taken_for_the_recorded_one() -> None:
    entry = Entry(note="old", pending=opened(payload("new")))
    assert change_of(desired(note="old"), entry, now=at() + WINDOW).action is UPDATE


# --- without an answer


def test_an_update_without_an_answer_is_sent_again_only_when_asked() -> None:
    entry = Entry(pending=opened(payload(a="1"), None))
    assert change_of(desired({"a": "1"}), entry).action is PENDING
    assert change_of(desired({"a": "2"}), entry).action is HELD
    again = change_of(desired({"a": "1"}), entry, resend_unknown=True)
    assert again.action is UPDATE
    assert again.reason == (
        "an update without an answer, sent 2026-09-16T12:00:00Z, is sent again because you asked"
    )
    assert change_of(desired({"a": "2"}), entry, resend_unknown=True).action is UPDATE


def test_resending_does_not_lift_an_accepted_or_a_seen_one() -> None:
    accepted = Entry(pending=opened(payload(a="1"), 5))
    seen = Entry(pending=opened(payload(a="1"), None, seen=True))
    for entry in (accepted, seen):
        assert change_of(desired({"a": "2"}), entry, resend_unknown=True).action is HELD
    assert change_of(desired({"a": "1"}), accepted, resend_unknown=True).action is PENDING
    assert change_of(desired({"a": "1"}), seen, resend_unknown=True).action is UNCHANGED


# --- rejected before


def test_exactly_what_was_rejected_is_not_sent_again() -> None:
    entry = Entry(request=final(Outcome.REJECTED, payload(a="1"), reason="MXInvalid: no"))
    change = change_of(desired({"a": "1"}), entry)
    assert change.action is REJECTED
    assert change.reason == ("the CRM rejected exactly this on 2026-09-16T12:00:10Z: MXInvalid: no")
    assert change.payload == Payload({})
    assert change_of(desired({"a": "1"}), entry, retry_rejected=True).action is UPDATE


REJECTIONS: dict[str, tuple[Entry, Action]] = {
    "another value was rejected": (
        Entry(request=final(Outcome.REJECTED, payload(a="0"))),
        UPDATE,
    ),
    "with another field": (Entry(request=final(Outcome.REJECTED, payload(a="1", b="1"))), UPDATE),
    "with a note": (Entry(request=final(Outcome.REJECTED, payload("text", a="1"))), UPDATE),
    "for the rate limit: no digest": (Entry(request=final(Outcome.REJECTED)), UPDATE),
    "the last one succeeded": (Entry(request=final(Outcome.SUCCEEDED, payload(a="1"))), UPDATE),
    "given up": (Entry(request=final(Outcome.UNKNOWN, payload(a="1"))), UPDATE),
    "recorded meanwhile": (
        Entry(fields={"a": "1"}, request=final(Outcome.REJECTED, payload(a="1"))),
        UNCHANGED,
    ),
}


@pytest.mark.parametrize("case", REJECTIONS)
def test_only_exactly_what_was_rejected_is_held_back(case: str) -> None:
    entry, action = REJECTIONS[case]
    assert change_of(desired({"a": "1"}), entry).action is action


def test_a_rejected_note_or_clearing_is_remembered_as_well() -> None:
    note = Entry(request=final(Outcome.REJECTED, payload("text")))
    assert change_of(desired(note="text"), note).action is REJECTED
    cleared = Entry(fields={"a": "0"}, request=final(Outcome.REJECTED, payload(a=None)))
    assert change_of(desired({"a": None}), cleared).action is REJECTED


def test_the_unchanged_fields_beside_a_rejected_one_stay_unchanged() -> None:
    entry = Entry(fields={"b": "1"}, request=final(Outcome.REJECTED, payload(a="1")))
    change = change_of(desired({"a": "1", "b": "1"}), entry)
    assert actions(change) == {"a": REJECTED, "b": UNCHANGED}


# --- the gravest wins


def test_an_opportunity_has_the_gravest_action_of_its_fields() -> None:
    entry = recorded(conflict="0", update="0", unchanged="1", gone="1")
    live = live_of(conflict="2", update="0", unchanged="1", adopt="1")
    fields: dict[str, Value] = {"conflict": "1", "update": "1", "adopt": "1", "unchanged": "1"}
    change = change_of(desired(fields), entry, live)
    assert actions(change) == {
        "conflict": CONFLICT,
        "update": UPDATE,
        "adopt": ADOPT,
        "unchanged": UNCHANGED,
        "gone": RELEASE,
    }
    assert change.action is CONFLICT
    assert change.reason == "changed in the CRM since it was recorded: conflict"
    assert not change.wire_fields
    for graver, rest in (("conflict", UPDATE), ("update", ADOPT), ("adopt", RELEASE)):
        del fields[graver]
        entry = entry._replace(fields={k: v for k, v in entry.fields.items() if k != graver})
        assert change_of(desired(fields), entry, live).action is rest


def test_the_order_of_gravity() -> None:
    assert sorted(Action, key=lambda action: action.gravity) == [
        CONFLICT,
        HELD,
        REJECTED,
        PENDING,
        UPDATE,
        ADOPT,
        RELEASE,
        UNCHANGED,
    ]


def test_an_opportunity_without_fields_is_unchanged() -> None:
    assert change_of(desired()).action is UNCHANGED


# --- companions

STATUS = FieldRule(DataType.OPTION, "Status", send_with=("stage", "comment"))
STAGE = FieldRule(DataType.OPTION, "Stage", send_with=("status",))
LOAN = {"loan": {"status": STATUS, "stage": STAGE, "comment": FieldRule(title="Comment")}}


def companions(change: Change) -> dict[str, Value]:
    return {found.name: found.after for found in change.fields if found.companion}


def loan(fields: dict[str, Value], *known: Entry | LiveOpportunity | None) -> Change:
    one = desired(fields, rules=LOAN["loan"], type="loan")
    return change_of(one, *known, types=LOAN)


def test_what_the_crm_wants_along_goes_with_a_change_where_its_value_is_known() -> None:
    live = live_of(status="Open", stage="New", comment="hi")
    change = loan({"status": "Won"}, recorded(status="Open"), live)
    assert companions(change) == {"stage": "New", "comment": "hi"}
    assert change.wire_fields == {"status": "Won", "stage": "New", "comment": "hi"}
    assert part(change, "stage").rule is STAGE
    assert plan_summary(change)["fields"] == 1


def plan_summary(change: Change) -> dict[str, int]:
    return Plan(ACCOUNT, (change,)).summary


COMPANIONS: dict[
    str, tuple[dict[str, Value], Entry | None, LiveOpportunity | None, dict[str, Value]]
] = {
    # desired, recorded, live, the companions
    "nothing is known of them": ({"status": "Won"}, None, None, {}),
    "nothing changes": (
        {"status": "Won"},
        recorded(status="Won"),
        live_of(status="Won", stage="New"),
        {},
    ),
    "managed and unchanged": (
        {"status": "Won", "stage": "New"},
        recorded(status="Open", stage="New"),
        None,
        {"stage": "New"},
    ),
    "managed and changed too": (
        {"status": "Won", "stage": "Disbursed"},
        recorded(status="Open", stage="New"),
        None,
        {},
    ),
    "the status of a stage": (
        {"stage": "New"},
        None,
        live_of(status="Open", stage="Old", comment="hi"),
        {"status": "Open"},
    ),
    "given up in the same breath: not the recorded one, which may be old": (
        {"status": "Won"},
        recorded(status="Open", stage="New"),
        None,
        {},
    ),
    "not read, but managed": (
        {"status": "Won", "stage": "New"},
        recorded(status="Open", stage="New"),
        live_of(status="Open"),
        {"stage": "New"},
    ),
    "not read and not recorded: none, rather than an empty one": (
        {"status": "Won"},
        recorded(status="Open"),
        live_of(status="Open"),
        {},
    ),
    "known to be empty": (
        {"status": "Won"},
        None,
        live_of(status="Open", stage="New", comment=None),
        {"stage": "New", "comment": None},
    ),
}


@pytest.mark.parametrize("case", COMPANIONS)
def test_companions(case: str) -> None:
    fields, entry, live, expected = COMPANIONS[case]
    assert companions(loan(fields, entry, live)) == expected


def test_a_companion_that_the_specs_do_not_manage_is_sent_but_not_recorded() -> None:
    """Else the next plan would release it, after every single apply."""
    change = loan({"status": "Won"}, recorded(status="Open"), live_of(status="Open", stage="New"))
    assert change.wire_fields == {"status": "Won", "stage": "New"}
    assert change.payload == payload(status="Won")


def test_a_companion_that_the_specs_manage_is_recorded() -> None:
    change = loan({"status": "Won", "stage": "New"}, recorded(status="Open", stage="New"))
    assert change.payload == payload(status="Won", stage="New")


def test_a_live_companion_is_sent_in_a_form_that_the_crm_takes() -> None:
    rules = {"a": FieldRule(send_with=("on", "size")), "on": FieldRule(DataType.DATE)}
    types = {"loan": {**rules, "size": NUMBER}}
    one = desired({"a": "1"}, rules=rules, type="loan")
    live = live_of(a="0", on="12/23/2023 12:00:00 AM", size="50,000.00")
    change = change_of(one, recorded(a="0"), live, types=types)
    assert change.wire_fields == {"a": "1", "on": "2023-12-23 00:00:00", "size": "50000"}


def test_a_rejection_holds_its_companions_back_too() -> None:
    entry = Entry(
        fields={"status": "Open", "stage": "New"},
        request=final(Outcome.REJECTED, payload(status="Won", stage="New")),
    )
    change = loan({"status": "Won", "stage": "New"}, entry)
    assert change.action is REJECTED
    assert not change.wire_fields


# --- releases


def test_a_field_that_the_specs_gave_up_is_released() -> None:
    entry = Entry("loan", fields={"a": "1", "b": "2"}, note="text")
    change = change_of(
        desired({"a": "1"}, type="loan"), entry, types={"loan": {"b": NUMBER, NOTE: NUMBER}}
    )
    assert change.action is RELEASE
    assert change.released == (NOTE, "b")
    assert part(change, "b").before == "2"
    assert part(change, "b").after is None
    assert part(change, "b").rule is NUMBER
    assert part(change, NOTE).rule.title == "Note"
    assert change.reason == "no longer in the specs: the lock forgets it, nothing is sent"
    assert not change.forgets_it
    assert not change.wire_fields


def test_a_release_beside_an_update() -> None:
    change = change_of(desired({"a": "1"}), recorded(a="0", b="2"))
    assert change.action is UPDATE
    assert change.released == ("b",)
    assert change.payload == payload(a="1")


def test_an_opportunity_that_no_spec_has_is_released_whole() -> None:
    plan = plan_of((), Recorded(ACCOUNT, {KEY: recorded(a="1", b=None)}))
    (change,) = plan.changes
    assert change.action is RELEASE
    assert change.forgets_it
    assert change.released == ("a", "b")
    assert change.reason == "no spec has it any more"
    assert change.origin is None
    assert plan.moves_anything


def test_a_remembered_rejection_is_released_with_its_opportunity() -> None:
    plan = plan_of((), Recorded(ACCOUNT, {KEY: Entry(request=final(Outcome.REJECTED))}))
    assert plan.changes[0].forgets_it
    assert plan.changes[0].moves


def test_what_is_still_open_stays_known_when_it_is_released() -> None:
    entry = Entry(fields={"a": "0", "b": "1"}, pending=opened(payload("text", a="2", c="3")))
    (whole,) = plan_of((), Recorded(ACCOUNT, {KEY: entry})).changes
    assert whole.released == (NOTE, "a", "b", "c")
    assert "the open request stays known until it is final" in whole.reason
    part_of_it = change_of(desired({"a": "2"}), entry)
    assert actions(part_of_it) == {"a": PENDING, NOTE: RELEASE, "b": RELEASE, "c": RELEASE}
    assert part_of_it.action is PENDING
    assert part(part_of_it, "c").before == "3"
    assert Plan(ACCOUNT, (part_of_it,)).needs_attention


def test_what_was_released_while_open_is_not_released_twice() -> None:
    entry = Entry(pending=opened(payload(a="2", b="3"), released=("a", "b")))
    assert plan_of((), Recorded(ACCOUNT, {KEY: entry})).changes == ()
    half = Entry(pending=opened(payload(a="2", b="3"), released=("a",)))
    (change,) = plan_of((), Recorded(ACCOUNT, {KEY: half})).changes
    assert change.released == ("b",)


def test_what_was_given_up_while_open_and_is_wanted_again_waits_for_the_verdict() -> None:
    entry = Entry(pending=opened(payload(a="2"), released=("a",)))
    assert change_of(desired({"a": "2"}), entry).action is PENDING
    assert change_of(desired({"a": "1"}), entry).action is HELD


# --- the payload and the wire


def test_only_what_changes_is_sent_and_a_note_only_when_it_does() -> None:
    one = desired({"a": "1", "b": "2", "c": None}, note="text")
    change = change_of(one, Entry(fields={"b": "2", "c": "3"}, note="text"))
    assert change.wire_fields == {"a": "1", "c": ""}
    assert change.wire_note is None
    assert change_of(one, recorded(a="1", b="2", c=None)).wire_note == "text"
    cleared = change_of(desired(note=None), Entry(note="text"))
    assert cleared.wire_note == ""
    assert cleared.wire_fields == {}
    assert cleared.payload == payload(None)


def test_adopted_values_are_recorded_as_we_would_write_them() -> None:
    one = desired({"n": "50000"}, rules={"n": NUMBER}, note="text")
    change = change_of(one, None, live_of(" text\r\n", n="50,000.00"))
    assert change.adopted == payload("text", n="50000")
    assert change.moves
    assert not change.wire_fields


# --- the plan as a whole


def test_the_summary_counts_opportunities_by_action_and_what_is_written() -> None:
    several = [
        desired({"a": "1", "b": None}, key="LN-1", note="text"),
        desired({"a": "1"}, key="LN-2"),
        desired({"a": "1"}, key="LN-3"),
    ]
    known = Recorded(
        ACCOUNT,
        {"LN-1": recorded(b="1"), "LN-2": recorded(a="1"), "LN-9": recorded(a="1")},
    )
    plan = plan_of(several, known)
    assert plan.summary == {
        "update": 2, "unchanged": 1, "pending": 0, "held": 0, "rejected": 0, "conflict": 0,
        "adopt": 0, "release": 1, "fields": 3, "clears": 1, "overwrites": 0,
    }  # fmt: skip
    assert [change.key for change in plan.updates] == ["LN-1", "LN-3"]
    assert plan.needs_attention


def test_opportunities_come_in_the_order_of_the_specs_and_releases_last() -> None:
    several = [
        desired({"a": "1"}, key="LN-5", file="specs/b.yaml", line=3),
        desired({"a": "1"}, key="LN-9", file="specs/a.yaml", line=9),
        desired({"a": "1"}, key="LN-7", file="specs/a.yaml", line=30),
    ]
    known = Recorded(ACCOUNT, {key: recorded(a="1") for key in ("LN-3", "LN-1", "LN-9")})
    keys = [change.key for change in plan_of(several, known).changes]
    assert keys == ["LN-9", "LN-7", "LN-5", "LN-1", "LN-3"]


def test_a_plan_says_whether_live_values_were_read() -> None:
    assert not plan_of(desired({"a": "1"})).refreshed
    assert plan_of(desired({"a": "1"}), None, live_of(a="0")).refreshed


QUIET = {
    # action, whether the plan moves anything, whether it needs attention
    "unchanged": (desired({"a": "1"}), recorded(a="1"), None, False, False),
    "pending": (desired({"a": "1"}), Entry(pending=opened(payload(a="1"))), None, False, False),
    "held": (desired({"a": "2"}), Entry(pending=opened(payload(a="1"))), None, False, True),
    "update": (desired({"a": "1"}), None, None, True, True),
    "adopt": (desired({"a": "1"}), None, live_of(a="1"), True, True),
    "release": (desired(), recorded(a="1"), None, True, True),
    "conflict": (desired({"a": "1"}), recorded(a="1"), live_of(a="2"), False, True),
    "rejected": (
        desired({"a": "1"}),
        Entry(request=final(Outcome.REJECTED, payload(a="1"))),
        None,
        False,
        True,
    ),
}


@pytest.mark.parametrize("action", QUIET)
def test_whether_there_is_anything_to_do(action: str) -> None:
    one, entry, live, moves, needs_attention = QUIET[action]
    plan = plan_of(one, entry, live)
    assert plan.changes[0].action == action
    assert plan.moves_anything is moves
    assert plan.needs_attention is needs_attention


# --- the id of a plan

BASIC = desired({"a": "1", "b": None}, note="text")
KNOWN = recorded(a="0", c="3")


def test_the_id_does_not_depend_on_what_people_see_or_when_they_look() -> None:
    plan = plan_of(BASIC, KNOWN)
    elsewhere = BASIC._replace(
        label="Acme", type="loan", code=7, origin=Origin("specs/z.yaml", 99, 1)
    )
    assert plan_of(elsewhere, KNOWN).id == plan.id
    assert plan_of(BASIC, KNOWN, now=NOW + timedelta(days=300)).id == plan.id
    beside = desired({"a": "1"}, key="LN-7")
    with_unchanged = Recorded(ACCOUNT, {KEY: KNOWN, "LN-7": recorded(a="1")})
    assert plan_of([BASIC, beside], with_unchanged).id == plan.id


def test_the_id_depends_on_all_that_the_plan_does() -> None:
    known = Recorded(ACCOUNT, {KEY: KNOWN})
    others = {
        "as it is": plan_of(BASIC, known),
        "another value": plan_of(
            BASIC._replace(fields=desired({"a": "2", "b": None}).fields), known
        ),
        "a clear less": plan_of(BASIC._replace(fields=desired({"a": "1"}).fields), known),
        "text for a clear": plan_of(
            BASIC._replace(fields=desired({"a": "1", "b": "x"}).fields), known
        ),
        "another note": plan_of(BASIC._replace(note=desired(note="other").note), known),
        "no note": plan_of(BASIC._replace(note=None), known),
        "another id": plan_of(BASIC._replace(key="LN-1"), Recorded(ACCOUNT, {"LN-1": KNOWN})),
        "a release less": plan_of(BASIC, recorded(a="0")),
        "a release more": plan_of(BASIC, recorded(a="0", c="3", d="4")),
        "an adoption": plan_of(BASIC, known, live_of("text", a="0", b="5")),
        "one more released whole": plan_of(
            BASIC, Recorded(ACCOUNT, {KEY: KNOWN, "LN-9": recorded(a="1")})
        ),
        "nothing": plan_of(()),
        "another account": replace(
            plan_of(BASIC, known), account=replace(ACCOUNT, async_host="https://other.example")
        ),
        "another host": replace(plan_of(BASIC, known), account=replace(ACCOUNT, host=None)),
    }
    assert len({plan.id for plan in others.values()}) == len(others)


def test_the_id_does_not_depend_on_the_label_of_the_account() -> None:
    plan = plan_of(BASIC, KNOWN)
    assert replace(plan, account=replace(ACCOUNT, name="other")).id == plan.id


def test_a_change_names_what_it_was_planned_against() -> None:
    assert change_of(BASIC, KNOWN).base == KNOWN.base
    assert change_of(BASIC).base == Entry().base
    labelled = BASIC._replace(label="Acme")
    assert change_of(labelled, KNOWN).desired == change_of(BASIC, KNOWN).desired
    assert change_of(desired({"a": "1"}), KNOWN).desired != change_of(BASIC, KNOWN).desired


# --- reads that lag behind our own write


def lagging(seconds: float, was: Value, **replaced: Value) -> Entry:
    """An entry whose last write was confirmed so many seconds ago."""
    return Entry(fields={"a": was}, replaced=Replaced(NOW - timedelta(seconds=seconds), replaced))


LAG: dict[str, tuple[Value, Entry, Value, Action]] = {
    # desired, recorded, live, the action
    "nothing else is wanted": ("1", lagging(5, "1", a="0"), "0", UNCHANGED),
    "something else is wanted": ("2", lagging(5, "1", a="0"), "0", UPDATE),
    "the old value is wanted back": ("0", lagging(5, "1", a="0"), "0", UPDATE),
    "live is neither old nor ours": ("1", lagging(5, "1", a="0"), "3", CONFLICT),
    "live is ours already": ("1", lagging(5, "1", a="0"), "1", UNCHANGED),
    "it lasts for 90 seconds": ("1", lagging(89, "1", a="0"), "0", UNCHANGED),
    "and no longer": ("1", lagging(90, "1", a="0"), "0", CONFLICT),
    "what was replaced is not known": ("1", lagging(5, "1"), "0", CONFLICT),
    "it was empty before": ("1", lagging(5, "1", a=None), None, UNCHANGED),
    "we cleared it": (None, lagging(5, None, a="0"), "0", UNCHANGED),
    "the write changed nothing": ("1", lagging(5, "1", a="1"), "0", CONFLICT),
}


@pytest.mark.parametrize("case", LAG)
def test_a_read_that_lags_is_no_conflict(case: str) -> None:
    want, entry, now, action = LAG[case]
    assert change_of(desired({"a": want}), entry, live_of(a=now)).action is action


def test_a_conflict_may_be_overwritten_on_purpose() -> None:
    change = change_of(desired({"a": "1"}), recorded(a="0"), live_of(a="2"), overwrite=True)
    assert change.action is UPDATE
    assert (part(change, "a").before, part(change, "a").live) == ("0", "2")


def test_an_opportunity_that_the_crm_does_not_show_says_so() -> None:
    change = change_of(desired({"a": "1"}), None, LiveOpportunity(missing=True))
    assert (change.action, "does not show it" in change.reason) == (UPDATE, True)


def test_what_an_update_replaces_is_what_is_live_else_what_is_recorded() -> None:
    one = desired({"a": "1", "b": "1", "c": "1", "d": "1"}, note="text")
    change = change_of(one, recorded(b="0", c="5"), live_of("old", a="2", b="0", d=""))
    assert change.replaces == {"a": "2", "b": "0", "c": "5", "d": None, NOTE: "old"}
    assert change_of(desired({"a": "1"})).replaces == {}
