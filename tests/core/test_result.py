"""What became of updates, read off the recorded state."""

from lsq_sync.core.events import Accepted, Intended, Rejected, Released, Succeeded
from lsq_sync.core.events import advance as step
from lsq_sync.core.result import UpdateResult, result_of_request, result_of_update, summary
from lsq_sync.core.state import Entry, Outcome
from tests.core.support import (
    KEY,
    OTHER_RUN,
    RUN,
    at,
    change_of,
    desired,
    final,
    opened,
    payload,
    request_id,
)

CHANGE = change_of(desired({"b": "2", "a": "1"}, note="text", label="Acme"))
SENT = CHANGE.payload


def of_update(entry: Entry | None, lost: dict[str, str] | None = None) -> UpdateResult:
    return result_of_update(CHANGE, entry, RUN, lost or {}, {})


def test_an_update_that_was_not_sent() -> None:
    for entry in (
        None,
        Entry(fields={"a": "0"}),
        Entry(pending=opened(SENT, 7, run=OTHER_RUN)),
        Entry(request=final(Outcome.SUCCEEDED)._replace(run=OTHER_RUN)),
    ):
        found = of_update(entry)
        assert (found.outcome, found.request_id, found.reason) == (Outcome.UNSENT, None, "")
        assert found.verified is None


def test_an_update_names_what_it_changes_and_where_it_comes_from() -> None:
    found = of_update(None)
    assert found.fields == ("OpportunityNote", "a", "b")
    assert (found.key, found.label, found.origin) == (KEY, "Acme", CHANGE.origin)


def test_an_update_on_its_way() -> None:
    found = of_update(Entry(pending=opened(SENT, 7)))
    assert (found.outcome, found.request_id) == (Outcome.PENDING, request_id(7))


def test_an_update_without_an_answer_says_why() -> None:
    entry = Entry(pending=opened(SENT, None))
    assert of_update(entry).outcome is Outcome.UNKNOWN
    assert of_update(entry).reason == "sent, but no answer came back"
    assert of_update(entry, {KEY: "timed out after 30 s"}).reason == "timed out after 30 s"


def test_an_update_with_its_verdict() -> None:
    done = of_update(Entry(fields={"a": "1"}, request=final(Outcome.SUCCEEDED, number=7)))
    assert (done.outcome, done.request_id) == (Outcome.SUCCEEDED, request_id(7))
    refused = of_update(Entry(request=final(Outcome.REJECTED, SENT, reason="MXInvalid: no")))
    assert (refused.outcome, refused.reason) == (Outcome.REJECTED, "MXInvalid: no")


ASKED = opened(payload(a="1"), 7)


def of_request(entry: Entry | None, reason: str = "") -> UpdateResult:
    return result_of_request(KEY, ASKED, entry, reason)


def test_a_request_that_is_still_open() -> None:
    found = of_request(Entry(pending=ASKED), "the CRM says: In-Queue")
    assert found == UpdateResult(
        KEY, Outcome.PENDING, request_id(7), "the CRM says: In-Queue", ("a",)
    )


def test_a_request_that_settled() -> None:
    opening = Intended(KEY, at(), RUN, payload(a="1"))
    entry = step(step(None, opening), Accepted(KEY, at(), request_id(7)))
    done = step(entry, Succeeded(KEY, at(9), request_id(7)))
    assert of_request(done).outcome is Outcome.SUCCEEDED
    refused = step(entry, Rejected(KEY, at(9), "MXInvalid: no", request_id(7)))
    found = of_request(refused)
    assert (found.outcome, found.reason) == (Outcome.REJECTED, "MXInvalid: no")


def test_a_request_whose_answer_was_lost() -> None:
    asked = opened(payload(a="1"), None)
    found = result_of_request(KEY, asked, Entry(pending=asked))
    assert (found.outcome, found.reason) == (Outcome.UNKNOWN, "its answer was lost")
    assert result_of_request(KEY, asked, Entry(pending=asked), "asked").reason == "asked"


def test_a_request_that_another_one_replaced_is_not_taken_for_it() -> None:
    replaced = Entry(request=final(Outcome.SUCCEEDED, number=6), pending=opened(payload(a="2"), 8))
    assert of_request(replaced).outcome is Outcome.PENDING


def test_a_rejection_of_what_was_released_meanwhile_is_not_a_success() -> None:
    """The lock keeps nothing of it, so what became of it has to be said by whoever asked."""
    entry = step(Entry(pending=ASKED), Released(KEY, at(5), ("a",), whole=True))
    for event, outcome in (
        (Succeeded(KEY, at(9), request_id(7)), Outcome.SUCCEEDED),
        (Rejected(KEY, at(9), "MXInvalid: no", request_id(7)), Outcome.REJECTED),
    ):
        after = step(entry, event)
        assert of_request(after).outcome is outcome


def test_the_summary_names_every_outcome() -> None:
    outcomes = [Outcome.SUCCEEDED, Outcome.SUCCEEDED, Outcome.UNSENT]
    assert summary(UpdateResult(KEY, outcome) for outcome in outcomes) == {
        "succeeded": 2,
        "rejected": 0,
        "pending": 0,
        "unknown": 0,
        "unsent": 1,
    }
