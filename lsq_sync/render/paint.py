"""Lines for a terminal of some width: coloured, and wrapped between words where they are long.

rich can do this as well, at twenty times the cost; it is only asked how much of a row the letters
of other scripts take.
"""

import re
from collections.abc import Iterable, Iterator

from lsq_sync.render.escape import visible
from lsq_sync.render.lines import Line, Piece, Style

_LEAST_ROOM = 20
_WORD = re.compile(r"\s*\S+\s*")
_NARROW = re.compile(r"[ -~\xa1-\xac\xae-\u02ff…→]*")
"""Text of which each character takes one cell."""

_CODES = {
    Style.STRONG: "1",
    Style.FAINT: "2",
    Style.OLD: "31",
    Style.NEW: "32",
    Style.CHANGED: "33",
    Style.GOOD: "1;32",
    Style.BAD: "1;31",
    Style.CARE: "1;33",
    Style.COMMAND: "36",
}
_STARTS = {style: f"\x1b[{code}m" for style, code in _CODES.items()}
_STOP = "\x1b[0m"


def painted(lines: Iterable[Line], *, colour: bool, width: int) -> str:
    """The lines for a terminal of this width."""
    return "".join([f"{row}\n" for one in lines for row in _rows(one, colour, width)])


def _rows(one: Line, colour: bool, width: int) -> Iterator[str]:
    """What continues a row hangs two blanks further in, and all of them have the room of those."""
    pieces = [Piece(visible(piece.text), piece.style) for piece in one.pieces]
    hang = one.indent + 2
    blanks = one.indent
    for part in _wrapped(pieces, max(_LEAST_ROOM, width - hang)):
        yield " " * blanks + _row(part, colour)
        blanks = hang


def _row(pieces: list[Piece], colour: bool) -> str:
    if not colour:
        return "".join([piece.text for piece in pieces])
    return "".join(
        [f"{_STARTS[style]}{text}{_STOP}" if style else text for text, style in pieces if text]
    )


def _wrapped(pieces: list[Piece], room: int) -> Iterator[list[Piece]]:
    text = "".join([piece.text for piece in pieces])
    if cells(text) <= room and not text[-1:].isspace():
        yield pieces
        return
    begin = 0
    for end in (*_breaks(text, room), len(text)):
        yield _part(pieces, begin, begin + len(text[begin:end].rstrip()))
        begin = end


def _part(pieces: list[Piece], begin: int, end: int) -> list[Piece]:
    """What lies between two places of the text that the pieces are together."""
    part, at = [], 0
    for piece in pieces:
        part.append(Piece(piece.text[max(0, begin - at) : max(0, end - at)], piece.style))
        at += len(piece.text)
    return part


def _breaks(text: str, room: int) -> Iterator[int]:
    """Where a new row begins: at a word that does not fit, and within one that fits nowhere."""
    used = 0
    for found in _WORD.finditer(text):
        word, begin = found[0], found.start()
        width = cells(word.rstrip())
        if used + width <= room:
            used += cells(word)
        elif width <= room:
            yield begin
            used = cells(word)
        else:
            *whole, last = _chopped(word, room)
            for part in whole:
                if begin:
                    yield begin
                begin += len(part)
            yield begin
            used = cells(last)


def _chopped(word: str, room: int) -> list[str]:
    if _NARROW.fullmatch(word):
        return [word[at : at + room] for at in range(0, len(word), room)]
    from rich.cells import chop_cells

    return chop_cells(word, room)


def cells(text: str) -> int:
    """How much of a row the text takes."""
    if _NARROW.fullmatch(text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)
