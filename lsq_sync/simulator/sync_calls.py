"""The synchronous calls under /v2/. Pure. Sections 6 and 7 of the API notes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lsq_sync.simulator.async_calls import success_body
from lsq_sync.simulator.crm import Crm
from lsq_sync.simulator.queue import Failed, Succeeded
from lsq_sync.simulator.scenario import Kind
from lsq_sync.simulator.update import UnparsableError, parse_update
from lsq_sync.simulator.wire import Reply, Request, application_error, json_reply, parse_error


@dataclass(frozen=True, slots=True)
class SyncCall:
    path: str
    verb: str
    kind: Kind
    answer: Callable[[Crm, Request, float], Reply]


def _update(crm: Crm, request: Request, now: float) -> Reply:
    """[documented] update-an-opportunity"""
    verdict = crm.apply(parse_update(request.body), now)
    if isinstance(verdict, Succeeded):
        return json_reply(success_body(verdict))
    assert isinstance(verdict, Failed)
    return application_error(verdict.exception_type, verdict.message)


OPPORTUNITIES: Final = "/v2/OpportunityManagement.svc"

CALLS: Final = (SyncCall(f"{OPPORTUNITIES}/Update", "POST", "update", _update),)

_BY_PATH: Final = {call.path.lower(): call for call in CALLS}


def answer(crm: Crm, request: Request, now: float) -> Reply:
    try:
        return _BY_PATH[request.path.lower()].answer(crm, request, now)
    except UnparsableError as error:
        return parse_error(str(error))
