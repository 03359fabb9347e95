"""What became of updates, as text: grouped by outcome, with reason and place."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from lsq_sync.core.blame import Suspect
from lsq_sync.core.change import Action, Change
from lsq_sync.core.result import UpdateResult, summary
from lsq_sync.core.state import Outcome
from lsq_sync.render.escape import visible
from lsq_sync.render.lines import BLANK, Line, Piece, Style, line
from lsq_sync.render.parts import and_more, field_words, heading
from lsq_sync.render.words import counted, duration

_SHOWN = 50
_PENDING_SHOWN = 5
"""Of what is only on its way a few are enough."""

OUTCOME_WORDS = {
    Outcome.SUCCEEDED: "succeeded",
    Outcome.REJECTED: "rejected",
    Outcome.PENDING: "pending",
    Outcome.UNKNOWN: "unknown",
    Outcome.UNSENT: "not sent",
}
_TITLES = {
    Outcome.REJECTED: "Rejected by the CRM: mend the spec, then apply again",
    Outcome.UNKNOWN: "Sent, but the answer was lost: they may or may not have taken effect",
    Outcome.PENDING: "Accepted, and no verdict yet",
    Outcome.UNSENT: "Not sent",
}
_STYLES = {
    Outcome.SUCCEEDED: Style.GOOD,
    Outcome.REJECTED: Style.BAD,
    Outcome.UNKNOWN: Style.CARE,
    Outcome.PENDING: Style.CARE,
    Outcome.UNSENT: Style.CARE,
}


def result_lines(
    results: tuple[UpdateResult, ...],
    left: tuple[Change, ...],
    calls: Mapping[str, int],
    elapsed_seconds: float,
) -> Iterator[Line]:
    """Everything that did not simply succeed, then one line that sums up."""
    yield from _outcomes(results)
    yield from _not_visible(results)
    yield from _left(left)
    yield summary_line(results, calls, elapsed_seconds, "update")


def _outcomes(results: tuple[UpdateResult, ...]) -> Iterator[Line]:
    for outcome, title in _TITLES.items():
        group = [result for result in results if result.outcome is outcome]
        if group:
            yield line(Piece(title, _STYLES[outcome]))
            yield from _group_with_its_reason(group)
            yield BLANK


def _group_with_its_reason(group: list[UpdateResult]) -> Iterator[Line]:
    """What was decided for all of them is said once."""
    reasons = {result.reason for result in group}
    if group[0].outcome is not Outcome.UNSENT or reasons == {""} or len(reasons) > 1:
        yield from _group(group)
        return
    yield line(visible(reasons.pop()), indent=2)
    yield from _group([replace(result, reason="") for result in group])


def _not_visible(results: Iterable[UpdateResult]) -> Iterator[Line]:
    """The CRM's own word against what it shows."""
    group = [result for result in results if result.verified is False]
    if group:
        yield line(Piece("Succeeded, but the values are not visible in the CRM", Style.CARE))
        yield from _group(group)
        what = "lsq-sync plan --refresh"
        yield line(f"reads may lag behind; look again in a few minutes: {what}", indent=2)
        yield BLANK


def _group(group: list[UpdateResult]) -> Iterator[Line]:
    shown = _PENDING_SHOWN if group[0].outcome is Outcome.PENDING else _SHOWN
    for result in group[:shown]:
        yield line(*heading(result.key, result.label, "", result.origin), indent=2)
        if result.reason:
            yield line(visible(result.reason), indent=6)
        if result.culprit:
            yield line(*_culprit(result.culprit), indent=6)
        if result.request_id:
            yield line(Piece(f"request {visible(result.request_id)}", Style.FAINT), indent=6)
    if len(group) > shown:
        yield and_more(len(group) - shown, indent=2)


def _culprit(culprit: Suspect) -> Iterator[Piece]:
    """The line to look at: the field that the reason names."""
    if culprit.origin:
        yield Piece(f"{visible(str(culprit.origin))}  ", Style.CARE)
    yield Piece(field_words(culprit.name, culprit.title))


