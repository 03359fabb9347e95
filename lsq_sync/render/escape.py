"""Text of other people (labels, values, reasons) made harmless and visible."""

import unicodedata

_JOINERS = "\u200c\u200d"
"""They shape letters of Indian scripts and emoji, and can do no harm."""

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_NAMED = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\x1b": "\\e"}


def visible(text: str) -> str:
    """The text on one line, with every invisible or moving character written as an escape.

    So no label can colour the terminal, turn the reading direction or fake a line of its own.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


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


def _shown(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    if unicodedata.category(character) not in _HIDDEN or character in _JOINERS:
        return character
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
