"""What was examined, as text: a line a check, and below it what to do."""

from collections.abc import Iterator

from lsq_sync.core.checks import Check, State
from lsq_sync.render.escape import visible
from lsq_sync.render.lines import BLANK, Line, Piece, Style, line
from lsq_sync.render.words import counted

_STYLES = {
    State.OK: Style.GOOD,
    State.WARNING: Style.CARE,
    State.PROBLEM: Style.BAD,
    State.SKIPPED: Style.FAINT,
}
_WIDTH = max(len(state) for state in State)


def doctor_lines(checks: tuple[Check, ...]) -> Iterator[Line]:
    """Everything, in its order, and a line that sums it up."""
    for check in checks:
        mark = Piece(f"{check.state:<{_WIDTH}}", _STYLES[check.state])
        yield line(mark, "  ", Piece(check.name, Style.STRONG), f": {visible(check.message)}")
        if check.hint:
            yield line(visible(check.hint), indent=_WIDTH + 2)
    yield BLANK
    yield _summary(checks)


def _summary(checks: tuple[Check, ...]) -> Line:
    problems = sum(check.state is State.PROBLEM for check in checks)
    warnings = sum(check.state is State.WARNING for check in checks)
    if problems:
        return line(Piece(f"{counted(problems, 'problem')} to mend", Style.BAD), ".")
    if warnings:
        return line(Piece("Ready", Style.GOOD), f", with {counted(warnings, 'warning')}.")
    return line(Piece("Ready", Style.GOOD), ".")
