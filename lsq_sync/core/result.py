"""What became of the updates of a run, read off the recorded state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from lsq_sync.core.blame import Suspect, blamed
from lsq_sync.core.change import Change, FieldChange
from lsq_sync.core.model import DesiredField, DesiredOpportunity
from lsq_sync.core.state import Entry, OpenRequest, Outcome, RequestID, RunID, is_same_request
from lsq_sync.errors import Origin


@dataclass(frozen=True, slots=True)
class UpdateResult:
    """One update. `verified`: whether its values were read back; None when nothing was.

    `culprit` is the field that the reason of a rejection names, where it names one.
    """

    key: str
    outcome: Outcome
    request_id: RequestID | None = None
    reason: str = ""
    fields: tuple[str, ...] = ()
    label: str = ""
    origin: Origin | None = None
    verified: bool | None = None
    culprit: Suspect | None = None


MOST_URGENT_FIRST = (
    Outcome.REJECTED,
    Outcome.UNKNOWN,
    Outcome.UNSENT,
    Outcome.PENDING,
    Outcome.SUCCEEDED,
)
"""What needs somebody comes first."""


def summary(results: Iterable[UpdateResult]) -> dict[str, int]:
    """How many there are of each outcome."""
    counts = {outcome.value: 0 for outcome in Outcome}
    for result in results:
        counts[result.outcome.value] += 1
    return counts


def result_of_update(
    change: Change,
    entry: Entry | None,
    run: RunID,
    lost: Mapping[str, str],
    verified: Mapping[str, bool],
) -> UpdateResult:
    """The update that this run made, or did not make, of a planned change.

    `lost` has the reason of each answer that never came, `verified` what was read back, by
    opportunity.
    """
    found = _trace(entry, run)
    outcome, request_id, reason = found or (Outcome.UNSENT, None, "")
    seen = entry is not None and entry.pending is not None and entry.pending.seen
    if outcome is Outcome.UNKNOWN:
        reason = lost.get(change.key, "sent, but no answer came back")
    return UpdateResult(
        key=change.key,
        outcome=outcome,
        request_id=request_id,
        reason=reason,
        fields=change.payload.names,
        label=change.label,
        origin=change.origin,
        verified=True if seen else verified.get(change.key),
        culprit=_culprit(outcome, reason, change.fields),
    )


def placed(result: UpdateResult, one: DesiredOpportunity) -> UpdateResult:
    """The result of a request, with the places of its opportunity in the specs."""
    return replace(
        result,
        label=one.label,
        origin=one.origin,
        culprit=_culprit(result.outcome, result.reason, one.fields),
    )


def _culprit(
    outcome: Outcome, reason: str, parts: Iterable[FieldChange | DesiredField]
) -> Suspect | None:
    if outcome is not Outcome.REJECTED:
        return None
    return blamed(reason, (Suspect(part.name, part.rule.title, part.origin) for part in parts))


def result_of_request(
    key: str, asked: OpenRequest, entry: Entry | None, reason: str = ""
) -> UpdateResult:
    """What is known now of a request that was open before. `reason` is why it is not settled."""
    final = entry.request if entry else None
    settled = (
        final is not None
        and is_same_request(final, asked)
        and (entry is None or entry.pending is None)
    )
    names = asked.payload.names
    if settled and final is not None:
        return UpdateResult(key, final.outcome, final.request_id, final.reason, names)
    if entry is not None and entry.pending is not None and entry.pending.seen:
        return UpdateResult(key, Outcome.SUCCEEDED, asked.request_id, "", names, verified=True)
    if asked.request_id is None:
        return UpdateResult(key, Outcome.UNKNOWN, None, reason or "its answer was lost", names)
    if entry is None or entry.pending is None:
        return UpdateResult(key, Outcome.SUCCEEDED, asked.request_id, "", names)
    return UpdateResult(key, Outcome.PENDING, asked.request_id, reason, names)


def _trace(entry: Entry | None, run: RunID) -> tuple[Outcome, RequestID | None, str] | None:
    if entry is None:
        return None
    opened, final = entry.pending, entry.request
    if opened and opened.run == run and opened.seen:
        return Outcome.SUCCEEDED, opened.request_id, ""
    if opened and opened.run == run:
        accepted = opened.request_id is not None
        return (Outcome.PENDING if accepted else Outcome.UNKNOWN), opened.request_id, ""
    if final and final.run == run:
        return final.outcome, final.request_id, final.reason
    return None
