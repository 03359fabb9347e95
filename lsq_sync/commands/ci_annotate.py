"""`lsq-sync ci annotate`: the rejected updates of a run, each on the line that caused it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from lsq_sync.commands import results
from lsq_sync.commands.applied import applied_document
from lsq_sync.commands.verdict import Verdict
from lsq_sync.commands.workspace import Workspace
from lsq_sync.core.model import DesiredOpportunity
from lsq_sync.core.result import UpdateResult, placed
from lsq_sync.core.state import Outcome
from lsq_sync.errors import Diagnostic, LsqSyncError, Origin, UsageError


@dataclass(frozen=True, slots=True)
class Annotated:
    """What is to be said, and on which lines."""

    problems: tuple[Diagnostic, ...]

    @property
    def verdict(self) -> Verdict:
        """As `apply` has it."""
        return Verdict.REJECTED if self.problems else Verdict.DONE


def run(workspace: Workspace, name: str | None, applied: Path | None = None) -> Annotated:
    """The rejections of the run with this name, of the one that `applied` tells of, or of the last
    one; none where there was none."""
    if applied is not None:
        name = str((applied_document(applied) or {}).get("run") or "")
        if not name or name not in results.known_runs(workspace):
            return Annotated(())
    try:
        told = results.run(workspace, name)
    except UsageError:
        if name is not None:
            raise
        return Annotated(())
    rejected = [one for one in told.results if one.outcome is Outcome.REJECTED]
    return Annotated(tuple(sorted(map(_problem, _in_the_specs(workspace, rejected)))))


def _in_the_specs(workspace: Workspace, rejected: list[UpdateResult]) -> Iterator[UpdateResult]:
    """On the lines of the specs that are here, which are those that the job is about; where they
    say nothing of it, on those that the run knew."""
    known: dict[str, DesiredOpportunity] = {}
    if rejected:
        with suppress(LsqSyncError):
            known = {one.key: one for one in workspace.checked_specs().opportunities}
    for one in rejected:
        yield placed(one, known[one.key]) if one.key in known else one


def _problem(result: UpdateResult) -> Diagnostic:
    suspect = result.culprit
    origin = (suspect.origin if suspect else None) or result.origin or Origin("lsq-sync.lock")
    label = f"{result.label} ({result.key})" if result.label else result.key
    reason = result.reason or "the CRM gives no reason"
    return Diagnostic(
        origin, "rejected", f"{label}: rejected: {reason}", "change the value: it is not sent again"
    )
