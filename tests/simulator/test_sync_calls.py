"""The reads, and the synchronous update: shapes and their odd habits."""

import json
from typing import Any

import pytest

from lsq_sync.simulator.sample import INSURANCE, LOAN
from lsq_sync.simulator.wire import Request
from tests.simulator.support import INSURANCES, LOANS, ONE, OTHER, Caller, decoded, update_body

MANAGEMENT = "OpportunityManagement.svc"
SEARCH = f"{MANAGEMENT}/Retrieve/BySearchParameter"
FEED = "ProspectActivity.svc/RetrieveRecentlyModified"
NUMBER = "mx_Custom_6"


def search_body(code: int = LOAN, *conditions: dict[str, str], **more: Any) -> dict[str, Any]:
    event = {"LSO": "ActivityEvent", "LSO_Type": "PAEvent", "Operator": "eq", "RSO": str(code)}
    conditions_ = [{"RowCondition": [event, *conditions]}]
    return {
        "OpportunityEventCode": code,
        "AdvancedSearch": json.dumps({"GrpConOperator": "And", "Conditions": conditions_}),
        **more,
    }


def found(caller: Caller, body: dict[str, Any], at: float = 0.0) -> Any:
    return decoded(caller.post(SEARCH, body, at))


def refusal(reply: Any) -> str:
    assert reply.status == 500
    body = decoded(reply)
    assert body["Status"] == "Error"
    return str(body["ExceptionType"])


# Who and what


def test_the_user_of_the_keys() -> None:
    request = Request(
        "GET",
        "/v2/Authentication.svc/UserByAccessKey.Get",
        {},
        {
            "host": "127.0.0.1:1",
            "x-lsq-accesskey": Caller().simulator.keys.access_key,
            "x-lsq-secretkey": Caller().simulator.keys.secret_key,
        },
    )
    user = decoded(Caller().call(request))
    assert (user["Role"], user["TimeZone"], user["OrgShortCode"]) == (
        "Administrator",
        "Asia/Kolkata",
        "10001",
    )
    assert user["LSQCommonServiceURLs"]["api"] == "127.0.0.1:1"


def test_types_are_a_bare_array_without_fields() -> None:
    types = decoded(Caller().get(f"{MANAGEMENT}/GetOpportunityTypes"))
    assert [(one["EventCode"], one["DisplayName"], one["Fields"]) for one in types] == [
        (12005, "Loan", None),
        (12006, "Insurance", None),
    ]


def test_opportunities_are_enabled() -> None:
    reply = Caller().get(f"{MANAGEMENT}/IsOpportunityEnabled", orgid="1")
    assert decoded(reply) == {"OpportunityManagement": "Enabled"}


def metadata(caller: Caller) -> dict[str, Any]:
    described = decoded(caller.get(f"{MANAGEMENT}/GetOpportunityTypeMetadata", code="12005"))
    assert described["EventCode"] == 12005
    return {one["SchemaName"]: one for one in described["Fields"]}


def test_options_are_a_string_of_json_and_an_empty_string_where_there_are_none() -> None:
    fields = metadata(Caller())
    options = json.loads(fields["Status"]["OptionSet"])
    assert [one["Value"] for one in options] == ["Open", "Won", "Lost"]
    assert all(one["Text"] == "" for one in options)
    assert fields[NUMBER]["OptionSet"] == ""


def test_the_options_of_a_dependent_field_stand_elsewhere() -> None:
    stage = metadata(Caller())["mx_Custom_2"]
    assert (stage["OptionSet"], stage["ParentField"]) == ("", "Status")
    by_parent = json.loads(stage["DependentOptionSet"])
    assert [one["Value"] for one in by_parent["Lost"]] == [
        "Not Eligible",
        "Not Interested",
        "Invalid/ Junk",
    ]
    flat = metadata(Caller(answers={"dependent_option_set": "list"}))["mx_Custom_2"]
    listed = [(one["ParentValue"], one["Value"]) for one in json.loads(flat["DependentOptionSet"])]
    assert ("Won", "Disbursed") in listed


