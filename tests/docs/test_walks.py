"""The pages of the docs tell what happens: every command is run, every output compared."""

from pathlib import Path

import pytest

from tests.docs.walk import ROOT, walk

PAGES = [
    path.relative_to(ROOT).as_posix()
    for path in sorted((ROOT / "docs").rglob("*.md"))
    if "```console" in path.read_text(encoding="utf-8")
]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_is_what_happens(page: str, tmp_path: Path) -> None:
    """To mend: LSQ_SYNC_UPDATE=1, and read the difference."""
    walk(ROOT / page, tmp_path)


def test_there_are_pages_to_walk() -> None:
    assert "docs/tutorial.md" in PAGES
