"""What a run carries along: the word to stop, the clocks, and the record of what it did.

All of it is handed in, so that tests run on a clock of their own.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from lsq_sync.core.state import Event
from lsq_sync.errors import LsqSyncError


class Recorder(Protocol):
    """Makes events durable before it returns; raises StorageError when it cannot."""

    async def record(self, *events: Event) -> None: ...


class Stop:
    """Told once, by a signal or by a fault, that no new call is to be made."""

    def __init__(self) -> None:
        self._told = asyncio.Event()
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


def this_second() -> datetime:
    """Now, in whole seconds: what is recorded is what is compared."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Time, chance, and someone to tell of each event once it is durable."""

    now: Callable[[], datetime] = this_second
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    tell: Callable[[Event], None] = lambda _event: None