def _left(left: Iterable[Change]) -> Iterator[Line]:
    for action, title in (
        (Action.HELD, "Held: they wait for requests that are still open"),
        (Action.REJECTED, "Rejected before, and not sent again: --retry-rejected does"),
        (Action.CONFLICT, "In conflict with the CRM, and not sent"),
        (Action.PENDING, "Sent by an earlier run, and the answer was lost: not sent again"),
    ):
        group = [change for change in left if change.action is action]
        if not group:
            continue
        yield line(Piece(title, Style.CARE))
        for change in group[:_SHOWN]:
            yield line(*heading(change.key, change.label, "", change.origin), indent=2)
            yield line(visible(change.reason), indent=6)
        yield BLANK


def status_lines(
    results: tuple[UpdateResult, ...], calls: Mapping[str, int], elapsed_seconds: float
) -> Iterator[Line]:
    """What is known of the requests that were open."""
    if not results:
        yield line(Piece("No request is open", Style.GOOD), ".")
        return
    yield from _outcomes(results)
    yield summary_line(results, calls, elapsed_seconds, "open request")


def told_lines(
    run: str,
    results: tuple[UpdateResult, ...],
    calls: Mapping[str, int],
    elapsed_seconds: float,
) -> Iterator[Line]:
    """A run that has ended, told again."""
    yield line(Piece(f"Run {visible(run)}", Style.STRONG))
    yield BLANK
    yield from _outcomes(results)
    yield from _not_visible(results)
    yield summary_line(results, calls, elapsed_seconds, "update")


def next_step(results: tuple[UpdateResult, ...], again: str = "lsq-sync apply") -> str:
    """How to go on, with the command to copy; empty when there is nothing to do.

    `again` is the command that sends what was not sent.
    """
    outcomes = {result.outcome for result in results}
    if Outcome.UNSENT in outcomes:
        return _go_on(outcomes, counted(summary(results)["unsent"], "update"), again)
    if Outcome.PENDING in outcomes:
        return "to ask the CRM again:\n\n  lsq-sync status --wait"
    if Outcome.UNKNOWN in outcomes:
        return (
            "they are held until they cannot land any more, and planned again then; if you have "
            "looked in the CRM and want them sent now:\n\n  lsq-sync apply --resend-unknown"
        )
    return ""


def _go_on(outcomes: set[Outcome], rest: str, again: str) -> str:
    """First what became of those that went out, then the rest."""
    if Outcome.REJECTED in outcomes:
        how = "mend the specs of what was rejected, then go on"
        return f"{how} with the rest ({rest}):\n\n  {again}"
    go_on = f"to go on with the rest ({rest}):\n\n  {again}"
    if Outcome.PENDING in outcomes:
        how = "to ask what became of those that are pending:"
        return f"{how}\n\n  lsq-sync status --wait\n\n{go_on}"
    return go_on


def summary_line(
    results: tuple[UpdateResult, ...],
    calls: Mapping[str, int],
    elapsed_seconds: float,
    noun: str,
) -> Line:
    """The outcomes in one sentence."""
    if not results:
        return line(Piece(f"No {noun} was needed.", Style.STRONG))
    counts = summary(results)
    parts: list[Piece] = []
    for outcome in Outcome:
        if counts[outcome]:
            parts += [
                Piece(", " if parts else ""),
                Piece(f"{counts[outcome]:,} {OUTCOME_WORDS[outcome]}", _STYLES[outcome]),
            ]
    made = sum(calls.get(kind, 0) for kind in ("send", "status", "read"))
    spent = f" ({duration(elapsed_seconds)}, {counted(made, 'call')})" if made else ""
    total = Piece(counted(len(results), noun), Style.STRONG)
    return line(total, ": ", *parts, ".", Piece(spent, Style.FAINT))
