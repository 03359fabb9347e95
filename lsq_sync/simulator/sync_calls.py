"""The synchronous calls under /v2/. Pure: a machine, a request and `now` in, a reply out.

The caller has checked keys and limit. Sections 6 and 7 of the API notes.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, assert_never

from lsq_sync.simulator import search
from lsq_sync.simulator.account import (
    CREATED_BY,
    CREATED_ON,
    MODIFIED_BY,
    MODIFIED_ON,
    NOTE,
    OWNER,
    Field,
    OpportunityType,
    sub_field_name,
)
from lsq_sync.simulator.async_calls import success_body
from lsq_sync.simulator.crm import Crm
from lsq_sync.simulator.echo import Mirror, date, put
from lsq_sync.simulator.metadata import field_object, type_object
from lsq_sync.simulator.queue import Failed, Succeeded
from lsq_sync.simulator.records import Record
from lsq_sync.simulator.refusal import RefusedError
from lsq_sync.simulator.scenario import DateForm, Kind
from lsq_sync.simulator.search import Row
from lsq_sync.simulator.update import UnparsableError, parse_json, parse_update
from lsq_sync.simulator.wire import Reply, Request, application_error, json_reply, parse_error

OPPORTUNITIES: Final = "/v2/OpportunityManagement.svc"
LARGEST_ID_LIST: Final = 2000
# GetOpportunitiesOfLead gives these when asked for none. [seen in code]
DEFAULT_COLUMNS: Final = ("mx_Custom_1", "mx_Custom_2", "Status", "mx_Custom_6", "mx_Custom_8")
NO_EVENT_CODE: Final = ("MXInvalidActivityException", "Event Code is invalid or empty")


def answer(crm: Crm, request: Request, now: float) -> Reply:
    """Answers a call to one of `CALLS`."""
    try:
        return _BY_PATH[request.path].answer(crm, request, now)
    except UnparsableError as error:
        return parse_error(str(error))
    except RefusedError as error:
        return application_error(error.exception_type, error.message)


# Who and what


def _user(crm: Crm, request: Request, now: float) -> Reply:  # noqa: ARG001 - one form for all
    """[documented] user-authentication"""
    user, host = crm.user, request.headers.get("host", "")
    return json_reply(
        {
            "Id": user.id,
            "Name": user.name,
            "EmailAddress": user.email,
            "Role": "Administrator" if crm.scenario.access.administrator else "Sales_User",
            "TimeZone": crm.account.time_zone,
            "OrgShortCode": crm.account.short_code,
            "LSQCommonServiceURLs": {"api": host, "app": host},
        }
    )


def _is_enabled(crm: Crm, request: Request, now: float) -> Reply:  # noqa: ARG001
    return json_reply({"OpportunityManagement": "Enabled"})


def _types(crm: Crm, request: Request, now: float) -> Reply:  # noqa: ARG001
    """A bare array, without the fields. [seen in code]"""
    return json_reply(
        [
            {
                "EventCode": known.code,
                "DisplayName": known.display_name,
                "CanDelete": False,
                "Fields": None,
            }
            for known in crm.types.values()
        ]
    )


def _type_metadata(crm: Crm, request: Request, now: float) -> Reply:  # noqa: ARG001
    """[documented] get-metadata-of-an-opportunity-type"""
    known = _type(crm, request.query.get("code"))
    return json_reply(type_object(known, crm.scenario.answers))


def _type(crm: Crm, code: object) -> OpportunityType:
    text = str(code).strip()
    known = crm.types.get(int(text)) if text.isdecimal() else None
    if known is None:
        raise RefusedError(*NO_EVENT_CODE)
    return known


# One opportunity


def _details(crm: Crm, request: Request, now: float) -> Reply:
    """[documented] get-an-opportunity-by-id; the top-level keys after Fields [seen in code]"""
    at = now - crm.scenario.read_lag_seconds
    record = crm.records.by_id(request.query.get("opportunityid", ""))
    if record is None or not record.exists_at(now):
        return _no_details(crm)
    known, values = crm.types[record.code], record.values_at(at)
    fields = [_with_value(crm, record, values, one) for one in _numbered(crm, known)]
    top = crm.scenario.echo.dates.details_top
    return json_reply(
        {
            "ID": record.id,
            "Name": known.display_name,
            "DisplayName": known.display_name,
            "Fields": fields,
            "RelatedProspectId": record.lead_id,
            "OpportunityNote": values.get(NOTE) or None,
            "CreatedOn": date(values.get(CREATED_ON, ""), top),
            "ModifiedOn": date(values.get(MODIFIED_ON, ""), top),
            "CreatedByName": crm.user_name(values.get(CREATED_BY)),
            "ModifiedByName": crm.user_name(values.get(MODIFIED_BY)),
        }
    )


def _no_details(crm: Crm) -> Reply:
    """Deleted or unknown: both answers were met. [seen in code]"""
    match crm.scenario.answers.unknown_opportunity:
        case 500:
            return application_error(
                "MXUnknownProspectActivityException", "Activity does not exist."
            )
        case "empty":
            return json_reply({"ID": None, "Name": None, "DisplayName": None, "Fields": []})
        case unknown:
            assert_never(unknown)


def _numbered(crm: Crm, known: OpportunityType) -> Iterator[tuple[int, Field, str]]:
    """Every field with its place and the name of its value; flat sub-fields stand by themselves."""
    flat = crm.scenario.echo.custom_field_sets == "flat"
    for number, one in enumerate(known.fields):
        if one.is_custom_field_set and flat:
            for sub in one.sub_fields:
                yield number, sub, sub_field_name(one.schema_name, sub.schema_name)
        else:
            yield number, one, one.schema_name


def _with_value(
    crm: Crm, record: Record, values: Mapping[str, str], numbered: tuple[int, Field, str]
) -> dict[str, Any]:
    number, one, name = numbered
    echo = crm.scenario.echo
    stamp = name in (CREATED_ON, MODIFIED_ON)
    mirror = Mirror(
        crm.types[record.code], echo, echo.dates.details_stamps if stamp else echo.dates.details
    )
    described = field_object(one, number, crm.scenario.answers)
    described["SchemaName"] = name
    del described["Value"]
    if one.is_custom_field_set:
        text = mirror.value(one, values, record.touched)
    else:
        text = mirror.text(one, values.get(name, ""), name in record.touched)
    put(described, "Value", text, echo)
    return described


def _update(crm: Crm, request: Request, now: float) -> Reply:
    """[documented] update-an-opportunity"""
    verdict = crm.apply(parse_update(request.body), now)
    match verdict:
        case Succeeded():
            return json_reply(success_body(verdict))
        case Failed(exception_type, message):
            return application_error(exception_type, message)


def _delete(crm: Crm, request: Request, now: float) -> Reply:
    """A wrong parameter name fails silently. [seen in code]"""
    record = crm.records.by_id(request.query.get("id", ""))
    if record is not None:
        crm.delete(record.id, now)
    return json_reply({"Status": "Success", "Message": {"IsSuccessful": record is not None}})


# Many opportunities


def _by_ids(crm: Crm, request: Request, now: float) -> Reply:
    """[documented] get-opportunities-in-bulk-by-ids"""
    groups = _body(request).get("SearchParameters")
    if not isinstance(groups, list) or not all(isinstance(one, dict) for one in groups):
        raise RefusedError("MXInvalidInputException", "SearchParameters is mandatory.")
    if sum(len(_ids(group)) for group in groups) > LARGEST_ID_LIST:
        raise RefusedError(
            "MXInvalidInputException",
            f"You can retrieve a maximum of {LARGEST_ID_LIST} opportunities.",
        )
    return json_reply([_group(crm, group, now) for group in groups])


def _ids(group: Mapping[str, Any]) -> list[str]:
    ids = group.get("ProspectActivityId")
    if not isinstance(ids, list) or not ids:
        raise RefusedError("MXInvalidInputException", "ProspectActivityId is mandatory.")
    return [str(one) for one in ids]


def _group(crm: Crm, group: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Ids that are missing, deleted or of another type are simply absent. [inferred]"""
    known = _type(crm, group.get("EventCode"))
    asked = search.columns(group)
    if not asked:
        raise RefusedError("MXInvalidInputException", "Include_CSV is mandatory.")
    mirror = Mirror(known, crm.scenario.echo, crm.scenario.echo.dates.by_ids)
    found = (crm.records.by_id(one) for one in _ids(group))
    rows = [
        _bulk_row(crm, mirror, record, asked, now)
        for record in found
        if record is not None and record.code == known.code and record.exists_at(now)
    ]
    return {"EventCode": str(known.code), "RecordCount": len(rows), "Opportunities": rows}


