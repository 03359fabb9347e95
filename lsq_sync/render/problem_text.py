"""Errors and diagnostics as text: where, what, and what to do."""

from collections.abc import Iterable, Iterator

from lsq_sync.errors import Diagnostic, LsqSyncError
from lsq_sync.render.escape import visible
from lsq_sync.render.lines import BLANK, Line, Piece, Style, line
from lsq_sync.render.words import counted


def error_lines(error: LsqSyncError) -> Iterator[Line]:
    """One error, with its places; a command in its hint stands alone on its line."""
    yield from problem_lines(error.diagnostics)
    yield line(Piece("error", Style.BAD), f": {visible(error.message)}")
    yield from hint_lines(error.hint)


def hint_lines(hint: str) -> Iterator[Line]:
    """What to do; indented parts are commands to copy."""
    for part in hint.split("\n") if hint else ():
        if part.startswith("  "):
            yield line(Piece(visible(part.strip()), Style.COMMAND), indent=4)
        else:
            yield line(visible(part), indent=2) if part else BLANK


def problem_lines(problems: Iterable[Diagnostic]) -> Iterator[Line]:
    """Every problem, the place first, so that terminals make a link of it."""
    for problem in problems:
        place = str(problem.origin)
        head = [Piece(visible(place), Style.STRONG), Piece(": ")] if place else []
        yield line(*head, visible(problem.message))
        yield from hint_lines(problem.hint)


def github_lines(problems: Iterable[Diagnostic], folder: str = "") -> Iterator[str]:
    """Workflow commands that GitHub shows on the lines of the files.

    `folder` is where the workspace is in the repository: GitHub counts from its top.
    """
    for problem in problems:
        origin = problem.origin
        place = [f"file={_property(f'{folder}/{origin.file}' if folder else origin.file)}"]
        if origin.line:
            place.append(f"line={origin.line}")
        if origin.column:
            place.append(f"col={origin.column}")
        text = "\n".join(visible(part) for part in (problem.message, problem.hint) if part)
        yield f"::error {','.join(place)},title={_property(problem.code)}::{_message(text)}"


def _message(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(visible(text)).replace(":", "%3A").replace(",", "%2C")


def validated_lines(
    problems: tuple[Diagnostic, ...], files: int, opportunities: int
) -> Iterator[Line]:
    """Every problem, then one line that says how it went."""
    yield from problem_lines(problems)
    looked_at = f"{counted(files, 'file')}, {counted(opportunities, 'opportunity')}"
    if problems:
        yield BLANK
        yield line(Piece(counted(len(problems), "problem"), Style.BAD), f" in {looked_at}.")
    else:
        yield line(Piece("All valid", Style.GOOD), f": {looked_at}.")
