"""Which files are specs. Imports next to nothing: it is asked before anything else is there."""

import os
from collections.abc import Callable, Iterator

MAX_BYTES = 256 * 1024 * 1024
"""Of one file."""

_ENDINGS = (".yaml", ".yml")


def spec_files(folder: str, stop: Callable[[OSError], object]) -> Iterator[str]:
    """Those below a folder, as it would call them, hidden ones left out; `stop` is called with what
    cannot be read."""
    for place, folders, names in os.walk(folder, onerror=stop):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.endswith(_ENDINGS) and not name.startswith("."):
                yield os.path.join(place, name)[len(os.path.join(folder, "")) :]
