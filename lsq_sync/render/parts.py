"""How opportunities, fields and values are called, the same in every text."""

from collections.abc import Sequence

from lsq_sync.core.model import FieldRule
from lsq_sync.core.values import Value
from lsq_sync.errors import Origin
from lsq_sync.render.document import masked
from lsq_sync.render.escape import quoted, shortened, visible
from lsq_sync.render.lines import Line, Piece, Pieces, Style, line

LONGEST_VALUE = 300

NOT_SHOWN = "Not shown by the CRM: deleted, of another type, or out of reach of the keys' user"


def heading(key: str, label: str, type_name: str, origin: Origin | None) -> tuple[Piece, ...]:
    """An opportunity: label, id, type, place."""
    name = [Piece(visible(label), Style.STRONG), Piece("  ")] if label else []
    kind = [Piece(f"  {type_name}", Style.FAINT)] if type_name else []
    place = [Piece(f"  {visible(f'{origin.file}:{origin.line}')}", Style.FAINT)] if origin else []
    return (*name, Piece(visible(key), Style.PLAIN if label else Style.STRONG), *kind, *place)


def field_name(name: str, title: str, style: Style = Style.PLAIN) -> Pieces:
    """A field: display name and schema name, where both are known."""
    if title in ("", name):
        return (Piece(name, style),)
    return (Piece(visible(title), style), Piece(f" ({name})", Style.FAINT))


def field_words(name: str, title: str) -> str:
    """The same, where it stands among other words."""
    return name if title in ("", name) else f"{visible(title)} ({name})"


def field_value(
    value: Value, rule: FieldRule, style: Style = Style.PLAIN, longest: int = LONGEST_VALUE
) -> Piece:
    """A value, harmless, short enough, masked where the field is sensitive."""
    shown = masked(value, rule)
    if shown is None:
        return Piece("(empty)", Style.FAINT)
    return Piece(shortened(quoted(shown), longest), style)


def some_of(keys: Sequence[str], most: int = 5) -> str:
    """The first few of them, and how many there are besides."""
    shown = ", ".join(visible(key) for key in keys[:most])
    return f"{shown} and {len(keys) - most:,} more" if len(keys) > most else shown


def and_more(number: int, what: str = "", indent: int = 0) -> Line:
    """Stands for what a long list leaves out."""
    noun = f" {what}" if what else ""
    text = f"and {number:,} more{noun}: --format json lists all"
    return line(Piece(text, Style.FAINT), indent=indent)
