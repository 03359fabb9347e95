"""The synchronous calls under /v2/: the table of them, and what they have in common. Pure.

A machine, a request and `now` in, a reply out; the caller has checked keys and limit. Sections 6
and 7 of the API notes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lsq_sync.simulator import account_calls, list_calls, record_calls
from lsq_sync.simulator.crm import Crm
from lsq_sync.simulator.refusal import RefusedError
from lsq_sync.simulator.scenario import Kind
from lsq_sync.simulator.update import UnparsableError
from lsq_sync.simulator.wire import Reply, Request, application_error, parse_error

OPPORTUNITIES: Final = "/v2/OpportunityManagement.svc"


@dataclass(frozen=True, slots=True)
class SyncCall:
    path: str
    verb: str
    kind: Kind
    answer: Callable[[Crm, Request, float], Reply]


CALLS: Final = (
    SyncCall("/v2/Authentication.svc/UserByAccessKey.Get", "GET", "read", account_calls.user),
    SyncCall(f"{OPPORTUNITIES}/IsOpportunityEnabled", "GET", "read", account_calls.is_enabled),
    SyncCall(f"{OPPORTUNITIES}/GetOpportunityTypes", "GET", "read", account_calls.types),
    SyncCall(
        f"{OPPORTUNITIES}/GetOpportunityTypeMetadata", "GET", "read", account_calls.type_metadata
    ),
    SyncCall(f"{OPPORTUNITIES}/GetOpportunityDetails", "GET", "read", record_calls.details),
    SyncCall(f"{OPPORTUNITIES}/GetOpportunitiesById", "POST", "read", list_calls.by_ids),
    SyncCall(f"{OPPORTUNITIES}/GetOpportunitiesOfLead", "POST", "read", list_calls.of_lead),
    SyncCall(
        f"{OPPORTUNITIES}/Retrieve/BySearchParameter", "POST", "read", list_calls.advanced_search
    ),
    SyncCall(
        "/v2/ProspectActivity.svc/RetrieveRecentlyModified",
        "POST",
        "read",
        list_calls.recently_modified,
    ),
    SyncCall(f"{OPPORTUNITIES}/Update", "POST", "update", record_calls.update),
    SyncCall(f"{OPPORTUNITIES}/Delete", "GET", "update", record_calls.delete),
)

_BY_PATH: Final = {call.path: call for call in CALLS}


def answer(crm: Crm, request: Request, now: float) -> Reply:
    """Answers a call to one of `CALLS`."""
    try:
        return _BY_PATH[request.path].answer(crm, request, now)
    except UnparsableError as error:
        return parse_error(str(error))
    except RefusedError as error:
        return application_error(error.exception_type, error.message)
