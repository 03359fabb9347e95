"""The whole simulator as a function of requests and moments: `Simulator.handle`.

Pure: no sockets, no clock. Every call goes the same way: which endpoint, is it to go wrong, do the
keys fit, is there room under the limit, and only then what it asks for. Async and synchronous
calls live on one host here.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from lsq_sync.simulator import async_calls, sync_calls
from lsq_sync.simulator.access import Presented, presented, without_keys
from lsq_sync.simulator.account import DEFAULT_KEYS, Account, Keys
from lsq_sync.simulator.clock import Moment
from lsq_sync.simulator.crm import Crm
from lsq_sync.simulator.faults import FaultBook, Subject, is_processed, spoil
from lsq_sync.simulator.limit import Limiter
from lsq_sync.simulator.log import Entry, Log
from lsq_sync.simulator.scenario import Fault, Kind, Scenario
from lsq_sync.simulator.update import UnparsableError, Update, parse_update
from lsq_sync.simulator.wire import (
    HTML_TYPE,
    Reply,
    Request,
    forbidden_reply,
    json_reply,
    parse_error,
    rate_limit_reply,
    unauthorized_reply,
)

SUBMIT_PATH = "/opportunity/update"
NOTHING = Reply(200, b"")


@dataclass(frozen=True, slots=True)
class Endpoint:
    kind: Kind
    verb: str


@dataclass(slots=True)
class _Call:
    """A call on its way through; collects what the log wants to know."""

    request: Request
    moment: Moment
    kind: Kind
    number: int
    keys: Presented
    update: Update | None
    opportunity: str | None
    request_id: str | None = None
    limited: bool = False


class Simulator:
    """One account behind its API. `started` is the wall clock at second 0, with a zone."""

    def __init__(
        self,
        account: Account,
        scenario: Scenario,
        started: datetime,
        keys: Keys = DEFAULT_KEYS,
        sink: Callable[[Entry], None] | None = None,
    ) -> None:
        self.crm = Crm(account, scenario, started)
        self.keys = keys
        self.log = Log(sink)
        self.limiter = Limiter(scenario.rate_limit)
        self._started = started
        self._sequence = 0
        self._follow(scenario)

    @property
    def scenario(self) -> Scenario:
        return self.crm.scenario

    def set_scenario(self, scenario: Scenario, moment: Moment) -> None:
        """From now on this scenario holds. Calls are counted from 1 again; records stay."""
        limit = self.scenario.rate_limit
        self.crm.set_scenario(scenario, moment.simulated)
        if scenario.rate_limit != limit:
            self.limiter = Limiter(scenario.rate_limit)
        self._follow(scenario)

    def _follow(self, scenario: Scenario) -> None:
        self._endpoints = _endpoints(scenario)
        self._numbers: Counter[Kind] = Counter()
        self._faults = FaultBook(scenario.faults)

    # One call

    def handle(self, request: Request, moment: Moment) -> Reply:
        """Answers a call that arrived at `moment`; moments must not go backwards."""
        self.crm.advance(moment.simulated)
        call = self._call(request, moment)
        fault = self._faults.pick(call.kind, request.path, self._subject(call))
        reply = self._spoilt(call, fault) if fault else self._answer(call)
        self._record(call, reply, fault)
        return reply

    def _call(self, request: Request, moment: Moment) -> _Call:
        endpoint = self._endpoints.get(request.path)
        kind = endpoint.kind if endpoint else "other"
        self._numbers[kind] += 1
        update = _update(request) if kind in ("submit", "update") else None
        return _Call(
            request=request,
            moment=moment,
            kind=kind,
            number=self._numbers[kind],
            keys=presented(self.keys, request),
            update=update,
            opportunity=self._opportunity(request, update),
            request_id=request.query.get("requestid") if kind == "status" else None,
        )

    def _subject(self, call: _Call) -> Subject:
        ids = self.crm.names(call.opportunity) if call.opportunity else frozenset[str]()
        return Subject(call.number, ids, call.update.flat() if call.update else {})

    def _opportunity(self, request: Request, update: Update | None) -> str | None:
        """What a call is about, by the name it is called there."""
        if update:
            return update.key
        return request.query.get("opportunityid") or self.crm.subject_of(
            request.query.get("requestid", "")
        )

    def _spoilt(self, call: _Call, fault: Fault) -> Reply:
        good = self._answer(call) if is_processed(fault) else NOTHING
        return spoil(fault, self.scenario.rate_limit, good)

    def _answer(self, call: _Call) -> Reply:
        return (
            self._no_endpoint(call)
            or self._no_access(call)
            or self._no_room(call)
            or self._dispatch(call)
        )

    def _no_endpoint(self, call: _Call) -> Reply | None:
        endpoint = self._endpoints.get(call.request.path)
        if endpoint is None:
            return _no_such_path(call.request.path, self.scenario)
        if endpoint.verb != call.request.method:
            return Reply(405, b"Method not allowed.", HTML_TYPE)
        return _no_json(call.request)

    def _no_access(self, call: _Call) -> Reply | None:
        """The async gateway wants its own key first; only a submit and /v2/ want the pair."""
        keys = call.keys
        asynchronous = call.kind in ("submit", "status", "metrics")
        if asynchronous and keys.x_api_key != "valid":
            return forbidden_reply()
        if call.kind in ("status", "metrics"):
            return None
        query_only = call.kind == "submit" and not self.scenario.access.async_header_keys
        pair = keys.query_pair if query_only else keys.pair
        return None if pair == "valid" else unauthorized_reply()

    def _no_room(self, call: _Call) -> Reply | None:
        limit = self.scenario.rate_limit
        at = call.moment.simulated if limit.scaled else call.moment.real
        if self.limiter.admit(at):
            return None
        call.limited = True
        return rate_limit_reply(limit.answer, limit.calls, limit.seconds)

    def _dispatch(self, call: _Call) -> Reply:
        now = call.moment.simulated
        match call.kind:
            case "submit":
                reply, call.request_id = async_calls.submit(self.crm, call.request, now)
                return reply
            case "status":
                return async_calls.status(self.crm, call.request, now)
            case "metrics":
                return async_calls.metrics(self.crm, now)
            case "read" | "update" | "other":
                return sync_calls.answer(self.crm, call.request, now)

    # The log

    def _record(self, call: _Call, reply: Reply, fault: Fault | None) -> None:
        self._sequence += 1
        wall = self._started + timedelta(seconds=call.moment.real)
        self.log.add(
            Entry(
                sequence=self._sequence,
                at=round(call.moment.real, 6),
                simulated=round(call.moment.simulated, 6),
                time=wall.isoformat(timespec="milliseconds"),
                kind=call.kind,
                number=call.number,
                method=call.request.method,
                path=call.request.path,
                query=without_keys(call.request.query, self.keys),
                keys=call.keys.pair,
                x_api_key=call.keys.x_api_key,
                status=reply.status,
                opportunity=call.opportunity,
                request_id=call.request_id,
                fields=call.update.flat() if call.update else {},
                note=call.update.note if call.update else None,
                limited=call.limited,
                fault=fault.do if fault else None,
                delivered=reply.delivery not in ("closed", "reset"),
            )
        )


def _endpoints(scenario: Scenario) -> dict[str, Endpoint]:
    """Every path that is served."""
    paths = scenario.paths
    asynchronous = {
        SUBMIT_PATH: Endpoint("submit", "POST"),
        paths.status: Endpoint("status", "GET"),
        paths.status_alias: Endpoint("status", "GET"),
        paths.metrics: Endpoint("metrics", "GET"),
        paths.metrics_alias: Endpoint("metrics", "GET"),
    }
    synchronous = {call.path: Endpoint(call.kind, call.verb) for call in sync_calls.CALLS}
    both = asynchronous | synchronous
    return {path: endpoint for path, endpoint in both.items() if path is not None}


def _no_such_path(path: str, scenario: Scenario) -> Reply:
    """404 [documented]; the body under /v2/ is WCF's own."""
    if path.startswith("/v2/"):
        return Reply(404, b"<html><body><p>Endpoint not found.</p></body></html>", HTML_TYPE)
    if scenario.paths.missing == 403:
        return json_reply({"message": "Missing Authentication Token"}, 403)
    return json_reply({"message": "Not Found"}, 404)


def _no_json(request: Request) -> Reply | None:
    """A body has to be announced as JSON. [documented] error-handling"""
    announced = request.headers.get("content-type", "")
    if not request.body or announced.startswith("application/json"):
        return None
    return parse_error(f"The content type '{announced}' is not supported.")


def _update(request: Request) -> Update | None:
    try:
        return parse_update(request.body)
    except UnparsableError:
        return None
