"""The JSON documents of what is recorded, and of repairs of it."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict

from lsq_sync.core.model import MASK, Account, FieldRule
from lsq_sync.core.state import OpenRequest
from lsq_sync.core.values import Value
from lsq_sync.render.document import Document


def state_document(account: Account | None, entries: Mapping[str, Document]) -> Document:
    """What is recorded; `entries` are already in their JSON form."""
    known = {key: value for key, value in asdict(account).items() if value} if account else {}
    return {"format": "lsq-sync/state/v1", "account": known, "opportunities": dict(entries)}


def masked_entry(content: Document, rules: Mapping[str, FieldRule]) -> Document:
    """The JSON form of an entry with the values of sensitive fields masked, wherever they stand."""
    sensitive = {name for name, rule in rules.items() if rule.sensitive}
    return _masked(content, sensitive) if sensitive else content


def _masked(content: Document, sensitive: set[str]) -> Document:
    """Every mapping from field names to values in it, and in what it holds."""
    masked_content = {}
    for key, value in content.items():
        mask = _hidden if key in _OF_VALUES else _masked
        masked_content[key] = mask(value, sensitive) if isinstance(value, dict) else value
    return masked_content


_OF_VALUES = ("fields", "before", "values")


def _hidden(fields: Mapping[str, Value], sensitive: set[str]) -> dict[str, Value]:
    return {name: MASK if name in sensitive and value else value for name, value in fields.items()}


def forgotten_document(
    key: str, values: int, request: OpenRequest | None, kept: OpenRequest | None
) -> Document:
    """What `state forget --format json` prints."""
    return {
        "format": "lsq-sync/state/v1",
        "forgotten": {
            "id": key,
            "values": values,
            "request": request and {"id": request.request_id, "run": request.run},
            "still_open": kept and {"id": kept.request_id, "run": kept.run},
        },
    }


def merged_document(count: int | None, decisions: Iterable[tuple[str, str]]) -> Document:
    """What `state merge --format json` prints; `count` is None where there was no conflict."""
    return {
        "format": "lsq-sync/state/v1",
        "merged": count is not None,
        "count": count or 0,
        "decisions": [{"id": key, "why": why} for key, why in decisions],
    }
