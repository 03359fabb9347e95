"""The two sides of a git conflict in the lock become one, record by record. Pure.

Lines are what git merges, and a record is a line. The lines of each side are put together again
and read as strictly as any lock; then each opportunity is decided by itself.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from lsq_sync.core.model import Account
from lsq_sync.core.state import (
    Displaced,
    Entry,
    FinalRequest,
    OpenRequest,
    Outcome,
    Recorded,
    is_same_request,
)
from lsq_sync.core.values import ABSENT
from lsq_sync.errors import LockError
from lsq_sync.lock import format as lock_format
from lsq_sync.lock.entry import entry_to_json

_OURS, _BASE, _SPLIT, _THEIRS = "<<<<<<< ", "||||||| ", "=======", ">>>>>>> "
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Decision:
    """Which side an opportunity was taken from where they differed, and why."""

    key: str
    why: str


@dataclass(frozen=True, slots=True)
class Merged:
    """The state of both sides, and what had to be decided."""

    recorded: Recorded
    decisions: tuple[Decision, ...]


def has_markers(text: str) -> bool:
    """Whether git has left a conflict in this lock."""
    return any(line.startswith(lock_format.MARKERS) for line in text.split("\n"))


def merge(text: str, file: str) -> Merged:
    """The lock without its conflict.

    Raises LockError when a side is no lock, when the sides are of different accounts, and when
    both have an open request for one opportunity: a lock can remember only one, and none may be
    dropped.
    """
    ours, theirs = (lock_format.load(_side(text, side, file), file) for side in (True, False))
    return merge_since(None, ours, theirs, file)


def merge_since(base: Recorded | None, ours: Recorded, theirs: Recorded, file: str) -> Merged:
    """Both states together: what only one side changed since `base` is taken as it is there.

    Raises LockError as `merge` does.
    """
    _refuse_other_account(ours, theirs, file)
    sides = {
        key: (ours.entries.get(key), theirs.entries.get(key))
        for key in sorted({*ours.entries, *theirs.entries})
    }
    contested = {key: both for key, both in sides.items() if _is_contested(base, key, *both)}
    _refuse_two_open(contested, file)
    entries, decisions = {}, []
    for key, (left, right) in sides.items():
        entry = _merged(left, right) if key in contested else _changed(base, key, left, right)
        if entry is not None:
            entries[key] = entry
        if key in contested and left != right and left is not None and right is not None:
            decisions.append(Decision(key, _why(left, right)))
    account = _with_short_code(ours.account, theirs.account)
    return Merged(Recorded(account, entries), tuple(decisions))


def _is_contested(base: Recorded | None, key: str, left: Entry | None, right: Entry | None) -> bool:
    if base is None:
        return True
    return left != right and base.entries.get(key) not in (left, right)


def _changed(
    base: Recorded | None, key: str, left: Entry | None, right: Entry | None
) -> Entry | None:
    return right if base and left == base.entries.get(key) else left


# --- sides


def _side(text: str, is_ours: bool, file: str) -> bytes:
    """One side as a lock of its own: its header, and its records with commas between them."""
    lines = [line.rstrip("\r") for line in _lines(text, is_ours, file)]
    head, *rest = [line for line in lines if line not in ("", ",")] or [""]
    records = [line.removesuffix(",") for line in rest if not line.startswith("}}")]
    return "\n".join((head, "\n,\n".join(records), "}}", "")).encode("utf-8", "surrogatepass")


def _lines(text: str, is_ours: bool, file: str) -> Iterator[str]:
    part = ""
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        if line.startswith((_OURS, _BASE, _THEIRS)) or (part and line.startswith(_SPLIT)):
            part = _next_part(part, line, number, file)
        elif part == "" or part == (_OURS if is_ours else _SPLIT):
            yield line
    if part:
        raise _unreadable(file, "a conflict begins and does not end")


def _next_part(part: str, line: str, number: int, file: str) -> str:
    followers = {"": (_OURS,), _OURS: (_BASE, _SPLIT), _BASE: (_SPLIT,), _SPLIT: (_THEIRS,)}
    found = next(mark for mark in (_OURS, _BASE, _SPLIT, _THEIRS) if line.startswith(mark))
    if found not in followers[part]:
        raise _unreadable(file, f"the conflict marker in line {number} stands in no conflict")
    return "" if found == _THEIRS else found


def _unreadable(file: str, what: str) -> LockError:
    return LockError(
        f"{file}: {what}",
        hint=f"bring the conflict back as git made it:\n\n  git checkout --merge -- {file}",
    )


# --- refusals


def _refuse_other_account(ours: Recorded, theirs: Recorded, file: str) -> None:
    if ours.account and theirs.account and not ours.account.is_same_as(theirs.account):
        raise LockError(
            f"the two sides of {file} belong to different accounts: "
            f"{ours.account.name!r} at {ours.account.async_host}, "
            f"{theirs.account.name!r} at {theirs.account.async_host}",
            hint="one account is one workspace: take the side of the account in lsq-sync.yaml:"
            f"\n\n  git checkout --ours -- {file}",
        )


def _refuse_two_open(contested: Mapping[str, tuple[Entry | None, Entry | None]], file: str) -> None:
    both = [key for key, (left, right) in contested.items() if _both_open(left, right)]
    if both:
        more = f" and {len(both) - 3} more" if len(both) > 3 else ""
        raise LockError(
            f"both sides of {file} have an open request of their own for "
            f"{', '.join(both[:3])}{more}, and neither may be forgotten",
            hint="end the merge (git merge --abort), let one side learn its outcomes, commit its "
            "lock, and merge again:\n\n  lsq-sync status --wait",
        )


def _both_open(left: Entry | None, right: Entry | None) -> bool:
    """Two different requests, neither of which the other side knows the end of."""
    if left is None or right is None:
        return False
    first, second = _still_open(left, right), _still_open(right, left)
    return first is not None and second is not None and not is_same_request(first, second)


def _still_open(entry: Entry, other: Entry) -> OpenRequest | None:
    """What is open on a side, unless the other side has its end."""
    opened, final = entry.pending, other.request
    if opened is None or (final is not None and is_same_request(final, opened)):
        return None
    return opened


# --- one opportunity


def _merged(left: Entry | None, right: Entry | None) -> Entry:
    if left is None or right is None:
        only = left or right
        assert only is not None
        return only
    newer, older = _ranked(left, right)
    pending = _merged_open(_still_open(left, right), _still_open(right, left))
    return Entry(
        type=newer.type or older.type,
        guid=newer.guid or older.guid,
        fields={**older.fields, **newer.fields},
        note=older.note if newer.note is ABSENT else newer.note,
        request=max((left.request, right.request), key=_settled_at),
        pending=pending,
        displaced=_merged_displaced(pending, left, right),
    )


def _ranked(left: Entry, right: Entry) -> tuple[Entry, Entry]:
    """The side whose values were confirmed last, first; the same whichever is ours."""
    newer = max((left, right), key=_rank)
    return newer, left if newer is right else right


def _rank(entry: Entry) -> tuple[datetime, datetime, str]:
    return _confirmed_at(entry), _settled_at(entry.request)[0], _content(entry)


def _confirmed_at(entry: Entry) -> datetime:
    final = entry.request
    if entry.pending and entry.pending.seen:
        return entry.pending.sent_at
    return final.settled_at if final and final.outcome is Outcome.SUCCEEDED else _NEVER


def _settled_at(final: FinalRequest | None) -> tuple[datetime, str]:
    return (final.settled_at, repr(final)) if final else (_NEVER, "")


def _content(entry: Entry) -> str:
    return repr(sorted(entry_to_json(entry).items(), key=str))


def _merged_open(first: OpenRequest | None, second: OpenRequest | None) -> OpenRequest | None:
    """One of them, or what both sides have learnt of the same one."""
    if first is None or second is None:
        return first or second
    queued = [one.queued_at for one in (first, second) if one.queued_at]
    known = max((first, second), key=lambda one: (one.request_id is not None, repr(one)))
    return replace(
        known,
        queued_at=max(queued, default=None),
        seen=first.seen or second.seen,
        released=tuple(sorted({*first.released} & {*second.released})),
    )


def _merged_displaced(pending: OpenRequest | None, left: Entry, right: Entry) -> Displaced | None:
    """What the kept request took the place of, if no side has an answer to it yet."""
    if pending is None or pending.request_id is not None:
        return None
    of_it = [one for one in (left, right) if one.pending and is_same_request(one.pending, pending)]
    known = [one.displaced for one in of_it if one.displaced]
    return max(known, key=repr) if known and len(known) == len(of_it) else None


def _why(left: Entry, right: Entry) -> str:
    parts = list(_reasons(left, right))
    return "; ".join(parts) or "the sides know the same of it"


def _reasons(left: Entry, right: Entry) -> Iterator[str]:
    if (left.fields, left.note) != (right.fields, right.note):
        side = "ours" if _ranked(left, right)[0] is left else "theirs"
        yield f"values of {side}, which were confirmed last"
    for entry, other, side in ((left, right, "ours"), (right, left, "theirs")):
        if entry.pending and _still_open(entry, other):
            yield f"the open request of {side} is kept"
        elif entry.pending:
            yield f"the request that is open in {side} has ended in the other"


def _with_short_code(ours: Account | None, theirs: Account | None) -> Account | None:
    known: Iterable[Account] = [one for one in (ours, theirs) if one]
    first = next(iter(known), None)
    code = next((one.short_code for one in known if one.short_code), None)
    return replace(first, short_code=code) if first else None
