"""Which pull request a job of GitHub Actions is about, read off the event that started it. Pure.

The event comes from GitHub itself. A number that an artifact brings along does not count: whoever
opens a pull request from a fork decides what is in the artifacts of its runs.
Shapes: docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Numbered:
    """The pull request itself; `commit` is its head, where that is known."""

    number: int
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Headed:
    """The open pull request from this branch, if this commit is still its head."""

    owner: str
    branch: str
    commit: str
    is_foreign: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """The pull request that became this commit."""

    commit: str


Sought = Numbered | Headed | Merged


@dataclass(frozen=True, slots=True)
class PullRequest:
    """What counts of a pull request."""

    number: int
    commit: str
    base: str
    is_merged: bool
    merge_commit: str = ""


def sought_by(name: str, event: Mapping[str, Any]) -> Sought | None:
    """The pull request of an event; None where an event has none."""
    match name:
        case "pull_request" | "pull_request_target" | "pull_request_review":
            return _of_pull_request(_dict(event.get("pull_request")))
        case "workflow_run":
            return _of_run(_dict(event.get("workflow_run")), _dict(event.get("repository")))
        case "push":
            commit = event.get("after")
            return Merged(commit) if isinstance(commit, str) else None
        case _:
            return None


def _of_pull_request(found: Mapping[str, Any]) -> Numbered | None:
    number, commit = found.get("number"), _dict(found.get("head")).get("sha")
    return Numbered(number, str(commit or "")) if isinstance(number, int) else None


def _of_run(run: Mapping[str, Any], repository: Mapping[str, Any]) -> Headed | None:
    if run.get("event") != "pull_request":
        return None
    head = _dict(run.get("head_repository"))
    owner, branch = _dict(head.get("owner")).get("login"), run.get("head_branch")
    commit = run.get("head_sha")
    if not (isinstance(owner, str) and isinstance(branch, str) and isinstance(commit, str)):
        return None
    return Headed(owner, branch, commit, head.get("full_name") != repository.get("full_name"))


def run_page(event: Mapping[str, Any]) -> str:
    """Where the run that made a plan can be looked at, as GitHub says."""
    page = _dict(event.get("workflow_run")).get("html_url")
    return page if isinstance(page, str) and page.startswith("https://") else ""


def headed_by(sought: Headed, found: Iterable[PullRequest], default: str) -> PullRequest | None:
    """The one of them that the run was about; that into the default branch, if there are two."""
    fitting = [one for one in found if one.commit == sought.commit]
    return next((one for one in fitting if one.base == default), next(iter(fitting), None))


def merged_as(commit: str, found: Iterable[PullRequest]) -> PullRequest | None:
    """The one of them that became this commit; without a word on that, the only merged one."""
    merged = [one for one in found if one.is_merged]
    exact = [one for one in merged if one.merge_commit == commit]
    if exact or len(merged) == 1:
        return (exact or merged)[0]
    return None


def _dict(content: object) -> Mapping[str, Any]:
    return content if isinstance(content, dict) else {}
