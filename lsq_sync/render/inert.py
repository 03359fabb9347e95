"""Text of other people inside Markdown: it is read as it stands, and does nothing.

Markdown of GitHub and GitLab, which also look for mentions, issues and addresses in the text that
came out of it, but not within code. So values are code, and what stands outside of it has an empty
element where such a thing would begin.
"""

import re
from html import escape

_PLAIN = re.compile(r"[\w ,.;+()%/=?'-]*")
"""Within a code span nothing of this means anything, and nothing of it ends the span."""

_SPECIAL = re.compile(
    r"[\\`*{}\[\]<>#!|~&\"@$]|:(?=[^\W\d]|[/+-])|_(?![^\W_])|(?<![^\W_])_|(?<=www)\.|/(?=/)"
)
_BREAKS = "@#:./"
_REFERENCE = re.compile(r"\b(GH)-(?=\d)", re.IGNORECASE)


def inert(text: str) -> str:
    """Text among other text."""
    return _REFERENCE.sub(r"\1-<wbr>", _SPECIAL.sub(_entity, text))


def _entity(found: re.Match[str]) -> str:
    character = found[0]
    wbr = "<wbr>" if character in _BREAKS else ""
    return f"&#{ord(character)};{wbr}"


def code(text: str) -> str:
    """Text as code, within a table too."""
    if text and text == text.strip() and _PLAIN.fullmatch(text):
        return f"`{text}`"
    return code_element(text)


def code_element(text: str) -> str:
    """Text as code where no Markdown is read, within an HTML element."""
    return f"<code>{_SPECIAL.sub(lambda found: f'&#{ord(found[0])};', text)}</code>"


def commented(text: str) -> str:
    """Text within an HTML comment."""
    return escape(text).replace("--", "-&#45;")
