"""What is judged of an account and its settings without looking."""

from datetime import UTC, datetime, timedelta

import pytest

from lsq_sync.core.answers import AccountFound, Done, NoVerdict, QueueMetrics, TooFast
from lsq_sync.core.budget import RateLimit
from lsq_sync.core.checks import (
    State,
    hint_of_refusal,
    of_account,
    of_clock,
    of_limit,
    of_metrics,
    of_status_path,
    other_host_in,
)
from lsq_sync.core.model import Account

OURS = Account("acme", "https://asyncapi-in21.leadsquared.com", "https://api-in21.leadsquared.com")
NOW = datetime(2026, 9, 16, 12, 0, tzinfo=UTC)

HOSTS = [
    ("Please use api-us11.leadsquared.com", "api-us11.leadsquared.com"),
    ("use https://API-us11.LeadSquared.com/v2/ instead", "api-us11.leadsquared.com"),
    ("api-in21.leadsquared.com refuses, try api.leadsquared.com", "api.leadsquared.com"),
    ("api-in21.leadsquared.com says no", None),
    ("no host at all", None),
    ("evil.example/api-us11.leadsquared.com.evil.example", "api-us11.leadsquared.com"),
]


@pytest.mark.parametrize(("reason", "expected"), HOSTS)
def test_a_host_that_a_refusal_names(reason: str, expected: str | None) -> None:
    assert other_host_in(reason, OURS.host, OURS.async_host) == expected


def test_a_refusal_without_a_host_keeps_its_usual_hint() -> None:
    assert hint_of_refusal("wrong keys", "check the keys") == "check the keys"
    assert "api-us11.leadsquared.com" in hint_of_refusal("see api-us11.leadsquared.com", "-")


@pytest.mark.parametrize(
    ("limit", "state"),
    [
        (RateLimit(20, 5.0), State.OK),
        (RateLimit(25, 5.0), State.WARNING),
        (RateLimit(5, 1.0), State.WARNING),
        (RateLimit(100, 5.0), State.WARNING),
    ],
)
def test_a_share_of_the_limit(limit: RateLimit, state: State) -> None:
    assert of_limit(limit).state is state


def test_an_account_and_its_lock() -> None:
    found = AccountFound("60000", "api-in21.leadsquared.com", "Administrator", "Asia/Kolkata")
    good = of_account(found, OURS, "60000", "UTC")
    assert (good.state, "Asia/Kolkata" in good.message) == (State.OK, True)
    assert of_account(found, OURS, None, "UTC").state is State.OK
    other = of_account(found, OURS, "60001", "UTC")
    assert (other.state, "60001" in other.message, bool(other.hint)) == (State.PROBLEM, True, True)


def test_an_account_that_lives_elsewhere() -> None:
    found = AccountFound("60000", "https://api-us11.leadsquared.com/v2/")
    check = of_account(found, OURS, None, "UTC")
    assert (check.state, "api-us11" in check.message) == (State.PROBLEM, True)


@pytest.mark.parametrize(
    ("apart", "state", "word"),
    [
        (0, State.OK, ""),
        (-60, State.OK, ""),
        (61, State.PROBLEM, "61 s ahead of"),
        (-3600, State.PROBLEM, "3,600 s behind"),
    ],
)
def test_our_clock(apart: float, state: State, word: str) -> None:
    check = of_clock(NOW - timedelta(seconds=apart), NOW)
    assert (check.state, word in check.message) == (state, True)


def test_a_server_without_a_clock() -> None:
    assert of_clock(None, NOW).state is State.SKIPPED


def test_the_async_host() -> None:
    assert of_metrics(QueueMetrics(5, 1.0, 24.8)).state is State.OK
    refused = of_metrics(NoVerdict("HTTP 403", refused=True))
    assert (refused.state, "LSQ_X_API_KEY" in refused.hint) == (State.PROBLEM, True)
    for answer in (NoVerdict("no connection"), TooFast("limit")):
        assert of_metrics(answer).state is State.PROBLEM


def test_the_status_path() -> None:
    assert of_status_path(NoVerdict("not known")).state is State.OK
    assert of_status_path(Done()).state is State.OK
    assert of_status_path(NoVerdict("HTTP 404", refused=True)).state is State.PROBLEM
