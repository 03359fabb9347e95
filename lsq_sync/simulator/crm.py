"""The account's state as a machine: what was accepted, what the worker does, what people do.

Pure: `now` comes in as simulated seconds and never goes backwards; randomness comes from the
scenario's seed. Nothing happens between calls: `advance` brings everything up to date in the
order of time, so it does not matter how often it is called.
"""

import random
import uuid
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from lsq_sync.simulator.account import (
    CREATED_ON,
    MODIFIED_BY,
    MODIFIED_ON,
    NOTE,
    Account,
    Opportunity,
    OpportunityType,
    User,
)
from lsq_sync.simulator.errors import SimulatorError
from lsq_sync.simulator.faults import Subject
from lsq_sync.simulator.plots import PlotBook
from lsq_sync.simulator.queue import (
    BrokeDown,
    Failed,
    Metrics,
    Result,
    Succeeded,
    Task,
    TaskQueue,
    Verdict,
)
from lsq_sync.simulator.records import Record, Records
from lsq_sync.simulator.refusal import RefusedError
from lsq_sync.simulator.rules import Changes, Check
from lsq_sync.simulator.scenario import Deletion, HumanEdit, Scenario
from lsq_sync.simulator.update import UnparsableError, Update, parse_update

STAMP_FORM: Final = "%Y-%m-%d %H:%M:%S"
UNKNOWN_TYPE: Final = ("MXInvalidActivityException", "Event Code is invalid or empty")
# An opportunity is an activity. [seen in code]
UNKNOWN_OPPORTUNITY: Final = ("MXUnknownProspectActivityException", "Activity does not exist.")
_NAMESPACE: Final = uuid.UUID("7f1c8a52-0f0e-4a0d-9d3b-15a5a9c0ffee")
_NOBODY: Final = User("00000000-0000-0000-0000-000000000000", "System", "")


