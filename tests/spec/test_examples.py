"""Every folder under tests/examples is a small workspace, and a case named after its fault.

A case under `invalid` has an `expected.txt` with all that is said of it; `LSQ_SYNC_UPDATE=1`
rewrites these files, to be read in review. Cases find `schemas/types/loan.schema.json` of this
repository beside their own types.
"""

import ast
import os
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest

import lsq_sync.spec
from lsq_sync.core.values import ValueRules
from lsq_sync.errors import Diagnostic, SettingsError
from lsq_sync.spec.read import find_specs, read_specs
from lsq_sync.spec.settings import read_settings
from tests.spec.support import LOAN, lines_of

EXAMPLES = Path(__file__).parents[1] / "examples"
VALID = sorted(path.name for path in (EXAMPLES / "valid").iterdir())
INVALID = sorted(path.name for path in (EXAMPLES / "invalid").iterdir())
SETTINGS = "lsq-sync.yaml"
EXPECTED = "expected.txt"

NO_FOLDER = {
    "too-large": "256 MiB; in test_load_refusals.py",
    "unreadable": "links and pipes; in test_read.py",
    "schema": "what nobody thought of: no keyword of ours is without words of its own",
}


def problems_of(case: Path) -> tuple[Diagnostic, ...]:
    """What `lsq-sync validate` says of a workspace."""
    rules = ValueRules()
    if (case / SETTINGS).exists():
        try:
            rules = read_settings((case / SETTINGS).read_bytes(), {}).values
        except SettingsError as error:
            return error.diagnostics
    return read_specs(case, find_specs(case, "specs"), "schemas", rules).problems


def workspace_of(kind: str, name: str, root: Path) -> Path:
    case = root / name
    copytree(EXAMPLES / kind / name, case)
    types = case / "schemas" / "types"
    types.mkdir(parents=True, exist_ok=True)
    (types / LOAN.name).write_bytes(LOAN.read_bytes())
    return case


@pytest.mark.parametrize("name", VALID)
def test_a_valid_example_is_valid(name: str, tmp_path: Path) -> None:
    assert problems_of(workspace_of("valid", name, tmp_path)) == ()


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_example_is_explained(name: str, tmp_path: Path) -> None:
    found = problems_of(workspace_of("invalid", name, tmp_path))
    text = "".join(f"{line}\n" for problem in found for line in lines_of(problem))
    path = EXAMPLES / "invalid" / name / EXPECTED
    if os.environ.get("LSQ_SYNC_UPDATE"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
    assert list(found) == sorted(found)
    assert str(tmp_path) not in text


@pytest.mark.parametrize("name", INVALID)
def test_every_explanation_has_a_way_out(name: str, tmp_path: Path) -> None:
    for problem in problems_of(workspace_of("invalid", name, tmp_path)):
        assert problem.hint, problem
        assert len(problem.message) < 250
        assert len(problem.hint) < 250


def test_every_code_has_an_example() -> None:
    shown = {
        line.rpartition("[")[2].rstrip("]\n")
        for name in INVALID
        for line in (EXAMPLES / "invalid" / name / EXPECTED).read_text("utf-8").splitlines()
        if not line.startswith(" ")
    }
    assert set(codes()) - shown == set(NO_FOLDER)
    assert shown <= set(codes())


def codes() -> Iterator[str]:
    """Every code that the sources of `lsq_sync.spec` give a diagnostic."""
    for module in Path(str(lsq_sync.spec.__file__)).parent.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                yield from codes_of_call(node)
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                yield from codes_of_words(node.value)


def codes_of_call(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in ("Diagnostic", "_problem", "_stop") and len(call.args) > 2:
        code = call.args[1]
        if isinstance(code, ast.Constant):
            yield str(code.value)


def codes_of_words(words: ast.Tuple) -> Iterator[str]:
    """(code, message, hint), as the functions of validate.py give them back."""
    if len(words.elts) != 3:
        return
    match words.elts[0]:
        case ast.Constant(value=str(code)) if "." not in code and " " not in code:
            yield code
        case ast.JoinedStr():
            yield from ("unknown-key", "unknown-field")


def test_the_codes_were_found() -> None:
    found = set(codes())
    assert {"yaml", "tag", "no-host", "opportunity-id", "missing-key", "unknown-field"} <= found
    assert len(found) > 35
