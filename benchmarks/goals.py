"""What the tool should reach, and whether it did: ratios inside one run, mostly."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks import commands
from benchmarks.commands import at
from benchmarks.processes import Results
from benchmarks.tables import NOTHING, Table

FOLD = "fold"

_KINDS = (commands.COLD, commands.ONE_FILE, commands.TYPED)


@dataclass(frozen=True, slots=True)
class Goal:
    """`measured` finds the figure among the results; KeyError where it was not measured."""

    what: str
    bound: float
    unit: str
    measured: Callable[[Results], float]


def _times(one: str, other: str) -> Callable[[Results], float]:
    return lambda results: results[one].wall / results[other].wall


def _times_octodns(size: int) -> Callable[[Results], float]:
    others = at(commands.OCTODNS, size)
    return lambda found: max(found[at(kind, size)].wall for kind in _KINDS) / found[others].wall


def _times_hashing(size: int) -> Callable[[Results], float]:
    return _times(at(commands.AGAIN, size), at(commands.HASH, size))


def _growth(found: Results) -> float:
    return max(found[at(one, 100_000)].wall / found[at(one, 10_000)].wall for one in _KINDS)


def _peak(found: Results) -> float:
    return max(found[at(kind, 100_000)].peak for kind in _KINDS)


GOALS = (
    Goal("`--help` / `octodns-sync --help`", 0.5, "", _times(commands.HELP, commands.OCTODNS_HELP)),
    Goal("plan of 10,000 / `octodns-sync`", 0.10, "", _times_octodns(10_000)),
    Goal("plan of 100,000 / `octodns-sync`", 0.07, "", _times_octodns(100_000)),
    Goal("plan of 100,000 / plan of 10,000", 11, "", _growth),
    Goal("plan of 100,000, peak memory", 450, "MB", _peak),
    Goal("plan of 10,000, again / reading and hashing", 3, "", _times_hashing(10_000)),
    Goal("plan of 100,000, again / reading and hashing", 6, "", _times_hashing(100_000)),
    Goal(
        "10,000 outcomes folded into a lock of 100,000",
        1,
        "s",
        lambda found: found[at(FOLD, 100_000)].wall,
    ),
)


def table(results: Results) -> Table:
    """Every goal, met or not."""
    note = (
        "A plan has nothing to do; of one file, a hundred, and a hundred typed, the worst counts; "
        "the files of *no two alike* are not among them. "
        "Reading and hashing is that of the specs, without the lock."
    )
    rows = tuple(_row(goal, results) for goal in GOALS)
    return Table("Goals", ("goal", "at most", "measured", "met"), rows, note)


def _row(goal: Goal, results: Results) -> tuple[str, ...]:
    limit = f"{goal.bound:g} {goal.unit}".strip()
    try:
        found = goal.measured(results)
    except KeyError:
        return goal.what, limit, "not measured", NOTHING
    met = "yes" if found <= goal.bound else "**no**"
    return goal.what, limit, f"{found:.3g} {goal.unit}".strip(), met
