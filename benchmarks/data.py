"""Seeded workspaces: the same size and seed, the same bytes."""

import json
import random
import uuid
from pathlib import Path

FIELDS = 8


def make_workspace(
    root: Path, opportunities: int, *, files: int = 1, settings: dict[str, object] | None = None
) -> list[str]:
    """A workspace with so many opportunities of eight untyped fields each; their keys."""
    chance = random.Random(opportunities)
    keys = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(opportunities)]
    (root / "specs").mkdir(parents=True)
    account = {"name": "bench", "async_host": "http://127.0.0.1:9", "host": None}
    content = {"version": 1, "account": account, **(settings or {})}
    (root / "lsq-sync.yaml").write_text(json.dumps(content), encoding="utf-8")
    for number in range(files):
        part = keys[number::files]
        text = "".join(_opportunity(key, chance) for key in part)
        name = f"part-{number:03}.yaml"
        (root / "specs" / name).write_text(f"version: 1\nopportunities:\n{text}", encoding="utf-8")
    return keys


def _opportunity(key: str, chance: random.Random) -> str:
    fields = "".join(
        f"      mx_Custom_{number}: value {chance.randrange(10**8):08}\n"
        for number in range(FIELDS)
    )
    note = "    note: Called, will call back\n" if chance.random() < 0.3 else ""
    return f"  {key}:\n    label: Opportunity {key[:4]}\n{note}    fields:\n{fields}"
