"""Saved plans: what was reviewed is what runs.

A plan file names, per record that it changes, digests of the desired values and of the recorded
entry. `apply` makes the plan anew from specs and lock and refuses if any of those moved; so a
plan file holds no secret, is never a source of values, and applies once.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lsq_sync.core.change import Action, Change, Plan
from lsq_sync.errors import Diagnostic, Origin, RefusedError, StorageError
from lsq_sync.lock.disk import PRIVATE, replace_file
from lsq_sync.render.document import Document, Rows, to_text

_MOVING = {Action.UPDATE.value, Action.ADOPT.value, Action.RELEASE.value}


_BY_WHAT_IS_LIVE = {Action.UPDATE, Action.ADOPT, Action.UNCHANGED, Action.CONFLICT}
_MAY_BE: dict[str, set[Action]] = {
    Action.UPDATE.value: _BY_WHAT_IS_LIVE,
    Action.ADOPT.value: _BY_WHAT_IS_LIVE,
}
"""What the CRM says now decides between these; desired and recorded are what they were."""


@dataclass(frozen=True, slots=True)
class SavedRecord:
    """What a plan file binds of one opportunity."""

    key: str
    action: str
    base: str
    desired: str


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """A plan file: what it does, to which account, against which state. Of a `refreshed` one, and
    in an apply that reads, the CRM decides which of its values are still to be sent."""

    name: str
    id: str
    async_host: str
    records: tuple[SavedRecord, ...]
    retry_rejected: bool
    resend_unknown: bool
    refreshed: bool = False


def save(path: Path, document: Document, options: dict[str, bool]) -> None:
    """Writes a plan document, readable by its owner only. Raises StorageError."""
    content = {**document, "options": options}
    sealed = {**content, "checksum": _checksum(content)}
    try:
        replace_file(path, to_text(sealed).encode(), PRIVATE)
    except OSError as error:
        hint = "name a file in a folder that can be written"
        raise StorageError(f"{path} cannot be written: {error.strerror}", hint=hint) from None


def load(path: Path, expected_format: str) -> SavedPlan:
    """The plan in a file. Raises RefusedError when it cannot be read, or was edited."""
    content = _content(path, expected_format)
    try:
        options = content["options"]
        return SavedPlan(
            name=path.name,
            id=content["id"],
            async_host=content["async_host"],
            records=tuple(map(_record, filter(_moves, content["opportunities"]))),
            retry_rejected=options["retry_rejected"],
            resend_unknown=options["resend_unknown"],
            refreshed=content["refreshed"],
        )
    except (KeyError, TypeError):
        raise _refused(f"{path.name} is no plan file of lsq-sync") from None


def check(saved: SavedPlan, plan: Plan) -> Plan:
    """The part of the plan that was saved. Raises RefusedError naming every record that moved."""
    if saved.async_host != plan.account.async_host:
        raise _refused(
            f"{saved.name} was made for {saved.async_host}, this account is at "
            f"{plan.account.async_host}"
        )
    changes = {change.key: change for change in plan.changes}
    moved = [why for record in saved.records if (why := _moved(record, changes.get(record.key)))]
    keys = {record.key for record in saved.records}
    part = replace(plan, changes=tuple(one for one in plan.changes if one.key in keys))
    if moved:
        count = f"{len(moved)} record{'s' if len(moved) > 1 else ''}"
        raise _stale(f"{saved.name} is stale: {count} moved since it was made", moved)
    if part.id != saved.id and not (saved.refreshed or plan.refreshed):
        raise _stale(f"{saved.name} is stale: it would not do what it did when it was made", [])
    return part


def _content(path: Path, expected_format: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes(), object_pairs_hook=_unique)
    except OSError as error:
        raise _refused(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise _refused(f"{path.name} is not a plan file: it is not valid JSON") from None
    if not isinstance(content, dict) or content.get("format") != expected_format:
        raise _refused(f"{path.name} is not a plan file of this version of lsq-sync")
    if "checksum" not in content:
        raise _refused(f"{path.name} was not written by plan --out")
    if content.pop("checksum") != _checksum(content):
        raise _refused(f"{path.name} was edited after it was made")
    return content


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Of a key that stands twice, people and programs may read different ones."""
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key stands there twice")
    return dict(pairs)


def _checksum(content: Document) -> str:
    """Of the content in sorted keys, as one JSON text; it is never there as a whole."""
    found = hashlib.sha256()
    before = "{"
    for key in sorted(content):
        found.update(f"{before}{_sorted_json(key)}:".encode())
        for text in _sorted_texts(content[key]):
            found.update(text.encode())
        before = ","
    found.update(b"}")
    return found.hexdigest()


def _sorted_texts(value: Any) -> Iterator[str]:
    if not isinstance(value, list | Rows) or not value:
        yield _sorted_json(value)
        return
    before = "["
    for one in value:
        yield f"{before}{_sorted_json(one)}"
        before = ","
    yield "]"


_sorted_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=list).encode


def _moves(content: dict[str, Any]) -> bool:
    parts = [*content["fields"], *([content["note"]] if content["note"] else [])]
    quiet = _MOVING - {Action.UPDATE.value}
    return content["action"] in _MOVING or any(part["action"] in quiet for part in parts)


def _record(content: dict[str, Any]) -> SavedRecord:
    return SavedRecord(content["id"], content["action"], content["base"], content["desired"])


def _moved(record: SavedRecord, change: Change | None) -> Diagnostic | None:
    why = _why_moved(record, change)
    if why is None:
        return None
    origin = (change and change.origin) or Origin("")
    return Diagnostic(origin, "moved", f"{record.key}: {why}")


def _why_moved(record: SavedRecord, change: Change | None) -> str | None:
    if change is None:
        return "neither the specs nor the lock have it any more"
    if change.desired != record.desired:
        return "the specs want other values now"
    if change.base != record.base:
        return "the lock says something else now (an update, a verdict, another apply)"
    if change.action not in _MAY_BE.get(record.action, {record.action}):
        return f"it was {record.action}, now it is {change.action.value}"
    return None


_HINT = "make a new plan, review it, and apply that one:\n\n  lsq-sync plan --out plan.json"


def _refused(message: str) -> RefusedError:
    return RefusedError(message, code="plan-file", hint=_HINT)


def _stale(message: str, moved: list[Diagnostic]) -> RefusedError:
    return RefusedError(message, code="stale-plan", hint=_HINT, diagnostics=tuple(moved))
