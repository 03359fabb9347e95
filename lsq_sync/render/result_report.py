"""The outcomes of a run as a review document: for somebody who asks how it ended."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from lsq_sync.core.result import MOST_URGENT_FIRST, UpdateResult
from lsq_sync.core.state import NOTE, Outcome
from lsq_sync.render.escape import visible
from lsq_sync.render.lines import plain
from lsq_sync.render.parts import field_words
from lsq_sync.render.report import (
    Bars,
    Cell,
    Count,
    Danger,
    Group,
    Listed,
    Report,
    Row,
    Tone,
    bars,
    present,
)
from lsq_sync.render.result_text import OUTCOME_WORDS, next_step, summary_line
from lsq_sync.render.words import counted

_TONES = {
    Outcome.SUCCEEDED: Tone.GOOD,
    Outcome.REJECTED: Tone.BAD,
    Outcome.UNKNOWN: Tone.CARE,
    Outcome.PENDING: Tone.CHANGED,
    Outcome.UNSENT: Tone.CARE,
}
_REASONS_SHOWN = 5


def result_report(
    run: str,
    results: Iterable[UpdateResult],
    calls: Mapping[str, int],
    elapsed_seconds: float,
    *,
    what: str = "update",
) -> Report:
    """What is shown of outcomes, what needs somebody first; `what` each of them is."""
    listed = tuple(
        sorted(results, key=lambda one: (MOST_URGENT_FIRST.index(one.outcome), *_where(one)))
    )
    command = next_step(listed).rpartition("\n\n")[2].strip()
    return Report(
        kind="results",
        mark=f"run={run}",
        title="Results" if what == "update" else "Open requests",
        headline=plain([summary_line(listed, calls, elapsed_seconds, what)]).strip(),
        counts=_counts(listed),
        dangers=tuple(_dangers(listed)),
        charts=_charts(listed),
        rows=Listed(listed, _group, _row),
        facts=(f"Run {visible(run)}",),
        command=visible(command),
        again="lsq-sync results",
        forms=("html", "json", "csv"),
        tells_values=False,
    )


def _where(result: UpdateResult) -> tuple[str, int, str]:
    origin = result.origin
    return (origin.file, origin.line, result.key) if origin else ("", 0, result.key)


def _counts(results: tuple[UpdateResult, ...]) -> tuple[Count, ...]:
    found = Counter(result.outcome for result in results)
    invisible = sum(result.verified is False for result in results)
    counts = [
        Count(OUTCOME_WORDS[one], found[one], _TONES[one]) for one in reversed(MOST_URGENT_FIRST)
    ]
    return present([*counts, Count("succeeded, but not visible", invisible, Tone.CARE)])


def _dangers(results: tuple[UpdateResult, ...]) -> Iterator[Danger]:
    reasons = Counter(
        visible(one.reason) for one in results if one.outcome is Outcome.REJECTED and one.reason
    )
    for reason, count in reasons.most_common(_REASONS_SHOWN):
        yield Danger("Rejected", f"{counted(count, 'update')}: {reason}", Tone.BAD)
    if len(reasons) > _REASONS_SHOWN:
        left = counted(len(reasons) - _REASONS_SHOWN, "reason")
        yield Danger("Rejected", f"and {left} more, see the rows.", Tone.BAD)
    if count := sum(one.outcome is Outcome.UNKNOWN for one in results):
        text = f"{counted(count, 'update')}: sent, but the answer was lost. They may or may not "
        yield Danger("Unknown", f"{text}have taken effect.")
    if count := sum(one.verified is False for one in results):
        text = f"{counted(count, 'update')}: the CRM says Success, but does not show the values."
        yield Danger("Not visible", text)


def _charts(results: tuple[UpdateResult, ...]) -> tuple[Bars, ...]:
    failed = [one for one in results if one.outcome is Outcome.REJECTED]
    return (
        bars("Rejected, by field", (_culprit(one) for one in failed)),
        bars("Rejected, by file", (visible(one.origin.file) for one in failed if one.origin)),
    )


def _culprit(result: UpdateResult) -> str:
    found = result.culprit
    return field_words(found.name, found.title) if found else ""


def _group(result: UpdateResult) -> Group:
    return OUTCOME_WORDS[result.outcome], visible(result.origin.file) if result.origin else ""


def _row(result: UpdateResult) -> Row:
    origin, culprit = result.origin, result.culprit
    section, file = _group(result)
    return Row(
        key=visible(result.key),
        label=visible(result.label),
        type="",
        section=section,
        file=file,
        line=(culprit and culprit.origin and culprit.origin.line) or (origin.line if origin else 0),
        word=_word(result),
        tone=_TONES[result.outcome],
        reason=visible(result.reason),
        cells=tuple(_cells(result)),
        request=visible(result.request_id or ""),
    )


def _word(result: UpdateResult) -> str:
    word = OUTCOME_WORDS[result.outcome]
    if result.outcome is not Outcome.SUCCEEDED or result.verified is None:
        return word
    return f"{word}, {'verified' if result.verified else 'but not visible'}"


def _cells(result: UpdateResult) -> Iterator[Cell]:
    culprit = result.culprit
    for name in result.fields:
        is_culprit = culprit is not None and culprit.name == name
        title = culprit.title if culprit and is_culprit else ""
        shown = "Note" if name == NOTE and not title else title
        tone = Tone.BAD if is_culprit else Tone.PLAIN
        yield Cell(visible(name), visible(shown), "the reason names it" if is_culprit else "", tone)
