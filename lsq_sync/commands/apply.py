"""`lsq-sync apply`: settles what is open, plans, asks, sends, waits for the outcomes, records."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace

from lsq_sync.commands.dialogue import Dialogue
from lsq_sync.commands.left_behind import notice_of_left_behind
from lsq_sync.commands.plan import Choice, Planned, plan_from, weighed
from lsq_sync.commands.plan_file import SavedPlan, check
from lsq_sync.commands.session import Session, Talk
from lsq_sync.commands.verdict import Verdict, verdict_of_signal
from lsq_sync.commands.workspace import Workspace, new_run
from lsq_sync.core.change import Action, Change, Plan
from lsq_sync.core.polling import FIRST_GAP
from lsq_sync.core.result import UpdateResult, result_of_update
from lsq_sync.core.safety import Limits, Refusal, unreviewed
from lsq_sync.core.state import (
    Adopted,
    Event,
    Lost,
    OpenRequest,
    Outcome,
    Recorded,
    Released,
    RunID,
    Withdrawn,
)
from lsq_sync.crm.credentials import FOR_UPDATES
from lsq_sync.errors import Diagnostic, LsqSyncError, Origin, RefusedError, StoppedError
from lsq_sync.executor import Executor
from lsq_sync.lock.ledger import Ledger
from lsq_sync.lock.writer import Writer
from lsq_sync.poller import Poller
from lsq_sync.spec.read import Specs
from lsq_sync.surroundings import Surroundings

WAIT_SECONDS = 600.0
"""How long outcomes are awaited after the last send, unless told otherwise."""

_MOST_AT_ONCE = 100


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
    apply = _Apply(workspace, options, dialogue, around, talk, workspace.specs(), new_run(around))
    return apply.run_it()


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
    reasons: dict[str, str] = field(default_factory=dict)
    warning: str = ""

    def run_it(self) -> Applied:
        started = self.around.monotonic()
        store = self.workspace.store
        is_first = not store.exists
        applied = None
        try:
            with store.writer(self.run, self.around.now()) as writer:
                notice_of_left_behind(writer, self.dialogue)
                planned = self._settled_plan(writer)
                self._brake(planned, is_first)
                self._ask(planned)
                error = self._carry_out(planned.plan, writer)
                applied = self._applied(planned.plan, writer.recorded, error, started)
        except LsqSyncError as error:
            if applied is None:
                raise
            applied = replace(applied, error=applied.error or error, verdict=Verdict.FAILED)
        return applied

    # --- planning

    def _plan(self, recorded: Recorded) -> Planned:
        """The plan as it stands now; of a saved plan its part, if nothing moved."""
        saved, choice = self.options.saved, self.options.choice
        if saved:
            choice = replace(
                choice, retry_rejected=saved.retry_rejected, resend_unknown=saved.resend_unknown
            )
        planned = plan_from(
            self.workspace, self.specs, recorded, choice, self.around, self.options.limits
        )
        if not saved:
            return planned
        part = check(saved, planned.plan)
        return weighed(part, self.workspace, recorded, self.options.limits)

    def _settled_plan(self, writer: Writer) -> Planned:
        """The plan, after one question about each open request that a change waits for."""
        planned = self._plan(writer.recorded)
        blocking = tuple(_blocking(planned.plan, writer.recorded))
        if not blocking:
            return planned
        self.dialogue.begin("settling", len(blocking))

        async def settle(session: Session, ledger: Ledger) -> None:
            around = self._telling()
            await Poller(session.client, ledger, session.stop, around, blocking).once()

        try:
            self.talk.hold_and_record(writer, settle)
        finally:
            self.dialogue.end()
        if self.talk.signalled:
            raise StoppedError(self.talk.signalled, "stopped before anything was sent")
        return self._plan(writer.recorded)

    # --- deciding

    def _brake(self, planned: Planned, is_first: bool) -> None:
        """Refuses what is not what was reviewed, and what breaks a limit."""
        plan, options = planned.plan, self.options
        if options.expect is not None and options.expect != plan.id:
            raise _not_as_expected(options.expect, plan)
        broken = list(planned.refusals)
        if is_first and options.yes and not options.was_reviewed and not options.limited:
            broken += [refusal] if (refusal := unreviewed(plan)) else []
        if broken:
            self.dialogue.show_plan(planned, reviewed=self.options.was_reviewed)
            raise _over_the_limit(broken)

    def _ask(self, planned: Planned) -> None:
        """Shows the plan and asks, if there is anything to carry out."""
        self.dialogue.show_plan(planned, reviewed=self.options.was_reviewed)
        if planned.plan.updates:
            self.talk.keys()
        if not planned.plan.moves_anything:
            held = planned.plan.having(Action.HELD)
            if held and not planned.plan.having(Action.REJECTED, Action.CONFLICT):
                raise _only_held(held)
            return
        if self.options.yes or self.options.was_reviewed:
            return
        if not self.dialogue.confirm(planned):
            raise RefusedError("nothing was sent: the answer was not yes", code="declined")

    # --- doing

    def _carry_out(self, plan: Plan, writer: Writer) -> LsqSyncError | None:
        """Records what needs no call, sends, and waits; the error that ended it early, if any."""
        quiet = tuple(_quiet_events(plan, self.around))
        if quiet:
            writer.record(quiet)
        if not plan.updates:
            return None

        async def send_and_wait(session: Session, ledger: Ledger) -> LsqSyncError | None:
            await self._send(plan.updates, session, ledger)
            if self.options.wait and not session.stop:
                await self._wait(session, ledger, writer)
            return session.stop.error

        try:
            return self.talk.hold_and_record(writer, send_and_wait)
        except LsqSyncError as error:
            return error
        finally:
            self.dialogue.end()

    async def _send(self, updates: tuple[Change, ...], session: Session, ledger: Ledger) -> None:
        self.dialogue.begin("sending", len(updates))
        at_once = min(self.workspace.settings.api.rate_limit.calls, len(updates), _MOST_AT_ONCE)
        around = self._telling()
        executor = Executor(session.client, ledger, self.run, session.stop, around, at_once)
        await executor.send(updates)

    async def _wait(self, session: Session, ledger: Ledger, writer: Writer) -> None:
        opened = tuple(_opened_by(self.run, writer.recorded))
        if not opened:
            return
        self.dialogue.begin("waiting", len(opened))
        around = self._telling()
        poller = Poller(session.client, ledger, session.stop, around, opened, FIRST_GAP)
        await poller.until_settled(self.around.monotonic() + self.options.timeout)
        self.reasons.update(poller.findings.why_open)
        if poller.findings.refused:
            self.warning = refused_questions(poller.findings.refused)

    def _telling(self) -> Surroundings:
        return replace(self.around, tell=self._tell)

    def _tell(self, event: Event) -> None:
        if isinstance(event, Lost | Withdrawn):
            self.reasons[event.key] = event.reason
        self.dialogue.tell(event)

    # --- summing up

    def _applied(
        self, plan: Plan, recorded: Recorded, error: LsqSyncError | None, started: float
    ) -> Applied:
        results = tuple(
            result_of_update(change, recorded.entries.get(change.key), self.run, self.reasons)
            for change in plan.updates
        )
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
            warning=self.warning,
        )

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
        if plan.having(Action.REJECTED) and not held and not still_open:
            return Verdict.REJECTED
        unknown = Outcome.UNKNOWN in ended or _unknown(plan, recorded)
        if held or unknown or (still_open and self.options.wait):
            return Verdict.OPEN
        return Verdict.DONE


def refused_questions(reason: str) -> str:
    """What to tell when the CRM refuses to be asked after outcomes."""
    return (
        f"the CRM refused to be asked after the outcomes: {reason}. The requests stay open; "
        "is api.status_path right, and LSQ_X_API_KEY?"
    )


def _blocking(plan: Plan, recorded: Recorded) -> Iterator[tuple[str, OpenRequest]]:
    """Open requests that a planned change waits for, or is about to replace."""
    for change in plan.having(Action.HELD, Action.UPDATE):
        entry = recorded.entries.get(change.key)
        if entry and entry.pending and entry.pending.request_id:
            yield change.key, entry.pending


def _opened_by(run: RunID, recorded: Recorded) -> Iterator[tuple[str, OpenRequest]]:
    for key, entry in recorded.entries.items():
        if entry.pending and entry.pending.run == run:
            yield key, entry.pending


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


# --- refusals


def _not_as_expected(expected: str, plan: Plan) -> RefusedError:
    return RefusedError(
        f"the plan is {plan.id}, not {expected}: specs or lock moved since it was reviewed",
        code="stale-plan",
        hint="make a new plan, review it, and apply that one:\n\n  lsq-sync plan",
        diagnostics=tuple(
            Diagnostic(change.origin or Origin(""), "planned", f"{change.key}: {change.action}")
            for change in plan.changes
            if change.moves
        ),
    )


def _over_the_limit(broken: list[Refusal]) -> RefusedError:
    ways = [way for refusal in broken for way in (refusal.flag, refusal.setting) if way]
    return RefusedError(
        "; ".join(refusal.message for refusal in broken),
        code=broken[0].code,
        hint=f"look at the plan; if it is right, allow it: {' or '.join(dict.fromkeys(ways))}",
    )


def _only_held(held: tuple[Change, ...]) -> RefusedError:
    count = f"{len(held)} change{'s' if len(held) > 1 else ''}"
    return RefusedError(
        f"nothing was sent: {count} must wait for requests that are still open",
        code="held",
        hint="ask the CRM again later, then apply:\n\n  lsq-sync status --wait",
        diagnostics=tuple(
            Diagnostic(change.origin or Origin(""), "held", f"{change.key}: {change.reason}")
            for change in held
        ),
    )
