"""Before anything is sent: what is open is settled, and what is about to change is read."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lsq_sync.commands.dialogue import Dialogue
from lsq_sync.commands.live import Knowledge, seen_in
from lsq_sync.commands.refresh import keep_account
from lsq_sync.commands.session import Session, Talk
from lsq_sync.commands.workspace import Workspace
from lsq_sync.core.model import Live, LiveOpportunity
from lsq_sync.core.reading import Wanted
from lsq_sync.core.state import OpenRequest
from lsq_sync.errors import StoppedError
from lsq_sync.lock.ledger import Ledger
from lsq_sync.lock.writer import Writer
from lsq_sync.poller import Poller
from lsq_sync.reader import Reader
from lsq_sync.render.words import counted
from lsq_sync.surroundings import Surroundings
from lsq_sync.tasks import first_of

Blocking = tuple[tuple[str, OpenRequest], ...]


@dataclass(frozen=True, slots=True)
class Settling:
    """One bulk read, then one question about each open request that a change waits for."""

    workspace: Workspace
    talk: Talk
    dialogue: Dialogue
    around: Surroundings
    know: Knowledge

    def settle(self, writer: Writer, blocking: Blocking, wanted: tuple[Wanted, ...]) -> Live | None:
        """What the CRM says now of what is wanted; None if there was nothing to ask.

        Raises NetworkError or AuthenticationError when it cannot be read, LockError when the keys
        belong to another account than the lock, and StoppedError on a signal.
        """
        asked = tuple((key, opened) for key, opened in blocking if opened.request_id)
        if not asked and not wanted:
            return None

        async def settle(session: Session, ledger: Ledger) -> Live:
            live: dict[str, LiveOpportunity] = {}

            async def work() -> None:
                live.update(await self._read(session, ledger, writer, wanted))
                moved = await self._ask(session, ledger, writer, asked)
                live.update(await self._read_again(session, wanted, moved))

            await first_of(work(), session.stop.wait())
            return live

        try:
            found = self.talk.hold_and_record(writer, settle)
        finally:
            self.dialogue.end()
        if self.talk.signalled:
            raise StoppedError(self.talk.signalled, "stopped before anything was sent")
        return found

    async def _read(
        self, session: Session, ledger: Ledger, writer: Writer, wanted: tuple[Wanted, ...]
    ) -> Live:
        if not wanted:
            return {}
        count = counted(len(wanted), "opportunity")
        self.dialogue.notice(f"reading {count} from the CRM")
        reader = Reader(session.client, self.around)
        await keep_account(reader, writer)
        live = await reader.read(wanted)
        events = seen_in(live, writer, self.know, self.around)
        if events:
            await ledger.record(*events)
        return live

    async def _ask(
        self, session: Session, ledger: Ledger, writer: Writer, asked: Blocking
    ) -> frozenset[str]:
        """Asks about each once; the opportunities that came to a verdict by that."""
        if not asked:
            return frozenset()
        self.dialogue.begin("settling", len(asked))
        telling = replace(self.around, tell=self.dialogue.tell)
        poller = Poller(
            session.client,
            ledger,
            session.stop,
            telling,
            asked,
            sensitive=lambda key: self.know.sensitive_in(writer.entry(key)),
        )
        await poller.once()
        return frozenset(key for key, _ in asked if not _is_open(writer, key))

    async def _read_again(
        self, session: Session, wanted: Iterable[Wanted], moved: frozenset[str]
    ) -> Live:
        """What was read before a verdict may be older than it."""
        return await Reader(session.client, self.around).read(
            one for one in wanted if one.key in moved
        )


def _is_open(writer: Writer, key: str) -> bool:
    entry = writer.entry(key)
    return entry is not None and entry.pending is not None
