"""`lsq-sync status`: asks the CRM about open requests and records what it learns."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace

from lsq_sync import signals
from lsq_sync.commands.apply import WAIT_SECONDS
from lsq_sync.commands.dialogue import Dialogue
from lsq_sync.commands.left_behind import close_what_lapsed, notice_of_left_behind
from lsq_sync.commands.live import knowledge_of_lock, reading_back
from lsq_sync.commands.refusals import not_read_back, refused_questions
from lsq_sync.commands.session import Session, Talk
from lsq_sync.commands.verdict import Verdict, verdict_of_signal
from lsq_sync.commands.workspace import Workspace, new_run
from lsq_sync.core.model import DesiredOpportunity
from lsq_sync.core.result import UpdateResult, placed, result_of_request
from lsq_sync.core.state import OpenRequest, Outcome, Recorded, RunID
from lsq_sync.crm.credentials import FOR_QUESTIONS, FOR_READS
from lsq_sync.errors import LsqSyncError, NetworkError
from lsq_sync.lock.ledger import Ledger
from lsq_sync.lock.writer import Writer
from lsq_sync.poller import Findings, Poller
from lsq_sync.reader import Reader
from lsq_sync.surroundings import Surroundings


@dataclass(frozen=True, slots=True)
class Options:
    """How to ask: once, until everything is settled, or not at all."""

    wait: bool = False
    timeout: float = WAIT_SECONDS
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of the requests that were open when the command began."""

    run: RunID
    results: tuple[UpdateResult, ...]
    calls: Mapping[str, int]
    elapsed_seconds: float
    verdict: Verdict
    error: LsqSyncError | None = None
    offline: bool = False


def run(
    workspace: Workspace,
    options: Options,
    dialogue: Dialogue,
    around: Surroundings,
    watch: Callable[[str, str], None] = lambda _what, _answer: None,
) -> Asked:
    """Asks. Raises LockError, WriterBusyError, CredentialsError before any call."""
    started = around.monotonic()
    run_id = new_run(around)
    talk = Talk(workspace, around, FOR_QUESTIONS, watch, dialogue.notice, FOR_READS)
    if options.offline:
        recorded = workspace.store.read()
        opened = _opened(recorded)
        return _summed_up(run_id, opened, recorded, Findings(), talk, 0.0, offline=True)
    with signals.held(), workspace.store.writer(run_id, around.now()) as writer:
        notice_of_left_behind(writer, dialogue)
        close_what_lapsed(writer, around.now(), workspace.settings.api.late_window)
        opened = _opened(writer.recorded)
        findings = Findings()
        if any(request.request_id or talk.can_read for request in opened.values()):
            findings = _ask(talk, writer, opened, options, dialogue, around)
        elapsed = around.monotonic() - started
        return _summed_up(run_id, opened, writer.recorded, findings, talk, elapsed)


def _ask(
    talk: Talk,
    writer: Writer,
    opened: Mapping[str, OpenRequest],
    options: Options,
    dialogue: Dialogue,
    around: Surroundings,
) -> Findings:
    async def ask(session: Session, ledger: Ledger) -> Findings:
        telling = replace(around, tell=dialogue.tell)
        read_back = None
        know = knowledge_of_lock(talk.workspace, writer.recorded)
        if talk.can_read:
            reader = Reader(session.client, around)
            read_back = reading_back(reader, ledger, writer, know, telling)
        poller = Poller(
            session.client,
            ledger,
            session.stop,
            telling,
            opened.items(),
            read_back=read_back,
            sensitive=lambda key: know.sensitive_in(writer.entry(key)),
        )
        if options.wait:
            await poller.until_settled(around.monotonic() + options.timeout)
        else:
            await poller.once()
        if poller.findings.unread:
            dialogue.notice(not_read_back(poller.findings.unread))
        return poller.findings

    dialogue.begin("waiting" if options.wait else "asking", len(opened))
    try:
        return talk.hold_and_record(writer, ask)
    finally:
        dialogue.end()


def _opened(recorded: Recorded) -> dict[str, OpenRequest]:
    entries = sorted(recorded.entries.items())
    return {key: entry.pending for key, entry in entries if entry.pending}


def _summed_up(
    run_id: RunID,
    opened: Mapping[str, OpenRequest],
    recorded: Recorded,
    findings: Findings,
    talk: Talk,
    elapsed: float,
    *,
    offline: bool = False,
) -> Asked:
    results = tuple(
        result_of_request(key, asked, recorded.entries.get(key), findings.why_open.get(key, ""))
        for key, asked in opened.items()
    )
    error = None
    if findings.all_refused:
        error = NetworkError(refused_questions(findings.last_refusal))
    return Asked(
        run=run_id,
        results=_in_the_specs(talk.workspace, results),
        calls=asdict(talk.calls),
        elapsed_seconds=elapsed,
        verdict=_verdict(results, talk, error),
        error=error,
        offline=offline,
    )


def _in_the_specs(
    workspace: Workspace, results: tuple[UpdateResult, ...]
) -> tuple[UpdateResult, ...]:
    """Rejections lead to their lines, as far as the specs can be read: they may be broken now."""
    if all(result.outcome is not Outcome.REJECTED for result in results):
        return results
    known: dict[str, DesiredOpportunity] = {}
    with suppress(LsqSyncError):
        known = {one.key: one for one in workspace.checked_specs().opportunities}
    return tuple(
        placed(result, known[result.key]) if result.key in known else result for result in results
    )


def _verdict(results: tuple[UpdateResult, ...], talk: Talk, error: LsqSyncError | None) -> Verdict:
    if talk.signalled:
        return verdict_of_signal(talk.signalled)
    if error:
        return Verdict.FAILED
    outcomes = {result.outcome for result in results}
    if Outcome.REJECTED in outcomes:
        return Verdict.REJECTED
    return Verdict.OPEN if outcomes & {Outcome.PENDING, Outcome.UNKNOWN} else Verdict.DONE
