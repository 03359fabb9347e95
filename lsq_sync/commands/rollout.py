"""Sends the updates of a plan, a canary first where one is wanted, and waits for the outcomes."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from lsq_sync.commands.dialogue import Dialogue
from lsq_sync.commands.live import Knowledge, reading_back
from lsq_sync.commands.refusals import not_read_back, refused_questions
from lsq_sync.commands.session import Session
from lsq_sync.commands.verifying import Verifying
from lsq_sync.core.canary import Canary, how_it_went
from lsq_sync.core.change import Change
from lsq_sync.core.deadline import Deadline
from lsq_sync.core.events import Event, Lost, Withdrawn
from lsq_sync.core.polling import FIRST_GAP
from lsq_sync.core.result import result_of_update
from lsq_sync.core.state import Entry, OpenRequest, Outcome, Recorded, RunID
from lsq_sync.errors import LsqSyncError
from lsq_sync.executor import Executor
from lsq_sync.lock.ledger import Ledger
from lsq_sync.lock.writer import Writer
from lsq_sync.poller import Poller
from lsq_sync.reader import Reader
from lsq_sync.render.words import counted
from lsq_sync.surroundings import Surroundings

_MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Manner:
    """How to roll out: `timeout` is how long outcomes are awaited after the last send of a
    stage, `calls` how many the account allows at once; `reads` is whether live values are read."""

    run: RunID
    calls: int
    reads: bool
    wait: bool
    timeout: float
    canary: Canary | None = None
    deadline: Deadline = field(default_factory=Deadline)


@dataclass(slots=True)
class Learnt:
    """What a rollout brings besides events: reasons and what was read back, by opportunity.

    `unsent` is why some of the updates were not sent, where that was a decision.
    """

    reasons: dict[str, str] = field(default_factory=dict)
    verified: dict[str, bool] = field(default_factory=dict)
    warning: str = ""
    unsent: str = ""


@dataclass(frozen=True, slots=True)
class Rollout:
    """One conversation that sends. What it learns stands in `learnt`, also when it fails."""

    session: Session
    ledger: Ledger
    writer: Writer
    dialogue: Dialogue
    around: Surroundings
    know: Knowledge
    manner: Manner
    learnt: Learnt

    async def send(self, updates: tuple[Change, ...]) -> None:
        """Sends them, and waits for the outcomes if that is wanted; a stop ends it."""
        canary = self.manner.canary
        first, rest = canary.split(updates) if canary else (updates, ())
        if canary and rest:
            self.dialogue.notice(
                f"{len(first):,} of {counted(len(updates), 'update')} "
                f"{'goes' if len(first) == 1 else 'go'} out first; the rest waits for the outcome"
            )
        await self._stage(first)
        if canary and rest and not self.session.stop and self._may_follow(first, rest, canary):
            await self._stage(rest, first)
        self._tell_of_deadline(updates)

    async def _stage(self, updates: tuple[Change, ...], earlier: tuple[Change, ...] = ()) -> None:
        """Sends and waits. Of `earlier` ones is read again what did not show then."""
        await self._send(updates)
        if self.manner.wait and not self.session.stop:
            now, ends_at = self.around.monotonic(), self.manner.deadline.ends_at
            until = min(now + self.manner.timeout, ends_at)
            await self._wait(until)
            await self._verify((*earlier, *updates), until)

    # --- the canary

    def _may_follow(
        self, first: tuple[Change, ...], rest: tuple[Change, ...], canary: Canary
    ) -> bool:
        """Whether the outcomes of the first allow the rest, and there is time for it."""
        outcomes = self._outcomes(first)
        if Outcome.UNSENT in outcomes:
            return False
        self.learnt.unsent = canary.objection(outcomes)
        is_late = self.around.monotonic() >= self.manner.deadline.sends_until
        invisible = sum(self.learnt.verified.get(change.key) is False for change in first)
        self.dialogue.end()
        if self.learnt.unsent:
            self.dialogue.notice(f"{self.learnt.unsent}; the rest is not sent")
        else:
            then = "no time is left for the rest" if is_late else "sending the rest"
            went = how_it_went(outcomes, invisible)
            total = len(first) + len(rest)
            self.dialogue.notice(f"{len(first):,} of {total:,} went out first; {went}; {then}")
        return not (self.learnt.unsent or is_late)

    def _tell_of_deadline(self, updates: tuple[Change, ...]) -> None:
        """Nothing else leaves updates behind, where neither a stop nor the canary did."""
        left = self._outcomes(updates).count(Outcome.UNSENT)
        if left and not self.session.stop and not self.learnt.unsent:
            self.learnt.unsent = self.manner.deadline.words
            self.dialogue.end()
            self.dialogue.notice(
                f"{self.learnt.unsent}: {left:,} of {counted(len(updates), 'update')} not sent"
            )

    def _outcomes(self, updates: tuple[Change, ...]) -> list[Outcome]:
        run = self.manner.run
        return [
            result_of_update(change, self.writer.entry(change.key), run, {}, {}).outcome
            for change in updates
        ]

    # --- one stage

    async def _send(self, updates: tuple[Change, ...]) -> None:
        self.dialogue.begin("sending", len(updates))
        at_once = min(self.manner.calls, len(updates), _MOST_AT_ONCE)
        executor = Executor(
            self.session.client,
            self.ledger,
            self.manner.run,
            self.session.stop,
            self._telling(),
            at_once,
        )
        await executor.send(updates, self.manner.deadline.sends_until)

    async def _wait(self, until: float) -> None:
        opened = tuple(_opened_by(self.manner.run, self.writer.recorded))
        if not opened:
            return
        self.dialogue.begin("waiting", len(opened))
        around = self._telling()
        read_back = None
        if self.manner.reads:
            reader = Reader(self.session.client, self.around)
            read_back = reading_back(reader, self.ledger, self.writer, self.know, around)
        poller = Poller(
            self.session.client,
            self.ledger,
            self.session.stop,
            around,
            opened,
            FIRST_GAP,
            read_back,
            lambda key: self.know.sensitive_in(self.writer.entry(key)),
        )
        await poller.until_settled(until)
        self.learnt.reasons.update(poller.findings.why_open)
        if poller.findings.refused:
            self.learnt.warning = refused_questions(poller.findings.refused)
        elif poller.findings.unread:
            self.learnt.warning = not_read_back(poller.findings.unread)

    async def _verify(self, updates: tuple[Change, ...], until: float) -> None:
        """Reads back what succeeded: Success says that the CRM took it, not that it did it."""
        if not self.manner.reads or self.session.stop:
            return
        done = {
            change.key: change.payload
            for change in updates
            if _succeeded(self.writer.entry(change.key), self.manner.run)
            and not self.learnt.verified.get(change.key)
        }
        reader = Reader(self.session.client, self.around)
        ends_at = self.manner.deadline.ends_at
        verifying = Verifying(reader, self.know, self.around, ends_at)
        try:
            self.learnt.verified.update(
                await verifying.verify(done, self.writer.recorded, self.session.stop, until)
            )
        except LsqSyncError as error:
            self.learnt.warning = not_read_back(error.message)

    def _telling(self) -> Surroundings:
        return replace(self.around, tell=self._tell)

    def _tell(self, event: Event) -> None:
        if isinstance(event, Lost | Withdrawn):
            self.learnt.reasons[event.key] = event.reason
        self.dialogue.tell(event)


def _succeeded(entry: Entry | None, run: RunID) -> bool:
    final = entry.request if entry else None
    return final is not None and final.run == run and final.outcome is Outcome.SUCCEEDED


def _opened_by(run: RunID, recorded: Recorded) -> Iterator[tuple[str, OpenRequest]]:
    for key, entry in recorded.entries.items():
        if entry.pending and entry.pending.run == run:
            yield key, entry.pending
