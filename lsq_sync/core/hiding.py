"""Text without secrets: keys and sensitive values taken out, in whatever form they stand. Pure.

A server may repeat what it was sent, a traceback may hold it, and neither in a form of our choice.
"""

import base64
import re
from collections.abc import Iterable
from functools import lru_cache

_SHORTEST = 4
"""Shorter ones are only looked for as words of their own: they may be part of any other."""

_SHORTEST_ENCODED = 8
"""Hex and base64 of shorter ones may be part of any word too."""


def hidden_in(text: str, secrets: Iterable[str], instead: str) -> str:
    """The text with every secret in it replaced: raw, escaped for a URL (also twice), for JSON or
    Python, in hex or in base64."""
    wanted = tuple(
        sorted({secret for secret in secrets if secret}, key=lambda one: (-len(one), one))
    )
    return _any_of(wanted).sub(lambda _: instead, text) if wanted else text


def surely_without(text: str, secrets: Iterable[str]) -> bool:
    """Whether no string in a JSON text can hold a secret in a form that `hidden_in` would replace.

    A quick look at a whole answer, before every string of it is searched. It may say no where
    there is nothing: wherever letters stand as escapes, and where a secret is an unusual one.
    """
    wanted = tuple(secrets)
    if not wanted:
        return True
    forms = _levelled_forms(wanted)
    if not forms or "\\u" in text or "\0" in text or _PERCENT_ESCAPE.search(text):
        return False
    levelled = _levelled(text)
    return not any(form in levelled for form in forms)


@lru_cache(maxsize=64)
def _levelled_forms(secrets: tuple[str, ...]) -> tuple[str, ...]:
    """None at all where one of the secrets may stand in a form that is not among these."""
    if not all(one.isascii() and one.isprintable() and " " not in one for one in secrets):
        return ()
    return tuple(_levelled(form) for one in secrets for form in _unescaped_forms(one))


_PERCENT_ESCAPE = re.compile("%[0-9a-fA-F]{2}")


def _levelled(text: str) -> str:
    """Without what forms of one secret may differ in: backslashes, case, the two base64s."""
    return text.replace("\\", "").lower().replace("-", "+").replace("_", "/")


def _unescaped_forms(secret: str) -> Iterable[str]:
    yield secret
    if len(secret) >= _SHORTEST_ENCODED:
        raw = secret.encode()
        yield raw.hex()
        yield from (_base64_letters(raw, start) for start in range(3))


@lru_cache(maxsize=64)
def _any_of(secrets: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(
        "|".join(form for secret in secrets for form in _forms(secret)), re.IGNORECASE
    )


def _forms(secret: str) -> Iterable[str]:
    written = "".join(map(_letter, secret))
    yield written if len(secret) >= _SHORTEST else rf"(?<!\w){written}(?!\w)"
    if len(secret) < _SHORTEST_ENCODED:
        return
    raw = secret.encode("utf-8", "surrogatepass")
    yield raw.hex()
    for start in range(3):
        yield _base64(raw, start)


def _letter(letter: str) -> str:
    """A letter as itself, percent-encoded (also twice), or as JSON may write it."""
    raw = re.escape(letter) if letter.isalnum() else rf"\\*{re.escape(letter)}"
    data = letter.encode("utf-8", "surrogatepass")
    percent = "".join(rf"%(?:25)*{byte:02x}" for byte in data)
    units = letter.encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    escaped = "".join(rf"\\+u{pair}" for pair in pairs)
    named = _NAMED.get(letter, "")
    return rf"(?:{raw}|{percent}|{escaped}{named})"


_NAMED = {" ": r"|\+", "\n": r"|\\+n", "\t": r"|\\+t", "\r": r"|\\+r"}


def _base64(raw: bytes, start: int) -> str:
    return "".join(_BASE64_LETTERS.get(one, one) for one in _base64_letters(raw, start))


def _base64_letters(raw: bytes, start: int) -> str:
    """The letters that are the same, whatever stands before (`start` bytes) and after."""
    data = b"\0" * start + raw
    whole = base64.b64encode(data + b"\0" * (-len(data) % 3)).decode()
    return whole[-(-8 * start // 6) : 8 * len(data) // 6]


_BASE64_LETTERS = {"+": "[+-]", "/": "[/_]"}
