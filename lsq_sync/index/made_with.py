"""What an index depends on besides specs and lock, in one digest."""

import hashlib
import os
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

from lsq_sync import __version__
from lsq_sync.spec.load import MAX_BYTES
from lsq_sync.spec.schemas import schema_text
from lsq_sync.spec.settings import Settings

_PACKAGE = Path(__file__).parents[1]
_DECIDING = ("core", "index", "lock", "spec")


def made_with(root: Path, settings: Settings) -> str | None:
    """The tool, the settings, the type schemas and the rules of the time zone; None where one of
    them cannot be read."""
    digest = hashlib.sha256(repr((__version__, settings)).encode())
    try:
        for part in (*_of_the_tool(), *_of_schemas(root / settings.paths.schemas)):
            digest.update(repr(part).encode())
        digest.update(repr(_of_zone(settings)).encode())
    except OSError:
        return None
    return digest.hexdigest()


def _of_the_tool() -> Iterator[object]:
    """For those who change it: its version stays the same then."""
    yield schema_text("spec.schema.json")
    for folder in _DECIDING:
        with os.scandir(_PACKAGE / folder) as found:
            for one in sorted(found, key=lambda one: one.name):
                if one.name.endswith(".py"):
                    known = one.stat()
                    yield f"{folder}/{one.name}", known.st_size, known.st_mtime_ns


def _of_schemas(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Raises OSError also for what is no file, or is larger than a schema may be."""
    for path in sorted(folder.glob("types/*.json")):
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            raise FileNotFoundError(path)
        yield path.name, path.read_bytes()


def _of_zone(settings: Settings) -> tuple[int, int] | None:
    """The file with the rules; they change a few times a year."""
    name = getattr(settings.values.time_zone, "key", None)
    if name is None:
        return None
    for folder in zoneinfo.TZPATH:
        path = Path(folder, name)
        if path.is_file():
            known = path.stat()
            return known.st_size, known.st_mtime_ns
    raise FileNotFoundError(name)
