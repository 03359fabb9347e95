"""What must hold whatever happens, judged by what went over the wire. It knows nothing of plans.

The judge keeps its own book of every update: what was posted, what the client was told of it, and
whether it may still land. The recorded state is looked at only from outside, as it is read.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lsq_sync.core.state import NOTE, Entry, OpenRequest, Payload
from lsq_sync.core.values import ABSENT

LATE_WINDOW = 12 * 3600.0
QUEUED_EVERY = 300.0
"""In-Queue renews the window, but is worth a record only so often."""

SLACK = 2.0
"""The intent is recorded this much before the update arrives."""

Values = dict[str, str]
"""Fields, and the note under its name; empty text where the CRM shows nothing."""


@dataclass
class Posted:
    """One update that left, and what the client knows of it."""

    key: str
    values: Values
    at: float
    request_id: str | None = None
    accepted: bool = False
    refused: bool = False
    verdict: str | None = None
    queued_at: float = 0.0
    given_up: bool = False
    """Its answer was lost, and the user asked to send it again."""

    in_doubt: bool = False
    """Something of it was told to a command that crashed: it may or may not know that."""

    def may_land_until(self) -> float:
        """As far as the client must take into account what it was told."""
        return max(self.at, self.queued_at - QUEUED_EVERY) + LATE_WINDOW - SLACK

    @property
    def is_open(self) -> bool:
        """The client has not been told what became of it."""
        return not (self.refused or self.given_up) and self.verdict is None


@dataclass(frozen=True)
class Manners:
    """What the command that runs was allowed to do."""

    reads: bool = True
    overwrites: bool = False
    resends: bool = False
    retries: bool = False


@dataclass
class Judge:
    """Collects what was wrong in `faults`."""

    clock: Any
    recorded: Any
    """Reads the recorded entries, as the next command would find them."""

    faults: list[str] = field(default_factory=list)
    posts_made: list[Posted] = field(default_factory=list)
    manners: Manners = field(default_factory=Manners)
    people_wrote: set[tuple[str, str, str]] = field(default_factory=set)
    out_of_sight: set[str] = field(default_factory=set)
    """Opportunities whose record was taken away by hand (a restored lock, a spec removed)."""

    _read: dict[str, Values] = field(default_factory=dict)
    _confirmed: set[tuple[str, str, str]] = field(default_factory=set)
    _touched: list[Posted] = field(default_factory=list)
    _before: Mapping[str, Entry] = field(default_factory=dict)

    def begin(self, manners: Manners) -> None:
        """A command starts."""
        self.manners = manners
        self._read, self._touched, self._confirmed = {}, [], set()
        self._before = self.recorded()

    def end(self, *, crashed: bool) -> None:
        """It has ended: is everything recorded that it was told, and nothing else?"""
        entries = self.recorded()
        if crashed:
            for posted in self._touched:
                posted.in_doubt = True
        for key in {one.key for one in self.posts_made}:
            self._judge_open(key, entries.get(key), crashed=crashed)
        self._judge_values(entries)

    # --- what the network tells

    def posts(self, key: str, fields: Mapping[str, str], note: str | None) -> int:
        """An update has left. Gives it a number, from 1."""
        values = {**fields, **({} if note is None else {NOTE: note})}
        posted = Posted(key, values, self.clock.seconds)
        earlier = [one for one in self.posts_made if one.key == key]
        entry = self.recorded().get(key)
        self._judge_intent(posted, entry)
        if earlier:
            self._judge_repeat(posted, earlier)
        self._judge_overwriting(posted, entry)
        self.posts_made.append(posted)
        self._touched.append(posted)
        self.out_of_sight.discard(key)
        return len(self.posts_made)

    def issued(self, number: int, request_id: str) -> None:
        """The CRM took it in; the client does not know that yet."""
        self.posts_made[number - 1].request_id = request_id

    def told_submit(self, number: int, status: int, body: Any) -> None:
        """The client has the answer to an update."""
        posted = self.posts_made[number - 1]
        if status == 200 and "RequestID" in body:
            posted.accepted = True
        elif "MX" in str(body.get("ExceptionType")) or status in (400, 403, 429):
            posted.refused = True

    def told_status(self, request_id: str, status: int, body: Any) -> None:
        """The client has the answer to a question."""
        [posted] = [one for one in self.posts_made if one.request_id == request_id]
        task = body.get("TaskStatus") if status == 200 else None
        if not task:
            return
        self._touched.append(posted)
        match task["Status"]:
            case "In-Queue":
                posted.queued_at = self.clock.seconds
            case "Success":
                posted.verdict = "Success"
                self._confirmed |= {(posted.key, *pair) for pair in posted.values.items()}
            case "FAILURE":
                posted.verdict = "FAILURE"
            case "ERROR" if "MX" in str(task.get("StatusReason")):
                posted.verdict = "FAILURE"

    def told_read(self, shown: Mapping[str, Mapping[str, str]]) -> None:
        """The client has read these."""
        for key, values in shown.items():
            known = {
                NOTE if name == "ActivityEvent_Note" else name: value or ""
                for name, value in values.items()
            }
            self._read[key] = known
            self._confirmed |= {(key, *pair) for pair in known.items()}

    # --- judging an update that leaves

    def _judge_intent(self, posted: Posted, entry: Entry | None) -> None:
        opened = entry.pending if entry else None
        if opened is None or values_of(opened.payload) != posted.values:
            self._fault(f"{posted.key} was posted before its intent was recorded: {posted.values}")

    def _judge_repeat(self, posted: Posted, earlier: list[Posted]) -> None:
        for one in earlier:
            if one.is_open and self.clock.seconds < one.may_land_until():
                was_lost = not one.accepted or one.in_doubt
                if self.manners.resends and was_lost:
                    one.given_up = True
                else:
                    self._fault(f"{posted.key} was posted while {one} may still land")
        last = earlier[-1]
        again = last.verdict == "FAILURE" and last.values == posted.values and not last.in_doubt
        if again and not self.manners.retries and posted.key not in self.out_of_sight:
            self._fault(f"{posted.key} was sent again unchanged after its rejection")

    def _judge_overwriting(self, posted: Posted, entry: Entry | None) -> None:
        if not self.manners.reads or self.manners.overwrites:
            return
        live = self._read.get(posted.key)
        if live is None:
            self._fault(f"{posted.key} was posted without a look at what is there")
            return
        was = values_of(Payload(entry.fields, entry.note)) if entry else {}
        for name, value in posted.values.items():
            now = live.get(name, "")
            people_did = (posted.key, name, now) in self.people_wrote
            if people_did and name in was and now not in (value, was[name]):
                self._fault(f"{posted.key} {name}: {now!r} of a person was overwritten")

    # --- judging what is recorded

    def _judge_open(self, key: str, entry: Entry | None, *, crashed: bool) -> None:
        last = [one for one in self.posts_made if one.key == key and not one.refused]
        if not last:
            return
        posted, opened = last[-1], entry.pending if entry else None
        if posted.in_doubt:
            self._settle_doubt(posted, entry)
        if posted.is_open and self.clock.seconds < posted.may_land_until():
            self._judge_still_open(posted, opened, crashed=crashed)
        elif posted.verdict and opened and self._is_still(posted, opened):
            self._fault(f"{key}: {posted.verdict} was told, and it is open all the same")

    def _is_still(self, posted: Posted, opened: OpenRequest) -> bool:
        """Not only an intent of a later update that never left; nor what a restored lock says."""
        return opened.request_id == posted.request_id and posted.key not in self.out_of_sight

    def _settle_doubt(self, posted: Posted, entry: Entry | None) -> None:
        """What of an answer was durable before the crash decides what the client knows."""
        opened = entry.pending if entry else None
        posted.in_doubt = False
        if opened and values_of(opened.payload) == posted.values:
            posted.verdict = None
            posted.accepted = posted.accepted and opened.request_id is not None
            posted.queued_at = 0.0

    def _judge_still_open(
        self, posted: Posted, opened: OpenRequest | None, *, crashed: bool
    ) -> None:
        if opened is None or values_of(opened.payload) != posted.values:
            if opened and crashed and self.manners.resends and not posted.accepted:
                posted.given_up = True  # the one that was to replace it never left
                return
            self._fault(f"{posted.key}: {posted} is open and not recorded as that: {opened}")
        elif posted.accepted and opened.request_id != posted.request_id:
            self._fault(f"{posted.key}: the RequestID {posted.request_id} was lost")
        elif opened.request_id and opened.request_id != posted.request_id:
            self._fault(f"{posted.key}: {opened.request_id} is not its RequestID")

    def _judge_values(self, entries: Mapping[str, Entry]) -> None:
        for key, name, value in moved(self._before, entries):
            if (key, name, value) not in self._confirmed:
                self._fault(f"{key} {name}: {value!r} is recorded, and nobody has confirmed it")

    def _fault(self, text: str) -> None:
        self.faults.append(text)


def values_of(payload: Payload) -> Values:
    """Its values as they are on the wire."""
    found = {name: value or "" for name, value in payload.fields.items()}
    if payload.note is not ABSENT:
        assert not isinstance(payload.note, type(ABSENT))
        found[NOTE] = payload.note or ""
    return found


def moved(
    before: Mapping[str, Entry], after: Mapping[str, Entry]
) -> Iterator[tuple[str, str, str]]:
    """Recorded values that are there after and were not so before."""
    for key, entry in after.items():
        old = before.get(key)
        was = values_of(Payload(old.fields, old.note)) if old else {}
        for name, value in values_of(Payload(entry.fields, entry.note)).items():
            if name not in was or was[name] != value:
                yield key, name, value
