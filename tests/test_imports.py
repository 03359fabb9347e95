"""The structure holds: imports point one way, the core is pure, and start-up stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "lsq_sync"

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "places"}),
    frozenset({"core", "signals"}),
    frozenset({"surroundings", "running", "tasks", "cores"}),
    frozenset(
        {
            "spec",
            "crm",
            "lock",
            "render",
            "executor",
            "poller",
            "reader",
            "lister",
            "display",
            "git",
            "forge",
            "repository",
        }
    ),
    frozenset({"index", "pager"}),
    frozenset({"commands"}),
    frozenset({"output", "bug_report"}),
    frozenset({"cli"}),
    frozenset({"entry"}),
)
"""Each layer may import what stands above it in this list, and of its own layer only itself."""

ALLOWED_BESIDE = {
    ("lister", "reader"): "one way of asking again",
    ("display", "render"): "the terminal shows lines",
}

PURE = {
    "asyncio",
    "os",
    "pathlib",
    "random",
    "time",
    "logging",
    "socket",
    "subprocess",
    "sys",
    "io",
}


def _modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] not in ("simulator", "__init__", "__main__"):
            found.append((parts[0], path))
    return found


def _imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _layer(part: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


def test_imports_point_one_way() -> None:
    wrong = []
    for part, path in _modules():
        for name in _imports(path):
            pieces = name.split(".")
            if pieces[0] != "lsq_sync" or len(pieces) == 1 or pieces[1] == part:
                continue
            target = pieces[1]
            if target in ("simulator", "__version__"):
                continue
            if _layer(target) >= _layer(part) and (part, target) not in ALLOWED_BESIDE:
                wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
    assert wrong == []


def test_only_commands_know_the_simulator() -> None:
    users = {
        path.relative_to(PACKAGE).as_posix()
        for _, path in _modules()
        if any(name.startswith("lsq_sync.simulator") for name in _imports(path))
    }
    assert users == {"commands/demo.py", "commands/simulate.py"}


def test_the_core_is_pure() -> None:
    for path in sorted((PACKAGE / "core").glob("*.py")):
        roots = {name.partition(".")[0] for name in _imports(path)}
        assert not roots & PURE, f"{path.name} imports {roots & PURE}"


@pytest.mark.parametrize(
    ("library", "home"),
    [("yaml", "spec/events.py"), ("jsonschema", "spec/explain.py"), ("aiohttp", "crm/client.py"),
     ("click", "cli.py")],
)  # fmt: skip
def test_each_library_has_one_importer(library: str, home: str) -> None:
    users = {
        path.relative_to(PACKAGE).as_posix()
        for _, path in _modules()
        if any(name.partition(".")[0] == library for name in _imports(path))
    }
    assert users == {home}


HEAVY = ("aiohttp", "asyncio", "jsonschema", "rich", "yaml", "lsq_sync.simulator")


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (["--version"], HEAVY),
        (["--help"], HEAVY),
        (["apply", "--help"], HEAVY),
        (["completion", "bash"], HEAVY),
        (["validate"], ("aiohttp", "asyncio", "rich", "jsonschema")),
        (["plan"], ("aiohttp", "asyncio", "rich", "jsonschema")),
    ],
)
def test_a_command_imports_only_what_it_needs(
    arguments: list[str], absent: tuple[str, ...]
) -> None:
    code = (
        "import sys; from lsq_sync.cli import run; run(sys.argv[1:]); "
        "print(*sys.modules, sep='\\n', file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not set(absent) & set(ended.stderr.split())


@pytest.mark.parametrize("command", ["validate", "plan"])
def test_plain_files_are_read_without_a_yaml_library(command: str, tmp_path: Path) -> None:
    """So are those that `init` makes."""
    code = (
        "import sys; from lsq_sync.cli import run; run(['-C', sys.argv[1], 'init', '.']); "
        "code = run(['-C', sys.argv[1], sys.argv[2]]); "
        "sys.exit(code or 'yaml' in sys.modules)"
    )
    arguments = [sys.executable, "-c", code, str(tmp_path), command]
    subprocess.run(arguments, capture_output=True, check=True)
