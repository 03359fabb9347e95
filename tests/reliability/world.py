"""A seeded history of one workspace: people edit specs and the CRM, commands run, everything fails.

`World(seed, folder).live()` plays it and gives what was wrong. The commands are the real ones, on
a virtual clock and in front of the simulator's core without HTTP (`network.py`).
"""

import io
import json
import os
import random
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from lsq_sync import cli
from lsq_sync.commands import session
from lsq_sync.core.model import Account
from lsq_sync.core.state import NOTE, Entry
from lsq_sync.crm.client import Client
from lsq_sync.errors import LsqSyncError
from lsq_sync.lock import file as lock_file
from lsq_sync.lock.file import FileStore
from lsq_sync.lock.writer import Writer
from lsq_sync.simulator.scenario import (
    Answers,
    LostUpdate,
    Queue,
    Reject,
    Scenario,
    SystemFault,
    Which,
)
from tests.reliability.crashing import Crash, CrashError, crashing_disk
from tests.reliability.judge import Judge, Manners
from tests.reliability.network import ASYNC_HOST, CODE, FIELDS, HOST, KEYS, Fate, Network, Weather
from tests.support.clock import Timeline

HOUR = 3600.0
NAMES = (*FIELDS, NOTE)
FILES = ("specs/a.yaml", "specs/b.yaml")
_LOCK = "lsq-sync.lock"
_WAITS = (5.0, 60.0, 100.0, 900.0, HOUR, 5 * HOUR, 10 * HOUR, 20 * HOUR)
_KNOWN_CODES = {0, 1, 2, 3, 4, 5}
_STEPS = 15

Spec = dict[str, str | None]


@dataclass(frozen=True)
class Ended:
    """How a command ended; no code where it crashed."""

    code: int | None
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.out)
        return content


