"""The git repository around a workspace: one file of it, committed on top of a branch and pushed.

Nothing is checked out, merged or reset: the commit is made beside the work tree, from the newest
commit of the branch and the one file. So what else lies in the work tree never gets into it, and
nothing is ever pushed by force. Only `git.py` asks git for anything else.
"""

import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lsq_sync.errors import RepositoryError

_SECONDS = 120.0
_NEW_FILE = "100644"
_PASSWORD = re.compile(r"(?<=://)[^/\s@]+(?=@)")


@dataclass(frozen=True, slots=True)
class Author:
    """Who makes commits, where git does not know it."""

    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Repository:
    """The repository that `root` is in; `remote` is where it is pushed to."""

    root: Path
    remote: str
    environment: Mapping[str, str]
    author: Author

    def branch(self) -> str | None:
        """The branch that is checked out; None where it is a commit."""
        found = self._ended("symbolic-ref", "--quiet", "--short", "HEAD")
        return found.stdout.decode().strip() if found.returncode == 0 else None

    def head(self) -> str | None:
        """The commit that is checked out; None before the first one.

        Raises RepositoryError where there is no repository.
        """
        self._run("rev-parse", "--git-dir")
        found = self._ended("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        return found.stdout.decode().strip() if found.returncode == 0 else None

    def fetch(self, branch: str) -> str:
        """The newest commit of a branch of the remote, brought here."""
        self._run(
            "fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
            self.remote, f"+refs/heads/{branch}:{_FETCHED}",
        )  # fmt: skip
        return self._run("rev-parse", "--verify", _FETCHED).decode().strip()

    def content(self, commit: str, file: str) -> bytes | None:
        """A file as a commit has it; None where it has none."""
        found = self._listed(commit, file)
        return self._run("cat-file", "blob", found[1]) if found else None

    def commit(self, parent: str, file: str, data: bytes, message: str) -> str:
        """A new commit: its parent with this one file changed. The work tree is not touched."""
        listed = self._listed(parent, file)
        mode = listed[0] if listed else _NEW_FILE
        place = self._run("rev-parse", "--show-prefix").decode().strip() + file
        blob = self._run("hash-object", "-w", "--path", place, "--stdin", given=data)
        with tempfile.TemporaryDirectory() as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._run("read-tree", parent, more=index)
            entry = f"{mode},{blob.decode().strip()},{place}"
            self._run("update-index", "--add", "--cacheinfo", entry, more=index)
            tree = self._run("write-tree", more=index).decode().strip()
        made = self._run(
            "commit-tree", tree, "-p", parent, given=message.encode(), more=self._identity()
        )
        return made.decode().strip()

    def push(self, commit: str, branch: str) -> RepositoryError | None:
        """Pushes it, never by force; what the remote has against it, else None."""
        found = self._ended("push", "--quiet", self.remote, f"{commit}:refs/heads/{branch}")
        return None if found.returncode == 0 else self._failed("push", found.stderr)

    def go_along(self, commit: str, file: str) -> None:
        """The checked out branch becomes its own child `commit`, which differs in one file only."""
        self._run("update-ref", "-m", "lsq-sync: lock pushed", "HEAD", commit, f"{commit}^")
        self._run("reset", "--quiet", "--", file)

    def _listed(self, commit: str, file: str) -> tuple[str, str] | None:
        """Mode and blob of a file."""
        found = self._run("ls-tree", commit, "--", file).decode("utf-8", "replace")
        mode, _, blob = found.partition("\t")[0].split(" ") if found else ("", "", "")
        return (mode, blob) if found else None

    def _identity(self) -> Mapping[str, str]:
        if self._ended("config", "user.email").returncode == 0:
            return {}
        name, email = self.author.name, self.author.email
        unset = {
            "GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": email,
            "GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": email,
        }  # fmt: skip
        return {key: value for key, value in unset.items() if not self.environment.get(key)}

    def _run(
        self, *arguments: str, given: bytes = b"", more: Mapping[str, str] | None = None
    ) -> bytes:
        found = self._ended(*arguments, given=given, more=more)
        if found.returncode != 0:
            raise self._failed(arguments[0], found.stderr)
        return found.stdout

    def _ended(
        self, *arguments: str, given: bytes = b"", more: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[bytes]":
        never_asks = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        try:
            return subprocess.run(  # noqa: S603 - a list, so no shell reads any of it
                ["git", "-C", str(self.root), *arguments],  # noqa: S607
                input=given,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
                env={**self.environment, **never_asks, **(more or {})},
            )
        except FileNotFoundError:
            raise RepositoryError("git is not installed") from None
        except subprocess.TimeoutExpired:
            raise RepositoryError(f"git {arguments[0]} did not end in {_SECONDS:.0f} s") from None

    def _failed(self, what: str, said: bytes) -> RepositoryError:
        """What git says, without the token that may stand in the remote's URL."""
        lines = _PASSWORD.sub("***", said.decode("utf-8", "replace")).strip().splitlines()
        told = "; ".join(line.strip() for line in lines[-4:]) or "it does not say why"
        token = self.environment.get("GITHUB_TOKEN", "")
        return RepositoryError(f"git {what}: {told.replace(token, '***') if token else told}")


_FETCHED = "refs/lsq-sync/fetched"
