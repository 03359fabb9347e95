"""Recorded state <-> bytes. Pure; strict when reading, because a guess here repeats an update.

One opportunity a line, and between two of them a line that holds only a comma, so that git
merges record by record: a change of one record never touches the line of its neighbour.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

from lsq_sync.core.digest import Digest
from lsq_sync.core.model import Account
from lsq_sync.core.moment import moment, read_moment
from lsq_sync.core.state import (
    Displaced,
    Entry,
    FinalRequest,
    OpenRequest,
    Outcome,
    Payload,
    Recorded,
    Replaced,
    RequestID,
    RunID,
)
from lsq_sync.core.values import ABSENT, Absent, Value
from lsq_sync.errors import Diagnostic, LockError, Origin

FORMAT = "lsq-sync/lock/v1"

_TEXTS = frozenset({str, type(None)})
_MOMENTS_KEPT = 4096
"""Many records were settled in the same second."""

MARKERS = ("<<<<<<< ", "=======", ">>>>>>> ", "||||||| ")


def dump(recorded: Recorded) -> bytes:
    """The lock file of this state: the same state, the same bytes."""
    head = json.dumps({"format": FORMAT, "account": _account(recorded.account)})
    lines = [
        f"{json.dumps(key, ensure_ascii=False)}: {_line(entry_to_json(entry))}"
        for key, entry in sorted(recorded.entries.items())
    ]
    body = "\n,\n".join(lines) + ("\n" if lines else "")
    text = f'{head[:-1]}, "opportunities": {{\n{body}}}}}\n'
    return text.encode("utf-8", "backslashreplace")  # a lone surrogate becomes its JSON escape


def load(data: bytes, file: str) -> Recorded:
    """The state in a lock file.

    Raises LockError, with the place and the repair step, for anything that `dump` does not write:
    conflict markers, truncation, duplicate keys, an unknown version, edits that break the form.
    """
    text = text_of(data, file)
    _refuse_conflict_markers(text, file)
    content = _parse(text, file)
    version = content.get("format") if isinstance(content, dict) else None
    if version != FORMAT:
        _refuse_version(version, file)
    try:
        _only(content, {"format", "account", "opportunities"})
        entries = {
            key: _entry_at(key, entry) for key, entry in _dict(content["opportunities"]).items()
        }
        return Recorded(_read_account(content.get("account", {})), entries)
    except _BrokenError as fault:
        _refuse_edit(str(fault), text, file)
    except KeyError as fault:
        _refuse_edit(f"{fault} is missing", text, file)


def _line(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


# --- refusals


def restore_hint(file: str) -> str:
    """How to get the last good lock back."""
    return f"restore the last good version, then run the command again:\n\n  git checkout -- {file}"


def _refuse(file: str, line: int, message: str, hint: str) -> NoReturn:
    place = Diagnostic(Origin(file, line), "lock", message, hint)
    raise LockError(f"{Origin(file, line)}: {message}", hint=hint, diagnostics=(place,))


def text_of(data: bytes, file: str) -> str:
    """The text of a lock file, whatever it says. Raises LockError when it is none."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        _refuse(file, line, "the lock is not UTF-8", restore_hint(file))


def _refuse_conflict_markers(text: str, file: str) -> None:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.startswith(MARKERS):
            hint = "bring both sides together, record by record:\n\n  lsq-sync state merge"
            _refuse(file, number, "the lock holds git conflict markers", hint)


