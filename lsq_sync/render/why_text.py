"""Where the values of an opportunity come from, as text."""

from collections.abc import Iterator

from lsq_sync.core.moment import moment
from lsq_sync.core.provenance import Attempt, Commit, Explained, Reason
from lsq_sync.core.state import FinalRequest
from lsq_sync.core.values import ABSENT
from lsq_sync.render.escape import visible
from lsq_sync.render.lines import BLANK, Line, Piece, Style, line
from lsq_sync.render.parts import field_name, field_value, heading

_SHORT_COMMIT = 10

_ENDINGS = {
    "succeeded": ("confirmed by the CRM", Style.GOOD),
    "rejected": ("rejected by the CRM", Style.BAD),
    "pending": ("accepted, no verdict yet", Style.CARE),
    "unknown": ("sent, and its answer was lost", Style.CARE),
    "adopted": ("the CRM had it already: recorded without a call", Style.GOOD),
    "released": ("released: the specs gave it up", Style.FAINT),
}


def why_lines(explained: Explained) -> Iterator[Line]:
    """The opportunity, and a paragraph for each of its names."""
    yield line(*heading(explained.key, explained.label, explained.type, explained.origin))
    if explained.guid:
        yield line(Piece(f"GUID {visible(explained.guid)}", Style.FAINT), indent=2)
    if not explained.reasons:
        yield line("Nothing of it is managed or recorded.", indent=2)
    for reason in explained.reasons:
        yield BLANK
        yield from _reason(reason)
    unexplained = any(reason.attempt is None for reason in explained.reasons)
    if explained.last and unexplained:
        yield BLANK
        yield from _last(explained.last)


def _last(last: FinalRequest) -> Iterator[Line]:
    """Which of the fields it was about, only the journals of the machine that sent it say."""
    words = f"the last request of this opportunity {last.outcome} {moment(last.settled_at)}"
    yield line(words, indent=2)
    request = f"request {visible(last.request_id)}, " if last.request_id else ""
    yield line(Piece(f"{request}run {visible(last.run)}", Style.FAINT), indent=4)
    if last.reason:
        yield line(visible(last.reason), indent=4)


def _reason(reason: Reason) -> Iterator[Line]:
    yield line(*field_name(reason.name, reason.rule.title, Style.STRONG), indent=2)
    yield from _wanted(reason)
    yield from _recorded(reason)
    if reason.attempt:
        yield from _request(reason.attempt)


def _wanted(reason: Reason) -> Iterator[Line]:
    if reason.desired is ABSENT or reason.origin is None:
        yield line("no spec manages it", indent=4)
        return
    value = field_value(reason.desired, reason.rule)
    place = Piece(f"  {visible(str(reason.origin))}", Style.FAINT)
    yield line("wanted ", value, place, indent=4)
    if reason.commit:
        yield line(Piece(_commit(reason.commit), Style.FAINT), indent=6)


def _commit(commit: Commit) -> str:
    if not commit.id:
        return "not committed yet"
    at = f" {moment(commit.at)}" if commit.at else ""
    summary = visible(commit.summary)
    return f"commit {commit.id[:_SHORT_COMMIT]}{at} {visible(commit.author)}: {summary}"


def _recorded(reason: Reason) -> Iterator[Line]:
    if reason.recorded is ABSENT:
        yield line("nothing is recorded", indent=4)
    else:
        yield line("recorded ", field_value(reason.recorded, reason.rule), indent=4)
    if reason.carried is not ABSENT:
        yield line("on its way ", field_value(reason.carried, reason.rule), indent=4)


def _request(attempt: Attempt) -> Iterator[Line]:
    words, style = _ENDINGS[attempt.ending]
    at = moment(attempt.settled_at or attempt.at)
    yield line(Piece(words, style), f", {at}", indent=4)
    request = f"request {visible(attempt.request_id)}, " if attempt.request_id else ""
    yield line(Piece(f"{request}run {visible(attempt.run)}", Style.FAINT), indent=6)
    if attempt.reason:
        yield line(visible(attempt.reason), indent=6)
