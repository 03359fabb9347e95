"""What the tests of the index have in common."""

from pathlib import Path

import pytest

from lsq_sync.commands import plan_index
from tests.index.workspace import World, untouched_world


@pytest.fixture(autouse=True)
def always_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also for few opportunities."""
    monkeypatch.setattr(plan_index, "_LEAST_POPULATION", 1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A workspace in which there is nothing to do, and an earlier plan has seen that."""
    return untouched_world(tmp_path)
