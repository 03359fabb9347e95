"""Talking to the CRM: the client, its pacing across processes, and what a signal does to it.

The one place that starts an event loop. Only commands that make calls import it, as it brings
aiohttp along.
"""

import asyncio
import math
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from lsq_sync import signals
from lsq_sync.commands.workspace import Workspace
from lsq_sync.crm.client import Calls, Client, Place, open_client
from lsq_sync.crm.credentials import Credentials, read_credentials
from lsq_sync.crm.pace_memory import PaceMemory
from lsq_sync.crm.pacing import Pacer
from lsq_sync.errors import LsqSyncError, OutOfTimeError, StoppedError
from lsq_sync.lock.ledger import Ledger
from lsq_sync.lock.writer import Writer
from lsq_sync.running import Stop
from lsq_sync.surroundings import Surroundings
from lsq_sync.tasks import first_of

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Session:
    """What a command has in hand while it talks to the CRM."""

    client: Client
    stop: Stop


@dataclass(slots=True)
class Talk:
    """Holds conversations with the CRM, one after the other, and adds up what they cost.

    `watch` is told of every call and its answer, without URL or keys. `useful_keys` are used where
    they are set. `signalled` is the signal that ended the last conversation early. Where one runs
    into `until`, on the monotonic clock, it is given up, and OutOfTimeError raised.
    """

    workspace: Workspace
    around: Surroundings
    needed_keys: tuple[str, ...]
    watch: Callable[[str, str], None] = lambda _what, _answer: None
    notice: Callable[[str], None] = lambda _text: None
    useful_keys: tuple[str, ...] = ()
    calls: Calls = field(default_factory=Calls)
    signalled: signal.Signals | None = None
    until: float = math.inf

    def keys(self) -> Credentials:
        """The keys. Raises CredentialsError that names what is missing."""
        return read_credentials(self.workspace.environment, self.needed_keys, self.useful_keys)

    @property
    def can_read(self) -> bool:
        """Whether there is a synchronous host, and the keys for it."""
        if self.workspace.settings.account.host is None:
            return False
        keys = self.keys()
        return bool(keys.access_key and keys.secret_key)

    def hold(self, conversation: Callable[[Session], Awaitable[_T]]) -> _T:
        """One conversation. Raises CredentialsError before any call when a key is missing, and
        StoppedError when a second signal ended it."""
        with signals.held():  # until the signal is told to the conversation
            return self.around.run(self._hold(conversation, self.keys()))

    def hold_unless_stopped(self, conversation: Callable[[Session], Awaitable[_T]]) -> _T | None:
        """One conversation that records nothing: a signal may end it anywhere, which gives None."""
        found: list[_T] = []

        async def held(session: Session) -> None:
            async def work() -> None:
                found.append(await conversation(session))

            await first_of(work(), session.stop.wait())

        self.hold(held)
        return found[0] if found else None

    def hold_or_raise(self, conversation: Callable[[Session], Awaitable[_T]], stopped: str) -> _T:
        """The same; a signal raises StoppedError with the words for that."""
        found = self.hold_unless_stopped(conversation)
        if found is None:
            raise StoppedError(self.signalled or 0, stopped)
        return found

    def hold_and_record(
        self, writer: Writer, conversation: Callable[[Session, Ledger], Awaitable[_T]]
    ) -> _T:
        """One conversation that records what it learns; all of it is durable at its end."""

        async def recorded(session: Session) -> _T:
            ledger = Ledger(writer)
            try:
                return await conversation(session, ledger)
            finally:
                await ledger.settle()

        return self.hold(recorded)

    async def _hold(
        self, conversation: Callable[[Session], Awaitable[_T]], keys: Credentials
    ) -> _T:
        stop = Stop()
        found: list[_T] = []

        async def work() -> None:
            async with self._paced() as pacer, self._client(keys, pacer) as client:
                found.append(await conversation(Session(client, stop)))

        with self._stopped_by_signals(stop):
            ends = (stop.wait_until_at_once(), self.around.until(self.until))
            if not await first_of(work(), *ends):
                raise self._given_up()
        return found[0]

    def _given_up(self) -> LsqSyncError:
        if not self.signalled:
            return OutOfTimeError("the deadline came first")
        return StoppedError(
            self.signalled, "stopped at once: answers that were on their way were not awaited"
        )

    @asynccontextmanager
    async def _client(self, keys: Credentials, pacer: Pacer) -> AsyncIterator[Client]:
        settings = self.workspace.settings
        place = Place(
            async_host=settings.account.async_host,
            status_path=settings.api.status_path,
            metrics_path=settings.api.metrics_path,
            timeout_seconds=settings.api.timeout_seconds,
            host=settings.account.host or "",
        )
        async with open_client(place, keys, pacer, self.calls, self.watch) as client:
            yield client

    @asynccontextmanager
    async def _paced(self) -> AsyncIterator[Pacer]:
        """A pacer that knows the calls of the process before, and tells the next one of ours."""
        limit = self.workspace.settings.api.rate_limit
        clock, wall = self.around.monotonic, self.around.wall
        memory = PaceMemory(self.workspace.state_folder, limit)
        recent = memory.recall(wall(), clock())
        pacer = Pacer(limit, clock, self.around.sleep, recent)
        memory.opened(wall(), recent, clock())
        try:
            yield pacer
        finally:
            memory.closed(wall(), pacer.recent_ends, clock())

    @contextmanager
    def _stopped_by_signals(self, stop: Stop) -> Iterator[None]:
        """The first signal stops the run cleanly, the second at once."""
        loop = asyncio.get_running_loop()

        def heard(number: signal.Signals) -> None:
            if self.signalled:
                stop.at_once()
                return
            self.signalled = number
            stop.now()
            self.notice(
                "stopping: nothing more is sent; answers on their way are awaited for a moment "
                "(again to leave at once)"
            )

        with signals.told_to(lambda number: _soon(loop, heard, number)) as wake:
            if wake is not None:
                loop.add_reader(wake, signals.drain)
            yield


def _soon(
    loop: asyncio.AbstractEventLoop,
    heard: Callable[[signal.Signals], None],
    number: signal.Signals,
) -> None:
    """As soon as the loop comes to it: a signal may break in anywhere."""
    loop.call_soon_threadsafe(heard, number)
