"""What the worker says to an update, for every rule and every switch of it."""

from typing import Any

import pytest

from tests.simulator.support import INSURANCES, ONE, Caller, submit_request

DESCRIPTION = "mx_Custom_5"
NUMBER = "mx_Custom_6"
DATE_TIME = "mx_Custom_8"
DATE = "mx_Custom_13"
BOOLEAN = "mx_Custom_14"
MULTI = "mx_Custom_15"
SOURCE = "mx_Custom_3"
STAGE = "mx_Custom_2"
COMMENT = "mx_Custom_19"
AUTO_ID = "mx_Custom_20"

FINE: list[tuple[str, str, str]] = [
    # field, sent, stored
    (NUMBER, "250000", "250000"),
    (NUMBER, "200,000", "200,000"),
    (NUMBER, "2,00,000.50", "2,00,000.50"),
    (NUMBER, "-5", "-5"),
    (DATE_TIME, "2026-08-31 08:38:00", "2026-08-31 08:38:00"),
    (DATE_TIME, "2026-08-31 08:38:00.000", "2026-08-31 08:38:00"),
    (DATE, "2026-08-31 00:00:00", "2026-08-31 00:00:00"),
    (DATE, "2026-08-31", "2026-08-31 00:00:00"),
    (DATE, "2026-08-31 10:11:12", "2026-08-31 00:00:00"),
    (BOOLEAN, "true", "1"),
    (BOOLEAN, "False", "0"),
    (BOOLEAN, "1", "1"),
    (MULTI, "PAN;Aadhaar", "PAN;Aadhaar"),
    (SOURCE, "Branch", "Branch"),
    (STAGE, "Sanctioned", "Sanctioned"),
    (DESCRIPTION, "two\nlines, 100 < 200, कर्ज़", "two\nlines, 100 < 200, कर्ज़"),
    (DESCRIPTION, "", ""),
    (NUMBER, "", ""),
    ("ActivityEvent_Note", "a note", "a note"),
]

REFUSED: list[tuple[str, str | None, str]] = [
    # field, sent, exception
    (NUMBER, "a lot", "MXInvalidDataTypeException"),
    (NUMBER, "1e3", "MXInvalidDataTypeException"),
    (DATE_TIME, "31/08/2026", "MXInvalidDataTypeException"),
    (DATE_TIME, "2026-08-31", "MXInvalidDataTypeException"),
    (DATE_TIME, "2026-08-31T08:38:00Z", "MXInvalidDataTypeException"),
    (DATE_TIME, "2026-02-30 08:38:00", "MXInvalidDataTypeException"),
    (DATE, "2026-13-01", "MXInvalidDataTypeException"),
    (BOOLEAN, "yes", "MXInvalidDataTypeException"),
    ("mx_Custom_4", "x" * 201, "MXInvalidInputException"),
    (SOURCE, "branch", "MXInvalidInputException"),
    (MULTI, "PAN;Passport", "MXInvalidInputException"),
    (STAGE, "Disbursed", "MXInvalidInputException"),
    (STAGE, "No such stage", "MXInvalidInputException"),
    ("mx_Custom_1", "", "MXInvalidActivityFieldsException"),
    ("mx_Custom_99", "x", "MXInvalidActivityFieldsException"),
    ("CreatedOn", "2026-08-31 08:38:00", "MXInvalidActivityFieldsException"),
    (AUTO_ID, "LN-1", "MXInvalidActivityFieldsException"),
    (DESCRIPTION, "<script>alert(1)</script>", "MXXSSException"),
    (DESCRIPTION, None, "MXInvalidInputException"),
]


@pytest.mark.parametrize(("field", "sent", "stored"), FINE)
def test_a_value_that_fits_is_stored(field: str, sent: str, stored: str) -> None:
    caller = Caller()
    assert caller.verdict(ONE, {field: sent}) == "Success"
    assert caller.stored(ONE.id, field) == stored


@pytest.mark.parametrize(("field", "sent", "exception"), REFUSED)
def test_a_value_that_does_not_fit_is_refused_and_nothing_changes(
    field: str, sent: str | None, exception: str
) -> None:
    caller = Caller()
    before = dict(caller.details(ONE.id))
    verdict = caller.verdict(ONE, {"mx_Custom_10": "Gold Loan!", field: sent})
    assert verdict.startswith(f"{exception}: ")
    assert caller.details(ONE.id) == before


SWITCHED: list[tuple[dict[str, Any], str, str | None, str | None]] = [
    # rule, field, sent, stored (None: as it was)
    ({"unlisted_option": "store"}, SOURCE, "Radio", "Radio"),
    ({"unlisted_option": "ignore"}, SOURCE, "Radio", None),
    ({"unlisted_option": "add"}, SOURCE, "Radio", "Radio"),
    ({"too_long": "truncate"}, "mx_Custom_4", "x" * 300, "x" * 200),
    ({"too_long": "store"}, "mx_Custom_4", "x" * 300, "x" * 300),
    ({"mandatory_cleared": "store"}, "mx_Custom_1", "", ""),
    ({"unknown_field": "ignore"}, "mx_Custom_99", "x", None),
    ({"read_only": "ignore"}, AUTO_ID, "LN-1", None),
    ({"null_value": "clear"}, DESCRIPTION, None, ""),
    ({"null_value": "ignore"}, DESCRIPTION, None, None),
    ({"script_text": "store"}, DESCRIPTION, "<script>", "<script>"),
    ({"other_date_form": "store"}, DATE_TIME, "31/08/2026", "31/08/2026"),
    ({"stage_outside_status": "store"}, STAGE, "Disbursed", "Disbursed"),
    ({"multi_select_separator": ","}, MULTI, "PAN, Aadhaar", "PAN, Aadhaar"),
]