def _parse(text: str, file: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        what = "is cut off" if _is_at_the_end(error, text) else "is not valid JSON"
        _refuse(file, error.lineno, f"the lock {what}: {error.msg}", restore_hint(file))
    except RecursionError:
        _refuse(file, 1, "the lock is nested too deep", restore_hint(file))
    except _BrokenError as fault:
        _refuse_edit(str(fault), text, file)
    except ValueError:
        _refuse(file, 1, "the lock is not valid JSON: a number is too long", restore_hint(file))


def _is_at_the_end(error: json.JSONDecodeError, text: str) -> bool:
    """A string without an end is reported where it begins."""
    return error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string")


def _refuse_version(version: object, file: str) -> NoReturn:
    if isinstance(version, str) and version.startswith("lsq-sync/lock/"):
        hint = "install the version of lsq-sync that wrote it, or a newer one"
        _refuse(file, 1, f"the lock has the format {version}, this version reads {FORMAT}", hint)
    _refuse(file, 1, "this is not a lock file of lsq-sync", restore_hint(file))


def _refuse_edit(message: str, text: str, file: str) -> NoReturn:
    key = message.partition('"')[2].partition('"')[0]
    line = text[: text.find(f'"{key}"')].count("\n") + 1 if key and key in text else 1
    _refuse(file, line, f"the lock is damaged: {message}", restore_hint(file))


class _BrokenError(ValueError):
    """Something in the file does not have its form."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _BrokenError(f'the key "{twice}" stands there twice')
    return found


# --- entries


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
    return _filled(content, entry.note)


def _filled(content: dict[str, Any], note: Value | Absent) -> dict[str, Any]:
    """A note that is empty stands there as null; one that was never recorded does not."""
    kept = {key: value for key, value in content.items() if value not in (None, "", {}, [], False)}
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
    return _filled(content, ABSENT)


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
    return {"request_id": request.request_id, **_filled(content, request.payload.note)}


def _replaced(replaced: Replaced) -> dict[str, Any]:
    return {"at": moment(replaced.at), "values": dict(sorted(replaced.values.items()))}


def _displaced(displaced: Displaced) -> dict[str, Any]:
    content = {
        "pending": _open(displaced.pending),
        "request": displaced.request and _final(displaced.request),
    }
    return _filled(content, ABSENT)


def _account(account: Account | None) -> dict[str, Any]:
    known = asdict(account).items() if account else ()
    return {name: value for name, value in known if value is not None}


# --- reading


def _entry_at(key: str, content: object) -> Entry:
    try:
        return entry_from_json(content)
    except _BrokenError as fault:
        raise _BrokenError(f'the entry "{key}": {fault}') from None
    except KeyError as fault:
        raise _BrokenError(f'the entry "{key}": {fault} is missing') from None


def entry_from_json(content: object) -> Entry:
    """The entry of such a mapping; ValueError when it does not have the form."""
    entry = _only(content, _ENTRY_KEYS)
    return Entry(
        type=_text(entry.get("type", "")),
        guid=_text(entry.get("guid", "")),
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
    request = _only(content, _FINAL_KEYS)
    return FinalRequest(
        outcome=_read(Outcome, request["outcome"]),
        run=RunID(_filled_text(request["run"])),
        sent_at=_moment(request["sent_at"]),
        settled_at=_moment(request["settled_at"]),
        request_id=RequestID(_filled_text(request["id"])) if "id" in request else None,
        reason=_text(request.get("reason", "")),
        digest=Digest(_filled_text(request["digest"])) if "digest" in request else None,
    )


def _read_open(content: object) -> OpenRequest:
    request = _only(content, _OPEN_KEYS)
    identifier = request["request_id"]
    return OpenRequest(
        payload=Payload(_fields(request.get("fields", {})), _note(request)),
        run=RunID(_filled_text(request["run"])),
        sent_at=_moment(request["sent_at"]),
        request_id=None if identifier is None else RequestID(_filled_text(identifier)),
        queued_at=_moment(request["queued_at"]) if "queued_at" in request else None,
        seen=_flag(request.get("seen", False)),
        released=tuple(map(_text, _list(request.get("released", [])))),
        before=_fields(request.get("before", {})),
    )


def _read_replaced(content: object) -> Replaced:
    replaced = _only(content, {"at", "values"})
    return Replaced(_moment(replaced["at"]), _fields(replaced["values"]))


def _read_displaced(content: object) -> Displaced:
    displaced = _only(content, {"pending", "request"})
    final = _read_final(displaced["request"]) if "request" in displaced else None
    return Displaced(_read_open(displaced["pending"]), final)


def _read_account(content: object) -> Account | None:
    account = _only(content, {"name", "async_host", "host", "short_code"})
    if not account:
        return None
    return Account(
        name=_text(account["name"]),
        async_host=_text(account["async_host"]),
        host=_maybe_text(account.get("host")),
        short_code=_maybe_text(account.get("short_code")),
    )


def _dict(content: object) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise _BrokenError(f"a mapping should stand where {content!r:.60} stands")
    return content


def _list(content: object) -> list[Any]:
    if not isinstance(content, list):
        raise _BrokenError(f"a list should stand where {content!r:.60} stands")
    return content


def _flag(content: object) -> bool:
    if not isinstance(content, bool):
        raise _BrokenError(f"true or false should stand where {content!r:.60} stands")
    return content


def _only(content: object, keys: set[str]) -> dict[str, Any]:
    found = _dict(content)
    if not found.keys() <= keys:
        unknown = next(key for key in found if key not in keys)
        raise _BrokenError(f"{unknown!r} is not known to this version")
    return found


def _text(content: object) -> str:
    if not isinstance(content, str):
        raise _BrokenError(f"text should stand where {content!r:.60} stands")
    return content


def _filled_text(content: object) -> str:
    if not (text := _text(content)):
        raise _BrokenError("empty text stands where something should")
    return text


def _maybe_text(content: object) -> str | None:
    return None if content is None else _text(content)


def _fields(content: object) -> dict[str, Value]:
    found = _dict(content)
    if not _TEXTS.issuperset(map(type, found.values())):
        _text(next(value for value in found.values() if type(value) not in _TEXTS))
    return found


def _note(content: Mapping[str, Any]) -> Value | Absent:
    return _maybe_text(content["note"]) if "note" in content else ABSENT


def _moment(content: object) -> datetime:
    return _moment_of(_text(content))


@lru_cache(_MOMENTS_KEPT)
def _moment_of(text: str) -> datetime:
    return _read(read_moment, text)


_T = TypeVar("_T")


def _read(reader: Callable[[str], _T], text: str) -> _T:
    try:
        return reader(text)
    except (ValueError, OverflowError) as error:  # a moment may lie outside of the calendar
        raise _BrokenError(str(error)) from None
