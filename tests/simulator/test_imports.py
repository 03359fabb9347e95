import ast
from pathlib import Path

import lsq_sync.simulator

PACKAGE = Path(lsq_sync.simulator.__file__).parent
ALLOWED = {"aiohttp", "jsonschema", "yaml"}


def imported(module: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(node.module or "")
    return names


def test_it_shares_no_code_with_the_client() -> None:
    """Else one misreading of the API could confirm itself."""
    for module in PACKAGE.glob("**/*.py"):
        for name in imported(module):
            if name.split(".")[0] == "lsq_sync":
                assert name.startswith("lsq_sync.simulator"), f"{module.name} imports {name}"


def test_only_the_edges_know_sockets_threads_and_clocks() -> None:
    edges = {"server.py", "delivery.py", "running.py", "view.py", "command.py", "clock.py"}
    forbidden = {"aiohttp", "asyncio", "threading", "time", "socket"}
    for module in PACKAGE.glob("**/*.py"):
        if module.name not in edges:
            assert not imported(module) & forbidden, module.name
