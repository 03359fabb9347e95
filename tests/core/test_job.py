"""Which pull request a job is about."""

from typing import Any

import pytest

from lsq_sync.core.job import (
    Headed,
    Merged,
    Numbered,
    PullRequest,
    Sought,
    headed_by,
    merged_as,
    run_page,
    sought_by,
)
from tests.support.forge import run_of

CASES: dict[str, tuple[str, Any, Sought | None]] = {
    "a pull request": (
        "pull_request",
        {"pull_request": {"number": 4, "head": {"sha": "aa"}}},
        Numbered(4, "aa"),
    ),
    "a run of this repository": (
        "workflow_run", run_of("aa"), Headed("acme", "topic", "aa", is_foreign=False),
    ),
    "a run of a fork": (
        "workflow_run", run_of("aa", "eve"), Headed("eve", "topic", "aa", is_foreign=True),
    ),
    "a run of a push": ("workflow_run", run_of("aa", event="push"), None),
    "a run of a fork that is gone": ("workflow_run", run_of("aa", head_repository=None), None),
    "a push": ("push", {"after": "bb"}, Merged("bb")),
    "a schedule": ("schedule", {}, None),
    "not what it should be": ("pull_request", {"pull_request": 4}, None),
    "no event": ("", {}, None),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_event_says_which(name: str) -> None:
    kind, event, expected = CASES[name]
    assert sought_by(kind, event) == expected


def test_only_a_pull_request_whose_head_it_still_is_counts() -> None:
    sought = Headed("eve", "topic", "aa", is_foreign=True)
    old, other, new = (
        PullRequest(1, "00", "main", is_merged=False),
        PullRequest(2, "aa", "next", is_merged=False),
        PullRequest(3, "aa", "main", is_merged=False),
    )
    assert headed_by(sought, [old], "main") is None
    assert headed_by(sought, [old, other, new], "main") == new
    assert headed_by(sought, [old, other], "main") == other


def test_the_pull_request_that_became_a_commit() -> None:
    first = PullRequest(1, "aa", "main", is_merged=True, merge_commit="xx")
    second = PullRequest(2, "bb", "main", is_merged=True, merge_commit="yy")
    still_open = PullRequest(3, "cc", "main", is_merged=False)
    assert merged_as("yy", [first, second, still_open]) == second
    assert merged_as("zz", [first, still_open]) == first
    assert merged_as("zz", [first, second]) is None
    assert merged_as("zz", [still_open]) is None


def test_only_a_page_is_linked() -> None:
    assert run_page(run_of("aa")) == "https://forge.invalid/runs/1"
    assert run_page(run_of("aa", html_url="javascript:alert(1)")) == ""
    assert run_page({}) == ""
