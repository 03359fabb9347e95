"""Seeded workspaces: the same shape, the same bytes.

An opportunity has a GUID, a label, a note in three cases of ten, and eight fields. With `locked`
everything is recorded already, so that a plan has nothing to do but for what was edited since.
"""

import json
import random
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

from lsq_sync.core.model import Account
from lsq_sync.core.state import Entry, FinalRequest, Outcome, Recorded, RequestID, RunID
from lsq_sync.core.values import ABSENT
from lsq_sync.lock import format as lock_format

LOCK = "lsq-sync.lock"
TYPE_SCHEMA = Path(__file__).parents[1] / "schemas/types/loan.schema.json"

_NOTE = "Called, will call back"
_ACCOUNT = Account("bench", "http://127.0.0.1:9", None)
_SENT = datetime(2026, 11, 1, tzinfo=UTC)
_INDIA = timezone(timedelta(hours=5, minutes=30))
_SOURCES = ("Website", "Referral", "Branch", "Partner")
_DOCUMENTS = ("PAN", "Aadhaar", "Bank Statement", "Salary Slip")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a workspace looks like.

    `mixed` are opportunities of which no two look alike: fields in any order, some quoted. `edited`
    is the share, in per cent, of which one field is not what the lock says; they stand in all files
    alike, or `gathered` in as few as can be.
    """

    opportunities: int
    files: int = 1
    typed: bool = False
    mixed: bool = False
    locked: bool = False
    edited: int = 0
    gathered: bool = False

    def is_edited(self, number: int) -> bool:
        """Whether the opportunity of this number is; it stands in the file `number % files`."""
        if self.gathered:
            return number % self.files < self.files * self.edited / 100
        return (number // self.files + number % self.files) * self.edited % 100 < self.edited


class _Field(NamedTuple):
    """As a spec says it, and as it is recorded."""

    name: str
    written: str
    recorded: str


class _Opportunity(NamedTuple):
    key: str
    note: str
    fields: tuple[_Field, ...]


def make(root: Path, shape: Shape) -> Path:
    """A workspace of this shape, in a folder that is not there yet; that folder."""
    (root / "specs").mkdir(parents=True)
    account = {name: getattr(_ACCOUNT, name) for name in ("name", "async_host", "host")}
    settings = json.dumps({"version": 1, "account": account})
    (root / "lsq-sync.yaml").write_text(settings, encoding="utf-8")
    if shape.typed:
        (root / "schemas/types").mkdir(parents=True)
        shutil.copy(TYPE_SCHEMA, root / "schemas/types")
    every = list(_opportunities(shape))
    _write_specs(root, shape, every)
    if shape.locked:
        entries = {one.key: _entry(shape, one) for one in every}
        (root / LOCK).write_bytes(lock_format.dump(Recorded(_ACCOUNT, entries)))
    return root


def edit(root: Path, shape: Shape) -> None:
    """Writes the specs of a workspace again, with another choice of what is edited."""
    _write_specs(root, shape, list(_opportunities(shape)))


def _write_specs(root: Path, shape: Shape, opportunities: list[_Opportunity]) -> None:
    head = "version: 1\ntype: loan\n" if shape.typed else "version: 1\n"
    shown = [_mixed(one) for one in opportunities] if shape.mixed else opportunities
    listed = [_text(one, edited=shape.is_edited(number)) for number, one in enumerate(shown)]
    for number in range(shape.files):
        text = f"{head}opportunities:\n{''.join(listed[number :: shape.files])}"
        (root / f"specs/part-{number:03}.yaml").write_text(text, encoding="utf-8")


def _opportunities(shape: Shape) -> Iterator[_Opportunity]:
    chance = random.Random(shape.opportunities)
    fields = _typed_fields if shape.typed else _untyped_fields
    for _ in range(shape.opportunities):
        key = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        note = _NOTE if chance.random() < 0.3 else ""
        yield _Opportunity(key, note, tuple(fields(chance)))


def _mixed(one: _Opportunity) -> _Opportunity:
    chance = random.Random(one.key)
    fields = [
        field._replace(written=f"'{field.written}'") if chance.random() < 0.4 else field
        for field in one.fields
    ]
    return one._replace(fields=tuple(chance.sample(fields, len(fields))))


def _text(one: _Opportunity, *, edited: bool) -> str:
    fields = "".join(f"      {field.name}: {field.written}\n" for field in one.fields)
    if edited:
        fields = fields.replace("value", "other", 1)
    note = f"    note: {one.note}\n" if one.note else ""
    return f"  {one.key}:\n    label: Opportunity {one.key[:4]}\n{note}    fields:\n{fields}"


def _untyped_fields(chance: random.Random) -> Iterator[_Field]:
    for number in range(1, 9):
        value = f"value {chance.randrange(10**8):08}"
        yield _Field(f"mx_Custom_{number}", value, value)


def _typed_fields(chance: random.Random) -> Iterator[_Field]:
    """As people write them: with thousands commas, with an offset, as a list."""
    text = f"value {chance.randrange(10**8):08}"
    whole, size = chance.randrange(1_000, 10**7), chance.randrange(1_000, 10**7)
    moment = _SENT + timedelta(minutes=chance.randrange(10**6))
    in_india = moment.astimezone(_INDIA).isoformat()
    plain = f"{moment:%Y-%m-%d %H:%M:%S}"
    day = moment.date().isoformat()
    source = chance.choice(_SOURCES)
    word = chance.choice(("true", "false"))
    documents = chance.sample(_DOCUMENTS, 2)
    yield _Field("mx_Custom_1", text, text)
    yield _Field("mx_Custom_3", source, source)
    yield _Field("mx_Custom_6", f'"{whole:,}"', str(whole))
    yield _Field("mx_Custom_7", str(size), str(size))
    yield _Field("mx_Custom_8", chance.choice((plain, in_india)), plain)
    yield _Field("mx_Custom_13", day, day)
    yield _Field("mx_Custom_14", word, word)
    yield _Field("mx_Custom_15", f"[{', '.join(documents)}]", ";".join(documents))


def _entry(shape: Shape, one: _Opportunity) -> Entry:
    request = FinalRequest(
        Outcome.SUCCEEDED,
        run=RunID("20261101T000000Z-000001"),
        sent_at=_SENT,
        settled_at=_SENT,
        request_id=RequestID(f"r-{one.key}"),
    )
    return Entry(
        type="loan" if shape.typed else "",
        fields={field.name: field.recorded for field in one.fields},
        note=one.note or ABSENT,
        request=request,
    )
