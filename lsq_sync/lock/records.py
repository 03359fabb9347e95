"""Journal records <-> bytes. Pure.

A record is one line: length, digest, JSON. Each carries the offset at which its group began; a
group is written only after the one before it is durable. So a torn tail (cut, no harm: nothing
of it was sent) can be told from damage in the middle (refused: it may hide a RequestID): behind
the break, a torn group leaves no records but its own.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lsq_sync.core.events import (
    Accepted,
    Adopted,
    Event,
    GivenUp,
    Intended,
    Lapsed,
    Lost,
    Queued,
    Rejected,
    Rekeyed,
    Released,
    Seen,
    Succeeded,
    Withdrawn,
)
from lsq_sync.core.moment import moment, read_moment
from lsq_sync.core.state import Payload, RequestID, RunID
from lsq_sync.core.values import ABSENT

FORMAT = "lsq-sync/journal/v1"

_DIGEST_LENGTH = 16
_HEAD = re.compile(rb'([0-9a-f]{8}) ([0-9a-f]{%d}) (?=\{"group":)' % _DIGEST_LENGTH)
"""Of a record; it cannot occur inside of one, where quotes of text are escaped."""


@dataclass(frozen=True, slots=True)
class Journal:
    """What a journal holds: its events, how many bytes of it count, and whether that is sound.

    `damaged_at` is the offset of a record that was durable once and cannot be read now.
    """

    events: tuple[Event, ...]
    length: int
    damaged_at: int | None = None
    format: str = FORMAT


def encode(events: Iterable[Event], offset: int) -> bytes:
    """A group of records, to be appended at `offset`."""
    return b"".join(_encode_line({"group": offset, **_event_to_json(event)}) for event in events)


def encode_header() -> bytes:
    """The first record of a journal."""
    return _encode_line({"group": 0, "format": FORMAT})


def decode(data: bytes) -> Journal:
    """What the bytes of a journal say; a torn tail is left out."""
    contents, length = _sound_part(data)
    torn = {length, *(content["group"] for content in contents[-1:])}
    damaged_at = length if _has_other_groups(data, length, torn) else None
    version = contents[0].get("format", "") if contents else FORMAT
    if version != FORMAT:
        return Journal((), length, damaged_at, format=str(version))
    return Journal(tuple(map(_event_from_json, contents[1:])), length, damaged_at)


# --- lines


def _encode_line(content: Mapping[str, Any]) -> bytes:
    body = json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode()
    return b"%08x %s %s\n" % (len(body), _digest(body), body)


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest()[:_DIGEST_LENGTH].encode()


def _sound_part(data: bytes) -> tuple[list[dict[str, Any]], int]:
    """The records up to the first that is broken, or stands where it was not written."""
    contents = []
    offset = group = 0
    while (found := _line_at(data, offset)) and found[0]["group"] in (offset, group):
        content, offset = found
        group = content["group"]
        contents.append(content)
    return contents, offset


def _line_at(data: bytes, offset: int) -> tuple[dict[str, Any], int] | None:
    """The record at this offset and where the next one begins; None if it is not sound."""
    head = _HEAD.match(data, offset)
    if head is None:
        return None
    end = head.end() + int(head[1], 16)
    body = data[head.end() : end]
    if data[end : end + 1] != b"\n" or _digest(body) != head[2]:
        return None
    content: dict[str, Any] = json.loads(body)
    return content, end + 1


def _has_other_groups(data: bytes, start: int, torn: set[int]) -> bool:
    """Whether there is a record after `start` of another group than these."""
    found = (_line_at(data, head.start()) for head in _HEAD.finditer(data, start))
    return any(record[0]["group"] not in torn for record in found if record)


# --- events

_NAMES: dict[type[Event], str] = {
    Intended: "intended",
    Accepted: "accepted",
    Withdrawn: "withdrawn",
    Lost: "lost",
    Queued: "queued",
    Succeeded: "succeeded",
    Seen: "seen",
    Lapsed: "lapsed",
    GivenUp: "given-up",
    Rekeyed: "rekeyed",
    Rejected: "rejected",
    Adopted: "adopted",
    Released: "released",
}
_EVENTS = {name: event for event, name in _NAMES.items()}


def _event_to_json(event: Event) -> dict[str, Any]:
    content: dict[str, Any] = {"event": _NAMES[type(event)]}
    for name in event.__dataclass_fields__:
        value = getattr(event, name)
        if name == "at":
            value = moment(value)
        elif name == "payload":
            value = {"fields": dict(value.fields)} | _note(value)
        elif name == "before":
            value = dict(value)
        content[name] = value
    return content


def _note(payload: Payload) -> dict[str, Any]:
    return {} if payload.note is ABSENT else {"note": payload.note}


def _event_from_json(content: Mapping[str, Any]) -> Event:
    kind = _EVENTS[content["event"]]
    values = {name: content[name] for name in kind.__dataclass_fields__ if name in content}
    values["at"] = read_moment(values["at"])
    if "payload" in values:
        payload = values["payload"]
        values["payload"] = Payload(payload["fields"], payload.get("note", ABSENT))
    if "names" in values:
        values["names"] = tuple(values["names"])
    for name, reader in (("run", RunID), ("request_id", RequestID)):
        if values.get(name) is not None:
            values[name] = reader(values[name])
    return kind(**values)
