"""`lsq-sync doctor`: looks at everything that an apply needs, and says what to mend. Sends nothing,
writes nothing."""

import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lsq_sync.commands.verdict import Verdict
from lsq_sync.commands.workspace import Workspace, find_workspace
from lsq_sync.core import checks
from lsq_sync.core.checks import Check, State, ok, problem, skipped, warning
from lsq_sync.core.moment import moment
from lsq_sync.core.reading import Wanted, readable, wanted_of
from lsq_sync.core.state import Recorded, RequestID
from lsq_sync.crm.credentials import (
    ACCESS_KEY,
    FOR_UPDATES,
    SECRET_KEY,
    X_API_KEY,
    read_credentials,
)
from lsq_sync.errors import CredentialsError, LockError, LsqSyncError, SettingsError
from lsq_sync.render.words import counted
from lsq_sync.spec.read import Specs
from lsq_sync.surroundings import Surroundings

if TYPE_CHECKING:
    from lsq_sync.commands.session import Session, Talk
    from lsq_sync.reader import Reader

_NOBODY = RequestID("00000000-0000-0000-0000-000000000000")
_OTHERS_MAY_READ = stat.S_IRGRP | stat.S_IROTH


@dataclass(frozen=True, slots=True)
class Examined:
    """Everything that was looked at, in a sensible order to mend it."""

    checks: tuple[Check, ...]

    @property
    def verdict(self) -> Verdict:
        """A problem is an error; a warning is none."""
        failed = any(check.state is State.PROBLEM for check in self.checks)
        return Verdict.FAILED if failed else Verdict.DONE


@dataclass(slots=True)
class _Heard:
    """What the CRM answered."""

    checks: list[Check] = field(default_factory=list)
    server_time: datetime | None = None


def run(
    folder: Path,
    environment: Mapping[str, str],
    around: Surroundings,
    watch: Callable[[str, str], None] = lambda _what, _answer: None,
) -> Examined:
    """Examines the workspace around `folder`. Raises WorkspaceError when there is none."""
    try:
        workspace = find_workspace(folder, environment)
    except SettingsError as error:
        return Examined((_of_error("settings", error),))
    account = workspace.settings.account
    settings = ok("settings", f"account {account.name} at {account.async_host}")
    specs = workspace.checked_specs()
    lock, recorded = _of_lock(workspace)
    return Examined(
        (
            settings,
            _of_specs(specs),
            lock,
            *_of_folders(workspace),
            *_of_keys(environment),
            checks.of_limit(workspace.settings.api.rate_limit),
            *_of_crm(workspace, specs, recorded, around, watch),
        )
    )


def _of_error(name: str, error: LsqSyncError) -> Check:
    places = "; ".join(f"{one.origin}: {one.message}" for one in error.diagnostics[:3])
    more = len(error.diagnostics) - 3
    told = (
        f"{error.message}{': ' if places else ''}{places}{f' and {more} more' if more > 0 else ''}"
    )
    return problem(name, told, error.hint or "lsq-sync validate tells every place")


# --- here


def _of_specs(specs: Specs) -> Check:
    count = counted(len(specs.opportunities), "opportunity")
    if specs.problems:
        first = specs.problems[0]
        return problem(
            "specs",
            f"{counted(len(specs.problems), 'problem')}, the first at {first.origin}: "
            f"{first.message}",
            "lsq-sync validate tells every place",
        )
    return ok("specs", f"{count} in {counted(len(specs.files), 'file')}")


def _of_lock(workspace: Workspace) -> tuple[Check, Recorded]:
    """With what is recorded; that is nothing where the lock cannot be trusted."""
    try:
        recorded = workspace.store.read()
    except LockError as error:
        return _of_error("lock", error), Recorded()
    if not workspace.store.exists:
        return ok("lock", "nothing was applied yet"), recorded
    return ok("lock", _in_words(recorded)), recorded


def _in_words(recorded: Recorded) -> str:
    opened = sorted(
        entry.pending.sent_at for entry in recorded.entries.values() if entry.pending is not None
    )
    known = f"{counted(len(recorded.entries), 'opportunity')} recorded"
    if not opened:
        return f"{known}, no request is open"
    return f"{known}, {counted(len(opened), 'request')} open, the oldest of {moment(opened[0])}"


