"""Walks the updates of a plan: intent durable, then the call, then its answer durable.

Knows the CRM and the store only as protocols, so that both are handed in.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Protocol, assert_never

from lsq_sync.core.answers import (
    NotAllowed,
    NotSent,
    SubmitAnswer,
    Taken,
    TooFast,
    TurnedDown,
    Unanswered,
)
from lsq_sync.core.change import Change
from lsq_sync.core.checks import hint_of_refusal
from lsq_sync.core.events import Accepted, Event, Intended, Lost, Rejected, Withdrawn
from lsq_sync.core.hiding import hidden_in
from lsq_sync.core.model import MASK
from lsq_sync.core.state import RunID
from lsq_sync.errors import AuthenticationError, NetworkError
from lsq_sync.running import LONGEST_LIMIT_SECONDS, Recorder, Stop
from lsq_sync.surroundings import Surroundings
from lsq_sync.tasks import first_of

IN_FLIGHT_SECONDS = 4.0
"""How long answers are awaited after the run was told to stop."""

_MOST_TRIES = 30
_PROBES = 6
_FIRST_BACKOFF = 0.5
_LONGEST_BACKOFF = 16.0


class Submitter(Protocol):
    """Sends one update; `before` runs when its turn has come and may call it off by raising."""

    async def submit(
        self,
        opportunity: str,
        fields: Mapping[str, str],
        note: str | None,
        before: Callable[[], Awaitable[None]],
    ) -> SubmitAnswer: ...


class _CalledOff(Exception):  # noqa: N818 - a signal inside this module
    """The run stopped while the call waited for its turn."""


class Breaker:
    """The first call goes out alone, and after a failure one at a time, after growing pauses.

    A server that is dead from the start costs a few probes, one that dies later the calls in
    flight besides; never one call an opportunity.
    """

    def __init__(
        self,
        sleep: Callable[[float], Awaitable[None]],
        chance: Callable[[], float],
        *,
        trusted: bool = False,
    ) -> None:
        """`trusted`: the server has answered a call before."""
        self._sleep = sleep
        self._chance = chance
        self._failures = 0
        self._trusted = trusted
        self._probing = False
        self._changed = asyncio.Condition()

    @property
    def gave_up(self) -> bool:
        """No probe came through."""
        return self._failures > _PROBES

    async def admit(self) -> bool:
        """Returns when a call may go out; True if it is a probe."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._closed or not self._probing)
            if self._closed:
                return False
            self._probing = True
        if self._failures:
            longest = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2 ** (self._failures - 1))
            await self._sleep(self._chance() * longest)
        return True

    @property
    def _closed(self) -> bool:
        """Whether calls may go out side by side."""
        return self._trusted and not self._failures

    async def note(self, worked: bool, probe: bool) -> None:
        """What became of a call. A failure of a call that was out already is the same one."""
        async with self._changed:
            if worked:
                self._failures = 0
                self._trusted = True
            elif probe or not self._failures:
                self._failures += 1
            if probe:
                self._probing = False
            self._changed.notify_all()


