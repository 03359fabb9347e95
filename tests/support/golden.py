"""Whole outputs as files: `LSQ_SYNC_UPDATE=1 make test` rewrites them, to be read in review."""

import os
from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "golden"


def check(name: str, text: str) -> None:
    """The text is what the file of this name holds."""
    path = _FOLDER / name
    if os.environ.get("LSQ_SYNC_UPDATE"):
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"there is no {path.name}: run with LSQ_SYNC_UPDATE=1, and read it"
    assert text == path.read_text(encoding="utf-8")
