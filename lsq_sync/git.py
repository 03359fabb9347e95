"""What git knows of a line. Only asked, never told; without git there is nothing to know."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

from lsq_sync.core.provenance import Commit

_SECONDS = 10.0
_NOT_COMMITTED = "0" * 40


def commit_of(root: Path, file: str, line: int) -> Commit | None:
    """Who wrote the line last; None where git cannot say."""
    command = ["git", "-C", str(root), "blame", "--porcelain", "-L", f"{line},{line}", "--", file]
    try:
        ended = subprocess.run(  # noqa: S603 - a list, so no shell reads the file's name
            command, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    if ended.returncode != 0:
        return None
    return _commit_in(ended.stdout.decode("utf-8", "replace"))


def _commit_in(porcelain: str) -> Commit | None:
    head, *lines = porcelain.split("\n")
    told = dict(line.split(" ", 1) for line in lines if " " in line and not line.startswith("\t"))
    identifier = head.split(" ")[0]
    if len(identifier) < len(_NOT_COMMITTED):
        return None
    if identifier == _NOT_COMMITTED:
        return Commit("")
    seconds = told.get("author-time", "")
    return Commit(
        identifier,
        told.get("author", ""),
        datetime.fromtimestamp(int(seconds), UTC) if seconds.isdigit() else None,
        told.get("summary", ""),
    )
