"""GitHub's REST API, as far as comments, issues and pull requests go: docs.github.com/en/rest

Everything that goes out of here is a value or a ForgeError. The token is in a header of every call
and nowhere else, redirects are never followed with it, and no exception of the library leaves.
"""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from lsq_sync import __version__
from lsq_sync.core.job import PullRequest
from lsq_sync.errors import ForgeError

_TIMEOUT = 30.0
_TRIES = 4
_LONGEST_WAIT = 60.0
_PAGE = 100
_MOST_PAGES = 100
_MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Place:
    """Which repository, and where its API answers."""

    repository: str
    api_url: str = "https://api.github.com"
    graphql_url: str = "https://api.github.com/graphql"


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of an issue or a pull request; `author` is the account's number."""

    id: int
    author: int
    body: str
    page: str


@dataclass(frozen=True, slots=True)
class Issue:
    """An issue; `author` is the account's number."""

    number: int
    author: int
    title: str
    body: str
    page: str


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]


class LostError(ForgeError):
    """No answer came, so what the call should have done may be done."""


@dataclass(frozen=True, slots=True)
class GitHub:
    """Asks GitHub. `wait` sleeps, `chance` spreads what waits."""

    place: Place
    token: str = field(repr=False)
    wait: Callable[[float], None]
    chance: Callable[[], float]

    # --- who we are

    def own_number(self) -> int:
        """The number of the account that the token acts for: a user's, or a bot's.

        Only GraphQL tells a token of Actions or of an app who it is; REST tells users only.
        """
        body = {"query": "query { viewer { databaseId } }"}
        try:
            found = _dict(self._call("POST", self.place.graphql_url, body, may_repeat=True))
            number = _dict(_dict(found.get("data")).get("viewer")).get("databaseId")
        except ForgeError as error:
            if isinstance(error, LostError) or error.status == HTTPStatus.UNAUTHORIZED:
                raise
            number = None
        if number is None:
            number = _dict(self._call("GET", f"{self.place.api_url}/user")).get("id")
        if not isinstance(number, int):
            raise ForgeError("GitHub does not say which account the token acts for")
        return number

    # --- comments

    def comments(self, number: int) -> Iterator[Comment]:
        """Every comment of a pull request or issue, the oldest first."""
        return map(_comment, self._pages(f"issues/{number}/comments"))

    def recent_comments(self, pages: int) -> Iterator[Comment]:
        """Comments of the whole repository, the last edited first, so many pages of them."""
        order = {"sort": "updated", "direction": "desc"}
        return map(_comment, self._pages("issues/comments", order, most=pages, is_whole=False))

    def create_comment(self, number: int, body: str) -> Comment:
        """A new one. Raises LostError when it may be there nevertheless."""
        return _comment(self._ask("POST", f"issues/{number}/comments", {"body": body}))

    def edit_comment(self, identifier: int, body: str) -> Comment:
        """Another text in the same place."""
        return _comment(self._ask("PATCH", f"issues/comments/{identifier}", {"body": body}))

    # --- pull requests

    def default_branch(self) -> str:
        """What pull requests usually go into."""
        return str(_dict(self._ask("GET", "")).get("default_branch", ""))

    def pull_request(self, number: int) -> PullRequest:
        """One of them."""
        return _pull_request(self._ask("GET", f"pulls/{number}"))

    def pull_requests_from(self, owner: str, branch: str) -> tuple[PullRequest, ...]:
        """The open ones from a branch of this repository or of a fork."""
        chosen = {"state": "open", "head": f"{owner}:{branch}"}
        return tuple(map(_pull_request, self._pages("pulls", chosen)))

    def pull_requests_with(self, commit: str) -> tuple[PullRequest, ...]:
        """Those that a commit belongs to."""
        found = self._pages(f"commits/{quote(commit, safe='')}/pulls")
        return tuple(map(_pull_request, found))

    # --- issues

    def open_issues(self) -> Iterator[Issue]:
        """Every open issue, the newest first; pull requests are none."""
        for found in self._pages("issues", {"state": "open"}):
            if "pull_request" not in found:
                yield _issue(found)

    def create_issue(self, title: str, body: str) -> Issue:
        """A new one. Raises LostError when it may be there nevertheless."""
        return _issue(self._ask("POST", "issues", {"title": title, "body": body}))

    def edit_issue(self, number: int, changes: Mapping[str, str]) -> Issue:
        """Another title, body or state."""
        return _issue(self._ask("PATCH", f"issues/{number}", changes))

    # --- calls

    def _pages(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        most: int = _MOST_PAGES,
        *,
        is_whole: bool = True,
    ) -> Iterator[dict[str, Any]]:
        for page in range(1, most + 1):
            asked = urlencode({**(query or {}), "per_page": _PAGE, "page": page})
            found = self._ask("GET", f"{path}?{asked}")
            if not isinstance(found, list):
                raise _not_as_expected(path)
            yield from (_dict(one) for one in found)
            if len(found) < _PAGE:
                return
        if is_whole:
            raise ForgeError(f"GitHub has more than {most * _PAGE:,} entries under {path}")

    def _ask(self, method: str, path: str, body: Mapping[str, str] | None = None) -> Any:
        whole = f"{self.place.api_url}/repos/{self.place.repository}"
        url = f"{whole}/{path}" if path else whole
        return self._call(method, url, body, may_repeat=method != "POST")

    def _call(
        self, method: str, url: str, body: Mapping[str, str] | None = None, may_repeat: bool = True
    ) -> Any:
        """Repeats what surely was not done, or may be done twice."""
        answer = self._exchange(method, url, body)
        for _ in range(_TRIES - 1):
            seconds = _wait_before_repeating(answer, may_repeat)
            if seconds is None:
                break
            self.wait(min(seconds, _LONGEST_WAIT) * (1 + self.chance()))
            answer = self._exchange(method, url, body)
        what = f"{method} {urlsplit(url).path}"
        if answer is None:
            raise LostError(f"GitHub did not answer ({what})", hint=_LOST)
        return _content(answer, what)

    def _exchange(self, method: str, url: str, body: Mapping[str, str] | None) -> _Answer | None:
        request = urllib.request.Request(  # noqa: S310 - https, or loopback: see commands/ci_job
            url,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={
                "Accept": "application/vnd.github+json",
                "Authorization": f"Bearer {self.token}",
                "Content-Type": "application/json",
                "User-Agent": f"lsq-sync/{__version__}",
                "X-GitHub-Api-Version": "2022-11-28",
            },
        )
        opener = urllib.request.build_opener(_NoRedirects)
        try:
            with opener.open(request, timeout=_TIMEOUT) as found:
                return _Answer(found.status, found.read(_MOST_BYTES), dict(found.headers))
        except urllib.error.HTTPError as error:
            with error:
                return _Answer(error.code, _rest_of(error), dict(error.headers))
        except (OSError, http.client.HTTPException, ValueError):
            return None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """The token would go along to wherever the answer points."""

    def redirect_request(self, *_arguments: object) -> None:
        return None


