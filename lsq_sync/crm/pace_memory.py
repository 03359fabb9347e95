"""The ends of the last calls, kept for the next process: the account's limit outlives a command."""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from lsq_sync.core.budget import RateLimit
from lsq_sync.crm.pacing import LATE_ARRIVAL_SECONDS

_NAME = "pacing.json"
_PRIVATE = 0o600


class PaceMemory:
    """Remembers calls by the wall clock; each process has a monotonic clock of its own."""

    def __init__(self, folder: Path, limit: RateLimit) -> None:
        self._file = folder / _NAME
        self._limit = limit

    def recall(self, wall: float, monotonic: float) -> list[float]:
        """The ends of earlier calls on this process's monotonic clock.

        A process that did not say when it ended may have called until just now.
        """
        try:
            content = self._content()
            if content["open"] and not _is_alive(content["pid"]):
                return [monotonic] * self._limit.calls
            ends = [float(end) for end in content["ends"]]
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return []
        return [monotonic - max(-LATE_ARRIVAL_SECONDS, wall - end) for end in ends]

    def _content(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._file.read_bytes())
        return content

    def opened(self, wall: float, ends: Iterable[float], monotonic: float) -> None:
        """A process begins to call."""
        self._write(open=True, ends=self._on_the_wall(ends, wall, monotonic))

    def closed(self, wall: float, ends: Iterable[float], monotonic: float) -> None:
        """A process has ended its calls, the last of them at `ends`."""
        self._write(open=False, ends=self._on_the_wall(ends, wall, monotonic))

    def _on_the_wall(self, ends: Iterable[float], wall: float, monotonic: float) -> list[float]:
        return [round(wall + end - monotonic, 3) for end in ends]

    def _write(self, **content: object) -> None:
        """Losing it costs at most a refusal by the CRM, so no fault here stops a command.

        While another process is at work (an apply, beside which somebody asks for the metrics)
        the file is its own.
        """
        if self._is_anothers():
            return
        temporary = self._file.with_suffix(f".{os.getpid()}.tmp")
        with suppress(OSError):
            temporary.write_text(json.dumps({"pid": os.getpid(), **content}), encoding="utf-8")
            temporary.chmod(_PRIVATE)
            temporary.replace(self._file)
            return
        with suppress(OSError):
            temporary.unlink()

    def _is_anothers(self) -> bool:
        try:
            content = self._content()
            return content["open"] and content["pid"] != os.getpid() and _is_alive(content["pid"])
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return False


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
