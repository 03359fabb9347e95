"""The memory of a process while it works: whether it grows with what it has done."""

import json
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_PAUSE = 0.5
_PATIENCE = 5.0


class Watch(threading.Thread):
    """Samples of the process that holds the writer lock of a workspace, until the block ends.

    Each is how much was `done` by then, and the resident memory in MB.
    """

    def __init__(self, root: Path, done: Callable[[], int]) -> None:
        super().__init__(daemon=True)
        self._owner = root / ".lsq-sync/writer.lock"
        self._done = done
        self._ended = threading.Event()
        self.samples: list[tuple[int, float]] = []

    def __enter__(self) -> "Watch":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self.join(_PATIENCE)

    def run(self) -> None:
        while not self._ended.wait(_PAUSE):
            with suppress(OSError, ValueError, KeyError, subprocess.CalledProcessError):
                done = self._done()
                self.samples.append((done, _resident(json.loads(self._owner.read_bytes())["pid"])))

    def between(self, least: int, most: int) -> tuple[float, float]:
        """In MB, as soon as `least` was done and as long as `most` was not exceeded."""
        found = [size for done, size in self.samples if least <= done <= most]
        return found[0], found[-1]


def _resident(process: int) -> float:
    """In MB. Raises CalledProcessError when there is no such process."""
    command = ["ps", "-o", "rss=", "-p", str(process)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return int(told) * 1024 / 1e6