def _bulk_row(
    crm: Crm, mirror: Mirror, record: Record, asked: tuple[str, ...], now: float
) -> dict[str, Any]:
    values = record.values_at(now - crm.scenario.read_lag_seconds)
    return {
        "ProspectId": record.lead_id,
        "EmailAddress": record.lead_email,
        "ProspectActivityId": record.id,
        **mirror.row(values, record.touched, (*asked, OWNER)),
        "OwnerEmailAddress": crm.user_email(values.get(OWNER)),
    }


def _of_lead(crm: Crm, request: Request, now: float) -> Reply:
    """Backed by an index that lags. [documented] get-opportunities-by-lead-id"""
    code = request.query.get("opportunitytype")
    if code is None and crm.scenario.access.lead_needs_type:
        raise RefusedError(*NO_EVENT_CODE)
    body = _body(request) if request.body.strip() else {}
    records = crm.records.of_lead(request.query.get("leadid", ""))
    wanted = [one for one in records if code is None or str(one.code) == code]
    return _list(crm, body, _indexed(crm, wanted, now))


def _advanced_search(crm: Crm, request: Request, now: float) -> Reply:
    """[documented] opportunity-advanced-search"""
    if not crm.scenario.access.administrator:
        raise RefusedError(
            "MXUnAuthorizedAccessException", "Only administrators can use Advanced Search."
        )
    body = _body(request)
    known = _type(crm, body.get("OpportunityEventCode"))
    rows = _indexed(crm, crm.records.of_type(known.code), now)
    return _list(crm, body, search.matching(rows, known.code, body.get("AdvancedSearch")))


