"""Running the real command line inside the test's process, on a clock that runs quicker."""

import asyncio
import io
import json
import os
import time
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest import mock

from lsq_sync import cli
from lsq_sync.surroundings import Surroundings

SPEED = 20.0
"""So many seconds of the tool pass in one real second."""


async def _sleep(seconds: float) -> None:
    await asyncio.sleep(seconds / SPEED)


QUICK = Surroundings(monotonic=lambda: time.monotonic() * SPEED, sleep=_sleep)


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The one JSON document on stdout."""
        content: dict[str, Any] = json.loads(self.out)
        return content

    @property
    def summary(self) -> dict[str, int]:
        """Of a plan or result document."""
        counts: dict[str, int] = self.document["summary"]
        return counts


def run(*arguments: str, environment: Mapping[str, str] | None = None, stdin: str = "") -> Ended:
    """Runs `lsq-sync` with these arguments; nothing of the process is left changed."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment or {}),
        mock.patch("sys.stdin", io.StringIO(stdin)),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = cli.run(list(arguments), QUICK)
    return Ended(code, out.getvalue(), err.getvalue())
