"""What tells this tool from another version of it. Imports next to nothing."""

import os
import sys
from collections.abc import Iterator

from lsq_sync import __version__

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_BESIDE = os.path.join(os.path.dirname(_PACKAGE), "schemas", "spec.schema.json")
"""In a checkout of the sources, the schemas stand beside the package."""

_ENDINGS = (".py", ".json")


def of_the_tool() -> Iterator[object]:
    """Its version, Python's, and for those who change it, which version it stays then, its files.

    Raises OSError where they are not to be found.
    """
    yield __version__, sys.version
    for folder, folders, names in os.walk(_PACKAGE):
        folders.sort()
        for name in sorted(names):
            if name.endswith(_ENDINGS):
                path = os.path.join(folder, name)
                yield path, *known(path)
    if os.path.exists(_BESIDE):
        yield _BESIDE, *known(_BESIDE)


def known(path: str) -> tuple[int, int]:
    """What changes with a file, at little cost: its size, and when it was written."""
    found = os.stat(path)
    return found.st_size, found.st_mtime_ns
