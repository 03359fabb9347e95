"""Synchronous calls about the account: its user and its opportunity types. Pure."""

from lsq_sync.simulator.crm import Crm
from lsq_sync.simulator.metadata import type_object
from lsq_sync.simulator.wire import Reply, Request, json_reply


def user(crm: Crm, request: Request, now: float) -> Reply:  # noqa: ARG001 - one form for all
    """[documented] user-authentication"""
    me, host = crm.user, request.headers.get("host", "")
    return json_reply(
        {
            "Id": me.id,
            "Name": me.name,
            "EmailAddress": me.email,
            "Role": "Administrator" if crm.scenario.access.administrator else "Sales_User",
            "TimeZone": crm.account.time_zone,
            "OrgShortCode": crm.account.short_code,
            "LSQCommonServiceURLs": {"api": host, "app": host},
        }
    )


def is_enabled(crm: Crm, request: Request, now: float) -> Reply:  # noqa: ARG001
    return json_reply({"OpportunityManagement": "Enabled"})


def types(crm: Crm, request: Request, now: float) -> Reply:  # noqa: ARG001
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


def type_metadata(crm: Crm, request: Request, now: float) -> Reply:  # noqa: ARG001
    """[documented] get-metadata-of-an-opportunity-type"""
    known = crm.known_type(request.query.get("code"))
    return json_reply(type_object(known, crm.scenario.answers))