class Crm:
    """One account. `started` is what the simulated clock showed at second 0, in UTC."""

    def __init__(self, account: Account, scenario: Scenario, started: datetime) -> None:
        self.account = account
        self.started = started
        self.scenario = scenario
        self.types: dict[int, OpportunityType] = {one.code: one for one in account.types}
        self._users = {user.id.lower(): user for user in account.users}
        auto_ids = {one.code: one.auto_id_field for one in account.types}
        self.records = Records(
            (_record(one, self._stamp(0)) for one in account.opportunities), auto_ids
        )
        self.queue = TaskQueue(scenario.queue)
        self._tasks: dict[str, Task] = {}
        self._follow(scenario, 0.0)

    @property
    def user(self) -> User:
        """The user whose keys these are."""
        return self.account.users[0] if self.account.users else _NOBODY

    def known_type(self, code: object) -> OpportunityType:
        """The type of an event code, which comes as a number or as text. Raises `RefusedError`."""
        text = str(code).strip()
        known = self.types.get(int(text)) if text.isdecimal() else None
        if known is None:
            raise RefusedError(*UNKNOWN_TYPE)
        return known

    def user_name(self, user_id: str | None) -> str | None:
        user = self._users.get((user_id or "").lower())
        return user.name if user else None

    def user_email(self, user_id: str | None) -> str | None:
        user = self._users.get((user_id or "").lower())
        return user.email if user else None

    def set_scenario(self, scenario: Scenario, now: float) -> None:
        """From now on this scenario holds, with those of its edits that are still to come; records,
        queue and RequestIDs stay.
        """
        self.advance(now)
        self.queue.settings = scenario.queue
        self._follow(scenario, now)

    def _follow(self, scenario: Scenario, now: float) -> None:
        events: list[HumanEdit | Deletion] = [*scenario.human_edits, *scenario.deletions]
        for event in events:
            self._refuse_unknown(event, scenario.name)
        self.scenario = scenario
        self._random = random.Random(scenario.seed)
        self._plots = PlotBook(scenario)
        self._accepted_before = len(self._tasks)
        coming = [event for event in events if event.at >= now]
        self._events = sorted(coming, key=lambda event: event.at, reverse=True)

    def _refuse_unknown(self, event: HumanEdit | Deletion, name: str) -> None:
        record = self.records.by_key(event.id)
        if record is None:
            raise SimulatorError(f"scenario {name}", f"the account has no opportunity {event.id}")
        if isinstance(event, HumanEdit) and not self.types[record.code].field(event.field):
            raise SimulatorError(
                f"scenario {name}",
                f"{self.types[record.code].display_name} has no field {event.field}",
            )

    # Time

    def advance(self, now: float) -> None:
        """Does everything that was due by `now`."""
        while self._events and self._events[-1].at <= now:
            event = self._events.pop()
            self.queue.advance(event.at, self._perform)
            if isinstance(event, HumanEdit):
                self.change(event.id, {event.field: event.value}, event.at)
            else:
                self.delete(event.id, event.at)
        self.queue.advance(now, self._perform)

    def _stamp(self, at: float) -> str:
        """A simulated second as the CRM writes it: UTC, no zone."""
        return (self.started + timedelta(seconds=at)).strftime(STAMP_FORM)

    # The queue

    def submit(self, payload: bytes, now: float) -> Task:
        """Accepts an update. What is wrong with it shows later, in its status."""
        number = len(self._tasks) + 1
        update = _parsed(payload)
        task = Task(
            number=number,
            request_id=self._request_id(number),
            payload=payload.decode("utf-8", errors="replace"),
            update=update,
            plot=self._plots.plot(self._subject(number - self._accepted_before, update)),
            submitted_at=now,
        )
        self._tasks[task.request_id] = task
        jitter = self.scenario.queue.jitter_seconds
        self.queue.submit(task, self._random.uniform(0, jitter) if jitter else 0.0)
        self.queue.advance(now, self._perform)
        return task

    def task(self, request_id: str, now: float) -> Task | None:
        """The task of a RequestID, until it expires."""
        task = self._tasks.get(request_id.lower())
        lifetime = self.scenario.queue.request_id_seconds
        expired = task and lifetime is not None and now - task.submitted_at > lifetime
        return None if expired else task

    def subject_of(self, request_id: str) -> str | None:
        """Which opportunity a RequestID is about, as it was addressed."""
        task = self._tasks.get(request_id.lower())
        return task.update.key if task and isinstance(task.update, Update) else None

    def tasks(self) -> tuple[Task, ...]:
        return tuple(self._tasks.values())

    def metrics(self, now: float) -> Metrics:
        return self.queue.metrics(now)

    def _request_id(self, number: int) -> str:
        """Differs from one start to the next: a RequestID is never given twice."""
        name = f"{self.started.isoformat()}/{self.scenario.seed}/{number}"
        return str(uuid.uuid5(_NAMESPACE, name))

    # What the worker does

    def _perform(self, task: Task, at: float) -> Result:
        plot = task.plot
        if plot.fault and plot.breaks_down(task.attempts):
            return BrokeDown(plot.fault.message)
        if plot.reject:
            return Failed(plot.reject.type, plot.reject.message, plot.reject.outcome)
        if isinstance(task.update, UnparsableError):
            return Failed("JsonReaderException", str(task.update))
        return self.apply(task.update, at, lost=plot.lost)

    def _subject(self, number: int, update: Update | UnparsableError) -> Subject:
        if isinstance(update, UnparsableError):
            return Subject(number)
        return Subject(number, self.names(update.key), update.flat())

    def names(self, key: str) -> frozenset[str]:
        """What an opportunity goes by: the key it was addressed with, and its id."""
        record = self.records.by_key(key)
        return frozenset({key.lower(), record.id.lower()} if record else {key.lower()})

    def apply(self, update: Update, at: float, *, lost: bool = False) -> Verdict:
        """Checks an update and carries it out: what the worker and the synchronous call share."""
        try:
            record, changes = self.check(update, at)
        except RefusedError as refusal:
            return Failed(refusal.exception_type, refusal.message)
        if not lost:
            self._store(record, changes, at)
        return Succeeded(record.id)

    def check(self, update: Update, at: float) -> tuple[Record, Changes]:
        """What an update would change in which record. Raises `RefusedError`."""
        if not update.key:
            raise RefusedError(
                "MXMandatoryAttributeMissingException",
                "'ProspectOpportunityId' is mandatory for updating opportunity",
            )
        record = self.records.by_key(update.key)
        if record is None or not record.exists_at(at):
            raise RefusedError(*UNKNOWN_OPPORTUNITY)
        known = self.types[record.code]
        check = Check(self.scenario.rules, known, record.values, self.account.users)
        return record, check.changes(update)

    def _store(self, record: Record, changes: Changes, at: float) -> None:
        for name, option in changes.new_options:
            self._add_option(record.code, name, option)
        stamps = {MODIFIED_ON: self._stamp(at), MODIFIED_BY: self.user.id}
        record.change({**changes.values, **stamps}, at)

    def _add_option(self, code: int, name: str, option: str) -> None:
        known = self.types[code]
        fields = tuple(
            replace(one, options=(*one.options, option)) if one.schema_name == name else one
            for one in known.fields
        )
        self.types[code] = replace(known, fields=fields)

    # What people do in the CRM

    def change(self, key: str, values: Mapping[str, str], at: float) -> None:
        """A human edit: unchecked, by somebody else than the user of the keys."""
        record = self.records.by_key(key)
        if record is None:
            raise KeyError(key)
        editor = self.account.users[-1] if self.account.users else _NOBODY
        stamps = {MODIFIED_ON: self._stamp(at), MODIFIED_BY: editor.id}
        record.change({**values, **stamps}, at)

    def delete(self, key: str, at: float) -> None:
        record = self.records.by_key(key)
        if record is None:
            raise KeyError(key)
        record.deleted_at = min(record.deleted_at, at)


def _parsed(payload: bytes) -> Update | UnparsableError:
    try:
        return parse_update(payload)
    except UnparsableError as error:
        return error


def _record(opportunity: Opportunity, stamp: str) -> Record:
    """An opportunity as the account starts out with it."""
    stamps = {CREATED_ON: stamp, MODIFIED_ON: stamp}
    values = {**stamps, **opportunity.fields, NOTE: opportunity.note}
    return Record(
        id=opportunity.id,
        code=opportunity.code,
        lead_id=opportunity.lead_id,
        lead_email=opportunity.lead_email,
        values=values,
        touched={name for name, value in values.items() if value},
    )
