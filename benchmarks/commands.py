"""Start-up, validate and plan beside other tools: what is run, and the tables of it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path

from benchmarks import peers
from benchmarks.data import LOCK, Shape, edit, make
from benchmarks.processes import ROOT, Case, Results, Sample, lsq_sync, program, python, run_once
from benchmarks.tables import NOTHING, Table, rows_of

_SPEC_SCHEMA = ROOT / "schemas/spec.schema.json"
_FILES = 100
_EDITED = 10
_TERRAFORM_MOST = 1_000
"""It needs minutes to get ready for more."""
_CHECK_JSONSCHEMA_MOST = 10_000
_HASHING = """
import hashlib, sys
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        hashlib.sha256(file.read()).hexdigest()
"""


@dataclass(frozen=True, slots=True)
class Scope:
    """How much is run."""

    sizes: tuple[int, ...]
    rounds: int
    terraform: bool = True


# --- keys: what a result is called

PYTHON_PASS = "python -c pass"
HELP = "lsq-sync --help"
OCTODNS_HELP = "octodns-sync --help"

COLD = "plan, nothing to do"
ONE_FILE = "plan, nothing to do, one file"
TYPED = "plan, nothing to do, typed"
MIXED = "plan, nothing to do, no two alike"
CHANGED = "plan, 10 % changed"
FIRST = "plan, nothing recorded yet"
AGAIN = "plan, nothing to do, again"
INDEXED = "plan, nothing to do, as JSON, with index"
INDEXED_GATHERED = "plan, 10 % edited in a tenth of the files, with index"
INDEXED_SPREAD = "plan, 10 % edited in all files, with index"
HASH = "Python reads and hashes the specs"
HASH_BOTH = "Python reads and hashes the specs and the lock"
OCTODNS = "octodns-sync, nothing to do"
OCTODNS_CHANGED = "octodns-sync, every record changed"
TERRAFORM = "terraform plan, nothing to do"

_PLANS = (
    *(
        COLD,
        ONE_FILE,
        TYPED,
        MIXED,
        CHANGED,
        FIRST,
        AGAIN,
        INDEXED,
        INDEXED_GATHERED,
        INDEXED_SPREAD,
        HASH,
        HASH_BOTH,
    ),
    *(OCTODNS, OCTODNS_CHANGED, TERRAFORM),
)

_VALIDATE = "lsq-sync validate"
_VALIDATE_TYPED = "lsq-sync validate, typed"
_CHECK_JSONSCHEMA = "check-jsonschema"


def at(what: str, size: int) -> str:
    """The key of a command at a size."""
    return f"{what}: {size:,}"


# --- what is run


def cases(folder: Path, scope: Scope) -> Iterator[Case]:
    """Everything; what it reads is made meanwhile."""
    for case in _start_cases():
        yield replace(case, samples_a_round=7)
    for size in scope.sizes:
        small = size <= 1_000
        for case in _cases_of(folder, size, terraform=scope.terraform and size <= _TERRAFORM_MOST):
            yield replace(case, samples_a_round=3 if small else 2 if size <= 10_000 else 1)


def few_cases(folder: Path, size: int) -> Iterator[Case]:
    """A plan without and with an index, and no more."""
    yield next(_cold_cases(folder, size))
    yield from _index_cases(folder, size)


def _start_cases() -> Iterator[Case]:
    """Processes that do next to nothing."""
    yield Case(PYTHON_PASS, python("-c", "pass"))
    yield Case("lsq-sync --version", lsq_sync("--version"))
    yield Case(HELP, lsq_sync("--help"), "Usage:")
    if octodns := program("octodns-sync"):
        yield Case(OCTODNS_HELP, (octodns, "--help"), "usage:")
    if terraform := program("terraform"):
        yield Case("terraform version", (terraform, "version"), "Terraform v")


def _cases_of(folder: Path, size: int, *, terraform: bool) -> Iterator[Case]:
    yield from _validate_cases(folder, size)
    yield from _cold_cases(folder, size)
    yield from _index_cases(folder, size)
    yield from _edited_cases(folder, size)
    for key, changed in ((at(OCTODNS, size), False), (at(OCTODNS_CHANGED, size), True)):
        yield from peers.octodns(key, folder / key, size, changed=changed)
    if terraform:
        yield from peers.terraform(at(TERRAFORM, size), folder / at(TERRAFORM, size), size)


def _validate_cases(folder: Path, size: int) -> Iterator[Case]:
    """On a hundred files, the same for both tools."""
    for key, typed in ((_VALIDATE, False), (_VALIDATE_TYPED, True)):
        root = make(folder / at(key, size), Shape(size, _FILES, typed))
        yield Case(at(key, size), lsq_sync("-C", str(root), "validate"), "All valid:")
        if not typed and size <= _CHECK_JSONSCHEMA_MOST:
            key = at(_CHECK_JSONSCHEMA, size)
            yield from peers.check_jsonschema(key, _SPEC_SCHEMA, root / "specs")


def _cold_cases(folder: Path, size: int) -> Iterator[Case]:
    """Without an index: from one file and many, typed and not, alike and not, changed and not,
    and without a lock."""
    many = Shape(size, _FILES, locked=True)
    shapes = {
        COLD: many,
        ONE_FILE: replace(many, files=1),
        TYPED: replace(many, typed=True),
        MIXED: replace(many, mixed=True),
        CHANGED: replace(many, edited=_EDITED),
        FIRST: replace(many, locked=False),
    }
    for what, shape in shapes.items():
        root = make(folder / at(what, size), shape)
        updates = size * shape.edited // 100 if shape.locked else size
        yield _plan(at(what, size), root, updates, partial(remove_index, root))


def _index_cases(folder: Path, size: int) -> Iterator[Case]:
    """With what an earlier plan kept, the text of which is said again; and programs that only read
    and hash."""
    root = make(folder / at(INDEXED, size), Shape(size, _FILES, locked=True))
    run_once(_plan(at(AGAIN, size), root, 0))
    yield _plan(at(AGAIN, size), root, 0)
    plan_as_json = lsq_sync("-C", str(root), "plan", "--format", "json")
    yield Case(at(INDEXED, size), plan_as_json, '"update": 0')
    specs = [str(path) for path in sorted((root / "specs").iterdir())]
    for what, paths in ((HASH, specs), (HASH_BOTH, [*specs, str(root / LOCK)])):
        yield Case(at(what, size), python("-c", _HASHING, *paths))


def _edited_cases(folder: Path, size: int) -> Iterator[Case]:
    """With the index of a plan that was made before a tenth of the opportunities was edited."""
    shape = Shape(size, _FILES, locked=True)
    for what, gathered in ((INDEXED_GATHERED, True), (INDEXED_SPREAD, False)):
        key = at(what, size)
        root = make(folder / key, shape)
        run_once(_plan(key, root, 0))
        if _index(root).exists():
            shutil.copytree(_index(root), root / "kept")
        edit(root, replace(shape, edited=_EDITED, gathered=gathered))
        yield _plan(key, root, size * _EDITED // 100, partial(_bring_index_back, root))


def _plan(key: str, root: Path, updates: int, prepare: Callable[[], None] = lambda: None) -> Case:
    expected = f"Plan: {updates:,} to update" if updates else "Nothing to do:"
    return Case(key, lsq_sync("-C", str(root), "plan"), expected, prepare=prepare)


def _index(root: Path) -> Path:
    """What a plan leaves for the next one."""
    return root / ".lsq-sync/cache"


def remove_index(root: Path) -> None:
    """So that the next plan of this workspace reads everything."""
    shutil.rmtree(_index(root), ignore_errors=True)


def _bring_index_back(root: Path) -> None:
    remove_index(root)
    if (root / "kept").exists():
        shutil.copytree(root / "kept", _index(root))


# --- tables


def start_table(results: Results) -> Table:
    """How long a command takes that does nothing."""

    def cells(key: str) -> tuple[str, ...]:
        found = results[key]
        beside = (results.get(other) for other in (PYTHON_PASS, OCTODNS_HELP))
        others = (_ratio(found, one) or NOTHING for one in beside)
        return (f"`{key}`", f"{found.wall * 1000:.0f}", *others, f"{found.peak:.0f}")

    columns = ("command", "ms", "x python", "x octodns-sync --help", "peak MB")
    rows = tuple(cells(case.key) for case in _start_cases() if case.key in results)
    return Table("Start-up", columns, rows)


def validate_table(results: Results, sizes: tuple[int, ...]) -> Table:
    """Seconds, by size."""
    keys = (_VALIDATE, _VALIDATE_TYPED, _CHECK_JSONSCHEMA)
    return _by_size("Validate: seconds", keys, results, sizes, _seconds)


def plan_tables(results: Results, sizes: tuple[int, ...]) -> list[Table]:
    """Seconds, against octoDNS, growth and memory."""

    def of_octodns(key: str, size: int) -> str | None:
        return _ratio(results.get(at(key, size)), results.get(at(OCTODNS, size)))

    def growth(key: str, step: tuple[int, int]) -> str | None:
        less, more = (results.get(at(key, size)) for size in step)
        return _ratio(more, less)

    steps = list(pairwise(sizes))
    columns = ("command", *(f"{more:,} / {less:,}" for less, more in steps))
    tables = (
        _by_size("Plan: seconds", _PLANS, results, sizes, _seconds),
        Table(
            "Plan: times as long as octodns-sync with nothing to do",
            ("command", *(f"{size:,}" for size in sizes)),
            rows_of(_PLANS, sizes, of_octodns),
        ),
        Table("Plan: growth of the seconds", columns, rows_of(_PLANS, steps, growth)),
        _by_size("Plan: peak memory, MB", _PLANS, results, sizes, lambda one: f"{one.peak:,.0f}"),
    )
    return [table for table in tables if table.rows]


def _by_size(
    title: str,
    keys: tuple[str, ...],
    results: Results,
    sizes: tuple[int, ...],
    said: Callable[[Sample], str],
) -> Table:
    def cell(key: str, size: int) -> str | None:
        found = results.get(at(key, size))
        return said(found) if found else None

    return Table(title, ("command", *(f"{size:,}" for size in sizes)), rows_of(keys, sizes, cell))


def _ratio(one: Sample | None, other: Sample | None) -> str | None:
    """How many times as long, for people."""
    if one is None or other is None:
        return None
    found = one.wall / other.wall
    return f"{found:.1f}" if found >= 10 else f"{found:.2f}" if found >= 0.1 else f"{found:.2g}"


def _seconds(one: Sample) -> str:
    return f"{one.wall:.1f}" if one.wall >= 10 else f"{one.wall:.3f}"
