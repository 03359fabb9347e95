"""Synchronous calls about one opportunity: its details, an update, its end. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, assert_never

from lsq_sync.simulator.account import (
    CREATED_BY,
    CREATED_ON,
    MODIFIED_BY,
    MODIFIED_ON,
    Field,
    OpportunityType,
    sub_field_name,
)
from lsq_sync.simulator.async_calls import success_body
from lsq_sync.simulator.crm import UNKNOWN_OPPORTUNITY, Crm
from lsq_sync.simulator.echo import Mirror, date, put
from lsq_sync.simulator.metadata import field_object
from lsq_sync.simulator.queue import Failed, Succeeded
from lsq_sync.simulator.records import Record
from lsq_sync.simulator.update import parse_update
from lsq_sync.simulator.wire import Reply, Request, application_error, json_reply


def details(crm: Crm, request: Request, now: float) -> Reply:
    """[documented] get-an-opportunity-by-id; the top-level keys after Fields [seen in code]"""
    at = now - crm.scenario.read_lag_seconds
    record = crm.records.by_id(request.query.get("opportunityid", ""))
    if record is None or not record.exists_at(now):
        return _no_details(crm)
    known, values, echo = crm.types[record.code], record.values_at(at), crm.scenario.echo
    fields = [_with_value(crm, record, values, one) for one in _numbered(crm, known)]
    body = {
        "ID": record.id,
        "Name": known.display_name,
        "DisplayName": known.display_name,
        "Fields": fields,
        "RelatedProspectId": record.lead_id,
        "CreatedOn": date(values.get(CREATED_ON, ""), echo.dates.details_top),
        "ModifiedOn": date(values.get(MODIFIED_ON, ""), echo.dates.details_top),
        "CreatedByName": crm.user_name(values.get(CREATED_BY)),
        "ModifiedByName": crm.user_name(values.get(MODIFIED_BY)),
    }
    put(body, "OpportunityNote", Mirror(known, echo, echo.dates.details).note(values), echo)
    return json_reply(body)


def _no_details(crm: Crm) -> Reply:
    """Deleted or unknown: both answers were met. [seen in code]"""
    match crm.scenario.answers.unknown_opportunity:
        case 500:
            return application_error(*UNKNOWN_OPPORTUNITY)
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
        text = mirror.as_json(one, values, record.touched)
    else:
        text = mirror.text(one, values.get(name, ""), name in record.touched)
    put(described, "Value", text, echo)
    return described


def update(crm: Crm, request: Request, now: float) -> Reply:
    """[documented] update-an-opportunity"""
    verdict = crm.apply(parse_update(request.body), now)
    match verdict:
        case Succeeded():
            return json_reply(success_body(verdict))
        case Failed(exception_type, message):
            return application_error(exception_type, message)


def delete(crm: Crm, request: Request, now: float) -> Reply:
    """A wrong parameter name fails silently. [seen in code]"""
    record = crm.records.by_id(request.query.get("id", ""))
    if record is not None:
        crm.delete(record.id, now)
    return json_reply({"Status": "Success", "Message": {"IsSuccessful": record is not None}})
