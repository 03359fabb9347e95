"""One plan and one set of results that show everything there is to show."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lsq_sync.core.change import Action, Change, FieldChange, Plan
from lsq_sync.core.digest import Digest
from lsq_sync.core.model import Account, FieldRule
from lsq_sync.core.result import UpdateResult
from lsq_sync.core.safety import Refusal
from lsq_sync.core.state import (
    NOTE,
    Displaced,
    Entry,
    FinalRequest,
    OpenRequest,
    Outcome,
    Payload,
    Recorded,
    RequestID,
    RunID,
)
from lsq_sync.core.values import DataType
from lsq_sync.errors import Origin

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
RUN = RunID("20261123T100000Z-abcdef")
ACCOUNT = Account("acme-production", "https://asyncapi-in21.leadsquared.com")
FILE = "specs/loans.yaml"

AMOUNT = FieldRule(DataType.NUMBER, "Expected Deal Size")
MOBILE = FieldRule(title="Mobile", sensitive=True)
STATUS = FieldRule(DataType.OPTION, "Status")
NOTE_RULE = FieldRule(title="Note")

HOSTILE = "\x1b[31mred\x1b[0m \u202eevil\u202c\n::error::fake \x07"


def field(
    name: str, action: Action, before: str | None, after: str | None, line: int = 9, **more: object
) -> FieldChange:
    """A field of the sample, recorded unless told otherwise."""
    part = FieldChange(name, action, before, after, known=True, origin=Origin(FILE, line, 7))
    return part._replace(**more)  # type: ignore[arg-type]


def change(number: int, action: Action, *fields: FieldChange, **more: Any) -> Change:
    """An opportunity of the sample."""
    made = Change(
        key=f"5ca5b042-51ea-4699-b6f0-84c40ab1{number:04}",
        action=action,
        fields=fields,
        type="loan",
        label=f"Acme {number}",
        origin=Origin(FILE, 10 * number, 3),
    )
    return made._replace(**more)


PLAN = Plan(
    ACCOUNT,
    (
        change(
            1,
            Action.UPDATE,
            field("mx_Custom_6", Action.UPDATE, "180000", "200000", 12, rule=AMOUNT),
            field("mx_Custom_7", Action.UPDATE, None, "5", 13),
            field("mx_Custom_8", Action.UPDATE, None, "new", 14, known=False),
            field("mx_Custom_9", Action.UPDATE, "gone", None, 15),
            field("mx_Custom_12", Action.UPDATE, "+91-1", "+91-2", 16, rule=MOBILE),
            field("mx_Custom_5", Action.UPDATE, "  two\nlines ", HOSTILE, 17),
            field("mx_Custom_4", Action.UPDATE, "a", "word " * 200, 18),
            field("Status", Action.UPDATE, "Open", "Open", 19, rule=STATUS, companion=True),
            field("mx_Custom_3", Action.RELEASE, "Website", None, 0, origin=None),
            field(NOTE, Action.UPDATE, "old", "new", 11, rule=NOTE_RULE),
        ),
        change(
            2,
            Action.CONFLICT,
            field("mx_Custom_6", Action.CONFLICT, "1", "2", 22, rule=AMOUNT, live="3"),
            reason="changed in the CRM since it was recorded: mx_Custom_6",
        ),
        change(
            3,
            Action.HELD,
            field("mx_Custom_6", Action.HELD, "1", "2", 32, rule=AMOUNT),
            reason="request 77 of 2026-11-23T09:00:00Z, no verdict yet; other values wait for it",
        ),
        change(
            4,
            Action.REJECTED,
            field("mx_Custom_6", Action.REJECTED, None, "2", 42, rule=AMOUNT, known=False),
            reason="the CRM rejected exactly this on 2026-11-23T09:00:00Z: MXInvalid: no",
        ),
        change(
            5,
            Action.PENDING,
            field("mx_Custom_6", Action.PENDING, "1", "2", 52, rule=AMOUNT),
            reason="on its way: request 78 of 2026-11-23T09:00:00Z, no verdict yet",
        ),
        change(6, Action.ADOPT, field("mx_Custom_6", Action.ADOPT, None, "2", 62, known=False)),
        change(7, Action.UNCHANGED, field("mx_Custom_6", Action.UNCHANGED, "2", "2", 72)),
        change(
            8,
            Action.RELEASE,
            field("mx_Custom_6", Action.RELEASE, "2", None, 0, rule=AMOUNT, origin=None),
            label="",
            origin=None,
            reason="no spec has it any more",
        ),
        change(9, Action.UPDATE, field("Owner", Action.UPDATE, "a", "b", 92), label=HOSTILE),
    ),
)

REFUSALS = (
    Refusal("max-updates", "the plan has 2 updates, the limit is 1", 1, 2, "safety.max_updates",
            "--max-updates"),
)  # fmt: skip


def result(number: int, outcome: Outcome, reason: str = "", **more: Any) -> UpdateResult:
    """What became of an update of the sample."""
    made = UpdateResult(
        key=f"5ca5b042-51ea-4699-b6f0-84c40ab1{number:04}",
        outcome=outcome,
        request_id=RequestID(f"request-{number}"),
        reason=reason,
        fields=(NOTE, "mx_Custom_6"),
        label=f"Acme {number}",
        origin=Origin(FILE, 10 * number, 3),
    )
    return replace(made, **more)


RESULTS = (
    result(1, Outcome.SUCCEEDED),
    result(2, Outcome.REJECTED, f"MXInvalidInputException: {HOSTILE}"),
    result(3, Outcome.UNKNOWN, "no answer in time", request_id=None),
    result(4, Outcome.UNSENT, "", request_id=None),
    *(result(number, Outcome.PENDING, "the CRM says: In-Queue") for number in range(10, 18)),
)

CALLS = {"send": 12, "status": 40, "read": 0, "rate_limited": 1}

RECORDED = Recorded(
    ACCOUNT,
    {
        "LN-1": Entry(
            type="loan",
            fields={"mx_Custom_6": "200000", "mx_Custom_9": None, "mx_Custom_12": "+91-9820"},
            note="Called",
            request=FinalRequest(
                Outcome.REJECTED, RUN, NOW, NOW, RequestID("r-1"), f"MXNo: {HOSTILE}", Digest("x")
            ),
            pending=OpenRequest(
                Payload({"mx_Custom_12": "+91-98209"}, None),
                RUN,
                NOW,
                before={"mx_Custom_12": "+91-98208"},
            ),
            displaced=Displaced(
                OpenRequest(Payload({"mx_Custom_12": "+91-98207"}), RUN, NOW, RequestID("r-0")),
                None,
            ),
        ),
        "LN-2": Entry(pending=OpenRequest(Payload({"mx_Custom_3": "x"}), RUN, NOW)),
        "LN-3": Entry(
            guid="5ca5b042-51ea-4699-b6f0-84c40ab10003",
            fields={"mx_Custom_3": "x"},
            request=FinalRequest(Outcome.SUCCEEDED, RUN, NOW, NOW, RequestID("r-3")),
        ),
    },
)
RULES = {"mx_Custom_6": AMOUNT, "mx_Custom_12": MOBILE}