@pytest.mark.parametrize(("rule", "field", "sent", "stored"), SWITCHED)
def test_a_switch_lets_it_through(
    rule: dict[str, Any], field: str, sent: str | None, stored: str | None
) -> None:
    caller = Caller(rules=rule)
    before = caller.stored(ONE.id, field)
    assert caller.verdict(ONE, {field: sent}) == "Success"
    assert caller.stored(ONE.id, field) == (before if stored is None else stored)


def test_an_added_option_is_one_from_then_on() -> None:
    caller = Caller(rules={"unlisted_option": "add"})
    caller.verdict(ONE, {SOURCE: "Radio"})
    assert '"Radio"' in caller.detail(ONE.id, SOURCE)["OptionSet"]


def test_status_and_stage_together_are_judged_by_the_new_status() -> None:
    caller = Caller()
    assert caller.verdict(ONE, {"Status": "Won", STAGE: "Disbursed"}) == "Success"


def test_a_status_alone_may_leave_the_stage_behind() -> None:
    assert Caller().verdict(ONE, {"Status": "Won"}) == "Success"
    strict = Caller(rules={"status_leaves_stage": "reject"})
    assert strict.verdict(ONE, {"Status": "Won"}).startswith("MXInvalidInputException")


def test_a_change_of_status_wants_its_comment_where_comments_are_on() -> None:
    caller = Caller(rules={"status_comment": True})
    won = {"Status": "Won", STAGE: "Disbursed"}
    assert caller.verdict(ONE, won) == (
        "MXInvalidActivityFieldsException: "
        "Field name : 'mx_Custom_19' of datatype : 'String' is mandatory."
    )
    assert caller.verdict(ONE, {"Status": "Open"}) == "Success"  # no change
    assert caller.verdict(ONE, {**won, COMMENT: "Paid out"}) == "Success"


def test_an_unknown_user() -> None:
    stranger = "00000000-0000-0000-0000-000000000001"
    assert Caller().verdict(ONE, {"Owner": stranger}) == "Success"
    strict = Caller(rules={"unknown_user": "reject"})
    assert strict.verdict(ONE, {"Owner": stranger}).startswith("MXInvalidEntityException")
    assert strict.verdict(ONE, {"Owner": ONE.fields["Owner"].upper()}) == "Success"


def test_an_unknown_opportunity() -> None:
    verdict = Caller().verdict("00000000-0000-0000-0000-000000000001", {NUMBER: "1"})
    assert verdict == "MXUnknownProspectActivityException: Activity does not exist."


def test_a_missing_opportunity_id() -> None:
    assert Caller().verdict("", {NUMBER: "1"}).startswith("MXMandatoryAttributeMissingException")


def test_a_wrapped_body_says_what_dot_net_says_to_it() -> None:
    caller = Caller()
    reply = caller.call(
        submit_request({"ProspectOpportunityId": ONE.id, "Opportunity": {"Fields": []}})
    )
    request_id = caller.simulator.log.entries()[-1].request_id
    assert reply.status == 200
    assert request_id is not None
    assert caller.status(request_id)["StatusReason"].startswith("ArgumentNullException: ")


def test_an_opportunity_goes_by_its_auto_id_as_well() -> None:
    caller = Caller()
    request_id = caller.update(ONE.fields[AUTO_ID], {NUMBER: "77"})
    assert ONE.id in caller.status(request_id)["Message"]
    assert caller.stored(ONE.id, NUMBER) == "77"


def test_a_type_without_auto_id_knows_no_such_key() -> None:
    assert Caller().verdict(INSURANCES[0], {"mx_Custom_22": "Meera Nair"}) == "Success"


CFS = "mx_Custom_36"


def cfs_body(**values: str) -> dict[str, Any]:
    nested = [{"SchemaName": name, "Value": value} for name, value in values.items()]
    fields = [{"SchemaName": CFS, "Value": "", "Fields": nested}]
    return {"ProspectOpportunityId": ONE.id, "Fields": fields}


def test_sub_fields_that_are_not_sent_stay() -> None:
    caller = Caller()
    caller.submit(cfs_body(mx_CustomObject_3="90000"))
    assert caller.stored(ONE.id, f"{CFS}~mx_CustomObject_3") == "90000"
    name = f"{CFS}~mx_CustomObject_1"
    assert caller.stored(ONE.id, name) == ONE.fields[name]


@pytest.mark.parametrize(
    ("name", "value", "exception"),
    [
        ("mx_CustomObject_3", "much", "MXInvalidDataTypeException"),
        ("mx_CustomObject_9", "x", "MXInvalidActivityFieldsException"),
    ],
)
def test_sub_fields_are_checked_like_fields(name: str, value: str, exception: str) -> None:
    caller = Caller()
    caller.submit(cfs_body(**{name: value}))
    request_id = caller.simulator.log.entries()[-1].request_id
    assert request_id is not None
    assert caller.status(request_id)["StatusReason"].startswith(exception)


def test_a_note_alone() -> None:
    caller = Caller()
    request_id = caller.update(ONE, {}, OpportunityNote="only this")
    assert caller.word(request_id) == "Success"
    assert caller.details(ONE.id)["OpportunityNote"] == "only this"
    caller.update(ONE, {}, OpportunityNote="")
    assert caller.details(ONE.id)["OpportunityNote"] is None
