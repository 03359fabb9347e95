"""Which request wrote each name of an opportunity, from the events of its runs."""

from lsq_sync.core.events import (
    Accepted,
    Adopted,
    Event,
    Intended,
    Lost,
    Rejected,
    Released,
    Seen,
    Succeeded,
    Withdrawn,
)
from lsq_sync.core.provenance import Attempt, attempts
from lsq_sync.core.state import RunID
from tests.core.support import KEY, OTHER_RUN, RUN, at, payload, request_id

FIRST: list[Event] = [
    Intended(KEY, at(0), RUN, payload(a="1", b="1")),
    Accepted(KEY, at(1), request_id(1)),
    Succeeded(KEY, at(9), request_id(1)),
]


def of(*events: Event, run: RunID = RUN) -> dict[str, Attempt]:
    return attempts((run, event) for event in events)


def test_a_success_counts_for_every_name_of_its_request() -> None:
    expected = Attempt(RUN, at(0), "succeeded", request_id(1), settled_at=at(9))
    assert of(*FIRST) == {"a": expected, "b": expected}


def test_each_step_of_an_attempt() -> None:
    intended, accepted, _ = FIRST
    assert of(intended)["a"].ending == "unknown"
    assert of(intended, Lost(KEY, at(1), "reset"))["a"].reason == "reset"
    assert of(intended, accepted)["a"].ending == "pending"
    seen = of(intended, Seen(KEY, at(5), RUN))["a"]
    assert (seen.ending, seen.settled_at) == ("succeeded", at(5))
    rejected = of(intended, accepted, Rejected(KEY, at(9), "no", request_id(1)))["a"]
    assert (rejected.ending, rejected.reason) == ("rejected", "no")


def test_a_later_request_takes_over_its_own_names_only() -> None:
    later: list[Event] = [
        Intended(KEY, at(100), OTHER_RUN, payload(a="2")),
        Rejected(KEY, at(101), "no"),
    ]
    found = of(*FIRST, *later)
    assert (found["a"].run, found["a"].ending) == (OTHER_RUN, "rejected")
    assert (found["b"].run, found["b"].ending) == (RUN, "succeeded")


def test_what_was_withdrawn_leaves_what_was_before() -> None:
    again = Intended(KEY, at(100), OTHER_RUN, payload(a="2", c="1"))
    assert of(*FIRST, again, Withdrawn(KEY, at(101), "limit")) == of(*FIRST)


def test_adopted_and_released() -> None:
    found = of(*FIRST, Adopted(KEY, at(50), payload(a="7")), Released(KEY, at(60), ("b",)))
    assert (found["a"].ending, found["b"].ending) == ("adopted", "released")
    assert found["a"].settled_at == at(50)
