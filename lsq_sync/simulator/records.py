"""The opportunities as they stand, with enough of their past to show a read that lags behind."""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

REVISIONS_KEPT: Final = 200


@dataclass(frozen=True, slots=True)
class Revision:
    """What values were before a change at `at`; None: there was none."""

    at: float
    before: Mapping[str, str | None]


@dataclass(slots=True)
class Record:
    """One opportunity. Mutable: only `crm` changes it. `values` has flat names and raw text."""

    id: str
    code: int
    lead_id: str
    lead_email: str
    values: dict[str, str]
    touched: set[str]  # fields that ever held a value
    created_at: float = float("-inf")
    deleted_at: float = float("inf")
    modified_at: float = float("-inf")
    revisions: deque[Revision] = field(default_factory=lambda: deque(maxlen=REVISIONS_KEPT))

    def change(self, changes: Mapping[str, str], at: float) -> None:
        self.revisions.append(Revision(at, {name: self.values.get(name) for name in changes}))
        self.values.update(changes)
        self.touched.update(name for name, value in changes.items() if value != "")
        self.modified_at = at

    def values_at(self, at: float) -> Mapping[str, str]:
        """The values as they were at `at`."""
        if self.modified_at <= at:
            return self.values
        values: dict[str, str | None] = dict(self.values)
        for revision in reversed(self.revisions):
            if revision.at <= at:
                break
            values.update(revision.before)
        return {name: value for name, value in values.items() if value is not None}

    def exists_at(self, at: float) -> bool:
        return self.created_at <= at < self.deleted_at


class Records:
    """All opportunities, found by id or by the value of an AutoId field."""

    def __init__(self, records: Iterable[Record], auto_id_fields: Mapping[int, str | None]) -> None:
        self._by_id = {record.id.lower(): record for record in records}
        self._by_auto_id: dict[str, Record] = {}
        self._by_lead: dict[str, list[Record]] = {}
        for record in self._by_id.values():
            self._by_lead.setdefault(record.lead_id.lower(), []).append(record)
            auto_id_field = auto_id_fields.get(record.code)
            auto_id = record.values.get(auto_id_field) if auto_id_field else None
            if auto_id:
                self._by_auto_id[auto_id.lower()] = record

    def __iter__(self) -> Iterator[Record]:
        return iter(self._by_id.values())

    def by_id(self, opportunity_id: str) -> Record | None:
        return self._by_id.get(opportunity_id.lower())

    def by_key(self, key: str) -> Record | None:
        """By GUID, or by AutoId, as updates accept. [documented] update-an-opportunity"""
        return self._by_id.get(key.lower()) or self._by_auto_id.get(key.lower())

    def of_lead(self, lead_id: str) -> tuple[Record, ...]:
        return tuple(self._by_lead.get(lead_id.lower(), ()))

    def of_type(self, code: int) -> tuple[Record, ...]:
        return tuple(record for record in self if record.code == code)
