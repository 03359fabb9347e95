"""Which plans are refused, and why: the one place that calls a plan dangerous."""

from collections.abc import Iterator
from dataclasses import dataclass

from lsq_sync.core.change import Action, Change, Plan
from lsq_sync.core.model import SUBFIELD

UNREVIEWED_UPDATES = 10
"""So many updates a first `apply --yes` may send without a limit of its own."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The `safety` settings, with the flags of the command line already in them."""

    max_updates: int | None = None
    max_update_percent: float | None = None
    min_population: int = 10
    protected_fields: tuple[str, ...] = ()
    canary_max_rejected_percent: float = 0.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """One limit that a plan breaks: the words, the numbers, and where each can be changed."""

    code: str
    message: str
    limit: float | str
    actual: float | str
    setting: str
    flag: str = ""

    @property
    def ways(self) -> str:
        """Where the limit can be changed."""
        return " or ".join(way for way in (self.flag, self.setting) if way)


def refusals(plan: Plan, population: int, limits: Limits) -> tuple[Refusal, ...]:
    """Every limit that the plan breaks; `population` counts the recorded opportunities."""
    found = (*_too_many(plan, limits), *_too_large_a_share(plan, population, limits))
    return (*found, *_protected(plan, limits))


def unreviewed(plan: Plan) -> Refusal | None:
    """The brake for a first apply that nobody looked at: no lock, nothing read, `--yes`."""
    count = len(plan.updates)
    if count <= UNREVIEWED_UPDATES:
        return None
    return Refusal(
        code="first-apply",
        message=f"there is no lock file yet, nothing was read from the CRM, and the plan would "
        f"overwrite {count} opportunities without a look, the limit of that is "
        f"{UNREVIEWED_UPDATES}",
        limit=UNREVIEWED_UPDATES,
        actual=count,
        setting="",
        flag="--max-updates",
    )


def _too_many(plan: Plan, limits: Limits) -> Iterator[Refusal]:
    count = len(plan.updates)
    if limits.max_updates is not None and count > limits.max_updates:
        yield Refusal(
            code="max-updates",
            message=f"the plan has {_updates(count)}, the limit is {limits.max_updates}",
            limit=limits.max_updates,
            actual=count,
            setting="safety.max_updates",
            flag="--max-updates",
        )


def _too_large_a_share(plan: Plan, population: int, limits: Limits) -> Iterator[Refusal]:
    limit = limits.max_update_percent
    if limit is None or population < limits.min_population or not population:
        return
    count = len(plan.updates)
    share = 100 * count / population
    if share > limit:
        yield Refusal(
            code="max-update-percent",
            message=f"the plan has {_updates(count)}, which is {told_over(share, limit)} % of the "
            f"{population} recorded opportunities, the limit is {limit:.15g} %",
            limit=limit,
            actual=float(told_over(share, limit)),
            setting="safety.max_update_percent",
        )


def _updates(count: int) -> str:
    return f"{count} update{'' if count == 1 else 's'}"


def told_over(share: float, limit: float) -> str:
    """The share in as many digits as it takes to see that it is over the limit."""
    told = (f"{share:.{digits}g}" for digits in (3, 6, 9, 12))
    return next((text for text in told if float(text) > limit), f"{share:.17g}")


def _protected(plan: Plan, limits: Limits) -> Iterator[Refusal]:
    for name in limits.protected_fields:
        count = sum(_changes(change, name) for change in plan.updates)
        if count:
            yield Refusal(
                code="protected-field",
                message=f"the plan changes the protected field {name} of {count} "
                f"opportunit{'y' if count == 1 else 'ies'}",
                limit=name,
                actual=count,
                setting="safety.protected_fields",
                flag="--allow-protected",
            )


def _changes(change: Change, protected: str) -> bool:
    """Whether it changes the field; a companion keeps its value.

    Of a custom field set and its sub-field, to change the one is to change the other.
    """
    return any(
        part.name == protected
        or part.name.startswith(protected + SUBFIELD)
        or protected.startswith(part.name + SUBFIELD)
        for part in change.fields
        if part.action is Action.UPDATE and not part.companion
    )