class World:
    """One workspace, one account, one virtual time. `counts` says what happened."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.seed = seed
        self.trace: list[str] = []
        self.counts: Counter[str] = Counter()
        self._root = folder
        self._chance = random.Random(seed)
        self._clock = Timeline()
        self._crash = Crash(lambda: self._clock.break_off(CrashError()))
        self._reads = self._chance.random() < 0.7
        self._specs: dict[str, dict[str, Spec]] = {name: {} for name in FILES}
        self._judge = Judge(self._clock, self._recorded)
        self._network = Network(self._clock, self._chance, self._crash, self._judge)
        self._values = 0
        self._copies: list[bytes] = []
        self._plan_file = False
        self._write_settings()

    # --- the whole of it

    def live(self) -> list[str]:
        """Plays the history; what was wrong, or nothing."""
        with self._played():
            self._add_opportunities()
            self._turn_weather()
            for _ in range(_STEPS):
                self._step()
                if self._judge.faults:
                    return self._judge.faults
            self._look_at_report()
            self._heal()
        return self._judge.faults

    @contextmanager
    def _played(self) -> Iterator[None]:
        environment = {**self._network.secrets, "HOME": str(self._root)}
        clocked = partial(Writer, clock=self._clock.monotonic)
        with (
            mock.patch.dict(os.environ, environment),
            crashing_disk(self._crash),
            pytest.MonkeyPatch.context() as patch,
        ):
            patch.setattr(tempfile, "tempdir", str(self._root))
            patch.setattr(session, "open_client", self._open_client)
            patch.setattr(lock_file, "Writer", clocked)
            yield

    @asynccontextmanager
    async def _open_client(
        self, place: Any, keys: Any, pacer: Any, *rest: Any
    ) -> AsyncIterator[Client]:
        calls, watch = rest
        yield Client(self._network, pacer, place, keys, calls, watch)  # type: ignore[arg-type]

    def _step(self) -> None:
        step = self._chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
        self.counts[step] += 1
        getattr(self, f"_{step}")()

    # --- people

    def _write_settings(self) -> None:
        (self._root / "specs").mkdir()
        host = HOST if self._reads else None
        content = {
            "version": 1,
            "account": {"name": "test", "async_host": ASYNC_HOST, "host": host},
        }
        (self._root / "lsq-sync.yaml").write_text(json.dumps(content), encoding="utf-8")

    def _write_specs(self) -> None:
        for name, specs in self._specs.items():
            opportunities: dict[str, Any] = {}
            for key, values in specs.items():
                fields = {field: value for field, value in values.items() if field != NOTE}
                opportunities[key] = {"label": f"v{self._values}", "fields": fields}
                if NOTE in values:
                    opportunities[key]["note"] = values[NOTE]
            content = {"version": 1, "code": CODE, "opportunities": opportunities}
            (self._root / name).write_text(json.dumps(content), encoding="utf-8")

    def _desired(self) -> dict[str, Spec]:
        return {key: values for specs in self._specs.values() for key, values in specs.items()}

    def _new_value(self, key: str, name: str) -> str | None:
        """Mostly one that never was; now and then none, or one that the CRM held or holds."""
        self._values += 1
        roll = self._chance.random()
        if roll < 0.12:
            return None
        if roll < 0.3:
            return f"old-{self._chance.randrange(3)}"
        if roll < 0.36:
            return self._shown(key, name) or None
        return f"spec-{self._values}"

    def _add_opportunities(self) -> None:
        for key in KEYS[:4]:
            values = {name: f"spec-{name[-1]}" for name in FIELDS[:2]}
            self._specs[self._chance.choice(FILES)][key] = dict(values)
        self._write_specs()

    def _edit_specs(self) -> None:
        for _ in range(self._chance.randint(1, 3)):
            kind = self._chance.choice(["set", "set", "set", "drop", "add", "remove", "move"])
            self._edit_spec(kind)
        self._write_specs()

    def _edit_spec(self, kind: str) -> None:
        file = self._chance.choice(FILES)
        specs = self._specs[file]
        if kind == "add" or not specs:
            missing = [key for key in KEYS if key not in self._desired()]
            if missing:
                key, name = self._chance.choice(missing), self._chance.choice(NAMES)
                specs[key] = {name: self._new_value(key, name)}
                self._say(f"spec: {key[-1]} added to {file}, {specs[key]}")
            return
        key = self._chance.choice(sorted(specs))
        name = self._chance.choice(NAMES)
        match kind:
            case "set":
                specs[key][name] = self._new_value(key, name)
                self._say(f"spec: {key[-1]} {name} = {specs[key][name]}")
            case "drop" if len(specs[key]) > 1:
                name = self._chance.choice(sorted(specs[key]))
                del specs[key][name]
                self._say(f"spec: {key[-1]} {name} dropped")
            case "remove":
                del specs[key]
                self._judge.out_of_sight.add(key)
                self._say(f"spec: {key[-1]} removed")
            case "move":
                other = FILES[1 - FILES.index(file)]
                self._specs[other][key] = specs.pop(key)
                self._say(f"spec: {key[-1]} moved to {other}")

    def _edit_crm(self) -> tuple[str, str]:
        """A person changes a field, mostly one that the specs manage."""
        desired = self._desired()
        key = self._chance.choice(sorted(desired) or KEYS)
        managed = sorted(desired.get(key, {}).keys() - {NOTE})
        name = self._chance.choice(managed or FIELDS)
        self._values += 1
        wanted = desired.get(key, {}).get(name)
        value = f"person-{self._values}"
        if wanted and self._chance.random() < 0.2:
            value = wanted
        else:
            self._judge.people_wrote.add((key, name, value))
        self._network.edit(key, name, value)
        self._say(f"crm: {key[-1]} {name} = {value}")
        return key, name

    def _shown(self, key: str, name: str) -> str:
        return self._network.values(key).get("ActivityEvent_Note" if name == NOTE else name, "")

    # --- time and weather

    def _wait(self) -> None:
        seconds = self._chance.choice(
            [5.0, 60.0, 100.0, 900.0, *(n * HOUR for n in (1, 5, 10, 20))]
        )
        self._clock.pass_by(seconds)
        self._say(f"{seconds:.0f} s pass")

    def _turn_weather(self) -> None:
        chance = self._chance
        queue = Queue(
            delay_seconds=chance.choice([0.0, 0.0, 2.0, 90.0, HOUR]),
            jitter_seconds=chance.choice([0.0, 0.0, 5.0, HOUR, 9 * HOUR, 22 * HOUR]),
            retrying_status=chance.choice(["In-Queue", "ERROR"]),
            request_id_seconds=chance.choice([None, None, 600.0]),
        )
        if queue.jitter_seconds > HOUR:
            faults: tuple[SystemFault, ...] = ()
        else:
            failures = chance.choice([0, 1, 3, 10, 11])
            faults = (SystemFault(Which(every=chance.randint(1, 3)), failures),) if failures else ()
        scenario = Scenario(
            seed=chance.randrange(1000),
            queue=queue,
            answers=Answers(unknown_request_id=chance.choice(["null", 400, 404, 500])),
            read_lag_seconds=chance.choice([0.0, 0.0, 5.0, 60.0]),
            system_faults=faults,
            rejects=self._rejects(),
            lost_updates=(LostUpdate(Which(every=4)),) if chance.random() < 0.1 else (),
        )
        weather = Weather(
            scenario,
            rough=chance.choice([0.0, 0.2, 0.4, 0.6]),
            fog=chance.choice([0.0, 0.2, 0.5]),
            lies=chance.choice([0.0, 0.0, 0.0, 0.3]),
        )
        self._turn_to(weather)

    def _turn_to(self, weather: Weather) -> None:
        self._network.turn_to(weather)
        queue = replace(weather.scenario.queue, retry_seconds=())
        self._say(f"weather: {weather.rough} rough, {weather.fog} fog, {queue}")

    def _quarrel(self) -> None:
        """When all is settled, a person and a spec change the same field."""
        self._turn_to(Weather())
        self._apply()
        key, name = self._edit_crm()
        values = next((one for one in self._specs.values() if key in one), {}).get(key)
        if values is not None:
            values[name] = self._new_value(key, name)
            self._say(f"spec: {key[-1]} {name} = {values[name]}")
            self._write_specs()
        self._apply()

    def _long_queue(self) -> None:
        """The CRM works it off tomorrow, and says so."""
        self._edit_specs()
        self._turn_to(Weather(Scenario(queue=Queue(delay_seconds=22 * HOUR))))
        self._apply()
        for hours in (self._chance.uniform(1, 11), self._chance.uniform(2, 10)):
            self._clock.pass_by(hours * HOUR)
            self._say(f"{hours:.1f} hours pass")
            self._status()
        self._apply()

    def _rejects(self) -> tuple[Reject, ...]:
        if self._chance.random() < 0.5:
            return ()
        which = Which(every=self._chance.randint(1, 4))
        reject = Reject(which)
        return (self._chance.choice([reject, replace(reject, outcome="ERROR")]),)

    # --- files

    def _commit_lock(self) -> None:
        path = self._root / _LOCK
        if path.exists():
            self._copies = [*self._copies[-5:], path.read_bytes()]

    def _restore_lock(self) -> None:
        if self._copies:
            (self._root / _LOCK).write_bytes(self._chance.choice(self._copies))
            self._judge.out_of_sight |= set(KEYS)
            self._say("git: an earlier lock checked out")

    def _recorded(self) -> dict[str, Entry]:
        account = Account("test", ASYNC_HOST, HOST if self._reads else None)
        store = FileStore(self._root / _LOCK, _LOCK, self._root / ".lsq-sync", account)
        try:
            return dict(store.read().entries)
        except LsqSyncError as error:
            self._judge.faults.append(f"the state cannot be read: {error.message}")
            return {}

    # --- commands

    def _apply(self, *, may_crash: bool = True) -> None:
        chance = self._chance
        arguments = ["apply", "--yes", "--timeout", str(chance.choice([0, 5, 120, 600]))]
        conflict = chance.choice(["fail", "fail", "skip", "overwrite"])
        arguments += ["--on-conflict", conflict]
        reading = chance.choice(["", "", "--refresh", "--no-refresh"])
        resends, retries = chance.random() < 0.15, chance.random() < 0.2
        no_wait = chance.random() < 0.3
        for flag, wanted in (
            (reading, reading),
            ("--no-wait", no_wait),
            ("--resend-unknown", resends),
            ("--retry-rejected", retries),
        ):
            arguments += [flag] if wanted else []
        arguments += self._stages(no_wait)
        manners = Manners(
            self._reads and reading != "--no-refresh", conflict == "overwrite", resends, retries
        )
        if chance.random() < 0.2:
            arguments += ["--expect", self._plan_id(arguments)]
        self._command(arguments, manners, may_crash=may_crash)

    def _stages(self, no_wait: bool) -> list[str]:
        """Drawn by themselves, so that the histories of before stay what they are without them."""
        chance = random.Random(f"{self.seed} {len(self.trace)}")
        canary = ["--canary", str(chance.randint(1, 4))]
        deadline = ["--deadline", str(chance.choice([1, 8, 30, 120]))]
        return [
            *(canary if chance.random() < 0.2 and not no_wait else []),
            *(deadline if chance.random() < 0.15 else []),
        ]

    def _crash_apply(self) -> None:
        self._crash.arm(self._chance.randint(0, 24))
        self._apply()

    def _plan_id(self, arguments: list[str]) -> str:
        kept = [one for one in arguments if one in ("--resend-unknown", "--retry-rejected")]
        ended = self._command(["plan", *kept], Manners())
        return str(ended.document.get("id", "none")) if ended.code is not None else "none"

    def _save_plan(self) -> None:
        self._plan_file = self._command(["plan", "--out", self._saved], Manners()).code == 0

    def _apply_plan(self) -> None:
        if self._plan_file:
            self._command(["apply", self._saved], Manners(self._reads))

    @property
    def _saved(self) -> str:
        return str(self._root / "saved.plan")

    def _status(self) -> None:
        more = self._chance.choice([[], ["--wait", "--timeout", "60"]])
        self._command(["status", *more], Manners())

    def _crash_status(self) -> None:
        self._crash.arm(self._chance.randint(0, 8))
        self._status()

    def _command(self, arguments: list[str], manners: Manners, *, may_crash: bool = True) -> Ended:
        """Runs a command line; what it did is judged."""
        if not may_crash:
            self._crash.disarm()
        self._judge.begin(manners)
        ended = self._run(arguments)
        crashed = ended.code is None
        self._crash.disarm()
        self.counts["commands"] += 1
        self.counts["crashes"] += crashed
        self._say(f"$ lsq-sync {' '.join(arguments)} -> {'crash' if crashed else ended.code}")
        self._judge.end(crashed=crashed)
        self._commit_lock()
        if ended.code is not None and ended.code not in _KNOWN_CODES:
            self._judge.faults.append(f"{arguments} ended with {ended.code}: {ended.err}")
        return ended

    def _run(self, arguments: list[str]) -> Ended:
        out, err = io.StringIO(), io.StringIO()
        line = ["-C", str(self._root), *arguments]
        if "--out" not in arguments:
            line += ["--format", "json"]
        around = self._clock.surroundings(self._chance.random)
        with redirect_stdout(out), redirect_stderr(err):
            try:
                code: int | None = cli.run(line, around)
            except CrashError:
                code = None
        if self._crash.dead:
            code = None
        return Ended(code, out.getvalue(), err.getvalue())

    # --- the end

    def _look_at_report(self) -> None:
        """Every difference between CRM and specs is named by the plan or the status."""
        self._network.turn_to(Weather())
        self._clock.pass_by(200)
        before = self._differing()
        refresh = ["--refresh"] if self._reads else []
        plan = self._command(["plan", *refresh], Manners(), may_crash=False)
        status = self._command(["status", "--offline"], Manners(), may_crash=False)
        if plan.code or "opportunities" not in plan.document:
            self._judge.faults.append(f"no plan: {plan.out} {plan.err}")
            return
        named = {one["id"] for one in plan.document["opportunities"]}
        named |= {one["id"] for one in status.document["opportunities"]}
        differing = before & self._differing()
        self.counts["differences named"] += len(differing & named)
        if self._reads:
            for key in sorted(differing - named):
                self._judge.faults.append(f"{key} differs from its spec, and nobody says so")

    def _heal(self) -> None:
        """With everything in order again, the CRM comes to hold what the specs say."""
        self._clock.pass_by(26 * HOUR)
        self._command(["status", "--wait"], Manners(), may_crash=False)
        healing = ["apply", "--yes", "--on-conflict", "overwrite", "--resend-unknown",
                   "--retry-rejected"]  # fmt: skip
        healing += ["--refresh"] if self._reads else []
        manners = Manners(self._reads, overwrites=True, resends=True, retries=True)
        self._command(healing, manners, may_crash=False)
        self._clock.pass_by(200)
        ended = self._command(healing, manners, may_crash=False)
        self._clock.pass_by(200)
        if ended.code != 0:
            self._judge.faults.append(f"it does not heal: {ended.code}, {_told(ended)}")
        if self._reads and (left := self._differing()):
            self._judge.faults.append(f"healed, and {sorted(left)} differ all the same")
        refresh = ["--refresh"] if self._reads else []
        plan = self._command(["plan", *refresh, "--detailed-exitcode"], Manners(), may_crash=False)
        if plan.code != 0:
            self._judge.faults.append(f"healed, and there is more to do: {_told(plan)}")

    def _differing(self) -> set[str]:
        return {
            key
            for key, values in self._desired().items()
            for name, value in values.items()
            if self._shown(key, name) != (value or "")
        }

    def _say(self, text: str) -> None:
        self.trace.append(f"{self._clock.seconds:9.0f}  {text}")

    @property
    def network(self) -> Network:
        """What the calls went through."""
        return self._network

    def counted(self) -> Counter[str]:
        """What happened, in numbers."""
        posts, fates = self._judge.posts_made, self._network.fates
        tasks = self._network.crm.tasks()
        late = (task for task in tasks if (task.settled_at or 0) > task.submitted_at + HOUR)
        lost = sum(not (one.accepted or one.refused) for one in posts)
        return self.counts + Counter(
            {
                "updates": len(posts),
                "answers lost": lost,
                "landed late": sum(1 for _ in late),
                "calls that went wrong": sum(fates.values()) - fates[Fate.WELL],
                "calls": sum(fates.values()),
                "virtual hours": int(self._clock.seconds / HOUR),
            }
        )


def _told(ended: Ended) -> str:
    """What it said, in short."""
    listed = ended.document.get("opportunities", [])
    return f"{[{**one, 'source': None} for one in listed]} {ended.err}"


_WEIGHTS = {
    "edit_specs": 7,
    "edit_crm": 2,
    "apply": 6,
    "crash_apply": 2,
    "status": 2,
    "crash_status": 1,
    "save_plan": 1,
    "apply_plan": 1,
    "wait": 5,
    "turn_weather": 3,
    "restore_lock": 2,
    "long_queue": 1,
    "quarrel": 1,
}
"""How often each step is taken."""
