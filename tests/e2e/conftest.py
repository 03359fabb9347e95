"""The world that end-to-end tests play in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.world import World, new_world


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A workspace beside a CRM that limits nothing and settles at once."""
    with new_world(tmp_path) as made:
        yield made