class Executor:
    """Sends the updates of one run."""

    def __init__(
        self,
        crm: Submitter,
        recorder: Recorder,
        run: RunID,
        stop: Stop,
        around: Surroundings,
        at_once: int,
        breaker: Breaker | None = None,
    ) -> None:
        self._crm = crm
        self._recorder = recorder
        self._run = run
        self._stop = stop
        self._around = around
        self._at_once = at_once
        self._breaker = breaker or Breaker(around.sleep, around.chance)
        self._in_flight: set[asyncio.Task[None]] = set()
        self._until = math.inf

    async def send(self, updates: Iterable[Change], until: float = math.inf) -> None:
        """Sends until there is nothing left or the run is stopped; `stop.error` says why then.

        From `until` on, a moment of the monotonic clock, no further call begins. After that, and
        after a stop, the answers of calls in flight are awaited for up to 4 s. Whatever raises
        in a worker (StorageError, a bug) stops the others in the same way and is raised here.
        """
        self._until = until
        waiting = iter(tuple(updates))
        workers = [asyncio.create_task(self._work(waiting)) for _ in range(self._at_once)]
        watcher = asyncio.create_task(self._closing_time())
        try:
            await self._until_done_or_closed(workers, watcher)
            await self._wind_down(workers)
        finally:
            for task in (*workers, watcher):
                task.cancel()
            outcomes = await asyncio.gather(*workers, watcher, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    def _is_over(self) -> bool:
        """Whether no further call may begin."""
        return bool(self._stop) or self._around.monotonic() >= self._until

    async def _closing_time(self) -> None:
        await first_of(self._stop.wait(), self._around.until(self._until))

    async def _until_done_or_closed(
        self, workers: list[asyncio.Task[None]], watcher: asyncio.Task[None]
    ) -> None:
        running: set[asyncio.Task[None]] = set(workers)
        while running and not watcher.done():
            await asyncio.wait((*running, watcher), return_when=asyncio.FIRST_COMPLETED)
            if any(task.done() and task.exception() for task in running):
                self._stop.now()
            running = {task for task in running if not task.done()}

    async def _wind_down(self, workers: list[asyncio.Task[None]]) -> None:
        for task in workers:
            if task not in self._in_flight:
                task.cancel()
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=IN_FLIGHT_SECONDS)

    async def _work(self, waiting: Iterator[Change]) -> None:
        for change in waiting:
            for _ in range(_MOST_TRIES):
                if self._is_over() or await self._try(change):
                    break
            else:
                self._stop.now(_never_a_turn(change))
            if self._is_over():
                return

    async def _try(self, change: Change) -> bool:
        """One attempt; False when it may be made again."""
        probe = await self._breaker.admit()
        task = asyncio.current_task()
        assert task is not None

        async def before() -> None:
            if self._is_over():
                raise _CalledOff
            self._in_flight.add(task)
            await self._recorder.record(self._intent(change))
            if self._is_over():  # told while the disk was at work: nothing has left yet
                at = self._around.now()
                await self._recorder.record(
                    Withdrawn(change.key, at, "stopped before it was sent", self._run)
                )
                raise _CalledOff

        try:
            answer = await self._crm.submit(
                change.key, change.wire_fields, change.wire_note, before
            )
            answer = _without_sensitive_values(answer, change)
            final = await self._conclude(change, answer)
            await self._breaker.note(not isinstance(answer, NotSent | Unanswered), probe)
            if self._breaker.gave_up:
                self._stop.now(_unreachable())
        except _CalledOff:
            return True
        finally:
            self._in_flight.discard(task)
        return final

    def _intent(self, change: Change) -> Intended:
        return Intended(
            change.key,
            self._around.now(),
            self._run,
            change.payload,
            change.type,
            change.replaces,
        )

    async def _conclude(self, change: Change, answer: SubmitAnswer) -> bool:
        event, final = self._event(change.key, answer)
        await self._recorder.record(event)
        self._around.tell(event)
        if isinstance(answer, NotAllowed):
            self._stop.now(_not_allowed(answer))
        if isinstance(answer, TooFast) and (answer.seconds or 0.0) > LONGEST_LIMIT_SECONDS:
            self._stop.now(_used_up(answer))
        return final

    def _event(self, key: str, answer: SubmitAnswer) -> tuple[Event, bool]:
        at = self._around.now()
        match answer:
            case Taken(request_id):
                return Accepted(key, at, request_id), True
            case TurnedDown(reason):
                return Rejected(key, at, reason, run=self._run), True
            case Unanswered(reason):
                return Lost(key, at, reason), True
            case NotAllowed(reason):
                return Withdrawn(key, at, reason, self._run), True
            case TooFast(reason) | NotSent(reason):
                return Withdrawn(key, at, reason, self._run), False
            case _:
                assert_never(answer)


def _without_sensitive_values(answer: SubmitAnswer, change: Change) -> SubmitAnswer:
    """The CRM repeats values in its reasons; a sensitive one goes no further."""
    if isinstance(answer, Taken):
        return answer
    return replace(answer, reason=hidden_in(answer.reason, change.sensitive_values, MASK))


def _not_allowed(answer: NotAllowed) -> AuthenticationError:
    return AuthenticationError(
        f"the CRM does not let us in: {answer.reason}",
        hint=hint_of_refusal(
            answer.reason,
            "check the keys, the user they belong to, the region (account.region) and "
            "account.async_host",
        ),
    )


def _used_up(answer: TooFast) -> NetworkError:
    return NetworkError(
        f"the account's calls are used up: {answer.reason}",
        hint="run the command again when there are calls again",
    )


def _unreachable() -> NetworkError:
    return NetworkError(
        f"the CRM could not be reached, also after {_PROBES} more tries",
        hint="check the network and account.async_host, then run the command again",
    )


def _never_a_turn(change: Change) -> NetworkError:
    return NetworkError(
        f"the CRM refused {change.key} {_MOST_TRIES} times for the rate limit",
        hint="other programs use up the account's limit: lower api.rate_limit, or wait",
    )
