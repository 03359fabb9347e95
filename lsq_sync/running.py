"""What a run carries along: the word to stop, and the record of what it did."""

import asyncio
from typing import Protocol

from lsq_sync.core.events import Event
from lsq_sync.errors import LsqSyncError

LONGEST_LIMIT_SECONDS = 300.0
"""A limit told for longer than this is a quota: no command waits until there is some again."""


class Recorder(Protocol):
    """Makes events durable before it returns; raises StorageError when it cannot."""

    async def record(self, *events: Event) -> None: ...


class Stop:
    """Told once, by a signal or by a fault, that no new call is to be made."""

    def __init__(self) -> None:
        self._told = asyncio.Event()
        self._left = asyncio.Event()
        self.error: LsqSyncError | None = None

    def __bool__(self) -> bool:
        return self._told.is_set()

    def now(self, error: LsqSyncError | None = None) -> None:
        """No new calls from here on; the first error is the one that is reported."""
        self.error = self.error or error
        self._told.set()

    async def wait(self) -> None:
        """Returns when it was told."""
        await self._told.wait()

    def at_once(self) -> None:
        """Not even the answers on their way are awaited any more."""
        self._told.set()
        self._left.set()

    async def wait_until_at_once(self) -> None:
        """Returns when nothing is to be awaited any more."""
        await self._left.wait()
