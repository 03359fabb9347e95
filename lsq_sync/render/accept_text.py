"""What was accepted, as text: each line of a spec before and after, and what could not be."""

from collections.abc import Iterator

from lsq_sync.core.accepting import Accepted, Kept, Report, Taken
from lsq_sync.render.escape import visible
from lsq_sync.render.lines import BLANK, Line, Piece, Style, line
from lsq_sync.render.parts import and_more, field_name, field_value, heading
from lsq_sync.render.words import counted

_SHOWN = 200
_LONGEST_VALUE = 100


def accept_lines(report: Report) -> Iterator[Line]:
    """Every value, then what was not accepted and why, and a line that sums it up."""
    for one in report.accepted[:_SHOWN]:
        yield from _accepted(one)
        yield BLANK
    if len(report.accepted) > _SHOWN:
        yield and_more(len(report.accepted) - _SHOWN, "opportunities")
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
    yield line(Piece("~ ", Style.CHANGED), *heading(one.key, one.label, one.type, one.origin))
    for taken in one.taken:
        yield line(*_taken(taken), indent=4)


def _taken(taken: Taken) -> Iterator[Piece]:
    yield from field_name(taken.name, taken.rule.title)
    yield Piece(": ")
    if taken.in_spec:
        yield field_value(taken.before, taken.rule, Style.OLD, _LONGEST_VALUE)
        yield Piece(" → ")
        yield field_value(taken.after, taken.rule, Style.NEW, _LONGEST_VALUE)
    else:
        yield field_value(taken.after, taken.rule, Style.PLAIN, _LONGEST_VALUE)
        yield Piece("  as the spec has it; now recorded", Style.FAINT)
    yield Piece(f"  :{taken.origin.line}", Style.FAINT)


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
