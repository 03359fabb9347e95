"""Text of other people (labels, values, reasons) made harmless and visible."""

import re
import unicodedata
from itertools import takewhile

_JOINERS = "\u200c\u200d"
"""They shape letters of Indian scripts and emoji, and can do no harm."""

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\x1b": "\\e"}


def visible(text: str) -> str:
    """The text on one line, with every invisible or moving character written as an escape.

    So no label can colour the terminal, turn the reading direction or fake a line of its own.
    """
    if text.isprintable():  # so nothing of it is in `_HIDDEN`
        return text
    return "".join(map(_shown, text))


def escaped_in_json(document: str) -> str:
    """A JSON text that means the same, with what a terminal would obey written as `\\u` escapes.

    JSON itself escapes only the first 32 characters; half of a letter cannot be written otherwise.
    """
    return document if document.isascii() else _OBEYED.sub(_unit, document)


def _unit(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


_OBEYED = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
"""C1, line and paragraph separators, marks of direction, what has no width; and surrogates."""


def not_a_command(shown: str) -> str:
    """A line of a log that a CI would take for a command of its own, as one that it does not.

    Sources: GitHub's workflow commands begin with `::`, those of its runner with `##[`, both after
    blanks as well.
    """
    words = shown.lstrip()
    return f"{shown[: -len(words)]}\\{words}" if words.startswith(("::", "##[")) else shown


def quoted(value: str) -> str:
    """A value as it is shown: quoted where its ends could be missed."""
    shown = visible(value)
    return f'"{shown}"' if shown != shown.strip() or not shown or shown.startswith('"') else shown


def shortened(text: str, limit: int) -> str:
    """The text, or its ends with what is left out between them."""
    if len(text) <= limit:
        return text
    half = max(1, (limit - 24) // 2)
    return f"{text[:half]} … {len(text) - 2 * half:,} more … {text[-half:]}"


def around_difference(before: str, after: str, limit: int) -> tuple[str, str]:
    """Both texts, shortened so that the part in which they differ is in what is left."""
    if max(len(before), len(after)) <= limit:
        return before, after
    alike = sum(
        1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False))
    )
    begin = alike - limit // 4
    if begin <= 0:
        return shortened(before, limit), shortened(after, limit)
    rest = (f"…{text[begin:]}" if len(text) > begin else text for text in (before, after))
    first, second = (shortened(text, limit) for text in rest)
    return first, second


def _shown(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if unicodedata.category(character) not in _HIDDEN or character in _JOINERS:
        return character
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
