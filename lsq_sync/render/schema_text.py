"""What `schema pull` found, as text: every change of a field, then what it means here."""

from collections.abc import Iterable, Iterator

from lsq_sync.core.type_change import Detail, FieldTurn, PulledType, Turn
from lsq_sync.render.escape import shortened, visible
from lsq_sync.render.lines import BLANK, Line, Piece, Style, line
from lsq_sync.render.problem_text import problem_lines
from lsq_sync.render.words import counted

_SIGNS = {
    Turn.ADDED: Piece("+ ", Style.NEW),
    Turn.REMOVED: Piece("- ", Style.OLD),
    Turn.CHANGED: Piece("~ ", Style.CHANGED),
}
_SHOWN_OPTIONS = 20
_LONGEST_WORD = 100


def pulled_lines(pulled: PulledType) -> Iterator[Line]:
    """The changes, what was left out, the specs that do not fit, and a line that sums it up."""
    for change in pulled.changes:
        yield from _change(change)
    if pulled.changes:
        yield BLANK
    if pulled.left_out:
        for what in pulled.left_out:
            yield line(Piece("left out: ", Style.CARE), visible(what))
        yield BLANK
    if pulled.problems:
        yield from problem_lines(pulled.problems)
        yield BLANK
    yield from _summary(pulled)


def next_step(pulled: PulledType) -> str:
    """How to go on; empty where nothing was described anew."""
    if not pulled.is_new:
        return ""
    lines = (
        f"# yaml-language-server: $schema={pulled.reference}",
        "version: 1",
        f"type: {pulled.name}",
    )
    return "\n  ".join(("the first lines of a spec of this type:\n", *lines))


def _change(change: FieldTurn) -> Iterator[Line]:
    title = f" ({visible(change.title)})" if change.title not in ("", change.name) else ""
    yield line(_SIGNS[change.turn], Piece(visible(change.name), Style.STRONG), title)
    for detail in change.details:
        yield line(*_detail(detail), indent=4)


def _detail(detail: Detail) -> Iterator[Piece]:
    yield Piece(f"{visible(detail.what)}: ")
    if detail.added or detail.removed:
        parts = [*_members("+", detail.added, Style.NEW), *_members("-", detail.removed, Style.OLD)]
        for number, part in enumerate(parts):
            yield from ((Piece(", "), part) if number else (part,))
        return
    if detail.before:
        yield Piece(f"{_word(detail.before)}", Style.OLD)
        yield Piece(" → ")
    yield Piece(_word(detail.after) or "none", Style.NEW)


def _members(sign: str, members: Iterable[str], style: Style) -> Iterator[Piece]:
    listed = list(members)
    for member in listed[:_SHOWN_OPTIONS]:
        yield Piece(f"{sign} {_word(member)}", style)
    if len(listed) > _SHOWN_OPTIONS:
        yield Piece(f"{sign} {len(listed) - _SHOWN_OPTIONS:,} more", style)


def _word(text: str) -> str:
    return visible(shortened(text, _LONGEST_WORD))


def _summary(pulled: PulledType) -> Iterator[Line]:
    kind = f"{visible(pulled.title)} ({pulled.code}), {counted(pulled.fields, 'field')}"
    written = pulled.file in pulled.written
    done = "written" if written else "nothing has changed, nothing was written"
    yield line(Piece(pulled.file, Style.STRONG), f": {kind}, {done}.")
    for file in pulled.written:
        if file != pulled.file:
            yield line(Piece(file, Style.STRONG), ": brought up to date for editors.")
    if pulled.problems:
        count = counted(len(pulled.problems), "problem")
        yield line(Piece(count, Style.BAD), " in the specs of this type.")
