"""Calls to the pure simulator, written as one writes them down: who, what, when."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from lsq_sync.simulator.account import DEFAULT_KEYS, Account, Opportunity
from lsq_sync.simulator.clock import moment
from lsq_sync.simulator.http import Simulator
from lsq_sync.simulator.sample import INSURANCE, LOAN, sample_account
from lsq_sync.simulator.scenario import Scenario
from lsq_sync.simulator.scenario_file import scenario_from
from lsq_sync.simulator.wire import Reply, Request

STARTED = datetime(2026, 8, 31, 8, 38, 0, tzinfo=UTC)
ACCOUNT = sample_account(24, seed=1)
LOANS = tuple(one for one in ACCOUNT.opportunities if one.code == LOAN)
INSURANCES = tuple(one for one in ACCOUNT.opportunities if one.code == INSURANCE)
# An open one with a co-applicant: most fields have a value.
ONE = next(
    one
    for one in LOANS
    if one.fields["Status"] == "Open" and "mx_Custom_36~mx_CustomObject_1" in one.fields
)
OTHER = next(one for one in LOANS if one is not ONE)
PAIR = {"accesskey": DEFAULT_KEYS.access_key, "secretkey": DEFAULT_KEYS.secret_key}
GATEWAY = {"x-api-key": DEFAULT_KEYS.x_api_key}
JSON = {"content-type": "application/json"}
MANAGEMENT = "/v2/OpportunityManagement.svc"
UNLIMITED = {"rate_limit": {"enabled": False}}


def update_body(key: str, fields: Mapping[str, str | None], **more: Any) -> dict[str, Any]:
    listed = [{"SchemaName": name, "Value": value} for name, value in fields.items()]
    return {"ProspectOpportunityId": key, "Fields": listed, **more}


def encoded(body: object) -> bytes:
    return body if isinstance(body, bytes) else json.dumps(body).encode()


def submit_request(body: object) -> Request:
    return Request("POST", "/opportunity/update", PAIR, {**GATEWAY, **JSON}, encoded(body))


def decoded(reply: Reply) -> Any:
    return json.loads(reply.body)


class Caller:
    """A pure simulator, and a client of it that says when it calls."""

    def __init__(self, account: Account = ACCOUNT, /, **switches: Any) -> None:
        self.scenario: Scenario = scenario_from({**UNLIMITED, **switches})
        self.simulator = Simulator(account, self.scenario, STARTED)

    def call(self, request: Request, at: float = 0.0) -> Reply:
        return self.simulator.handle(request, moment(at))

    def submit(self, body: object, at: float = 0.0) -> Reply:
        return self.call(submit_request(body), at)

    def update(
        self, key: str | Opportunity, fields: Mapping[str, str | None], at: float = 0.0, **more: Any
    ) -> str:
        """Submits; gives the RequestID."""
        name = key if isinstance(key, str) else key.id
        return str(decoded(self.submit(update_body(name, fields, **more), at))["RequestID"])

    def status(self, request_id: str, at: float = 0.0) -> Any:
        """The TaskStatus."""
        return decoded(self.status_reply(request_id, at))["TaskStatus"]

    def status_reply(self, request_id: str, at: float = 0.0) -> Reply:
        query = {"requestid": request_id}
        return self.call(Request("GET", "/opportunity/update/status", query, GATEWAY), at)

    def word(self, request_id: str, at: float = 0.0) -> str:
        return str(self.status(request_id, at)["Status"])

    def verdict(self, key: str | Opportunity, fields: Mapping[str, str | None], **more: Any) -> str:
        """What becomes of an update: "Success", or the reason why not."""
        status = self.status(self.update(key, fields, **more))
        return "Success" if status["Status"] == "Success" else str(status["StatusReason"])

    def metrics(self, at: float = 0.0) -> Any:
        return decoded(self.call(Request("GET", "/opportunity/update/metrics", {}, GATEWAY), at))

    def get(self, path: str, at: float = 0.0, **query: str) -> Reply:
        return self.call(Request("GET", f"/v2/{path}", {**PAIR, **query}, {}), at)

    def post(self, path: str, body: object = b"", at: float = 0.0, **query: str) -> Reply:
        return self.call(Request("POST", f"/v2/{path}", {**PAIR, **query}, JSON, encoded(body)), at)

    def details(self, opportunity_id: str, at: float = 0.0) -> Any:
        return decoded(
            self.get(
                "OpportunityManagement.svc/GetOpportunityDetails", at, opportunityid=opportunity_id
            )
        )

    def detail(self, opportunity_id: str, field: str, at: float = 0.0) -> Any:
        """The field object of one field."""
        fields = self.details(opportunity_id, at)["Fields"]
        return next(one for one in fields if one["SchemaName"] == field)

    def by_ids(self, ids: list[str], columns: str, code: int = LOAN, at: float = 0.0) -> Any:
        """The rows of a bulk read."""
        group = {
            "EventCode": str(code),
            "ProspectActivityId": ids,
            "Columns": {"Include_CSV": columns},
        }
        body = {"SearchParameters": [group]}
        reply = self.post("OpportunityManagement.svc/GetOpportunitiesById", body, at)
        return decoded(reply)[0]["Opportunities"]

    def read(self, opportunity_id: str, field: str, at: float = 0.0) -> Any:
        """One value by bulk read; KeyError where it is absent."""
        return self.by_ids([opportunity_id], field, at=at)[0][field]

    def stored(self, key: str, field: str) -> str | None:
        record = self.simulator.crm.records.by_key(key)
        assert record is not None
        return record.values.get(field)


def url_with_keys(url: str, path: str, **query: str) -> str:
    pair = {"accessKey": DEFAULT_KEYS.access_key, "secretKey": DEFAULT_KEYS.secret_key}
    return f"{url}{path}?{urlencode({**pair, **query})}"
