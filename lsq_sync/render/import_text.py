"""What an import did, as text: values are not shown, only names and numbers."""

from collections.abc import Iterable, Iterator, Mapping

from lsq_sync.core.importing import LeftOut, Report
from lsq_sync.render.escape import visible
from lsq_sync.render.lines import BLANK, Line, Piece, Style, line
from lsq_sync.render.parts import NOT_SHOWN, and_more, field_words
from lsq_sync.render.words import counted

_SHOWN = 20


def import_lines(report: Report) -> Iterator[Line]:
    """What was left out and why, and last what was imported."""
    yield from _missing(report)
    yield from _some("Skipped", [f"{one.key}: {one.why}" for one in report.skipped])
    yield from _some("Values left out", [_left_out(one, report.titles) for one in report.left_out])
    yield from _not_managed(report)
    yield _summary(report)


def next_step(report: Report) -> str:
    """How to go on."""
    if not report.drafts:
        return ""
    return (
        "nothing was sent, and nothing is to be done; change a value, and look:\n\n  lsq-sync plan"
    )


def _summary(report: Report) -> Line:
    if not report.drafts:
        return line(Piece("Nothing imported", Style.STRONG), "; no file was changed.")
    new = " (new)" if report.is_new else ""
    opportunities = counted(len(report.drafts), "opportunity")
    values = counted(report.values, "value")
    where = visible(report.file)
    return line(Piece("Imported", Style.GOOD), f" {opportunities} with {values} into {where}{new}.")


def _missing(report: Report) -> Iterator[Line]:
    yield from _some(NOT_SHOWN, report.missing, Style.BAD)
    if report.unlisted:
        told = f"The CRM counts {report.unlisted:,} more than it listed: run the import again"
        yield line(Piece(told, Style.CARE))
        yield BLANK


def _left_out(one: LeftOut, titles: Mapping[str, str]) -> str:
    """The reason of a sensitive value does not show it."""
    name = f" {_named(one.name, titles)}" if one.name else ""
    return f"{one.key}{name}: {one.why}"


def _not_managed(report: Report) -> Iterator[Line]:
    by_reason: dict[str, list[str]] = {}
    for name, why in report.not_managed.items():
        by_reason.setdefault(why, []).append(_named(name, report.titles))
    if report.drafts and by_reason:
        listed = "; ".join(f"{why}: {', '.join(names)}" for why, names in by_reason.items())
        yield line(Piece(f"Fields that no spec manages: {visible(listed)}", Style.FAINT))


def _named(name: str, titles: Mapping[str, str]) -> str:
    return field_words(name, titles.get(name, ""))


def _some(title: str, rows: Iterable[str], style: Style = Style.STRONG) -> Iterator[Line]:
    listed = list(rows)
    if not listed:
        return
    yield line(Piece(title, style), f" ({len(listed):,})")
    for row in listed[:_SHOWN]:
        yield line(visible(row), indent=2)
    if len(listed) > _SHOWN:
        yield and_more(len(listed) - _SHOWN, indent=2)
    yield BLANK
