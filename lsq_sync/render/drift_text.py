"""What has drifted, as text: every value, then how much of it by type and field."""

from collections.abc import Iterator

from lsq_sync.core.change import Action, Change, FieldChange
from lsq_sync.core.drift import Drift, Group
from lsq_sync.core.reading import WHY_UNREAD
from lsq_sync.core.values import ABSENT
from lsq_sync.render.escape import visible
from lsq_sync.render.lines import BLANK, Line, Piece, Style, line, plain
from lsq_sync.render.parts import (
    NOT_SHOWN,
    and_more,
    field_name,
    field_value,
    field_words,
    heading,
    some_of,
)
from lsq_sync.render.words import counted

_SHOWN = 200


def drift_lines(drift: Drift) -> Iterator[Line]:
    """The drift, and a line that sums it up."""
    for row in drift.rows[:_SHOWN]:
        yield from _row(row)
        yield BLANK
    if len(drift.rows) > _SHOWN:
        yield and_more(len(drift.rows) - _SHOWN, "opportunities")
        yield BLANK
    yield from _missing(drift.missing)
    yield from _groups(drift.groups)
    yield from _unread(drift.unread)
    yield _summary(drift)


def next_step(drift: Drift) -> str:
    """How to go on; empty where nothing has drifted."""
    if not drift.rows:
        return ""
    which = drift.rows[0].key if len(drift.rows) == 1 else "--all"
    return (
        "to take what the CRM has into the specs, or to write the specs' values over it:"
        f"\n\n  lsq-sync accept {which}\n"
        "  lsq-sync apply --refresh --on-conflict overwrite"
    )


def _row(row: Change) -> Iterator[Line]:
    yield line(Piece("! ", Style.BAD), *heading(row.key, row.label, row.type, row.origin))
    yield line(Piece(visible(row.reason), Style.FAINT), indent=4)
    for part in row.fields:
        yield line(*_part(part), indent=4)


def _part(part: FieldChange) -> Iterator[Piece]:
    yield from field_name(part.name, part.rule.title)
    yield Piece(": ")
    yield field_value(part.before, part.rule, Style.OLD)
    yield Piece(" → ")
    yield field_value(None if part.live is ABSENT else part.live, part.rule, Style.NEW)
    if part.action is Action.ADOPT:
        yield Piece("  as the specs want it", Style.FAINT)
    elif part.after != part.before:
        yield Piece(", the specs want ")
        yield field_value(part.after, part.rule, Style.PLAIN)
    if part.origin:
        yield Piece(f"  :{part.origin.line}", Style.FAINT)


def _missing(missing: tuple[Change, ...]) -> Iterator[Line]:
    if not missing:
        return
    yield line(Piece(NOT_SHOWN, Style.BAD))
    for change in missing[:_SHOWN]:
        yield line(*heading(change.key, change.label, change.type, change.origin), indent=2)
    if len(missing) > _SHOWN:
        yield and_more(len(missing) - _SHOWN, indent=2)
    yield BLANK


def _groups(groups: tuple[Group, ...]) -> Iterator[Line]:
    if len(groups) < 2 and sum(group.opportunities for group in groups) < 2:
        return
    yield line(Piece("By field", Style.STRONG))
    for group in groups:
        kind = f"{group.type}  " if group.type else ""
        name = field_words(group.name, group.title)
        yield line(
            Piece(kind, Style.FAINT),
            f"{name}: {counted(group.opportunities, 'opportunity')}",
            indent=2,
        )
    yield BLANK


def _unread(unread: tuple[str, ...]) -> Iterator[Line]:
    if not unread:
        return
    yield line(
        Piece("Not read", Style.CARE),
        f": {some_of(unread)}: {WHY_UNREAD}",
    )
    yield BLANK


def headline(drift: Drift) -> str:
    """The drift in one sentence."""
    return plain([_summary(drift)]).strip()


def _summary(drift: Drift) -> Line:
    checked = counted(drift.checked, "opportunity")
    if not drift.found:
        return line(Piece("No drift", Style.GOOD), f" in {checked}.")
    parts = []
    if drift.rows:
        values, rows = counted(drift.fields, "value"), counted(len(drift.rows), "opportunity")
        parts.append(f"{values} in {rows}")
    if drift.missing:
        parts.append(f"{len(drift.missing):,} missing")
    return line(Piece("Drift", Style.STRONG), f": {', '.join(parts)}, of {checked} read.")