def test_field_objects_have_the_documented_keys() -> None:
    documented = [
        "SchemaName",
        "InternalName",
        "DisplayName",
        "Value",
        "DataType",
        "IsMandatory",
        "ShowInForm",
        "Sequence",
        "ParentField",
        "OptionSet",
        "DependentOptionSet",
        "IsDefault",
        "IsReadOnly",
        "RenderType",
        "ExportAsPlainText",
        "IsMultiSelectDropdown",
        "IncludeOthersOption",
        "BehaviorOnMissingDropdownOption",
        "IsOthersValue",
        "InternalSchemaName",
        "CustomObjectType",
        "MaxFieldLength",
    ]
    assert set(documented) <= set(metadata(Caller())["mx_Custom_1"])


@pytest.mark.parametrize("code", ["", "12999", "loan"])
def test_metadata_of_no_type(code: str) -> None:
    reply = Caller().get(f"{MANAGEMENT}/GetOpportunityTypeMetadata", code=code)
    assert refusal(reply) == "MXInvalidActivityException"


# One


def test_details_have_every_field_with_its_value() -> None:
    details = Caller().details(ONE.id)
    assert (details["ID"], details["Name"], details["RelatedProspectId"]) == (
        ONE.id,
        "Loan",
        ONE.lead_id,
    )
    values = {one["SchemaName"]: one["Value"] for one in details["Fields"]}
    assert values["mx_Custom_1"] == ONE.fields["mx_Custom_1"]
    assert values["mx_Custom_20"] == ONE.fields["mx_Custom_20"]


def test_details_of_an_unknown_id() -> None:
    path = f"{MANAGEMENT}/GetOpportunityDetails"
    reply = Caller().get(path, opportunityid="nobody")
    assert refusal(reply) == "MXUnknownProspectActivityException"
    empty = Caller(answers={"unknown_opportunity": "empty"}).get(path, opportunityid="nobody")
    assert (empty.status, decoded(empty)["Fields"]) == (200, [])


def test_the_synchronous_update() -> None:
    caller = Caller()
    reply = caller.post(f"{MANAGEMENT}/Update", update_body(ONE.id, {NUMBER: "5"}))
    assert decoded(reply) == {"Status": "Success", "Message": {"Id": ONE.id}}
    assert caller.stored(ONE.id, NUMBER) == "5"


def test_the_synchronous_update_answers_500_to_a_validation_error() -> None:
    reply = Caller().post(f"{MANAGEMENT}/Update", update_body(ONE.id, {NUMBER: "much"}))
    assert refusal(reply) == "MXInvalidDataTypeException"


def test_deleting_with_the_wrong_parameter_fails_silently() -> None:
    caller = Caller()
    assert caller.get(f"{MANAGEMENT}/Delete", opportunityid=ONE.id).status == 200
    assert caller.details(ONE.id)["ID"] == ONE.id
    caller.get(f"{MANAGEMENT}/Delete", id=ONE.id)
    assert caller.get(f"{MANAGEMENT}/GetOpportunityDetails", opportunityid=ONE.id).status == 500


# Many, by id


def test_only_the_asked_columns_come_back() -> None:
    row = Caller().by_ids([ONE.id], f"Status,{NUMBER},mx_Custom_99")[0]
    assert set(row) == {
        "ProspectId",
        "EmailAddress",
        "ProspectActivityId",
        "Status",
        NUMBER,
        "Owner",
        "OwnerEmailAddress",
    }
    assert row["OwnerEmailAddress"].endswith("@lender.example")


def test_ids_that_are_missing_or_of_another_type_are_absent() -> None:
    ids = [ONE.id.upper(), "00000000-0000-0000-0000-000000000001", INSURANCES[0].id]
    rows = Caller().by_ids(ids, "Status")
    assert [row["ProspectActivityId"] for row in rows] == [ONE.id]


