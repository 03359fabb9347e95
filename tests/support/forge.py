"""A stand-in for GitHub on loopback: comments, issues and pull requests of one repository."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

REPOSITORY = "acme/crm"
TOKEN = "ghs_a1b2c3d4e5f6g7h8i9j0"
ME, STRANGER = 41898282, 7


@dataclass
class Forge:
    """What the repository holds, and every call that was made. `faults` answer the next calls of
    a method instead; a fault of 0 carries the call out and gives no answer."""

    url: str = ""
    comments: list[dict[str, Any]] = field(default_factory=list)
    issues: list[dict[str, Any]] = field(default_factory=list)
    pull_requests: dict[int, dict[str, Any]] = field(default_factory=dict)
    commits: dict[str, list[int]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    faults: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    may_write: bool = True

    @property
    def environment(self) -> dict[str, str]:
        """Of a job."""
        return {
            "GITHUB_API_URL": self.url,
            "GITHUB_GRAPHQL_URL": f"{self.url}/graphql",
            "GITHUB_REPOSITORY": REPOSITORY,
            "GITHUB_TOKEN": TOKEN,
        }

    def comment(self, number: int, body: str, author: int = ME) -> dict[str, Any]:
        """Somebody comments."""
        made = {
            "id": 100 + len(self.comments), "user": {"id": author}, "body": body,
            "number": number, "html_url": f"https://forge.invalid/{number}#{len(self.comments)}",
        }  # fmt: skip
        self.comments.append(made)
        return made

    def issue(self, title: str, body: str, author: int = ME, **more: Any) -> dict[str, Any]:
        """Somebody opens an issue."""
        number = 1 + len(self.issues)
        made = {
            "number": number, "user": {"id": author}, "title": title, "body": body,
            "state": "open", "html_url": f"https://forge.invalid/issues/{number}", **more,
        }  # fmt: skip
        self.issues.append(made)
        return made

    def opened(self, number: int, head: str, owner: str = "acme", branch: str = "topic") -> None:
        """A pull request, or another head of it."""
        self.pull_requests[number] = {
            "number": number, "state": "open", "merged_at": None, "merge_commit_sha": None,
            "head": {"sha": head, "label": f"{owner}:{branch}"}, "base": {"ref": "main"},
        }  # fmt: skip

    def merged(self, number: int, commit: str) -> None:
        """The pull request became this commit."""
        more = {"state": "closed", "merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": commit}
        self.pull_requests[number] |= more
        self.commits.setdefault(commit, []).append(number)

    def texts(self, number: int) -> list[str]:
        """What our account said in a pull request."""
        own = [one for one in self.comments if one["user"]["id"] == ME]
        return [one["body"] for one in own if one["number"] == number]

    # --- answers

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        """Status and content."""
        if path == "/graphql":
            return 200, {"data": {"viewer": {"databaseId": ME}}}
        if path == "/user":
            return 200, {"id": ME}
        if method != "GET" and not self.may_write:
            return 403, {"message": "Resource not accessible by integration"}
        for pattern, answer in self._routes(query, body).items():
            wanted, _, shape = pattern.partition(" ")
            found = re.fullmatch(f"/repos/{REPOSITORY}{shape}", path)
            if found and wanted == method:
                return answer(*found.groups())
        return 404, {"message": "Not Found"}

    def _routes(
        self, query: dict[str, str], body: Any
    ) -> dict[str, Callable[..., tuple[int, Any]]]:
        def page(found: list[Any]) -> tuple[int, Any]:
            size, number = int(query.get("per_page", 30)), int(query.get("page", 1))
            return 200, found[(number - 1) * size : number * size]

        def of(number: str) -> tuple[int, Any]:
            return page([one for one in self.comments if one["number"] == int(number)])

        def edit(found: list[dict[str, Any]], key: str, value: str) -> tuple[int, Any]:
            one = next(one for one in found if one[key] == int(value))
            one |= body
            return 200, one

        def heads() -> tuple[int, Any]:
            open_ones = [one for one in self.pull_requests.values() if one["state"] == "open"]
            return page([one for one in open_ones if one["head"]["label"] == query["head"]])

        return {
            "GET ": lambda: (200, {"default_branch": "main"}),
            "GET /issues/(\\d+)/comments": of,
            "POST /issues/(\\d+)/comments": lambda n: (201, self.comment(int(n), body["body"])),
            "GET /issues/comments": lambda: page(self.comments[::-1]),
            "PATCH /issues/comments/(\\d+)": lambda i: edit(self.comments, "id", i),
            "GET /issues": lambda: page([one for one in self.issues if one["state"] == "open"]),
            "POST /issues": lambda: (201, self.issue(**body)),
            "PATCH /issues/(\\d+)": lambda n: edit(self.issues, "number", n),
            "GET /pulls": heads,
            "GET /pulls/(\\d+)": lambda n: (200, self.pull_requests[int(n)]),
            "GET /commits/(\\w+)/pulls": lambda sha: page(
                [self.pull_requests[number] for number in self.commits.get(sha, [])]
            ),
        }


def event(folder: Path, name: str, content: Any) -> dict[str, str]:
    """The environment of a job that this event started."""
    path = folder / f"event-{name}.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path)}


def run_of(head: str, owner: str = "acme", branch: str = "topic", **more: Any) -> dict[str, Any]:
    """The event of a workflow run that a pull request started and that has ended."""
    run = {
        "event": "pull_request", "head_sha": head, "head_branch": branch,
        "head_repository": {"full_name": f"{owner}/crm", "owner": {"login": owner}},
        "html_url": "https://forge.invalid/runs/1", **more,
    }  # fmt: skip
    return {"workflow_run": run, "repository": {"full_name": REPOSITORY}}


@contextmanager
def served() -> Iterator[Forge]:
    """A forge that answers on loopback."""
    forge = Forge()
    handler = type("Handler", (_Handler,), {"forge": forge})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        forge.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield forge
        finally:
            server.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    forge: Forge

    def _handle(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length) or b"null")
        parts = urlsplit(self.path)
        forge = self.forge
        forge.calls.append((self.command, parts.path))
        forge.tokens.add(self.headers.get("Authorization", ""))
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        fault = forge.faults.get(self.command)
        status, headers = fault.pop(0) if fault else (-1, {})
        content: Any = {"message": "not now"}
        if status <= 0:
            given, content = forge.answer(self.command, parts.path, query, body)
            if status == 0:
                self.close_connection = True
                return
            status = given
        data = json.dumps(content).encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = _handle  # noqa: N815 - the library's names

    def log_message(self, *_arguments: Any) -> None:
        """Nobody wants to know."""