def _of_folders(workspace: Workspace) -> Iterator[Check]:
    """Whether an apply could record what it does."""
    lock = workspace.root / workspace.settings.paths.lock
    for path in (workspace.state_folder, lock):
        there = path
        while not there.exists():
            there = there.parent
        places = (there, there.parent) if there == lock else (there,)
        if not all(os.access(place, os.W_OK) for place in places):
            yield problem(
                "permissions",
                f"{path} cannot be written by this user",
                "set the permissions; an apply stops before it sends what it cannot record",
            )
            return
    yield ok("permissions", "lock and local state can be written")


def _of_keys(environment: Mapping[str, str]) -> Iterator[Check]:
    try:
        read_credentials(environment, FOR_UPDATES)
        yield ok("keys", f"{ACCESS_KEY}, {SECRET_KEY} and {X_API_KEY} are set")
    except CredentialsError as error:
        yield problem("keys", error.message, error.hint)
    for name in FOR_UPDATES:
        with suppress(OSError):
            file = environment.get(f"{name}_FILE")
            if file and Path(file).stat().st_mode & _OTHERS_MAY_READ:
                yield warning(
                    "keys",
                    f"others may read the file that {name}_FILE names",
                    "chmod 600 it",
                )


# --- there


def _of_crm(
    workspace: Workspace,
    specs: Specs,
    recorded: Recorded,
    around: Surroundings,
    watch: Callable[[str, str], None],
) -> Iterator[Check]:
    """A few questions, each of which changes nothing."""
    from lsq_sync.commands.session import Talk  # brings the client along

    try:
        keys = read_credentials(workspace.environment, (), FOR_UPDATES)
    except CredentialsError:
        keys = None
    if keys is None or not (keys.x_api_key or (keys.access_key and keys.secret_key)):
        yield skipped("account", "without keys the CRM cannot be asked")
        return
    talk = Talk(workspace, around, (), watch, useful_keys=FOR_UPDATES)
    heard = _Heard()

    async def ask(session: "Session") -> None:
        if keys.x_api_key:
            await _ask_async_host(session, heard)
        await _ask_host(session, heard, workspace, specs, recorded, talk, around)
        heard.server_time = session.client.server_time

    talk.hold_unless_stopped(ask)
    yield from heard.checks
    yield checks.of_clock(heard.server_time, around.now())


async def _ask_async_host(session: "Session", heard: _Heard) -> None:
    answer = checks.of_metrics(await session.client.metrics())
    heard.checks.append(answer)
    if answer.state is State.OK:
        heard.checks.append(checks.of_status_path(await session.client.status(_NOBODY)))


async def _ask_host(
    session: "Session",
    heard: _Heard,
    workspace: Workspace,
    specs: Specs,
    recorded: Recorded,
    talk: "Talk",
    around: Surroundings,
) -> None:
    from lsq_sync.reader import Reader

    account = workspace.settings.account
    if account.host is None:
        heard.checks.append(
            warning(
                "synchronous host",
                "there is none, so nothing reads live values: somebody's change in the CRM is "
                "written over without a word",
                "set account.host or account.region in lsq-sync.yaml",
            )
        )
        return
    if not talk.can_read:
        heard.checks.append(skipped("account", "without its two keys nothing can be read"))
        return
    reader = Reader(session.client, around, of_their_type=True)
    try:
        found = await reader.account()
        zone = str(workspace.settings.values.time_zone)
        known = recorded.account.short_code if recorded.account else None
        heard.checks.append(checks.of_account(found, account, known, zone))
        await _read_one(reader, heard, specs, recorded)
    except LsqSyncError as error:
        heard.checks.append(problem("synchronous host", error.message, error.hint))


async def _read_one(reader: "Reader", heard: _Heard, specs: Specs, recorded: Recorded) -> None:
    """Whether the user of the keys sees an opportunity of each type that the specs manage."""
    wanted = _one_of_each(specs, recorded)
    if not wanted:
        heard.checks.append(skipped("reading", "the specs name no opportunity to read"))
        return
    live = await reader.read(wanted)
    hidden = [one.key for one in wanted if live[one.key].missing]
    if hidden:
        heard.checks.append(
            warning(
                "reading",
                f"the CRM does not show {', '.join(hidden)}",
                "deleted, of another type than the spec says, or out of reach of the keys' user",
            )
        )
    else:
        heard.checks.append(ok("reading", f"{counted(len(wanted), 'opportunity')} read"))


def _one_of_each(specs: Specs, recorded: Recorded) -> tuple[Wanted, ...]:
    first: dict[tuple[str, int | None], Wanted] = {}
    for one in specs.opportunities:
        kind = (one.type, one.code)
        if kind not in first:
            for wanted in readable([wanted_of(one, recorded.entries.get(one.key))]):
                first[kind] = wanted
    return tuple(first.values())
