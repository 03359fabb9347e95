"""Text for a terminal or a pipe, before anyone knows which: lines of styled pieces."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import StringIO
from typing import TYPE_CHECKING

from lsq_sync.render.escape import not_a_command, visible

if TYPE_CHECKING:  # rich takes longer to import than most commands run
    from rich.console import Console


class Style(StrEnum):
    """How a piece looks in colour; without colour nothing is lost but looks."""

    PLAIN = ""
    STRONG = "bold"
    FAINT = "dim"
    OLD = "red"
    NEW = "green"
    CHANGED = "yellow"
    GOOD = "bold green"
    BAD = "bold red"
    CARE = "bold yellow"
    COMMAND = "cyan"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text in one style."""

    text: str
    style: Style = Style.PLAIN


@dataclass(frozen=True, slots=True)
class Line:
    """One line. `indent` blanks before it, and two more where a narrow window wraps it."""

    pieces: tuple[Piece, ...] = ()
    indent: int = 0


def line(*parts: str | Piece, indent: int = 0) -> Line:
    """A line of texts and pieces."""
    pieces = tuple(part if isinstance(part, Piece) else Piece(part) for part in parts)
    return Line(pieces, indent)


BLANK = Line()


def plain(lines: Iterable[Line]) -> str:
    """The lines for a pipe: no colour, no wrapping, and each is one line whatever is in it."""
    shown = (not_a_command(f"{' ' * one.indent}{_text(one)}".rstrip()) for one in lines)
    return "".join(f"{text}\n" for text in shown)


def painted(lines: Sequence[Line], *, colour: bool, width: int) -> str:
    """The lines for a terminal of this width."""
    from rich.console import Console

    out = StringIO()
    console = Console(
        file=out,
        width=width,
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
        markup=False,
        soft_wrap=False,
        legacy_windows=False,
    )
    for one in lines:
        _paint(one, console, width)
    return out.getvalue()


def _paint(one: Line, console: "Console", width: int) -> None:
    from rich.text import Text

    text = Text(end="")
    for piece in one.pieces:
        text.append(visible(piece.text), style=piece.style.value or None)
    hang = one.indent + 2
    room = max(20, width - hang)
    for number, part in enumerate(text.wrap(console, room, no_wrap=False) or [Text("")]):
        part.rstrip()
        blanks = one.indent if number == 0 else hang
        console.print(
            Text(" " * blanks, end="") + part, no_wrap=True, crop=False, overflow="ignore"
        )


def _text(one: Line) -> str:
    return "".join(visible(piece.text) for piece in one.pieces)
