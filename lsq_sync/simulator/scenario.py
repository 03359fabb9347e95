"""Every switch of the simulator, with its default. Values only; `scenario_file` reads them.

The defaults are what the vendor's pages document or show in their samples. Where nothing is
documented the default is what was seen on live accounts, else the reading that is hardest on a
client. Each switch says where it comes from: [documented], [seen in code] or [inferred], with
the vendor's page as apidocs.leadsquared.com/<page>/.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["submit", "status", "metrics", "read", "update", "other"]
"""What a call is for: the four of the contract, the synchronous update, and the rest."""

FaultName: TypeAlias = Literal[
    "drop_before",
    "drop_after",
    "delay",
    "status",
    "garbage",
    "truncated",
    "empty",
    "rate_limit",
    "redirect",
    "oversized",
    "slow_body",
    "forbidden",
    "unauthorized",
]

DateForm: TypeAlias = Literal["plain", "millis", "us", "epoch"]
"""`2026-08-31 08:38:00`, the same with `.000`, `8/31/2026 8:38:00 AM`, `/Date(ms+0000)/`."""

# [documented] async-api: at most ten retries, these seconds after the attempt before.
RETRY_SECONDS = (30.0, 120.0, 420.0, 900.0, 1800.0, 2700.0, 3600.0, 5400.0, 7200.0, 10800.0)


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The account's limit, one for all calls together. [documented] rate-limits"""

    enabled: bool = True
    calls: int = 25
    seconds: float = 5.0
    # The same body was met under 429 [documented], 403 and 200 [seen in code].
    answer: Literal[429, 403, 200] = 429
    # Whether a refused call uses up a place. [inferred: it does not]
    refused_calls_count: bool = False
    # Other integrations of the same account. [seen in code]
    background_calls_per_second: float = 0.0
    # Counts in simulated instead of real seconds.
    scaled: bool = False


@dataclass(frozen=True, slots=True)
class Queue:
    """The async queue and its worker. [documented] async-api"""

    delay_seconds: float = 0.0  # from acceptance to the worker's first look
    jitter_seconds: float = 0.0  # up to this much more, at random: later ones overtake
    per_minute: float | None = None  # the fixed processing rate; None: no limit
    retry_seconds: tuple[float, ...] = RETRY_SECONDS
    # What the status says between a system error and its retry. [inferred: In-Queue]
    retrying_status: Literal["In-Queue", "ERROR"] = "In-Queue"
    # How long a RequestID is known. [not documented; None: for ever]
    request_id_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Paths:
    """Where status and metrics are served; None switches one off.

    The URL lines of update-an-opportunity-status-api and of the metrics page are not known:
    the first pair follows the pattern of the sibling calls [inferred], the second is the
    exception that `lead/status` makes of it.
    """

    status: str | None = "/opportunity/update/status"
    status_alias: str | None = None
    metrics: str | None = "/opportunity/update/metrics"
    metrics_alias: str | None = None
    # A wrong path on the async host: 404 [documented], or 403 as AWS gateways do [inferred].
    missing: Literal[404, 403] = 404


@dataclass(frozen=True, slots=True)
class Words:
    """`TaskStatus.Status`, mixed case exactly so. [documented] update-an-opportunity-status-api"""

    queued: str = "In-Queue"
    success: str = "Success"
    failure: str = "FAILURE"
    error: str = "ERROR"


@dataclass(frozen=True, slots=True)
class Answers:
    """Shapes of answers that differ between pages, accounts or guesses."""

    # The vendor's own samples and prose disagree. [documented]
    request_id_key: Literal["RequestID", "RequestId", "requestid"] = "RequestID"
    # Two sibling pages spell it with R and with r. [documented]
    rate_key: Literal[
        "ProcessingRatePerMinute", "ProcessingratePerMinute", "processingrateperminute"
    ] = "ProcessingRatePerMinute"
    # Typed "Object" in the docs, a string in every sample. [documented]
    request_body: Literal["string", "object"] = "string"
    message: Literal["string", "object"] = "string"
    words: Words = Words()
    # "null": HTTP 200 with a null TaskStatus. [not documented]
    unknown_request_id: Literal["null", 400, 404, 500] = "null"
    # GetOpportunityDetails of a deleted or unknown id: 500, or an empty envelope. [seen in code]
    unknown_opportunity: Literal[500, "empty"] = 500
    # The shape of DependentOptionSet is not known. [inferred]
    dependent_option_set: Literal["by_parent", "list"] = "by_parent"
    # Rows that sort alike change places from page to page, so that paging by a time duplicates
    # and drops rows. [seen in code]
    unstable_ties: bool = True


@dataclass(frozen=True, slots=True)
class Access:
    """What the keys may do."""

    # Whether the async host takes x-LSQ-* headers instead of the query pair. [inferred: no]
    async_header_keys: bool = False
    # Advanced Search wants an administrator's keys. [documented] opportunity-advanced-search
    administrator: bool = True
    # GetOpportunitiesOfLead without opportunityType: optional [documented], not so on one
    # account [seen in code].
    lead_needs_type: bool = False


