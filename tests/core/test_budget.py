"""What a plan costs under the rate limit."""

import pytest

from lsq_sync.core.budget import Budget, RateLimit, budget
from tests.core.support import desired, plan_of, recorded

COSTS = [
    # updates, limit, what they cost
    (0, RateLimit(), Budget(0, 0, 0, 0.0, 0)),
    (1, RateLimit(), Budget(1, 0, 1, 0.2, 3)),
    (25, RateLimit(), Budget(25, 0, 25, 5.0, 61)),
    (1000, RateLimit(), Budget(1000, 0, 1000, 200.0, 2420)),
    (10, RateLimit(10, 1.0), Budget(10, 0, 10, 1.0, 25)),
    (3, RateLimit(1, 60.0), Budget(3, 0, 3, 180.0, 8)),
]


@pytest.mark.parametrize(("updates", "limit", "expected"), COSTS)
def test_calls_and_seconds(updates: int, limit: RateLimit, expected: Budget) -> None:
    plan = plan_of([desired({"a": "1"}, key=f"LN-{number}") for number in range(updates)])
    assert budget(plan, limit) == expected


def test_only_updates_cost_calls() -> None:
    assert budget(plan_of(desired({"a": "1"}), recorded(a="1", b="2")), RateLimit()).send_calls == 0
