"""The review documents of the samples, and what GitHub's Markdown makes of them."""

from html.parser import HTMLParser

from lsq_sync.core.budget import RateLimit, budget
from lsq_sync.core.change import Action, Change, Plan
from lsq_sync.core.drift import Drift
from lsq_sync.core.safety import Refusal
from lsq_sync.errors import Origin
from lsq_sync.render.drift_report import drift_report
from lsq_sync.render.plan_report import plan_report
from lsq_sync.render.report import Report
from lsq_sync.render.result_report import result_report
from tests.render import samples

LIMIT = RateLimit(25, 5)

DRIFT = Drift(
    checked=9,
    rows=(
        samples.change(
            2,
            Action.CONFLICT,
            samples.field("mx_Custom_6", Action.CONFLICT, "1", "2", 22, live="3"),
            samples.field("mx_Custom_9", Action.ADOPT, "1", "4", 23, live="4"),
            reason="last edited by Asha at 2026-11-23T09:00:00Z",
        ),
        samples.change(
            3, Action.ADOPT, samples.field("Owner", Action.ADOPT, "a", "b", 32, live="b")
        ),
    ),
    missing=(samples.change(5, Action.CONFLICT),),
    unread=("LN-1",),
)


def of_plan(plan: Plan, refusals: tuple[Refusal, ...] = ()) -> Report:
    return plan_report(plan, budget(plan, LIMIT), LIMIT, refusals, samples.NOW)


def of_changes(*changes: Change) -> Report:
    return of_plan(Plan(samples.ACCOUNT, changes))


def of_size(number: int) -> Report:
    """A plan with so many updates of four fields, in twenty files."""
    return of_changes(*(_large(place) for place in range(number)))


def _large(place: int) -> Change:
    fields = (
        samples.field(f"mx_Custom_{n}", Action.UPDATE, f"{n}{place}", f"{n}{place + 5}", 5)
        for n in range(1, 5)
    )
    return samples.change(
        1,
        Action.UPDATE,
        *fields,
        key=f"5ca5b042-51ea-4699-b6f0-{place:012}",
        label=f"Opportunity {place}",
        origin=Origin(f"specs/part-{place // 500:02}.yaml", place % 500 + 1, 3),
    )


REPORTS = {
    "plan": of_plan(samples.PLAN, samples.REFUSALS),
    "plan-nothing": of_changes(samples.PLAN.changes[6]),
    "results": result_report(samples.RUN, samples.RESULTS, samples.CALLS, 83.4),
    "status": result_report(samples.RUN, samples.RESULTS[4:6], {}, 3.0, what="open request"),
    "drift": drift_report(samples.ACCOUNT, DRIFT, samples.NOW),
    "drift-none": drift_report(samples.ACCOUNT, Drift(3, (), (), ()), samples.NOW),
}


class Seen(HTMLParser):
    """The elements and the text of a page, cell by cell."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.rows: list[list[str]] = []
        self.pieces: list[str] = []
        self.codes: list[str] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.elements.append(tag)
        if tag not in ("br", "wbr", "img", "input", "meta"):
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag == "code":
            self.codes.append("")
        self._apart = True

    def handle_endtag(self, tag: str) -> None:
        if tag in self._open:
            while self._open.pop() != tag:
                pass
        self._apart = True

    def handle_data(self, data: str) -> None:
        if "code" in self._open:
            self.codes[-1] += data
        else:
            self.pieces.append(data)
        if {"td", "th"} & {*self._open}:
            self.rows[-1][-1] += data
