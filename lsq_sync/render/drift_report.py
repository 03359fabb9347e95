"""Drift as a review document: for somebody who decides whose value is to stay."""

from datetime import datetime

from lsq_sync.core.change import Action, Change, FieldChange
from lsq_sync.core.drift import Drift
from lsq_sync.core.model import Account
from lsq_sync.core.moment import moment
from lsq_sync.core.reading import WHY_UNREAD
from lsq_sync.core.values import ABSENT
from lsq_sync.render.drift_text import headline
from lsq_sync.render.escape import visible
from lsq_sync.render.parts import NOT_SHOWN, some_of
from lsq_sync.render.plan_report import charts, group_of, row_of, value_of
from lsq_sync.render.report import Cell, Count, Danger, Listed, Report, Row, Tone, present
from lsq_sync.render.words import counted


def drift_report(account: Account, drift: Drift, made_at: datetime) -> Report:
    """What is shown of the drift."""
    missing = {change.key for change in drift.missing}

    def row(change: Change) -> Row:
        return _missing(change) if change.key in missing else _row(change)

    return Report(
        kind="drift",
        mark=f"drift={len(drift.rows) + len(drift.missing)}",
        title=f"Drift in {visible(account.name)}",
        headline=headline(drift),
        counts=_counts(drift),
        dangers=_dangers(drift),
        charts=charts(drift.rows),
        rows=Listed((*drift.rows, *drift.missing), group_of, row).by_group(),
        facts=(f"What the CRM says against what was last recorded, at {moment(made_at)}.",),
        command="lsq-sync accept --all" if drift.rows else "",
        again="lsq-sync drift",
        sides=("Recorded", "In the CRM"),
    )


def _counts(drift: Drift) -> tuple[Count, ...]:
    return present(
        (
            Count("drifted", len(drift.rows), Tone.BAD),
            Count("values changed in the CRM", drift.fields, Tone.CHANGED),
            Count("not shown by the CRM", len(drift.missing), Tone.BAD),
            Count("not read", len(drift.unread), Tone.CARE),
            Count("checked", drift.checked),
        )
    )


def _dangers(drift: Drift) -> tuple[Danger, ...]:
    found = []
    if drift.missing:
        text = f"{counted(len(drift.missing), 'opportunity')}: deleted, of another type, or out of "
        found.append(Danger("Not shown by the CRM", f"{text}reach of the keys' user.", Tone.BAD))
    if drift.unread:
        found.append(Danger("Not read", f"{some_of(drift.unread)}: {WHY_UNREAD}."))
    return tuple(found)


def _row(change: Change) -> Row:
    word = "as the specs want" if change.action is Action.ADOPT else "drifted"
    tone = Tone.GOOD if change.action is Action.ADOPT else Tone.BAD
    return row_of(change)._replace(word=word, tone=tone, cells=tuple(map(_cell, change.fields)))


def _cell(part: FieldChange) -> Cell:
    live = None if part.live is ABSENT else part.live or None
    wanted = part.action is Action.ADOPT
    remark = "as the specs want it" if wanted else ""
    if not wanted and part.after != part.before:
        remark = f"the specs want {value_of(part, part.after).text or '(empty)'}"
    return Cell(
        name=visible(part.name),
        title=visible(part.rule.title),
        tone=Tone.GOOD if wanted else Tone.CHANGED,
        before=value_of(part, part.before),
        after=value_of(part, live),
        remark=remark,
        line=part.origin.line if part.origin else 0,
    )


def _missing(change: Change) -> Row:
    row = row_of(change._replace(fields=()))
    return row._replace(word="not shown by the CRM", tone=Tone.BAD, reason=f"{NOT_SHOWN}.")
