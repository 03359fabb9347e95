"""`lsq-sync apply`: settles what is open, plans, asks, sends, waits for the outcomes, records."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import Enum, StrEnum

from lsq_sync import signals
from lsq_sync.commands.dialogue import Dialogue
from lsq_sync.commands.edits import with_edits
from lsq_sync.commands.left_behind import (
    call_as_the_specs_do,
    close_what_lapsed,
    notice_of_left_behind,
)
from lsq_sync.commands.live import Knowledge, knowledge_of_specs, of_records
from lsq_sync.commands.plan import Choice, Planned, plan_from, weighed
from lsq_sync.commands.plan_file import SavedPlan, check
from lsq_sync.commands.refusals import (
    in_conflict,
    not_as_expected,
    only_held,
    over_the_limit,
)
from lsq_sync.commands.rollout import Learnt, Manner, Rollout
from lsq_sync.commands.session import Session, Talk
from lsq_sync.commands.set_back import notice_of_a_lock_set_back
from lsq_sync.commands.settling import Settling
from lsq_sync.commands.unseen import notice_of_unseen
from lsq_sync.commands.verdict import Verdict, verdict_of_signal
from lsq_sync.commands.workspace import Workspace, new_run
from lsq_sync.core.canary import Canary
from lsq_sync.core.change import Action, Change, Plan
from lsq_sync.core.deadline import Deadline
from lsq_sync.core.events import Adopted, Event, Released
from lsq_sync.core.model import Live
from lsq_sync.core.reading import Wanted
from lsq_sync.core.result import UpdateResult, result_of_update
from lsq_sync.core.safety import Limits, unreviewed
from lsq_sync.core.state import OpenRequest, Outcome, Recorded, RunID
from lsq_sync.crm.credentials import FOR_UPDATES
from lsq_sync.errors import LsqSyncError, OutOfTimeError, RefusedError, StorageError
from lsq_sync.lock.ledger import Ledger
from lsq_sync.lock.newest import newest_of
from lsq_sync.lock.writer import Writer
from lsq_sync.reader import Reader
from lsq_sync.spec.read import Specs
from lsq_sync.surroundings import Surroundings

WAIT_SECONDS = 600.0
"""How long outcomes are awaited after the last send, unless told otherwise."""


class Reading(Enum):
    """Which live values are read before anything is sent."""

    NOTHING = "nothing"
    SENT = "what is about to be sent"
    ALL = "all that the specs manage"


def reading_of(refresh: bool | None) -> Reading:
    """What --refresh and --no-refresh ask for; None is neither."""
    match refresh:
        case None:
            return Reading.SENT
        case True:
            return Reading.ALL
        case False:
            return Reading.NOTHING


class OnConflict(StrEnum):
    """What becomes of a value that somebody changed in the CRM."""

    FAIL = "fail"
    SKIP = "skip"
    OVERWRITE = "overwrite"


@dataclass(frozen=True, slots=True)
class Options:
    """How to apply. `limits` are the settings with the flags of the command line in them;
    `limited` says that --max-updates was among those."""

    choice: Choice
    limits: Limits
    limited: bool = False
    saved: SavedPlan | None = None
    expect: str | None = None
    yes: bool = False
    wait: bool = True
    timeout: float = WAIT_SECONDS
    reading: Reading = Reading.SENT
    on_conflict: OnConflict = OnConflict.FAIL
    canary: Canary | None = None
    deadline: Deadline = field(default_factory=Deadline)

    @property
    def was_reviewed(self) -> bool:
        """Somebody looked at exactly this plan."""
        return self.saved is not None or self.expect is not None


@dataclass(frozen=True, slots=True)
class Applied:
    """What became of an apply. `left` are changes of the plan that it could not make."""

    run: RunID
    results: tuple[UpdateResult, ...]
    left: tuple[Change, ...]
    calls: Mapping[str, int]
    elapsed_seconds: float
    verdict: Verdict
    error: LsqSyncError | None = None
    warning: str = ""


def run(
    workspace: Workspace,
    options: Options,
    dialogue: Dialogue,
    around: Surroundings,
    watch: Callable[[str, str], None] = lambda _what, _answer: None,
) -> Applied:
    """Applies. Raises an LsqSyncError for whatever stops it before anything was sent."""
    talk = Talk(workspace, around, FOR_UPDATES, watch, dialogue.notice)
    with signals.let_through():
        specs = workspace.specs()
        know = knowledge_of_specs(workspace, specs)
    return _Apply(workspace, options, dialogue, around, talk, specs, new_run(around), know).run_it()


@dataclass(slots=True)
class _Apply:
    """One run of the command, step by step."""

    workspace: Workspace
    options: Options
    dialogue: Dialogue
    around: Surroundings
    talk: Talk
    specs: Specs
    run: RunID
    know: Knowledge
    learnt: Learnt = field(default_factory=Learnt)

    @property
    def _reads(self) -> bool:
        """Whether live values are read at all."""
        has_host = self.workspace.settings.account.host is not None
        return has_host and self.options.reading is not Reading.NOTHING

    def run_it(self) -> Applied:
        started = self.around.monotonic()
        store = self.workspace.store
        is_first = not store.exists
        applied = None
        try:
            with signals.held(), store.writer(self.run, self.around.now()) as writer:
                with signals.let_through():
                    planned = self._decided(writer, is_first)
                error = self._carry_out(planned.plan, writer)
                applied = self._applied(planned.plan, writer.recorded, error, started)
        except LsqSyncError as error:
            if applied is None:
                raise
            first = None if isinstance(error, StorageError) else applied.error
            applied = replace(applied, error=first or error, verdict=Verdict.FAILED)
        return applied

    # --- planning

    def _decided(self, writer: Writer, is_first: bool) -> Planned:
        """The plan that is to be carried out, if nothing and nobody is against it."""
        notice_of_left_behind(writer, self.dialogue)
        store, newest = self.workspace.store, newest_of(writer.recorded)
        notice_of_a_lock_set_back(store, newest, store.fingerprint(), self.dialogue.notice)
        close_what_lapsed(writer, self.around.now(), self.workspace.settings.api.late_window)
        call_as_the_specs_do(writer, self.specs.opportunities, self.around.now())
        planned = self._settled_plan(writer)
        if not self._is_late:
            self._brake(planned, is_first)
            self._ask(planned)
        return planned

    def _plan(self, recorded: Recorded, live: Live | None = None) -> Planned:
        """The plan as it stands now; of a saved plan its part, if nothing moved."""
        saved, choice = self.options.saved, self.options.choice
        if saved:
            choice = replace(
                choice, retry_rejected=saved.retry_rejected, resend_unknown=saved.resend_unknown
            )
        planned = plan_from(
            self.workspace,
            self.specs,
            recorded,
            replace(choice, overwrite=self.options.on_conflict is OnConflict.OVERWRITE),
            self.around,
            self.options.limits,
            live,
            reads=self._reads,
        )
        if not saved:
            return planned
        part = check(saved, planned.plan)
        return weighed(
            part,
            self.workspace,
            self.specs,
            recorded,
            self.options.limits,
            reads=self._reads,
        )

    def _settled_plan(self, writer: Writer) -> Planned:
        """The plan, after what is open was settled and what is about to be sent was read."""
        planned = self._plan(writer.recorded)
        expected = self.options.expect
        if expected is not None and expected != planned.plan.id and not self._reads:
            raise not_as_expected(expected, planned.plan)
        try:
            return self._settled(planned, writer)
        except OutOfTimeError:
            self._give_up()
            return planned

    def _settled(self, planned: Planned, writer: Writer) -> Planned:
        """Asks and reads, and plans again with what that brings.

        Raises OutOfTimeError when the deadline comes first.
        """
        expected = self.options.expect
        self.talk.until = self.options.deadline.sends_until
        blocking = tuple(_blocking(planned.plan, writer.recorded))
        settling = Settling(self.workspace, self.talk, self.dialogue, self.around, self.know)
        live = settling.settle(writer, blocking, self._to_read(planned.plan, writer.recorded))
        if self._reads:
            notice_of_unseen(self._looked_at(planned.plan), live or {}, self.dialogue.notice)
        if live is None:
            return planned
        settled = self._plan(writer.recorded, live if self._reads else None)
        conflicts = settled.plan.having(Action.CONFLICT)
        if conflicts and self.options.on_conflict is not OnConflict.OVERWRITE:
            live = with_edits(live, conflicts, writer.recorded, self._details)
            settled = self._plan(writer.recorded, live)
        if expected is not None and not _does_no_more(settled.plan, planned.plan, expected):
            raise not_as_expected(expected, settled.plan)
        return settled

    def _details(self, wanted: tuple[Wanted, ...]) -> Live:
        """What the details of a few opportunities say; nothing where a signal ended it."""

        async def read(session: Session) -> Live:
            return await Reader(session.client, self.around).read(wanted)

        return self.talk.hold_unless_stopped(read) or {}

    def _looked_at(self, plan: Plan) -> tuple[str, ...]:
        """The opportunities of which something is to be read."""
        everything = self.options.reading is Reading.ALL
        chosen = plan.changes if everything else plan.having(Action.UPDATE)
        return tuple(change.key for change in chosen if change.origin and change.fields)

    def _to_read(self, plan: Plan, recorded: Recorded) -> tuple[Wanted, ...]:
        """What is about to be sent and what that waits for, or all that the specs manage."""
        if not self._reads:
            return ()
        if self.options.reading is Reading.ALL:
            return of_records(self.know, (change.key for change in plan.changes), recorded)
        chosen = plan.having(Action.UPDATE, Action.HELD)
        settled = {change.key: change.settled_names for change in chosen}
        wanted = of_records(self.know, settled, recorded)
        return tuple(one for each in wanted if (one := each.without(settled[each.key])).names)

    # --- deciding

    def _brake(self, planned: Planned, is_first: bool) -> None:
        """Refuses what would undo somebody's change, and what breaks a limit."""
        plan, options = planned.plan, self.options
        conflicts = plan.having(Action.CONFLICT)
        if conflicts and options.on_conflict is OnConflict.FAIL:
            self.dialogue.show_plan(planned, reviewed=options.was_reviewed)
            raise in_conflict(conflicts)
        broken = list(planned.refusals)
        unseen = is_first and not plan.refreshed
        if unseen and options.yes and not options.was_reviewed and not options.limited:
            broken += [refusal] if (refusal := unreviewed(plan)) else []
        if broken:
            self.dialogue.show_plan(planned, reviewed=self.options.was_reviewed)
            raise over_the_limit(broken)

    def _ask(self, planned: Planned) -> None:
        """Shows the plan and asks, if there is anything to carry out."""
        self.dialogue.show_plan(planned, reviewed=self.options.was_reviewed)
        if planned.plan.updates:
            self.talk.keys()
        if not planned.plan.moves_anything:
            held = planned.plan.having(Action.HELD)
            if held and not planned.plan.having(Action.REJECTED, Action.CONFLICT):
                raise only_held(held)
            return
        if self.options.yes or self.options.was_reviewed:
            return
        if not self.dialogue.confirm(planned) and not self._is_late:
            raise RefusedError("nothing was sent: the answer was not yes", code="declined")

    @property
    def _is_late(self) -> bool:
        """Whether the deadline came before anything was done; nothing is done then."""
        if self.around.monotonic() >= self.options.deadline.sends_until:
            self._give_up()
        return bool(self.learnt.unsent)

    def _give_up(self) -> None:
        self.learnt.unsent = self.options.deadline.words
        self.learnt.warning = f"nothing was sent: {self.learnt.unsent}"

    # --- doing

    def _carry_out(self, plan: Plan, writer: Writer) -> LsqSyncError | None:
        """Records what needs no call, sends, and waits; the error that ended it early, if any."""
        if self.learnt.unsent:
            return None
        self.talk.until = math.inf  # from here on it ends by itself, with what is on its way
        quiet = tuple(_quiet_events(plan, self.around))
        if quiet:
            writer.record(quiet)
        if not plan.updates:
            return None

        async def roll_out(session: Session, ledger: Ledger) -> LsqSyncError | None:
            rollout = Rollout(
                session,
                ledger,
                writer,
                self.dialogue,
                self.around,
                self.know,
                self._manner(),
                self.learnt,
            )
            await rollout.send(plan.updates)
            return session.stop.error

        try:
            return self.talk.hold_and_record(writer, roll_out)
        except LsqSyncError as error:
            return error
        finally:
            self.dialogue.end()

    def _manner(self) -> Manner:
        options = self.options
        return Manner(
            run=self.run,
            calls=self.workspace.settings.api.rate_limit.calls,
            reads=self._reads,
            wait=options.wait,
            timeout=options.timeout,
            canary=options.canary,
            deadline=options.deadline,
        )

    # --- summing up

    def _applied(
        self, plan: Plan, recorded: Recorded, error: LsqSyncError | None, started: float
    ) -> Applied:
        results = tuple(self._result(change, recorded) for change in plan.updates)
        return Applied(
            run=self.run,
            results=results,
            left=(
                *plan.having(Action.CONFLICT, Action.HELD, Action.REJECTED),
                *_unknown(plan, recorded),
            ),
            calls=asdict(self.talk.calls),
            elapsed_seconds=self.around.monotonic() - started,
            verdict=self._verdict(plan, results, recorded, error),
            error=error,
            warning=self.learnt.warning,
        )

    def _result(self, change: Change, recorded: Recorded) -> UpdateResult:
        entry = recorded.entries.get(change.key)
        learnt = self.learnt
        result = result_of_update(change, entry, self.run, learnt.reasons, learnt.verified)
        is_unsent = result.outcome is Outcome.UNSENT
        return replace(result, reason=learnt.unsent) if is_unsent else result

    def _verdict(
        self,
        plan: Plan,
        results: tuple[UpdateResult, ...],
        recorded: Recorded,
        error: LsqSyncError | None,
    ) -> Verdict:
        if self.talk.signalled:
            return verdict_of_signal(self.talk.signalled)
        if error:
            return Verdict.FAILED
        ended = {result.outcome for result in results}
        still_open = ended & {Outcome.PENDING, Outcome.UNKNOWN}
        held = plan.having(Action.HELD)
        if Outcome.REJECTED in ended:
            return Verdict.REJECTED
        is_left = Outcome.UNSENT in ended or (bool(self.learnt.unsent) and plan.moves_anything)
        if plan.having(Action.REJECTED) and not (held or still_open or is_left):
            return Verdict.REJECTED
        if plan.having(Action.CONFLICT):
            return Verdict.REFUSED
        unknown = Outcome.UNKNOWN in ended or _unknown(plan, recorded)
        if held or unknown or is_left or (still_open and self.options.wait):
            return Verdict.OPEN
        return Verdict.DONE


