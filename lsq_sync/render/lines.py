"""Text for a terminal or a pipe, before anyone knows which: lines of styled pieces.

A plan has a piece for every few characters of it, so a piece and a line are named tuples, which
are made several times as fast as frozen dataclasses.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from lsq_sync.render.escape import not_a_command, visible


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


class Piece(NamedTuple):
    """Some text in one style."""

    text: str
    style: Style = Style.PLAIN


Pieces = tuple[Piece, ...]


class Line(NamedTuple):
    """One line. `indent` blanks before it, and two more where a narrow window wraps it."""

    pieces: Pieces = ()
    indent: int = 0


def line(*parts: str | Piece, indent: int = 0) -> Line:
    """A line of texts and pieces."""
    pieces = tuple([part if isinstance(part, Piece) else Piece(part) for part in parts])
    return Line(pieces, indent)


BLANK = Line()


def plain(lines: Iterable[Line]) -> str:
    """The lines for a pipe: no colour, no wrapping, and each is one line whatever is in it."""
    shown = (not_a_command(f"{' ' * one.indent}{_text(one)}".rstrip()) for one in lines)
    return "".join([f"{text}\n" for text in shown])


def _text(one: Line) -> str:
    return visible("".join([piece.text for piece in one.pieces]))