def test_several_types_in_one_call() -> None:
    groups = [
        {"EventCode": "12005", "ProspectActivityId": [ONE.id], "Columns": {"Include_CSV": NUMBER}},
        {
            "EventCode": "12006",
            "ProspectActivityId": [INSURANCES[0].id],
            "Columns": {"Include_CSV": NUMBER},
        },
    ]
    reply = Caller().post(f"{MANAGEMENT}/GetOpportunitiesById", {"SearchParameters": groups})
    assert [(one["EventCode"], one["RecordCount"]) for one in decoded(reply)] == [
        ("12005", 1),
        ("12006", 1),
    ]


def test_at_most_two_thousand_ids() -> None:
    assert len(Caller().by_ids([ONE.id] * 2000, NUMBER)) == 2000
    body = {
        "SearchParameters": [
            {
                "EventCode": "12005",
                "ProspectActivityId": [ONE.id] * 2001,
                "Columns": {"Include_CSV": NUMBER},
            }
        ]
    }
    reply = Caller().post(f"{MANAGEMENT}/GetOpportunitiesById", body)
    assert refusal(reply) == "MXInvalidInputException"


@pytest.mark.parametrize("missing", ["EventCode", "ProspectActivityId", "Columns"])
def test_all_three_parts_are_mandatory(missing: str) -> None:
    group = {
        "EventCode": "12005",
        "ProspectActivityId": [ONE.id],
        "Columns": {"Include_CSV": NUMBER},
    }
    del group[missing]
    reply = Caller().post(f"{MANAGEMENT}/GetOpportunitiesById", {"SearchParameters": [group]})
    assert refusal(reply).startswith("MXInvalid")


UNREADABLE: list[tuple[str, object]] = [
    (SEARCH, b""),
    (SEARCH, b"{"),
    (SEARCH, []),
    (FEED, [1]),
    (FEED, {"Parameter": {"ActivityEvent": LOAN}, "Paging": 5}),
    (FEED, {"Parameter": {"ActivityEvent": LOAN}, "Paging": {"PageSize": "many"}}),
    (FEED, {"Parameter": "all"}),
    (f"{MANAGEMENT}/Update", {"Fields": {}}),
]


@pytest.mark.parametrize(("path", "body"), UNREADABLE)
def test_a_body_that_does_not_parse_is_400(path: str, body: object) -> None:
    reply = Caller().post(path, body)
    assert (reply.status, decoded(reply)["Status"]) == (400, "Error")


REFUSED: list[tuple[str, object]] = [
    (f"{MANAGEMENT}/GetOpportunitiesById", {}),
    (f"{MANAGEMENT}/GetOpportunitiesById", {"SearchParameters": [5]}),
    (FEED, {}),
    (SEARCH, {"OpportunityEventCode": "nothing"}),
]


@pytest.mark.parametrize(("path", "body"), REFUSED)
def test_a_body_that_makes_no_sense_is_500(path: str, body: object) -> None:
    assert refusal(Caller().post(path, body)).startswith("MXInvalid")


# Lists


def test_opportunities_of_a_lead_without_a_body() -> None:
    caller = Caller()
    listed = decoded(caller.post(f"{MANAGEMENT}/GetOpportunitiesOfLead", leadid=ONE.lead_id))
    assert listed["RecordCount"] == len(listed["List"])
    row = next(row for row in listed["List"] if row["OpportunityId"] == ONE.id)
    assert row["OpportunityEvent"] == "12005"  # a string in lists
    assert "Fields" not in row
    assert row["mx_Custom_1"] == ONE.fields["mx_Custom_1"]
    assert "mx_Custom_10" not in row


def test_opportunities_of_a_lead_may_insist_on_the_type() -> None:
    caller = Caller(access={"lead_needs_type": True})
    path = f"{MANAGEMENT}/GetOpportunitiesOfLead"
    assert refusal(caller.post(path, leadid=ONE.lead_id)) == "MXInvalidActivityException"
    reply = caller.post(path, leadid=ONE.lead_id, opportunitytype="12005")
    assert reply.status == 200


