"""What a run reported, kept under `runs/` to be told again: one result document a run."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from lsq_sync.errors import StorageError, UsageError
from lsq_sync.lock.disk import PRIVATE, content_of, replace_by_pieces
from lsq_sync.render.document import Document, to_texts

_SUFFIX = ".json"


def keep(state_folder: Path, document: Document) -> None:
    """Keeps the document of a run; where that fails, the lock still has what counts."""
    folder = state_folder / "runs"
    if folder.is_dir():
        with suppress(OSError, StorageError):
            pieces = (text.encode() for text in to_texts(document))
            replace_by_pieces(folder / f"{document['run']}{_SUFFIX}", pieces, PRIVATE)


def runs(state_folder: Path) -> tuple[str, ...]:
    """The runs that are kept, in the order in which they reported."""
    folder = state_folder / "runs"
    found = folder.glob(f"*{_SUFFIX}") if folder.is_dir() else ()
    ordered = sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))
    return tuple(path.name.removesuffix(_SUFFIX) for path in ordered)


def recall(state_folder: Path, run: str) -> Mapping[str, Any]:
    """The document of a run; empty where there is none.

    Raises UsageError where a file is there and is none.
    """
    path = state_folder / "runs" / f"{run}{_SUFFIX}"
    try:
        data = content_of(path)
        document = {} if data is None else json.loads(data)
    except (OSError, ValueError):
        document = None
    if not isinstance(document, dict):
        raise UsageError(
            f"{path} cannot be read as the report of a run",
            hint="what counts is in the lock; to see it:\n\n  lsq-sync status --offline",
        )
    return document
