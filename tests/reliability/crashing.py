"""A process that ends in the middle: at a step that would have been durable, or at a call.

What runs after that in the same process (every `finally`) reaches neither disk nor network.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from lsq_sync.lock import disk, emergency, file, open_requests, recent, writer


class CrashError(BaseException):
    """The process is gone. No `except Exception` catches it."""


class Crash:
    """Ends the process at the n-th step from when it was armed."""

    def __init__(self, on_death: Callable[[], None] = lambda: None) -> None:
        self.dead = False
        self._left: int | None = None
        self._on_death = on_death

    def arm(self, steps: int) -> None:
        """The process lives for so many steps."""
        self.dead, self._left = False, steps

    def disarm(self) -> None:
        """A new process; it lives."""
        self.dead, self._left = False, None

    def step(self) -> None:
        """One thing that others can see is about to be done. Raises CrashError."""
        if self._left is not None and not self.dead:
            self._left -= 1
            if self._left < 0:
                self.dead = True
                self._on_death()
        if self.dead:
            raise CrashError


@contextmanager
def crashing_disk(crash: Crash) -> Iterator[None]:
    """Everything that journal and lock write goes step by step."""

    def stepped(really: Callable[..., Any]) -> Callable[..., Any]:
        def step(*arguments: Any, **more: Any) -> Any:
            crash.step()
            return really(*arguments, **more)

        return step

    def torn(descriptor: int, data: bytes) -> None:
        """Half of it is written when the process ends in it."""
        try:
            crash.step()
        except CrashError:
            os.write(descriptor, data[: len(data) // 2])
            raise
        really_write(descriptor, data)

    def whole_or_not(really: Callable[..., Any]) -> Callable[..., Any]:
        def replace(*arguments: Any) -> Any:
            crash.step()
            replaced = really(*arguments)
            crash.step()
            return replaced

        return replace

    really_write = disk.write_all
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: None)  # what counts is what was written
        patch.setattr(writer, "write_all", torn)
        patch.setattr(writer, "replace_by_pieces", whole_or_not(disk.replace_by_pieces))
        for module in (open_requests, recent):
            patch.setattr(module, "replace_file", whole_or_not(disk.replace_file))
        for module, name in (
            (writer, "sync"),
            (writer, "sync_folder"),
            (writer, "remove_emergency"),
            (emergency, "write_all"),
            (file, "make_folder"),
        ):
            patch.setattr(module, name, stepped(getattr(module, name)))
        yield
