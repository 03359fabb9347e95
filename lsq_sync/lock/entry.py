"""An entry of the lock <-> plain data as JSON has it. Pure; strict when reading."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from lsq_sync.core.digest import Digest
from lsq_sync.core.moment import moment, read_moment
from lsq_sync.core.state import (
    Displaced,
    Entry,
    FinalRequest,
    OpenRequest,
    Outcome,
    Payload,
    Replaced,
    RequestID,
    RunID,
)
from lsq_sync.core.values import ABSENT, Absent, Value

_TEXTS = frozenset({str, type(None)})
_TEXT_ONLY = frozenset({str})
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_MOMENTS_KEPT = 4096
"""Many records were settled in the same second."""


class BrokenError(ValueError):
    """Something in the file does not have its form."""


def entry_to_json(entry: Entry) -> dict[str, Any]:
    """An entry as in the contract; keys without a value are left out."""
    content = {
        "type": entry.type,
        "guid": entry.guid,
        "fields": dict(sorted(entry.fields.items())),
        "request": entry.request and _final(entry.request),
        "pending": entry.pending and _open(entry.pending),
        "replaced": entry.replaced and _replaced(entry.replaced),
        "displaced": entry.displaced and _displaced(entry.displaced),
    }
    return _without_empty(content, entry.note)


def _without_empty(content: dict[str, Any], note: Value | Absent) -> dict[str, Any]:
    """A note that is empty stands there as null; one that was never recorded does not."""
    kept = {key: value for key, value in content.items() if value}
    return kept if note is ABSENT else {**kept, "note": note}


def _final(request: FinalRequest) -> dict[str, Any]:
    content = {
        "id": request.request_id,
        "outcome": request.outcome.value,
        "reason": request.reason,
        "digest": request.digest,
        "run": request.run,
        "sent_at": moment(request.sent_at),
        "settled_at": moment(request.settled_at),
    }
    return _without_empty(content, ABSENT)


def _open(request: OpenRequest) -> dict[str, Any]:
    content = {
        "fields": dict(sorted(request.payload.fields.items())),
        "run": request.run,
        "sent_at": moment(request.sent_at),
        "queued_at": request.queued_at and moment(request.queued_at),
        "seen": request.seen,
        "released": list(request.released),
        "before": dict(sorted(request.before.items())),
    }
    return {"request_id": request.request_id, **_without_empty(content, request.payload.note)}


def _replaced(replaced: Replaced) -> dict[str, Any]:
    return {"at": moment(replaced.at), "values": dict(sorted(replaced.values.items()))}


def _displaced(displaced: Displaced) -> dict[str, Any]:
    content = {
        "pending": _open(displaced.pending),
        "request": displaced.request and _final(displaced.request),
    }
    return _without_empty(content, ABSENT)


# --- reading


def entry_from_json(content: object) -> Entry:
    """The entry of such a mapping. Raises BrokenError when it does not have the form, and KeyError
    for a key that is missing."""
    entry = only(content, _ENTRY_KEYS)
    return Entry(
        type=as_text(entry.get("type", "")),
        guid=as_text(entry.get("guid", "")),
        fields=_fields(entry.get("fields", {})),
        note=_note(entry),
        request=_read_final(entry["request"]) if "request" in entry else None,
        pending=_read_open(entry["pending"]) if "pending" in entry else None,
        replaced=_read_replaced(entry["replaced"]) if "replaced" in entry else None,
        displaced=_read_displaced(entry["displaced"]) if "displaced" in entry else None,
    )


_ENTRY_KEYS = {"type", "guid", "fields", "note", "request", "pending", "replaced", "displaced"}
_FINAL_KEYS = {"id", "outcome", "reason", "digest", "run", "sent_at", "settled_at"}
_OPEN_KEYS = {
    "request_id", "fields", "note", "run", "sent_at", "queued_at", "seen", "released", "before",
}  # fmt: skip


def _read_final(content: object) -> FinalRequest:
    request = only(content, _FINAL_KEYS)
    # all values at once, as there are so many; one by one only where something may be wrong
    if not _TEXT_ONLY.issuperset(map(type, request.values())) or "" in request.values():
        _check_final(request)
    identifier, remembered = request.get("id"), request.get("digest")
    return FinalRequest(
        _OUTCOMES.get(request["outcome"]) or _read(Outcome, request["outcome"]),
        RunID(request["run"]),
        _moment_of(request["sent_at"]),
        _moment_of(request["settled_at"]),
        None if identifier is None else RequestID(identifier),
        request.get("reason", ""),
        None if remembered is None else Digest(remembered),
    )


def _check_final(request: Mapping[str, Any]) -> None:
    """Of all that is said of it, only the reason may be empty. Raises BrokenError."""
    for name, value in request.items():
        as_text(value) if name == "reason" else _not_empty(value)


def _read_open(content: object) -> OpenRequest:
    request = only(content, _OPEN_KEYS)
    identifier = request["request_id"]
    return OpenRequest(
        payload=Payload(_fields(request.get("fields", {})), _note(request)),
        run=RunID(_not_empty(request["run"])),
        sent_at=_moment(request["sent_at"]),
        request_id=None if identifier is None else RequestID(_not_empty(identifier)),
        queued_at=_moment(request["queued_at"]) if "queued_at" in request else None,
        seen=_flag(request.get("seen", False)),
        released=tuple(map(as_text, _list(request.get("released", [])))),
        before=_fields(request.get("before", {})),
    )


def _read_replaced(content: object) -> Replaced:
    replaced = only(content, {"at", "values"})
    return Replaced(_moment(replaced["at"]), _fields(replaced["values"]))


def _read_displaced(content: object) -> Displaced:
    displaced = only(content, {"pending", "request"})
    final = _read_final(displaced["request"]) if "request" in displaced else None
    return Displaced(_read_open(displaced["pending"]), final)


def as_mapping(content: object) -> dict[str, Any]:
    """What is a mapping. Raises BrokenError."""
    if not isinstance(content, dict):
        raise BrokenError(f"a mapping should stand where {content!r:.60} stands")
    return content


def _list(content: object) -> list[Any]:
    if not isinstance(content, list):
        raise BrokenError(f"a list should stand where {content!r:.60} stands")
    return content


def _flag(content: object) -> bool:
    if not isinstance(content, bool):
        raise BrokenError(f"true or false should stand where {content!r:.60} stands")
    return content


def only(content: object, keys: set[str]) -> dict[str, Any]:
    """A mapping with no other keys than these. Raises BrokenError."""
    found = as_mapping(content)
    if not keys.issuperset(found):
        unknown = next(key for key in found if key not in keys)
        raise BrokenError(f"{unknown!r} is not known to this version")
    return found


def as_text(content: object) -> str:
    """What is text. Raises BrokenError."""
    if not isinstance(content, str):
        raise BrokenError(f"text should stand where {content!r:.60} stands")
    return content


def _not_empty(content: object) -> str:
    if not (text := as_text(content)):
        raise BrokenError("empty text stands where something should")
    return text


def as_text_or_none(content: object) -> str | None:
    """Text or nothing. Raises BrokenError."""
    return None if content is None else as_text(content)


def _fields(content: object) -> dict[str, Value]:
    found = as_mapping(content)
    if not _TEXTS.issuperset(map(type, found.values())):
        as_text(next(value for value in found.values() if type(value) not in _TEXTS))
    return found


def _note(content: Mapping[str, Any]) -> Value | Absent:
    return as_text_or_none(content["note"]) if "note" in content else ABSENT


def _moment(content: object) -> datetime:
    return _moment_of(as_text(content))


@lru_cache(_MOMENTS_KEPT)
def _moment_of(text: str) -> datetime:
    return _read(read_moment, text)


_T = TypeVar("_T")


def _read(reader: Callable[[str], _T], text: str) -> _T:
    try:
        return reader(text)
    except (ValueError, OverflowError) as error:  # a moment may lie outside of the calendar
        raise BrokenError(str(error)) from None
