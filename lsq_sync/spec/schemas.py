"""The JSON Schemas that travel with the package; the copies in a workspace are for editors."""

import json
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent.parent
_PLACES = (_PACKAGE / "schemas", _PACKAGE.parent / "schemas")
"""Inside an installed wheel, and in a checkout of the sources."""

Schema = dict[str, Any]


def schema_text(name: str) -> str:
    """The text of one schema, by its path below `schemas/`, such as `spec.schema.json`."""
    place = next(place for place in _PLACES if (place / name).is_file())
    return (place / name).read_text(encoding="utf-8")


@cache
def schema(name: str) -> Schema:
    """One schema, read once; not to be changed by its readers."""
    content: Schema = json.loads(schema_text(name))
    return content
