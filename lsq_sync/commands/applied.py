"""What `apply --format json` printed, as a later step of the job finds it in a file."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def applied_document(file: Path) -> Mapping[str, Any] | None:
    """The document; empty where apply was killed before there was one, None where it never began:
    the shell makes the file first."""
    if not file.exists():
        return None
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
