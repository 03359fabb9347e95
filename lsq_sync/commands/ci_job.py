"""What a job of a CI says of itself in its environment, and the forge that it may ask.

docs.github.com/en/actions/reference/workflows-and-actions/variables
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lsq_sync.core.job import Sought, run_page, sought_by
from lsq_sync.errors import CredentialsError, SettingsError, UsageError
from lsq_sync.forge.github import GitHub, Place
from lsq_sync.surroundings import Surroundings

_TOKEN = "GITHUB_TOKEN"  # noqa: S105 - the name of a variable
_API = "https://api.github.com"
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+\Z", re.ASCII)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Job:
    """The environment, with what the command line says instead."""

    environment: Mapping[str, str]
    around: Surroundings
    repository: str | None = None
    api_url: str | None = None

    def forge(self) -> GitHub:
        """Who to ask. Raises UsageError, SettingsError or CredentialsError for what is missing."""
        repository = self.repository or self.environment.get("GITHUB_REPOSITORY", "")
        if not _REPOSITORY.match(repository):
            raise UsageError(
                f"{repository!r} is no repository" if repository else "which repository?",
                hint="give --repo OWNER/NAME; a job of GitHub Actions knows it",
            )
        api_url = self.api_url or self.environment.get("GITHUB_API_URL") or _API
        graphql_url = self.environment.get("GITHUB_GRAPHQL_URL") or f"{api_url}/graphql"
        if self.api_url:
            graphql_url = f"{self.api_url}/graphql"
        for url in (api_url, graphql_url):
            _refuse_open_line(url)
        return GitHub(
            Place(repository, api_url.rstrip("/"), graphql_url), self._token(), self.wait,
            self.around.chance,
        )  # fmt: skip

    def sought(self) -> Sought | None:
        """The pull request that started the job, as far as its event says."""
        return sought_by(self.environment.get("GITHUB_EVENT_NAME", ""), self._event())

    def plan_page(self) -> str:
        """Where the run that should have made a plan can be looked at."""
        return run_page(self._event())

    def own_page(self) -> str:
        """Where this job's run can be looked at."""
        known = [self.environment.get(name, "") for name in _PAGE]
        return f"{known[0]}/{known[1]}/actions/runs/{known[2]}" if all(known) else ""

    def file(self, name: str) -> Path | None:
        """A file that the job's runner reads, such as its summary."""
        path = self.environment.get(name)
        return Path(path) if path else None

    def _event(self) -> Mapping[str, Any]:
        path = self.file("GITHUB_EVENT_PATH")
        if path is None:
            return {}
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise UsageError(
                "the event of the job cannot be read: GITHUB_EVENT_PATH names no JSON file",
                hint="outside of GitHub Actions, unset it and give --pull-request",
            ) from None
        return found if isinstance(found, dict) else {}

    def _token(self) -> str:
        token = self.environment.get(_TOKEN, "")
        if not token:
            raise CredentialsError(
                f"{_TOKEN} is not set",
                hint="in a workflow, give it to the step:\n\n"
                "  env: {GITHUB_TOKEN: '${{ github.token }}'}",
            )
        if not token.isascii() or not token.isprintable() or token != token.strip():
            raise CredentialsError(
                f"{_TOKEN} holds a character that no token has",
                hint="a line end or a blank from a paste? copy it again",
            )
        return token

    def wait(self, seconds: float) -> None:
        """Sleeps."""
        self.around.run(_slept(self.around, seconds))


_PAGE = ("GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID")


async def _slept(around: Surroundings, seconds: float) -> None:
    await around.sleep(seconds)


def _refuse_open_line(url: str) -> None:
    """The token goes along with every call."""
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return
    raise SettingsError(
        f"{url!r} is no address of an API: the token goes only over https",
        hint="look at GITHUB_API_URL, GITHUB_GRAPHQL_URL and --api-url",
    )
