"""What an index depends on besides specs and lock, in one digest."""

import hashlib
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

from lsq_sync.index.tool import of_the_tool
from lsq_sync.spec.files import MAX_BYTES
from lsq_sync.spec.settings import Settings


def made_with(root: Path, settings: Settings) -> str | None:
    """The tool, the settings, the type schemas and the rules of the time zone; None where one of
    them cannot be read."""
    digest = hashlib.sha256(repr(settings).encode())
    try:
        for part in (of_the_tool(), *_of_schemas(root / settings.paths.schemas)):
            digest.update(repr(part).encode())
        digest.update(repr(_of_zone(settings)).encode())
    except OSError:
        return None
    return digest.hexdigest()


def _of_schemas(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Raises OSError also for what is no file, or is larger than a schema may be."""
    for path in sorted(folder.glob("types/*.json")):
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            raise FileNotFoundError(path)
        yield path.name, path.read_bytes()


def _of_zone(settings: Settings) -> tuple[int, int] | None:
    """The file with the rules; they change a few times a year."""
    places = zone_files(settings)
    for path in places:
        if path.is_file():
            known = path.stat()
            return known.st_size, known.st_mtime_ns
    if places:
        raise FileNotFoundError(places)
    return None


def zone_files(settings: Settings) -> tuple[Path, ...]:
    """Where the rules of the time zone may be: the first of these that is there holds them."""
    name = getattr(settings.values.time_zone, "key", None)
    return () if name is None else tuple(Path(folder, name) for folder in zoneinfo.TZPATH)