def _rest_of(error: urllib.error.HTTPError) -> bytes:
    try:
        return error.read(_MOST_BYTES)
    except (OSError, http.client.HTTPException):
        return b""


def _wait_before_repeating(answer: _Answer | None, may_repeat: bool) -> float | None:
    """How long to wait before the same call; None where it is not made again.

    Limits say so: docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    if answer is None or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return 1.0 if may_repeat else None
    headers = {name.lower(): value for name, value in answer.headers.items()}
    is_limit = answer.status == HTTPStatus.TOO_MANY_REQUESTS or (
        answer.status == HTTPStatus.FORBIDDEN
        and ("retry-after" in headers or headers.get("x-ratelimit-remaining") == "0")
    )
    if not is_limit:
        return None
    asked = headers.get("retry-after", "")
    return float(asked) if asked.isdigit() else _LONGEST_WAIT


_LOST = "is the API reachable from here? The same command may be run again: it looks first"
_WHAT_TO_DO = {
    HTTPStatus.UNAUTHORIZED: "GITHUB_TOKEN is not accepted: has it expired?",
    HTTPStatus.FORBIDDEN: "the token may not do this: in a workflow, add what is missing to the "
    "job's `permissions` (pull-requests: write, issues: write); runs of forks get a token that "
    "only reads",
    HTTPStatus.NOT_FOUND: "is the repository's name right, and may the token see it?",
    HTTPStatus.GONE: "are issues switched on in this repository?",
}


def _content(answer: _Answer, what: str) -> Any:
    try:
        found = json.loads(answer.body or b"null")
    except ValueError:
        found = None
    if answer.status in (HTTPStatus.OK, HTTPStatus.CREATED) and found is not None:
        return found
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise LostError(f"GitHub answered {answer.status} ({what})", hint=_LOST)
    said = _dict(found).get("message")
    words = f": {said[:200]}" if isinstance(said, str) else ""
    raise ForgeError(
        f"GitHub answered {answer.status} ({what}){words}",
        status=answer.status,
        hint=_WHAT_TO_DO.get(HTTPStatus(answer.status), "") if _is_known(answer.status) else "",
    )


def _is_known(status: int) -> bool:
    return status in {known.value for known in HTTPStatus}


# --- shapes


def _comment(found: object) -> Comment:
    content = _dict(found)
    return Comment(
        id=_number(content, "id"),
        author=_author(content),
        body=str(content.get("body") or ""),
        page=str(content.get("html_url") or ""),
    )


def _issue(found: object) -> Issue:
    content = _dict(found)
    return Issue(
        number=_number(content, "number"),
        author=_author(content),
        title=str(content.get("title") or ""),
        body=str(content.get("body") or ""),
        page=str(content.get("html_url") or ""),
    )


def _pull_request(found: object) -> PullRequest:
    content = _dict(found)
    return PullRequest(
        number=_number(content, "number"),
        commit=str(_dict(content.get("head")).get("sha") or ""),
        base=str(_dict(content.get("base")).get("ref") or ""),
        is_merged=bool(content.get("merged_at")),
        merge_commit=str(content.get("merge_commit_sha") or ""),
    )


def _author(content: Mapping[str, Any]) -> int:
    """Zero is nobody: accounts that are gone have no user."""
    number = _dict(content.get("user")).get("id")
    return number if isinstance(number, int) else 0


def _number(content: Mapping[str, Any], name: str) -> int:
    number = content.get(name)
    if not isinstance(number, int):
        raise _not_as_expected(name)
    return number


def _not_as_expected(what: str) -> ForgeError:
    return ForgeError(
        f"GitHub's answer has not the form it should have ({what})",
        hint="is GITHUB_API_URL that of GitHub's REST API?",
    )


def _dict(content: object) -> dict[str, Any]:
    return content if isinstance(content, dict) else {}
