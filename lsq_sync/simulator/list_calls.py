"""Synchronous calls that give many opportunities: by ids, of a lead, by search, by change. Pure."""

from collections.abc import Mapping
from typing import Any, Final

from lsq_sync.simulator import search
from lsq_sync.simulator.account import CREATED_ON, MODIFIED_ON, OWNER, OpportunityType
from lsq_sync.simulator.crm import UNKNOWN_TYPE, Crm
from lsq_sync.simulator.echo import Mirror, date, put
from lsq_sync.simulator.records import Record
from lsq_sync.simulator.refusal import RefusedError
from lsq_sync.simulator.search import Row
from lsq_sync.simulator.update import UnparsableError, parse_json
from lsq_sync.simulator.wire import Reply, Request, json_reply

LARGEST_ID_LIST: Final = 2000
# GetOpportunitiesOfLead gives these when asked for none. [seen in code]
DEFAULT_COLUMNS: Final = ("mx_Custom_1", "mx_Custom_2", "Status", "mx_Custom_6", "mx_Custom_8")


def by_ids(crm: Crm, request: Request, now: float) -> Reply:
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
    known = crm.known_type(group.get("EventCode"))
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


def of_lead(crm: Crm, request: Request, now: float) -> Reply:
    """Backed by an index that lags. [documented] get-opportunities-by-lead-id"""
    code = request.query.get("opportunitytype")
    if code is None and crm.scenario.access.lead_needs_type:
        raise RefusedError(*UNKNOWN_TYPE)
    body = _body(request) if request.body.strip() else {}
    records = crm.records.of_lead(request.query.get("leadid", ""))
    wanted = [one for one in records if code is None or str(one.code) == code]
    return _list(crm, body, _indexed(crm, wanted, now))


def advanced_search(crm: Crm, request: Request, now: float) -> Reply:
    """[documented] opportunity-advanced-search"""
    if not crm.scenario.access.administrator:
        raise RefusedError(
            "MXUnAuthorizedAccessException", "Only administrators can use Advanced Search."
        )
    body = _body(request)
    known = crm.known_type(body.get("OpportunityEventCode"))
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
    listed = {
        "OpportunityId": record.id,
        "ProspectId": record.lead_id,
        "EmailAddress": record.lead_email,
        "RelatedProspectId": record.lead_id,
        "OpportunityEvent": str(record.code),
        "OpportunityEventType": "2",
        **mirror.row(values, record.touched, (*asked, OWNER, CREATED_ON, MODIFIED_ON)),
        "OwnerName": crm.user_name(values.get(OWNER)),
    }
    put(listed, "OpportunityNote", mirror.note(values), echo)
    return listed


def recently_modified(crm: Crm, request: Request, now: float) -> Reply:
    """The feed of changes: an opportunity is an activity. [seen in code]"""
    body = _body(request)
    parameter = search.section(body, "Parameter")
    known = crm.known_type(parameter.get("ActivityEvent"))
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
    form = crm.scenario.echo.dates.modified
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