def test_advanced_search_pages_through_a_type() -> None:
    caller = Caller()
    seen: list[str] = []
    for index in range(1, 10):
        body = search_body(
            Paging={"PageIndex": index, "PageSize": 4},
            Sorting={"ColumnName": "OpportunityId", "Direction": 1},
            Columns={"Include_CSV": NUMBER},
        )
        page = found(caller, body)
        assert page["RecordCount"] == len(LOANS)
        seen += [row["OpportunityId"] for row in page["List"]]
    assert sorted(seen) == sorted(one.id for one in LOANS)


def test_paging_by_a_time_with_ties_duplicates_and_drops() -> None:
    """All sample records are equally old: exactly the trap of a live account."""

    def paged(**switches: Any) -> list[str]:
        caller, seen = Caller(**switches), []
        for index in range(1, 6):
            body = search_body(
                Paging={"PageIndex": index, "PageSize": 4}, Sorting={"ColumnName": "ModifiedOn"}
            )
            seen += [row["OpportunityId"] for row in found(caller, body)["List"]]
        return seen

    unstable, stable = paged(), paged(answers={"unstable_ties": False})
    assert len(set(unstable)) < len(unstable) == len(stable) == len(set(stable))


def test_advanced_search_must_repeat_the_event_code() -> None:
    caller = Caller()
    body = search_body(LOAN) | {"OpportunityEventCode": INSURANCE}
    path = SEARCH
    assert refusal(caller.post(path, body)) == "MXInvalidInputException"
    assert caller.post(path, body | {"AdvancedSearch": {"Conditions": []}}).status == 400
    assert caller.post(path, body | {"AdvancedSearch": "nonsense"}).status == 500


def test_advanced_search_conditions() -> None:
    caller = Caller()
    won = {"LSO": "Status", "LSO_Type": "String", "Operator": "eq", "RSO": "Won"}
    ids = {row["OpportunityId"] for row in found(caller, search_body(LOAN, won))["List"]}
    assert ids == {one.id for one in LOANS if one.fields["Status"] == "Won"}
    caller.update(ONE, {"mx_Custom_8": "2031-05-05 10:00:00"})
    between = {
        "LSO": "mx_Custom_8",
        "LSO_Type": "DateTime",
        "Operator": "between",
        "RSO": "2031-05-01 12:00:00 AM TO 2031-05-31 11:59:59 PM",
    }
    rows = found(caller, search_body(LOAN, between))["List"]
    assert [row["OpportunityId"] for row in rows] == [ONE.id]
    for odd in ({"LSO": "Status", "Operator": "like", "RSO": "W"}, between | {"RSO": "May"}):
        reply = caller.post(SEARCH, search_body(LOAN, odd))
        assert refusal(reply) == "MXInvalidInputException"


def test_advanced_search_is_for_administrators() -> None:
    caller = Caller(access={"administrator": False})
    reply = caller.post(SEARCH, search_body())
    assert refusal(reply) == "MXUnAuthorizedAccessException"


def test_recently_modified() -> None:
    caller = Caller()
    caller.update(OTHER, {NUMBER: "5"}, at=100)
    body = {
        "Parameter": {
            "FromDate": "2026-08-31 08:39:00",
            "ToDate": "2026-08-31 09:00:00",
            "ActivityEvent": LOAN,
            "IncludeCustomFields": 1,
        },
        "Paging": {"PageIndex": 1, "PageSize": 1000},
    }
    reply = decoded(caller.post(FEED, body, at=200))
    (activity,) = reply["ProspectActivities"]
    assert (activity["Id"], activity["RelatedProspectId"]) == (OTHER.id, OTHER.lead_id)
    assert {"Key": NUMBER, "Value": "5"} in activity["Fields"]
    body["Parameter"] = {"FromDate": "2026-08-31 09:00:00", "ActivityEvent": LOAN}
    later = decoded(caller.post(FEED, body, at=200))
    assert later == {"RecordCount": 0, "ProspectActivities": []}


def test_pages_are_limited_to_a_thousand() -> None:
    body = {"Parameter": {"ActivityEvent": LOAN}, "Paging": {"PageSize": 1001}}
    reply = Caller().post(FEED, body)
    assert refusal(reply) == "MXInvalidInputException"
    assert decoded(reply)["ExceptionMessage"] == "PageSize can not be more than 1000."
