"""Every ordered pair of answers to the question what became of a request, and what is kept of it.

An answer is what the CRM says, byte for byte; it goes through the classifier, the poller and the
state machine.
"""

import json
from itertools import product

import pytest

from lsq_sync.core.answers import QueueMetrics, StatusAnswer
from lsq_sync.core.events import Event, Rejected, Succeeded, advance
from lsq_sync.core.state import Entry, OpenRequest, Outcome, Payload, RequestID, RunID
from lsq_sync.crm.protocol import read_status
from lsq_sync.crm.wire import Answer
from lsq_sync.poller import Poller
from lsq_sync.running import Stop
from tests.support.clock import STARTED, VirtualClock, run

KEY, REQUEST = "k", RequestID("r")
OPENED = OpenRequest(Payload({"a": "1"}), RunID("run"), STARTED, REQUEST)


def told(status: str, reason: str | None = None) -> Answer:
    task = {"Status": status, "StatusReason": reason, "Message": None}
    return Answer(200, json.dumps({"RequestID": REQUEST, "TaskStatus": task}).encode())


LIMIT = "MXAPIRateLimitExceededException: API calls exceeded the limit of 25 in 5 second(s)"
ANSWERS: dict[str, Answer] = {
    "Success": told("Success"),
    "FAILURE": told("FAILURE", "MXInvalid: no"),
    "FAILURE for the rate limit": told("FAILURE", LIMIT),
    "ERROR with an MX reason": told("ERROR", "MXInvalid: no"),
    "ERROR without one": told("ERROR", "Unable to connect to the database."),
    "In-Queue": told("In-Queue"),
    "a word nobody knows": told("In-Process"),
    "an unknown request": Answer(200, b'{"RequestID": "r", "TaskStatus": null}'),
    "an expired request": Answer(404, b'{"message": "RequestID not found"}'),
    "a broken answer": Answer(500, b"<html>"),
    "too fast": Answer(429, json.dumps({"ExceptionMessage": LIMIT}).encode()),
}
FINAL: dict[str, tuple[Outcome, bool]] = {
    "Success": (Outcome.SUCCEEDED, False),
    "FAILURE": (Outcome.REJECTED, True),
    "FAILURE for the rate limit": (Outcome.REJECTED, False),
    "ERROR with an MX reason": (Outcome.REJECTED, True),
}
"""The answers that settle a request: its outcome, and whether the payload is not sent again."""


class Asked:
    """Answers each question with the next of its answers, the last one ever after."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.questions = 0

    async def status(self, request_id: RequestID) -> StatusAnswer:
        assert request_id == REQUEST
        self.questions += 1
        answer = self.answers[0]
        self.answers = self.answers[1:] or [answer]
        return read_status(answer)

    async def metrics(self) -> QueueMetrics:
        return QueueMetrics(0, 0.0, 0.0)


class Kept:
    """The entry, moved by what is recorded."""

    def __init__(self) -> None:
        self.entry: Entry | None = Entry(pending=OPENED)

    async def record(self, *events: Event) -> None:
        for event in events:
            self.entry = advance(self.entry, event)


def asked(first: str, second: str) -> tuple[Entry | None, int]:
    """What is known after both answers, and how many questions it took."""
    kept, crm = Kept(), Asked(ANSWERS[first], ANSWERS[second])

    async def main(clock: VirtualClock) -> None:
        for _ in range(2):
            opened = kept.entry and kept.entry.pending
            listed = [(KEY, opened)] if opened else []
            await Poller(crm, kept, Stop(), clock.surroundings(), listed).once()

    run(main, debug=False)
    return kept.entry, crm.questions


@pytest.mark.parametrize(("first", "second"), list(product(ANSWERS, ANSWERS)), ids=str)
def test_the_first_verdict_counts_and_nothing_else_does(first: str, second: str) -> None:
    entry, questions = asked(first, second)
    assert entry is not None
    verdict = next((one for one in (first, second) if one in FINAL), None)
    if verdict is None:
        assert entry.pending is not None
        assert (entry.pending.request_id, entry.fields, entry.request) == (REQUEST, {}, None)
        return
    outcome, remembered = FINAL[verdict]
    assert entry.pending is None
    assert entry.request is not None
    assert entry.request.outcome is outcome
    assert entry.request.digest == (OPENED.payload.digest if remembered else None)
    assert entry.fields == ({"a": "1"} if outcome is Outcome.SUCCEEDED else {})
    assert questions == (1 if first in FINAL else 2)


def test_a_verdict_that_comes_again_changes_nothing() -> None:
    """Two answers that were on their way at once, or a journal that is replayed."""
    verdicts: tuple[Event, ...] = (
        Succeeded(KEY, STARTED, REQUEST),
        Rejected(KEY, STARTED, "MXInvalid: no", REQUEST),
    )
    for first, second in product(verdicts, verdicts):
        settled = advance(Entry(pending=OPENED), first)
        assert advance(settled, second) == settled
