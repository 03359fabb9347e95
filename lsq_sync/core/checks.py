"""Checks of a workspace and its account, and what can be judged of them without looking. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from lsq_sync.core.answers import AccountFound, MetricsAnswer, NoVerdict, QueueMetrics, StatusAnswer
from lsq_sync.core.budget import RateLimit
from lsq_sync.core.model import Account

DOCUMENTED_LIMIT = RateLimit(25, 5.0)
"""Of the whole account (apidocs.leadsquared.com/rate-limits)."""

MOST_SKEW_SECONDS = 60.0
"""More makes the moments of two machines hard to compare, and late windows wrong."""


class State(StrEnum):
    """How a check ended, the gravest first."""

    PROBLEM = "problem"
    WARNING = "warning"
    SKIPPED = "skipped"
    OK = "ok"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what was found, and what to do about it."""

    name: str
    state: State
    message: str
    hint: str = ""


def ok(name: str, message: str) -> Check:
    """All is well."""
    return Check(name, State.OK, message)


def warning(name: str, message: str, hint: str) -> Check:
    """It works, and something about it deserves a look."""
    return Check(name, State.WARNING, message, hint)


def problem(name: str, message: str, hint: str) -> Check:
    """It does not work."""
    return Check(name, State.PROBLEM, message, hint)


def skipped(name: str, why: str) -> Check:
    """Could not be looked at."""
    return Check(name, State.SKIPPED, why)


_CRM_HOST = re.compile(r"\b[a-z0-9-]+\.leadsquared\.com\b", re.IGNORECASE)


def other_host_in(reason: str, *ours: str | None) -> str | None:
    """A host of the CRM that a refusal names and that is none of ours.

    A call to the wrong region is answered 401 with the right host in the message
    (apidocs.leadsquared.com/portal-api). It is told, never followed.
    """
    known = {host.lower() for host in ours if host}
    named = (found[0].lower() for found in _CRM_HOST.finditer(reason))
    return next((host for host in named if not any(host in one for one in known)), None)


def hint_of_refusal(reason: str, otherwise: str) -> str:
    """What to do about keys that are not accepted: another region, where the CRM says so."""
    other = other_host_in(reason)
    if other is None:
        return otherwise
    return (
        f"its answer names {other}: if that is not where the settings look, the account is of "
        "another region; set account.region, or account.host and account.async_host, in "
        "lsq-sync.yaml (nothing is sent there by itself)"
    )


def of_limit(limit: RateLimit) -> Check:
    """Our share of the account's limit."""
    share = f"{limit.calls} calls per {limit.seconds:g} s"
    ours = limit.calls / limit.seconds
    whole = DOCUMENTED_LIMIT.calls / DOCUMENTED_LIMIT.seconds
    documented = f"{DOCUMENTED_LIMIT.calls} per {DOCUMENTED_LIMIT.seconds:g} s"
    if ours > whole:
        return warning(
            "rate limit",
            f"{share} is more than the {documented} that are documented for a whole account",
            "lower api.rate_limit in lsq-sync.yaml, unless your account was given more",
        )
    if ours == whole:
        return warning(
            "rate limit",
            f"{share} is all that the account has: other integrations get refusals while it works",
            "take a smaller share in lsq-sync.yaml (api.rate_limit), if there are any others",
        )
    return ok("rate limit", f"{share}, of {documented} for the whole account")


def of_account(found: AccountFound, ours: Account, known: str | None, time_zone: str) -> Check:
    """Whether the keys belong to the account of the lock, whose short code is `known`."""
    if known and known != found.short_code:
        return problem(
            "account",
            f"the keys belong to the account {found.short_code}, the lock to {known}",
            "set the keys of the account that this workspace is for, or make another workspace",
        )
    other = other_host_in(found.host, ours.host)
    if other:
        return problem(
            "account",
            f"account {found.short_code} lives at {other}, the settings name {ours.host}",
            "set account.region, or account.host and account.async_host, in lsq-sync.yaml",
        )
    who = f", {found.role}" if found.role else ""
    return ok("account", f"short code {found.short_code}{who}{_zone(found, time_zone)}")


def _zone(found: AccountFound, ours: str) -> str:
    if not found.time_zone:
        return ""
    return f", its time zone is {found.time_zone}, moments without an offset count as {ours}"


def of_clock(server: datetime | None, now: datetime) -> Check:
    """Our clock against the server's."""
    if server is None:
        return skipped("clock", "the CRM did not say what time it is")
    apart = (now - server).total_seconds()
    if abs(apart) > MOST_SKEW_SECONDS:
        side = "ahead of" if apart > 0 else "behind"
        return problem(
            "clock",
            f"this machine is {abs(apart):,.0f} s {side} the CRM",
            "set the clock (an NTP service keeps it): late windows are counted by it",
        )
    return ok("clock", f"within {MOST_SKEW_SECONDS:.0f} s of the CRM's")


def of_metrics(answer: MetricsAnswer) -> Check:
    """Whether the asynchronous host takes the x-api-key."""
    match answer:
        case QueueMetrics(pending_messages=waiting):
            return ok("asynchronous host", f"answers; {waiting:,} messages wait in its queue")
        case NoVerdict(reason, refused=True):
            return problem(
                "asynchronous host",
                f"refuses to tell its metrics: {reason}",
                "check LSQ_X_API_KEY, account.async_host and api.metrics_path",
            )
        case _:
            return problem(
                "asynchronous host",
                f"does not answer: {answer.reason}",
                "check the network, a proxy, account.region and account.async_host",
            )


def of_status_path(answer: StatusAnswer) -> Check:
    """Whether outcomes can be asked for: a question about a request that never was."""
    if isinstance(answer, NoVerdict) and answer.refused:
        return problem(
            "status path",
            f"refuses a question about a request: {answer.reason}",
            "outcomes could not be learnt: check api.status_path and LSQ_X_API_KEY",
        )
    return ok("status path", "answers questions about requests")
