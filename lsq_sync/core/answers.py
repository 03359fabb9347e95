"""What the CRM can answer, as far as anyone but `crm/` needs to know."""

from collections.abc import Mapping
from dataclasses import dataclass

from lsq_sync.core.metadata import ListedType, TypeMetadata
from lsq_sync.core.model import LiveOpportunity
from lsq_sync.core.state import RequestID

# --- to an update


@dataclass(frozen=True, slots=True)
class Taken:
    """Accepted: the outcome comes later, under this id."""

    request_id: RequestID


@dataclass(frozen=True, slots=True)
class TurnedDown:
    """Refused for good: sending the same again gets the same answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class TooFast:
    """Refused for now: the account's rate limit. What its message tells, if it does."""

    reason: str
    calls: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class NotAllowed:
    """Keys, region or path are wrong: every further call would get the same answer."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unanswered:
    """Sent, and nothing came back that says what became of it."""

    reason: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Surely never reached the CRM."""

    reason: str


SubmitAnswer = Taken | TurnedDown | TooFast | NotAllowed | Unanswered | NotSent


# --- to a question about a request


@dataclass(frozen=True, slots=True)
class Done:
    """Carried out; `guid` is the opportunity's, where the CRM names it."""

    guid: str = ""


@dataclass(frozen=True, slots=True)
class Failed:
    """Final: the CRM did not carry it out. `resend` when the values are not to blame."""

    reason: str
    resend: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """No verdict yet. `queued` when the CRM says In-Queue, which renews the late window."""

    status: str
    queued: bool = False


@dataclass(frozen=True, slots=True)
class NoVerdict:
    """The question failed, or the CRM does not know the request: that settles nothing.

    `refused` when asking again would get the same answer (keys, path).
    """

    reason: str
    refused: bool = False


StatusAnswer = Done | Failed | Waiting | NoVerdict | TooFast


@dataclass(frozen=True, slots=True)
class QueueMetrics:
    """The CRM's queue: messages waiting, the longest delay, how many it works off a minute."""

    pending_messages: int
    max_delay_seconds: float
    processing_rate_per_minute: float


MetricsAnswer = QueueMetrics | NoVerdict | TooFast


# --- to a read


@dataclass(frozen=True, slots=True)
class Rows:
    """What was asked for, by the key under which we know it."""

    live: Mapping[str, LiveOpportunity]


@dataclass(frozen=True, slots=True)
class AccountFound:
    """The account that the keys belong to; the rest where the CRM tells it.

    `host` is where its API answers, `role` what the user of the keys is.
    """

    short_code: str
    host: str = ""
    role: str = ""
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class TypesFound:
    """The opportunity types of the account."""

    types: tuple[ListedType, ...]


@dataclass(frozen=True, slots=True)
class ReadFailed:
    """Nothing was read. `retry` where asking again may help."""

    reason: str
    retry: bool = False


@dataclass(frozen=True, slots=True)
class ModifiedPage:
    """A page of the feed of changes: ids of the wanted event, ids of `others`, how many rows in
    all; `total` is how many rows all pages have together, where the CRM says so."""

    ids: tuple[str, ...]
    others: tuple[str, ...]
    rows: int
    total: int | None = None


NotRead = ReadFailed | NotAllowed | TooFast
ReadAnswer = Rows | NotRead
AccountAnswer = AccountFound | NotRead
TypesAnswer = TypesFound | NotRead
MetadataAnswer = TypeMetadata | NotRead
ListAnswer = ModifiedPage | NotRead
