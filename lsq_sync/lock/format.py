"""Recorded state <-> bytes. Pure; strict when reading, because a guess here repeats an update.

A lock in the form in which it is written is read part by part; any other is read at once, and all
that is wrong is told there. `lines.py` reads the lines without a look at what is in them.

One opportunity a line, and between two of them a line that holds only a comma, so that git
merges record by record: a change of one record never touches the line of its neighbour.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any, NoReturn

from lsq_sync.core.model import Account
from lsq_sync.core.state import Entry, Recorded
from lsq_sync.errors import Diagnostic, LockError, Origin
from lsq_sync.lock.entry import (
    BrokenError,
    as_mapping,
    as_text,
    as_text_or_none,
    entry_from_json,
    entry_to_json,
    only,
)

FORMAT = "lsq-sync/lock/v1"

_KEYS = {"format", "account", "opportunities"}
OPENED, COMMA, CLOSED = b'"opportunities": {\n', b",\n", b"}}\n"
"""What stands before the first entry, between two of them, and behind the last."""

_BETWEEN = b"\n" + COMMA

_PART = 256 * 1024

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode

MARKERS = ("<<<<<<< ", "=======", ">>>>>>> ", "||||||| ")


def dump(recorded: Recorded) -> bytes:
    """The lock file of this state: the same state, the same bytes."""
    return b"".join(pieces(recorded))


def pieces(recorded: Recorded) -> Iterator[bytes]:
    """What `dump` puts together; nothing keeps a large lock in memory then."""
    entries = recorded.entries
    return pieces_with(recorded.account, (line_of(key, entries[key]) for key in sorted(entries)))


def pieces_with(account: Account | None, lines: Iterable[bytes]) -> Iterator[bytes]:
    """A lock with these lines of entries."""
    head = json.dumps({"format": FORMAT, "account": _account(account)})
    yield head[:-1].encode() + b", " + OPENED
    for number, line in enumerate(lines):
        if number:
            yield COMMA
        yield line
    yield CLOSED


def line_of(key: str, entry: Entry) -> bytes:
    """The line of an entry."""
    text = f"{_encode(key)}: {_encode(entry_to_json(entry))}\n"
    return text.encode("utf-8", "backslashreplace")  # a lone surrogate becomes its JSON escape


def load(data: bytes, file: str) -> Recorded:
    """The state in a lock file.

    Raises LockError, with the place and the repair step, for anything that `dump` does not write:
    conflict markers, truncation, duplicate keys, an unknown version, edits that break the form.
    """
    return _loaded_in_parts(data) or _loaded_at_once(data, file)


def _loaded_in_parts(data: bytes) -> Recorded | None:
    """The state, if the file has the form that `dump` gives it; None where anything is amiss.

    So no more than a part of a large file is in memory a second time.
    """
    head = data[: data.find(b"\n") + 1]
    if not (head.endswith(OPENED) and data.endswith(CLOSED)):
        return None
    entries: dict[str, Entry] = {}
    count = 0
    try:
        content = json.loads(f"{head.decode()}{CLOSED.decode()}", object_pairs_hook=_unique)
        if content.keys() != _KEYS or content["format"] != FORMAT:
            return None
        for part in _parts(data, len(head), len(data) - len(CLOSED)):
            found = json.loads(f"{{{part.decode()}}}", object_pairs_hook=_unique)
            entries.update((key, entry_from_json(entry)) for key, entry in found.items())
            count += len(found)
        account = _read_account(content["account"])
    except (ValueError, KeyError, RecursionError):
        return None
    return Recorded(account, entries) if len(entries) == count else None


def _parts(data: bytes, start: int, end: int) -> Iterator[bytes]:
    """The entries between two places, many at a time; ValueError for a comma without neighbours."""
    while start < end:
        cut = data.find(_BETWEEN, start + _PART, end)
        is_last = cut < 0
        part = data[start : end if is_last else cut]
        start = end if is_last else cut + len(_BETWEEN)
        if not part.strip() or (start == end and not is_last):
            raise ValueError("an entry should stand on both sides of a comma")
        yield part


def _loaded_at_once(data: bytes, file: str) -> Recorded:
    """The state in any form that is JSON, and the exact words for what is wrong."""
    text = text_of(data, file)
    _refuse_conflict_markers(text, file)
    content = _parse(text, file)
    version = content.get("format") if isinstance(content, dict) else None
    if version != FORMAT:
        _refuse_version(version, file)
    try:
        only(content, _KEYS)
        entries = {
            key: _entry_at(key, entry)
            for key, entry in as_mapping(content["opportunities"]).items()
        }
        return Recorded(_read_account(content.get("account", {})), entries)
    except BrokenError as fault:
        _refuse_edit(str(fault), text, file)
    except KeyError as fault:
        _refuse_edit(f"{fault} is missing", text, file)


# --- parts of it


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise BrokenError(f'the key "{twice}" stands there twice')
    return found


def _account(account: Account | None) -> dict[str, Any]:
    known = asdict(account).items() if account else ()
    return {name: value for name, value in known if value is not None}


def _entry_at(key: str, content: object) -> Entry:
    try:
        return entry_from_json(content)
    except BrokenError as fault:
        raise BrokenError(f'the entry "{key}": {fault}') from None
    except KeyError as fault:
        raise BrokenError(f'the entry "{key}": {fault} is missing') from None


def _read_account(content: object) -> Account | None:
    account = only(content, {"name", "async_host", "host", "short_code"})
    if not account:
        return None
    return Account(
        name=as_text(account["name"]),
        async_host=as_text(account["async_host"]),
        host=as_text_or_none(account.get("host")),
        short_code=as_text_or_none(account.get("short_code")),
    )


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
    except BrokenError as fault:
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
