"""What was accepted, as text: each line of a spec before and after, and what could not be."""

from collections.abc import Iterator

from lsq_sync.core.accepting import Accepted, Kept, Report, Taken
from lsq_sync.core.model import FieldRule
from lsq_sync.core.values import Value
from lsq_sync.render.document import masked
from lsq_sync.render.escape import quoted, shortened, visible
from lsq_sync.render.lines import BLANK, Line, Piece, Style, line
from lsq_sync.render.plan_text import heading
from lsq_sync.render.words import counted

_SHOWN = 200
_LONGEST_VALUE = 100


def accept_lines(report: Report) -> Iterator[Line]:
    """Every value, then what was not accepted and why, and a line that sums it up."""
    for one in report.accepted[:_SHOWN]:
        yield from _accepted(one)
        yield BLANK
    if len(report.accepted) > _SHOWN:
        more = f"and {len(report.accepted) - _SHOWN:,} more opportunities: --format json lists all"
        yield line(Piece(more, Style.FAINT))
        yield BLANK
    yield from _kept(report)
    yield _summary(report)


def next_step(report: Report) -> str:
    """How to go on."""
    if report.files:
        return "to look at what changed, and at what is left to do:\n\n  git diff\n  lsq-sync plan"
    if report.ahead and not report.accepted:
        return "to take the CRM's value of a field all the same, name the field"
    return ""


def _accepted(one: Accepted) -> Iterator[Line]:
    place = f"{one.origin.file}:{one.origin.line}"
    yield line(Piece("~ ", Style.CHANGED), *heading(one.key, one.label, one.type, place))
    for taken in one.taken:
        yield line(*_taken(taken), indent=4)


def _taken(taken: Taken) -> Iterator[Piece]:
    title = taken.rule.title
    if title and title != taken.name:
        yield Piece(visible(title))
        yield Piece(f" ({taken.name})", Style.FAINT)
    else:
        yield Piece(taken.name)
    yield Piece(": ")
    if taken.in_spec:
        yield _value(taken.before, taken.rule, Style.OLD)
        yield Piece(" → ")
        yield _value(taken.after, taken.rule, Style.NEW)
    else:
        yield _value(taken.after, taken.rule, Style.PLAIN)
        yield Piece("  as the spec has it; now recorded", Style.FAINT)
    yield Piece(f"  :{taken.origin.line}", Style.FAINT)


def _value(value: Value, rule: FieldRule, style: Style) -> Piece:
    shown = masked(value, rule)
    if shown is None:
        return Piece("(empty)", Style.FAINT)
    return Piece(shortened(quoted(shown), _LONGEST_VALUE), style)


def _kept(report: Report) -> Iterator[Line]:
    told = [_why(one) for one in report.kept]
    told += [f"{key}: the CRM does not show it" for key in report.missing]
    if not told:
        return
    yield line(Piece("Not accepted", Style.BAD), f" ({len(told):,})")
    for text in told[:_SHOWN]:
        yield line(visible(text), indent=2)
    yield BLANK


def _why(one: Kept) -> str:
    place = f"{one.origin}: " if one.origin else ""
    name = f" {one.name}" if one.name else ""
    return f"{place}{one.key}{name}: {one.why}"


def _summary(report: Report) -> Line:
    values = sum(len(one.taken) for one in report.accepted)
    ahead = ""
    if report.ahead:
        what = counted(report.ahead, "value")
        verb = "differs" if report.ahead == 1 else "differ"
        ahead = f" {what} {verb} because the specs are ahead: left for the next apply."
    if not values:
        return line(Piece("Nothing accepted", Style.STRONG), f": nothing was changed.{ahead}")
    rows = counted(len(report.accepted), "opportunity")
    return line(Piece("Accepted", Style.GOOD), f" {counted(values, 'value')} of {rows}.{ahead}")