@dataclass(frozen=True, slots=True)
class Rules:
    """What an update is checked for, and what happens to what does not fit."""

    # What the gateway itself looks at: nothing, that the body is JSON, or every rule below.
    # [inferred: little beyond the key]
    at_submit: Literal["nothing", "json", "everything"] = "json"
    unknown_field: Literal["reject", "ignore"] = "reject"  # [inferred]
    read_only: Literal["reject", "ignore"] = "reject"  # [inferred]
    # Rejecting and storing were both seen on live accounts. [seen in code]
    unlisted_option: Literal["reject", "store", "add", "ignore"] = "reject"
    too_long: Literal["reject", "truncate", "store"] = "reject"  # [inferred]
    mandatory_cleared: Literal["reject", "store"] = "reject"  # [inferred]
    null_value: Literal["reject", "clear", "ignore"] = "reject"  # [inferred: never send it]
    script_text: Literal["reject", "store"] = "reject"  # [seen in code]
    other_date_form: Literal["reject", "store"] = "reject"  # [documented] overview: may fail
    unknown_user: Literal["reject", "store"] = "store"  # [inferred]
    # Comments on a change of status: mx_Custom_19 must come along. [documented]
    # capture-opportunities
    status_comment: bool = False
    # A stage that is not one of the status's. [inferred]
    stage_outside_status: Literal["reject", "store"] = "reject"
    # A status alone that leaves the present stage without a home. [inferred]
    status_leaves_stage: Literal["reject", "store"] = "store"
    multi_select_separator: str = ";"  # [inferred]


@dataclass(frozen=True, slots=True)
class Dates:
    """The form of a date per place. [seen in code]; by_ids is [documented]"""

    details: DateForm = "plain"  # Fields of GetOpportunityDetails
    details_stamps: DateForm = "millis"  # CreatedOn and ModifiedOn among those Fields
    details_top: DateForm = "epoch"  # CreatedOn and ModifiedOn beside Fields
    by_ids: DateForm = "us"
    lists: DateForm = "plain"  # GetOpportunitiesOfLead, Advanced Search
    modified: DateForm = "plain"  # RetrieveRecentlyModified


@dataclass(frozen=True, slots=True)
class Echo:
    """How a stored value reads back. Section 7.4 of the API notes."""

    numbers: Literal["raw", "comma_stripped", "padded"] = "raw"
    untouched_numbers_read_zero: bool = False
    dates: Dates = Dates()
    placeholder_dates: bool = False  # an empty date reads 0001-01-01 00:00:00
    booleans: Literal["digit", "word"] = "digit"
    empty: Literal["null", "blank", "absent"] = "null"
    user_ids: Literal["raw", "upper"] = "raw"
    custom_field_sets: Literal["json", "flat"] = "json"
    line_ends: Literal["raw", "crlf"] = "raw"
    trimmed: bool = False


Span: TypeAlias = tuple[int, int | None]
"""First and last call, counted from 1; None: no end."""


@dataclass(frozen=True, slots=True)
class Which:
    """Picks calls or updates: every condition given must hold; without any, all are picked.

    `calls` and `every` count calls of one kind (for a fault) or accepted updates (elsewhere),
    from 1 and from where the scenario was set. `times` ends it after so many.
    """

    calls: tuple[Span, ...] = ()
    every: int | None = None
    id: str | None = None
    field: str | None = None
    value: str | None = None
    times: int | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A call that goes wrong on the wire.

    `processed` says whether the CRM did what it was asked all the same; None: as is usual for
    the fault (`faults.is_processed`).
    """

    on: Kind | Literal["any"]
    do: FaultName
    which: Which = Which()
    path: str | None = None  # part of the path, to tell reads apart
    processed: bool | None = None
    seconds: float = 5.0  # delay, slow_body
    status: int = 500  # status
    body: str | None = None  # status, garbage
    answer: Literal[429, 403, 200] = 429  # rate_limit
    location: str = "/elsewhere"  # redirect
    bytes: int = 32 * 1024 * 1024  # oversized


@dataclass(frozen=True, slots=True)
class Reject:
    """A forced verdict of the worker."""

    which: Which = Which()
    type: str = "MXInvalidInputException"
    message: str = "Rejected by the scenario."
    outcome: Literal["FAILURE", "ERROR"] = "FAILURE"


@dataclass(frozen=True, slots=True)
class SystemFault:
    """The worker fails `failures` times, one step of the ladder each; past its end: ERROR."""

    which: Which = Which()
    failures: int = 1
    message: str = "Unable to connect to the database."


@dataclass(frozen=True, slots=True)
class LostUpdate:
    """Success is reported and nothing changes. [seen in code]"""

    which: Which = Which()


@dataclass(frozen=True, slots=True)
class HumanEdit:
    """Somebody edits a record in the CRM, `at` simulated seconds after the start."""

    at: float
    id: str
    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Deletion:
    at: float
    id: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that can be set. `Scenario()` is a healthy account."""

    name: str = "default"
    seed: int = 0
    time_scale: float = 1.0  # simulated seconds per real second
    rate_limit: RateLimit = RateLimit()
    queue: Queue = Queue()
    paths: Paths = Paths()
    answers: Answers = Answers()
    access: Access = Access()
    rules: Rules = Rules()
    echo: Echo = Echo()
    read_lag_seconds: float = 0.0  # every read shows the account so long ago [seen in code]
    index_lag_seconds: float = 0.0  # ... and the index-backed lists so long ago [seen in code]
    faults: tuple[Fault, ...] = ()
    rejects: tuple[Reject, ...] = ()
    system_faults: tuple[SystemFault, ...] = ()
    lost_updates: tuple[LostUpdate, ...] = ()
    human_edits: tuple[HumanEdit, ...] = ()
    deletions: tuple[Deletion, ...] = ()
