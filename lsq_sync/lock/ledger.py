"""Recording from many tasks at once: one write and one fsync for all that wait (group commit)."""

import asyncio

from lsq_sync.core.events import Event
from lsq_sync.core.state import Entry
from lsq_sync.lock.writer import Writer

_Group = tuple[tuple[Event, ...], asyncio.Future[None]]
"""Events of one caller, and what wakes it."""


class Ledger:
    """Records events durably without holding up the event loop."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._waiting: list[_Group] = []
        self._flusher: asyncio.Task[None] | None = None
        self._broken: BaseException | None = None

    def entry(self, key: str) -> Entry | None:
        """What is recorded of one opportunity now."""
        return self._writer.entry(key)

    async def record(self, *events: Event) -> None:
        """Returns when the events are durable; they become so even if the caller is cancelled.

        Raises StorageError when they cannot be written, and ever after. The writer gets them
        all the same: it may know another place for an answer.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((events, done))
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush())
        await asyncio.shield(done)

    async def settle(self) -> None:
        """Returns when nothing is left to write."""
        if self._flusher is not None:
            await asyncio.shield(self._flusher)

    async def _flush(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._write(batch)
        finally:
            self._flusher = None

    async def _write(self, batch: list[_Group]) -> None:
        """Whatever goes wrong is told to everyone who waits: nobody else would ever wake them."""
        events = tuple(event for group, _ in batch for event in group)
        writing = asyncio.to_thread(self._writer.record, events)
        [fault] = await asyncio.gather(writing, return_exceptions=True)
        self._broken = self._broken or fault
        for _, done in batch:
            if self._broken:
                done.set_exception(self._broken)
                done.exception()  # a caller that was cancelled does not ask for it
            else:
                done.set_result(None)
