"""Whether the tool has become slower: `make bench-gate`, for continuous integration.

Never by the clock. Instructions of whole processes are counted; those of an opportunity are the
difference of two sizes, so that start-up is not in them, and they are divided by those of a fixed
program on the same files, so that another Python or PyYAML changes both. Without valgrind, CPU
seconds stand in for them, with bounds of their own, and wide.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from benchmarks.commands import remove_index
from benchmarks.data import Shape, make
from benchmarks.instructions import can_count, count
from benchmarks.processes import (
    BenchmarkError,
    Case,
    compile_ahead,
    lsq_sync,
    python,
    run_in_turn,
    run_once,
)
from benchmarks.tables import Table

_REFERENCE = """
import json, sys, yaml
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        read = yaml.load(file, yaml.CSafeLoader)
    for key, opportunity in read["opportunities"].items():
        json.dumps({key: opportunity}, sort_keys=True)
"""
"""What a plan cannot do without in a simple form: PyYAML's own C loader, and JSON."""


@dataclass(frozen=True, slots=True)
class Mode:
    """`bounds` are the figures as they were when they were last put down, with Python 3.11; one may
    be `headroom` times as high."""

    name: str
    headroom: float
    bounds: Mapping[str, float]


INSTRUCTIONS = Mode(
    "Instructions",
    1.2,
    {
        "`--help` / `python -c pass`": 5.9,
        "a plan of 300 / `python -c pass`": 24.5,
        "a plan of 1,500 with an index / `python -c pass`": 18.4,
        "a plan of 1,500, again / `python -c pass`": 3.6,
        "an opportunity, planned / the reference": 0.50,
        "an opportunity of a type, planned / the reference": 0.70,
        "an opportunity that is new, planned / the reference": 1.37,
    },
)
CPU_SECONDS = Mode(
    "CPU seconds",
    2.0,
    dict(zip(INSTRUCTIONS.bounds, (4.9, 14.6, 12.0, 2.6, 0.44, 0.62, 1.3), strict=True)),
)

_SIZES = (300, 1_500)
_INDEXED = 1_500
_FILES = 4
_ROUNDS = 5

Cost = Callable[[Sequence[Case]], list[float]]


def main() -> int:
    """Prints every figure beside its bound; 1 when one is above it."""
    try:
        mode, found = measured()
    except BenchmarkError as error:
        print(f"bench-gate: {error}", file=sys.stderr)
        return 1
    if mode is CPU_SECONDS:
        print("No valgrind here: CPU seconds stand in, with wide bounds.\n")
    print(table(mode, found).markdown(), end="")
    slower = too_slow(mode, found)
    if slower:
        print(
            f"\nSlower than it was: {'; '.join(slower)}. Find out why; if it is meant, put these "
            "figures into benchmarks/gate.py and say why in the commit.",
            file=sys.stderr,
        )
    return 1 if slower else 0


def measured() -> tuple[Mode, dict[str, float]]:
    """The figures of now, and the mode that they are of."""
    compile_ahead()
    mode, cost = (INSTRUCTIONS, _counts) if can_count() else (CPU_SECONDS, _cpu_seconds)
    with tempfile.TemporaryDirectory() as folder:
        return mode, figures(Path(folder), cost)


def figures(folder: Path, cost: Cost) -> dict[str, float]:
    """Each figure by its name, from what commands cost."""
    shape = Shape(_INDEXED, _FILES, locked=True)
    untyped, typed, new = (
        [make(folder / f"{name}-{size}", replace(one, opportunities=size)) for size in _SIZES]
        for name, one in {
            "untyped": shape,
            "typed": replace(shape, typed=True),
            "new": replace(shape, locked=False),
        }.items()
    )
    indexed = make(folder / "indexed", shape)
    again = _plan(indexed)
    run_once(again)
    cases = (
        *(Case("nothing", python("-c", "pass")), Case("help", lsq_sync("--help"))),
        *(_plan_as_json(indexed), again, *(_reference(root) for root in untyped)),
        *(_cold_plan(root) for root in (*untyped, *typed, *new)),
    )
    nothing, shown, with_index, said_again, *pairs = cost(cases)
    reference, *planned = (more - less for less, more in zip(pairs[::2], pairs[1::2], strict=True))
    values = (
        *(shown / nothing, pairs[2] / nothing, with_index / nothing, said_again / nothing),
        *(one / reference for one in planned),
    )
    return dict(zip(INSTRUCTIONS.bounds, values, strict=True))


def too_slow(mode: Mode, found: Mapping[str, float]) -> list[str]:
    """What is above its bound."""
    return [
        f"{name} is {found[name]:.2f}, and may be {bound * mode.headroom:.2f}"
        for name, bound in mode.bounds.items()
        if found[name] > bound * mode.headroom
    ]


def table(mode: Mode, found: Mapping[str, float]) -> Table:
    """What is measured, beside what it was and may be."""
    rows = tuple(
        (name, f"{found[name]:.2f}", f"{bound:.2f}", f"{bound * mode.headroom:.2f}")
        for name, bound in mode.bounds.items()
    )
    return Table(f"{mode.name}, as ratios", ("", "measured", "it was", "let pass up to"), rows)


def _plan(root: Path) -> Case:
    return Case(f"plan {root.name}", lsq_sync("-C", str(root), "plan"))


def _plan_as_json(root: Path) -> Case:
    """No text is said again, but the index counts."""
    return Case(f"JSON {root.name}", lsq_sync("-C", str(root), "plan", "--format", "json"))


def _cold_plan(root: Path) -> Case:
    return replace(_plan(root), prepare=partial(remove_index, root))


def _reference(root: Path) -> Case:
    files = map(str, sorted((root / "specs").iterdir()))
    return Case(f"reference {root.name}", python("-c", _REFERENCE, *files))


def _counts(cases: Sequence[Case]) -> list[float]:
    for case in cases:
        case.prepare()
    return count([case.command for case in cases])


def _cpu_seconds(cases: Sequence[Case]) -> list[float]:
    found = run_in_turn(cases, _ROUNDS)
    return [found[case.key].cpu for case in cases]


if __name__ == "__main__":
    sys.exit(main())
