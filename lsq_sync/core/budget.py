"""What a plan costs under the account's rate limit."""

import math
from dataclasses import dataclass

from lsq_sync.core.change import Plan

TYPICAL_PER_MINUTE = 24.8
"""How many queued updates the CRM works off (apidocs.leadsquared.com, a sample of its metrics)."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `calls` in any window of `seconds`."""

    calls: int = 25
    seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Budget:
    """Calls by kind; `seconds` to send, `settle_seconds` until the CRM has worked them off."""

    send_calls: int
    read_calls: int
    poll_calls: int
    seconds: float
    settle_seconds: int


def budget(plan: Plan, limit: RateLimit, reads: int = 0) -> Budget:
    """One call an update to send it and one to ask after it; the settle time is an estimate.

    `reads` are the calls that read live values, before it is sent and after it succeeded.
    """
    sends = len(plan.updates)
    return Budget(
        send_calls=sends,
        read_calls=reads,
        poll_calls=sends,
        seconds=round(sends * limit.seconds / limit.calls, 1),
        settle_seconds=math.ceil(sends * 60 / TYPICAL_PER_MINUTE),
    )