def _indexed(crm: Crm, records: list[Record] | tuple[Record, ...], now: float) -> list[Row]:
    """Records as the index has them: as they were some time ago."""
    at = now - max(crm.scenario.index_lag_seconds, crm.scenario.read_lag_seconds)
    return [(record, record.values_at(at)) for record in records if record.exists_at(at)]


def _list(crm: Crm, body: Mapping[str, Any], rows: list[Row]) -> Reply:
    """One page of flat rows. `RecordCount` is the true total. [seen in code]"""
    asked = search.columns(body) or DEFAULT_COLUMNS
    page = search.page(body, default_size=search.LARGEST_PAGE)
    shown = search.cut(rows, page, unstable_ties=crm.scenario.answers.unstable_ties)
    return json_reply(
        {"RecordCount": len(rows), "List": [_list_row(crm, row, asked) for row in shown]}
    )


def _list_row(crm: Crm, row: Row, asked: tuple[str, ...]) -> dict[str, Any]:
    """Event codes are strings here. [documented] get-opportunities-by-unique-lead-field"""
    record, values = row
    echo = crm.scenario.echo
    mirror = Mirror(crm.types[record.code], echo, echo.dates.lists)
    return {
        "OpportunityId": record.id,
        "ProspectId": record.lead_id,
        "RelatedProspectId": record.lead_id,
        "OpportunityEvent": str(record.code),
        "OpportunityEventType": "2",
        **mirror.row(values, record.touched, (*asked, OWNER, CREATED_ON, MODIFIED_ON)),
        "OwnerName": crm.user_name(values.get(OWNER)),
        "OpportunityNote": values.get(NOTE) or None,
    }


