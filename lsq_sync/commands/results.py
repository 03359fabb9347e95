"""`lsq-sync results`: the outcomes of a run again, with what was learnt since."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from lsq_sync.commands import run_log
from lsq_sync.commands.verdict import Verdict
from lsq_sync.commands.workspace import Workspace
from lsq_sync.core.blame import Suspect
from lsq_sync.core.result import MOST_URGENT_FIRST, UpdateResult
from lsq_sync.core.state import NOTE, Entry, Outcome, Recorded, RequestID
from lsq_sync.errors import Origin, UsageError
from lsq_sync.lock.history import SECOND_OF_RUN
from lsq_sync.spec.names import nearest


@dataclass(frozen=True, slots=True)
class Told:
    """A run's outcomes as they are known now; `calls` and `elapsed_seconds` are its own."""

    run: str
    results: tuple[UpdateResult, ...]
    calls: Mapping[str, int]
    elapsed_seconds: float

    @property
    def verdict(self) -> Verdict:
        """As if the run ended now."""
        ended = {result.outcome for result in self.results}
        if Outcome.REJECTED in ended:
            return Verdict.REJECTED
        if ended & {Outcome.PENDING, Outcome.UNKNOWN, Outcome.UNSENT}:
            return Verdict.OPEN
        return Verdict.DONE


def run(workspace: Workspace, name: str | None) -> Told:
    """The run with this name, or a beginning of it; the last one by default.

    Raises UsageError when there is none, and LockError when the lock cannot be trusted.
    """
    recorded = workspace.store.read()
    chosen = _chosen(name, _known(workspace, recorded))
    document = run_log.recall(workspace.state_folder, chosen)
    reported = {result.key: result for result in _results(document, chosen)}
    found = reported | {one.key: one for one in _of_lock(chosen, recorded, reported)}
    calls = document.get("calls", {})
    return Told(
        chosen,
        tuple(_since(result, recorded) for result in found.values()),
        calls if isinstance(calls, dict) else {},
        float(document.get("elapsed_seconds") or 0.0),
    )


def known_runs(workspace: Workspace) -> tuple[str, ...]:
    """Every run that is known of, the last one at the end."""
    return _known(workspace, workspace.store.read())


def _known(workspace: Workspace, recorded: Recorded) -> tuple[str, ...]:
    """Runs that left a report, and such that were killed and are known by their requests."""
    entries = recorded.entries.values()
    final = (entry.request.run for entry in entries if entry.request)
    opened = (entry.pending.run for entry in entries if entry.pending)
    reported = run_log.runs(workspace.state_folder)
    place = {run: number for number, run in enumerate(reported)}
    every = {*reported, *final, *opened}
    return tuple(sorted(every, key=lambda run: (run[SECOND_OF_RUN], place.get(run, -1), run)))


def _chosen(name: str | None, known: tuple[str, ...]) -> str:
    if not known:
        raise UsageError("there was no run yet", hint="to begin:\n\n  lsq-sync apply")
    if name is None:
        return known[-1]
    fitting = [run for run in known if run.startswith(name)]
    if len(fitting) == 1 or name in fitting:
        return name if name in fitting else fitting[0]
    if fitting:
        raise UsageError(f"{len(fitting)} runs begin with {name}", hint=", ".join(fitting[-5:]))
    near = nearest(name, known)
    raise UsageError(
        f"nothing is known of a run {name}",
        hint=f"did you mean {near}?" if near else f"the last ones are {', '.join(known[-5:])}",
    )


def _results(document: Mapping[str, Any], run: str) -> Iterator[UpdateResult]:
    try:
        for one in document.get("opportunities", ()):
            yield _result(one)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise UsageError(
            f"the report of run {run} was damaged or edited",
            hint="what counts is in the lock; to see it:\n\n  lsq-sync status --offline",
        ) from None


def _result(one: Mapping[str, Any]) -> UpdateResult:
    source = one.get("source") or {}
    return UpdateResult(
        key=one["id"],
        outcome=Outcome(one["outcome"]),
        request_id=RequestID(one["request_id"]) if one.get("request_id") else None,
        reason=one.get("reason", ""),
        fields=(*one.get("fields", ()), *((NOTE,) if one.get("note") else ())),
        label=one.get("label", ""),
        origin=Origin(source["file"], source["line"]) if source else None,
        verified=one.get("verified"),
        culprit=_suspect(one.get("culprit")),
    )


def _suspect(found: Mapping[str, Any] | None) -> Suspect | None:
    if not found:
        return None
    source = found.get("source")
    origin = Origin(source["file"], source["line"]) if source else None
    return Suspect(found["name"], found["title"], origin)


def _of_lock(
    run: str, recorded: Recorded, reported: Mapping[str, UpdateResult]
) -> Iterator[UpdateResult]:
    """Requests of a run that was killed before it could report."""
    for key, entry in recorded.entries.items():
        opened, final = entry.pending, entry.request
        if key in reported:
            continue
        if opened and opened.run == run:
            outcome = Outcome.PENDING if opened.request_id else Outcome.UNKNOWN
            yield UpdateResult(key, outcome, opened.request_id, fields=opened.payload.names)
        elif final and final.run == run:
            yield UpdateResult(key, final.outcome, final.request_id, final.reason)


def _since(result: UpdateResult, recorded: Recorded) -> UpdateResult:
    """What became of a request that was still open when the run reported."""
    if result.outcome not in (Outcome.PENDING, Outcome.UNKNOWN):
        return result
    entry = recorded.entries.get(result.key) or Entry()
    opened, final = entry.pending, entry.request
    if opened and opened.request_id == result.request_id:
        seen = replace(result, outcome=Outcome.SUCCEEDED, reason="", verified=True)
        return seen if opened.seen else result
    if final and final.request_id == result.request_id:
        return replace(result, outcome=final.outcome, reason=final.reason)
    return replace(result, reason="a later run knows more of it")


def by_outcome(results: Iterable[UpdateResult]) -> tuple[UpdateResult, ...]:
    """What needs somebody first."""
    return tuple(sorted(results, key=lambda one: (MOST_URGENT_FIRST.index(one.outcome), one.key)))