def _blocking(plan: Plan, recorded: Recorded) -> Iterator[tuple[str, OpenRequest]]:
    """Open requests that a planned change waits for, or is about to replace."""
    for change in plan.having(Action.HELD, Action.UPDATE):
        entry = recorded.entries.get(change.key)
        if entry and entry.pending and entry.pending.request_id:
            yield change.key, entry.pending


def _does_no_more(settled: Plan, planned: Plan, expected: str) -> bool:
    """Whether it is the expected plan, or what is left of it: the CRM may have a value already."""
    if settled.id == expected:
        return True
    before = {change.key: change.payload for change in planned.updates}
    return planned.id == expected and all(
        before.get(change.key) == change.payload for change in settled.updates
    )


def _unknown(plan: Plan, recorded: Recorded) -> tuple[Change, ...]:
    """Changes that an earlier run sent and got no answer to."""
    entries = recorded.entries
    return tuple(
        change
        for change in plan.having(Action.PENDING)
        if (pending := entries[change.key].pending) and not pending.request_id
    )


def _quiet_events(plan: Plan, around: Surroundings) -> Iterator[Event]:
    """What changes the lock without a call."""
    at = around.now()
    for change in plan.changes:
        if change.adopted.names:
            yield Adopted(change.key, at, change.adopted, change.type)
        if change.released or change.forgets_it:
            yield Released(change.key, at, change.released, whole=change.forgets_it)
