"""States and events to record: samples with names, and strategies for any of them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from lsq_sync.core.digest import Digest
from lsq_sync.core.events import (
    Accepted,
    Adopted,
    Event,
    GivenUp,
    Intended,
    Lapsed,
    Lost,
    Queued,
    Rejected,
    Rekeyed,
    Released,
    Seen,
    Succeeded,
    Withdrawn,
)
from lsq_sync.core.model import Account
from lsq_sync.core.state import (
    Displaced,
    Entry,
    FinalRequest,
    OpenRequest,
    Outcome,
    Payload,
    Recorded,
    Replaced,
    RequestID,
    RunID,
)
from lsq_sync.core.values import ABSENT, Absent, Value

ACCOUNT = Account("acme", "https://async.example", "https://sync.example", "10001")
RUN = RunID("20260831T083800Z-00a1b2")
NOON = datetime(2026, 8, 31, 12, 0, 0, tzinfo=UTC)
ONE = "5ca5b042-51ea-4699-b6f0-84c40ab12770"
TWO = "6db6c153-62fb-4aa0-97f1-95d51bc23881"


def later(seconds: float) -> datetime:
    """So many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def intended(key: str = ONE, value: str = "200000", at: float = 0.0) -> Intended:
    """One field is about to be sent."""
    return Intended(key, later(at), RUN, Payload({"mx_Custom_6": value}), "loan")


def accepted(key: str = ONE, request: str = "r-1", at: float = 1.0) -> Accepted:
    """The CRM gave a RequestID."""
    return Accepted(key, later(at), RequestID(request))


def succeeded(key: str = ONE, request: str = "r-1", at: float = 2.0) -> Succeeded:
    """The CRM carried it out."""
    return Succeeded(key, later(at), RequestID(request))


EMPTY = Recorded(ACCOUNT)
SMALL = Recorded(
    ACCOUNT,
    {
        ONE: Entry(
            type="loan",
            fields={"mx_Custom_6": "200000", "mx_Custom_9": None},
            note="called",
            request=FinalRequest(
                Outcome.REJECTED,
                RUN,
                sent_at=later(0),
                settled_at=later(5),
                request_id=RequestID("r-1"),
                reason="MXInvalidInputException: no",
                digest=Digest("0a" * 16),
            ),
        ),
        TWO: Entry(
            type="loan",
            guid=TWO,
            note=None,
            pending=OpenRequest(
                Payload({"mx_Custom_7": "180000"}, note=None),
                RUN,
                sent_at=later(1),
                request_id=RequestID("r-2"),
                queued_at=later(60),
                seen=True,
                released=("mx_Custom_7",),
                before={"mx_Custom_7": "0"},
            ),
        ),
    },
)
"""Has every key that a lock can hold."""


# --- strategies


def _no_split_pair(text: str) -> bool:
    """Two surrogates that belong together are one letter once they went through JSON."""
    return text == text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


texts = st.text(st.characters(exclude_categories=()), max_size=12).filter(_no_split_pair)
filled_texts = texts.filter(bool)
names = st.text("mx_Custom~0123456789", min_size=1, max_size=8)
values: st.SearchStrategy[Value] = st.none() | texts
notes: st.SearchStrategy[Value | Absent] = st.just(ABSENT) | values
moments = st.integers(0, 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
runs = filled_texts.map(RunID)
request_ids = filled_texts.map(RequestID)
fields: st.SearchStrategy[Mapping[str, Value]] = st.dictionaries(names, values, max_size=4)
payloads = st.builds(Payload, fields, notes)
finals = st.builds(
    FinalRequest,
    outcome=st.sampled_from(Outcome),
    run=runs,
    sent_at=moments,
    settled_at=moments,
    request_id=st.none() | request_ids,
    reason=texts,
    digest=st.none() | filled_texts.map(Digest),
)
opens = st.builds(
    OpenRequest,
    payload=payloads,
    run=runs,
    sent_at=moments,
    request_id=st.none() | request_ids,
    queued_at=st.none() | moments,
    seen=st.booleans(),
    released=st.lists(names, max_size=2).map(tuple),
    before=fields,
)
entries = st.builds(
    Entry,
    type=texts,
    guid=texts,
    fields=fields,
    note=notes,
    request=st.none() | finals,
    pending=st.none() | opens,
    replaced=st.none() | st.builds(Replaced, moments, fields),
    displaced=st.none() | st.builds(Displaced, opens, st.none() | finals),
)
accounts = st.builds(
    Account,
    name=filled_texts,
    async_host=filled_texts,
    host=st.none() | filled_texts,
    short_code=st.none() | filled_texts,
)
states = st.builds(
    Recorded,
    account=st.none() | accounts,
    entries=st.dictionaries(texts, entries, max_size=4),
)
events: st.SearchStrategy[Event] = st.one_of(
    st.builds(Intended, texts, moments, runs, payloads, texts, fields),
    st.builds(Accepted, texts, moments, request_ids),
    st.builds(Withdrawn, texts, moments, texts),
    st.builds(Lost, texts, moments, texts),
    st.builds(Queued, texts, moments, request_ids),
    st.builds(Succeeded, texts, moments, request_ids, texts),
    st.builds(Seen, texts, moments, runs),
    st.builds(Lapsed, texts, moments, runs),
    st.builds(GivenUp, texts, moments, runs),
    st.builds(Rekeyed, texts, moments, texts),
    st.builds(Rejected, texts, moments, texts, st.none() | request_ids, st.booleans()),
    st.builds(Adopted, texts, moments, payloads, texts),
    st.builds(Released, texts, moments, st.lists(names, max_size=2).map(tuple), st.booleans()),
)
