"""What tells this tool from another version of it. Imports next to nothing."""

import os
import sys
from collections.abc import Iterator
from functools import cache

from lsq_sync import __version__

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_BESIDE = os.path.join(os.path.dirname(_PACKAGE), "schemas", "spec.schema.json")
"""In a checkout of the sources, the schemas stand beside the package."""

_ENDINGS = (".py", ".json")

File = tuple[str, int, int]
"""Its path, its size, and when it was written: what changes with a file, at little cost."""


@cache
def of_the_tool() -> tuple[object, ...]:
    """Its version, Python's, where libraries are and when one was last put there or taken away, and
    its files, for those who change them while it keeps its version.

    As they were when this was first asked: what runs was read before. Raises OSError where they
    are not to be found.
    """
    return __version__, sys.version, tuple(_folders_of_libraries()), tuple(_files())


def _folders_of_libraries() -> Iterator[tuple[str, int | None]]:
    """The first place is that of the command."""
    for folder in sys.path[1:]:
        yield folder, os.stat(folder).st_mtime_ns if os.path.exists(folder) else None


def _files() -> Iterator[File]:
    for folder, folders, names in os.walk(_PACKAGE):
        folders.sort()
        for name in sorted(names):
            if name.endswith(_ENDINGS):
                yield _known(os.path.join(folder, name))
    if os.path.exists(_BESIDE):
        yield _known(_BESIDE)


def _known(path: str) -> File:
    found = os.stat(path)
    return path, found.st_size, found.st_mtime_ns
