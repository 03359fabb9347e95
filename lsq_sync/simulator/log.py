"""The request log: what was called and what was answered, one JSON object a line.

Keys are never in it, only whether they were valid. Kept in memory up to a bound; a sink, if any,
gets every line.
"""

import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Final, Literal, TypeAlias

from lsq_sync.simulator.scenario import Kind

KEPT: Final = 200_000

KeyState: TypeAlias = Literal["valid", "invalid", "missing"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One call. `at` is real seconds since the start, `simulated` the CRM's own."""

    sequence: int
    at: float
    simulated: float
    time: str  # wall clock, RFC 3339
    kind: Kind
    number: int  # of its kind, from 1
    method: str
    path: str  # without the query
    query: Mapping[str, str]  # without keys
    keys: KeyState
    x_api_key: KeyState
    status: int
    opportunity: str | None = None  # as it was addressed
    request_id: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None
    limited: bool = False  # refused by the rate limit
    fault: str | None = None
    delivered: bool = True  # False: the connection was dropped

    def line(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


class Log:
    """The last entries, and the sink for all."""

    def __init__(self, sink: Callable[[Entry], None] | None = None, kept: int = KEPT) -> None:
        self._entries: deque[Entry] = deque(maxlen=kept)
        self._sink = sink

    def add(self, entry: Entry) -> None:
        self._entries.append(entry)
        if self._sink:
            self._sink(entry)

    def entries(self) -> tuple[Entry, ...]:
        return tuple(self._entries)
