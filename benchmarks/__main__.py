"""`make bench`: runs the measurements, prints their tables, and writes them into the docs if asked.

Figures of one run on one machine: compare the rows of a table, not tables of two machines.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import apply, commands, folding, gate, goals, page, plot, reading, rendering
from benchmarks.commands import Scope, at
from benchmarks.processes import BenchmarkError, Sample, compile_ahead, run_in_turn
from benchmarks.tables import Table

_FULL = Scope((1_000, 10_000, 100_000), rounds=3)
_QUICK = Scope((200, 1_000), rounds=1, terraform=False)
_MILLION = 1_000_000
_PLOTTED = {
    commands.TERRAFORM: "terraform",
    commands.OCTODNS: "octodns-sync",
    commands.COLD: "lsq-sync",
    commands.AGAIN: "lsq-sync, again",
    commands.HASH: "reading and hashing",
}

Results = dict[str, Sample]
Tables = dict[str, list[Table]]
"""By the part of the page that they belong to."""


def main() -> int:
    """Measures what was asked for; 1 when something could not be measured."""
    options = _options()
    compile_ahead()
    results: Results = {}
    try:
        tables = _measured(options, results)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    around = page.circumstances()
    for number, (name, found) in enumerate(tables.items()):
        is_told = options.write or options.only or number == 0
        text = page.text_of(found, around if is_told else "")
        print(text)
        if options.write:
            page.write_part(name, text)
    if options.write and "plan" in tables:
        page.PLOT.write_text(_picture(results), encoding="utf-8")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add = parser.add_argument
    add("--quick", action="store_true", help="small sizes, once: about a minute")
    add("--million", action="store_true", help="a plan of a million opportunities, and no more")
    add("--only", choices=_PARTS, action="append", help="one of the parts; may be repeated")
    add("--write", action="store_true", help="write the tables into docs/performance.md")
    options = parser.parse_args()
    if options.quick and options.write:
        parser.error("--quick measures too little to be written into the docs")
    if options.million and (options.quick or options.only):
        parser.error("--million is all of it")
    return options


def _measured(options: argparse.Namespace, results: Results) -> Tables:
    if options.million:
        return {"million": _million()}
    scope = _QUICK if options.quick else _FULL
    chosen = options.only or (("commands", "lock") if options.quick else [*_PARTS])
    tables: Tables = {}
    for name in chosen:
        print(f"== {name}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            tables |= _PARTS[name](Path(folder), scope, results)
    if {"commands", "lock"} <= {*chosen} and not options.quick:
        tables = {"goals": [goals.table(results)], **tables}
    return tables


# --- the parts


def _commands(folder: Path, scope: Scope, results: Results) -> Tables:
    results |= run_in_turn(commands.cases(folder, scope), scope.rounds)
    return {
        "start": [commands.start_table(results)],
        "validate": [commands.validate_table(results, scope.sizes)],
        "plan": commands.plan_tables(results, scope.sizes),
    }


def _lock(folder: Path, scope: Scope, results: Results) -> Tables:
    entries = scope.sizes[-1]
    fold, table = folding.measure(folder, entries, entries // 10)
    results[at(goals.FOLD, entries)] = fold
    return {"lock": [table]}


_PARTS: dict[str, Callable[[Path, Scope, Results], Tables]] = {
    "commands": _commands,
    "lock": _lock,
    "instructions": lambda *_: {"instructions": [gate.table(*gate.measured())]},
    "rendering": lambda folder, *_: {"rendering": rendering.tables(folder)},
    "apply": lambda folder, *_: {"apply": apply.tables(folder)},
    "reading": lambda folder, *_: {"reading": reading.tables(folder)},
}


def _million() -> list[Table]:
    """Once, without and with an index: it takes long."""
    with tempfile.TemporaryDirectory() as folder:
        results = run_in_turn(commands.few_cases(Path(folder), _MILLION), 1)
    return commands.plan_tables(results, (_MILLION,))


def _picture(results: Results) -> str:
    lines = {
        name: [
            (size, results[at(key, size)].wall) for size in _FULL.sizes if at(key, size) in results
        ]
        for key, name in _PLOTTED.items()
    }
    title = "A plan with nothing to do: seconds, by size"
    return plot.drawn(title, {name: points for name, points in lines.items() if points})


if __name__ == "__main__":
    sys.exit(main())
