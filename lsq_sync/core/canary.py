"""The canary: the first updates of a plan, whose outcomes decide whether the rest follows."""

from collections.abc import Sequence
from dataclasses import dataclass

from lsq_sync.core.change import Change
from lsq_sync.core.safety import told_over
from lsq_sync.core.state import Outcome

SETTING = "safety.canary_max_rejected_percent"


@dataclass(frozen=True, slots=True)
class Canary:
    """How many go out first, and which share of them may be rejected."""

    size: int
    max_rejected_percent: float = 0.0

    def split(self, updates: tuple[Change, ...]) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
        """Those that go out first, in the order of the plan, and the rest."""
        return updates[: self.size], updates[self.size :]

    def objection(self, outcomes: Sequence[Outcome]) -> str:
        """Why the rest must not follow such outcomes of the first; empty when it may."""
        total = len(outcomes)
        rejected = outcomes.count(Outcome.REJECTED)
        if 100 * rejected > self.max_rejected_percent * total:
            share = told_over(100 * rejected / total, self.max_rejected_percent)
            return (
                f"{rejected} of the {total} that went out first {_was(rejected)} rejected: "
                f"{share} %, and {SETTING} allows {self.max_rejected_percent:.15g} %"
            )
        undecided = total - rejected - outcomes.count(Outcome.SUCCEEDED)
        if undecided:
            return f"the outcome of {undecided} of the {total} that went out first is not known yet"
        return ""


def how_it_went(outcomes: Sequence[Outcome], invisible: int = 0) -> str:
    """The outcomes of a canary that may be followed; of `invisible` ones the values do not show."""
    rejected = outcomes.count(Outcome.REJECTED)
    went = f"{rejected} {_was(rejected)} rejected, as allowed" if rejected else "all succeeded"
    hidden = f", but the values of {invisible} do not show in the CRM yet" if invisible else ""
    return went + hidden


def _was(count: int) -> str:
    return "was" if count == 1 else "were"