def _recently_modified(crm: Crm, request: Request, now: float) -> Reply:
    """The feed of changes: an opportunity is an activity. [seen in code]"""
    body = _body(request)
    parameter = search.section(body, "Parameter")
    known = _type(crm, parameter.get("ActivityEvent"))
    at = now - crm.scenario.read_lag_seconds
    first, last = str(parameter.get("FromDate", "")), str(parameter.get("ToDate", "~"))
    rows: list[Row] = [
        (record, values)
        for record in crm.records.of_type(known.code)
        if record.exists_at(at)
        for values in (record.values_at(at),)
        if first <= values.get(MODIFIED_ON, "") <= last
    ]
    page = search.page(body, default_size=search.LARGEST_PAGE)
    shown = search.cut(rows, page, unstable_ties=crm.scenario.answers.unstable_ties)
    custom = str(parameter.get("IncludeCustomFields", 0)) == "1"
    listed = [_activity(crm, known, row, custom=custom) for row in shown]
    return json_reply({"RecordCount": len(rows), "ProspectActivities": listed})


def _activity(crm: Crm, known: OpportunityType, row: Row, *, custom: bool) -> dict[str, Any]:
    record, values = row
    form: DateForm = crm.scenario.echo.dates.modified
    mirror = Mirror(known, crm.scenario.echo, form)
    names = tuple(one.schema_name for one in known.fields) if custom else ()
    fields = mirror.row(values, record.touched, names)
    return {
        "Id": record.id,
        "EventCode": known.code,
        "EventName": known.display_name,
        "RelatedProspectId": record.lead_id,
        "CreatedOn": date(values.get(CREATED_ON, ""), form),
        "ModifiedOn": date(values.get(MODIFIED_ON, ""), form),
        "Fields": [{"Key": name, "Value": value} for name, value in fields.items()],
    }


def _body(request: Request) -> Mapping[str, Any]:
    document = parse_json(request.body)
    if not isinstance(document, dict):
        raise UnparsableError(
            "Cannot deserialize the current JSON array into type 'SearchRequest' "
            "because the type requires a JSON object to deserialize correctly."
        )
    return document


# The table of calls


@dataclass(frozen=True, slots=True)
class SyncCall:
    path: str
    verb: str
    kind: Kind
    answer: Callable[[Crm, Request, float], Reply]


CALLS: Final = (
    SyncCall("/v2/Authentication.svc/UserByAccessKey.Get", "GET", "read", _user),
    SyncCall(f"{OPPORTUNITIES}/IsOpportunityEnabled", "GET", "read", _is_enabled),
    SyncCall(f"{OPPORTUNITIES}/GetOpportunityTypes", "GET", "read", _types),
    SyncCall(f"{OPPORTUNITIES}/GetOpportunityTypeMetadata", "GET", "read", _type_metadata),
    SyncCall(f"{OPPORTUNITIES}/GetOpportunityDetails", "GET", "read", _details),
    SyncCall(f"{OPPORTUNITIES}/GetOpportunitiesById", "POST", "read", _by_ids),
    SyncCall(f"{OPPORTUNITIES}/GetOpportunitiesOfLead", "POST", "read", _of_lead),
    SyncCall(f"{OPPORTUNITIES}/Retrieve/BySearchParameter", "POST", "read", _advanced_search),
    SyncCall(
        "/v2/ProspectActivity.svc/RetrieveRecentlyModified", "POST", "read", _recently_modified
    ),
    SyncCall(f"{OPPORTUNITIES}/Update", "POST", "update", _update),
    SyncCall(f"{OPPORTUNITIES}/Delete", "GET", "update", _delete),
)

_BY_PATH: Final = {call.path: call for call in CALLS}
