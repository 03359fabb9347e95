"""The recorded state and the CRM's queue as text."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from lsq_sync.core.answers import QueueMetrics
from lsq_sync.core.model import FieldRule
from lsq_sync.core.moment import moment
from lsq_sync.core.state import NOTE, Entry, FinalRequest, OpenRequest, Recorded
from lsq_sync.core.values import ABSENT, Value
from lsq_sync.render.document import masked
from lsq_sync.render.escape import quoted, visible
from lsq_sync.render.lines import BLANK, Line, Piece, Style, line
from lsq_sync.render.parts import field_words
from lsq_sync.render.words import counted, duration

_NO_RULE = FieldRule()


def state_lines(recorded: Recorded) -> Iterator[Line]:
    """One line an opportunity, then how many there are."""
    for key, entry in sorted(recorded.entries.items()):
        values = len(entry.fields) + (entry.note is not ABSENT)
        parts = [Piece(visible(key), Style.STRONG)]
        if entry.type:
            parts.append(Piece(f"  {visible(entry.type)}", Style.FAINT))
        parts.append(Piece(f"  {counted(values, 'value')}"))
        yield line(*parts, *_last(entry))
    yield BLANK
    opened = sum(entry.pending is not None for entry in recorded.entries.values())
    account = f" of {visible(recorded.account.name)}" if recorded.account else ""
    count = counted(len(recorded.entries), "opportunity")
    yield line(f"{count}{account} recorded, {opened:,} with an open request.")


def _last(entry: Entry) -> Iterator[Piece]:
    if entry.pending:
        word = "accepted" if entry.pending.request_id else "answer lost"
        yield Piece(f"  {word} {moment(entry.pending.sent_at)}, no verdict yet", Style.CARE)
    elif entry.request:
        style = Style.BAD if entry.request.outcome == "rejected" else Style.FAINT
        yield Piece(f"  {entry.request.outcome} {moment(entry.request.settled_at)}", style)


def entry_lines(
    key: str, entry: Entry, rules: Mapping[str, FieldRule], late_window: timedelta
) -> Iterator[Line]:
    """Everything that is recorded of one opportunity."""
    kind = Piece(f"  {visible(entry.type)}" if entry.type else "", Style.FAINT)
    yield line(Piece(visible(key), Style.STRONG), kind)
    if entry.guid:
        yield line(f"GUID {visible(entry.guid)}", indent=2)
    values = dict(sorted(entry.fields.items()))
    if entry.note is not ABSENT:
        values[NOTE] = entry.note
    if values:
        yield line("confirmed values", indent=2)
        yield from _values(values, rules)
    if entry.request:
        yield from _final(entry.request)
    if entry.pending:
        yield from _open(entry.pending, rules, late_window)


def _values(values: Mapping[str, Value], rules: Mapping[str, FieldRule]) -> Iterator[Line]:
    for name, value in values.items():
        rule = rules.get(name, _NO_RULE)
        shown = masked(value, rule)
        text = Piece("(empty)", Style.FAINT) if shown is None else Piece(quoted(shown))
        yield line(f"{field_words(name, rule.title)}: ", text, indent=4)


def _final(request: FinalRequest) -> Iterator[Line]:
    yield line(f"last request: {request.outcome} {moment(request.settled_at)}", indent=2)
    yield from _origin(request.request_id, request.run, request.sent_at)
    if request.reason:
        yield line(visible(request.reason), indent=4)


def _open(
    request: OpenRequest, rules: Mapping[str, FieldRule], late_window: timedelta
) -> Iterator[Line]:
    until = moment(request.may_land_until(late_window))
    yield line(Piece(f"open request: it may still land until {until}", Style.CARE), indent=2)
    yield from _origin(request.request_id, request.run, request.sent_at)
    values = dict(request.payload.fields)
    if request.payload.note is not ABSENT:
        values[NOTE] = request.payload.note
    yield from _values(values, rules)


def _origin(request_id: str | None, run: str, sent_at: datetime) -> Iterator[Line]:
    identity = f"RequestID {visible(request_id)}" if request_id else "no RequestID"
    yield line(Piece(f"{identity}, sent {moment(sent_at)} by run {run}", Style.FAINT), indent=4)


def metrics_lines(metrics: QueueMetrics) -> Iterator[Line]:
    """The CRM's queue, and how long it takes at its present rate."""
    rate = metrics.processing_rate_per_minute
    yield line(f"Messages waiting: {metrics.pending_messages:,}")
    yield line(f"Longest delay:    {duration(metrics.max_delay_seconds)}")
    yield line(f"Processing rate:  {rate:g} a minute")
    if metrics.pending_messages and rate:
        through = metrics.pending_messages * 60 / rate
        yield line(f"At that rate it is through in about {duration(through)}.")


def forgotten_lines(
    key: str, values: int, request: OpenRequest | None, kept: OpenRequest | None
) -> Iterator[Line]:
    """What the lock no longer knows."""
    if request:
        sent = f"request {request.request_id}" if request.request_id else "the update"
        at = moment(request.sent_at)
        yield line(f"Gave up on {visible(sent)} of {visible(key)}, sent {at}.")
        return
    yield line(f"Forgot {counted(values, 'value')} of {visible(key)}; nothing was sent.")
    if kept:
        yield line("Its open request stays known until it is final.", indent=2)


def merged_lines(count: int | None, decisions: Iterable[tuple[str, str]]) -> Iterator[Line]:
    """How the sides of a conflict came together; `count` is None where there was none."""
    if count is None:
        yield line("The lock holds no conflict: nothing to merge.")
        return
    for key, why in decisions:
        yield line(Piece(visible(key), Style.STRONG), f"  {why}")
    yield line(Piece("Merged", Style.GOOD), f": {counted(count, 'opportunity')} recorded.")
