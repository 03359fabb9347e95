"""Real processes, killed at every step of writing and sending; and what is found afterwards."""

import os
import random
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.acting import acted
from tests.support.world import LOANS, World

KEYS = LOANS[:4]
MANY = LOANS[:30]
FORGOTTEN = KEYS[0]
"""By `state forget`, from the moment on that this is durable."""


@dataclass(frozen=True)
class KillAt:
    """SIGKILL at the n-th step, a step being a call that touches a file of the workspace, or the
    moment before a call to the CRM leaves, or the one after its answer was read.

    With `torn`, a write that is met there is done by half. `promised` is a file outside of the
    workspace; it gets each RequestID that was said to be durable.
    """

    step: int
    promised: Path
    torn: bool = False

    def __call__(self, root: Path) -> None:
        done = 0
        files: set[int] = set()
        write = os.write

        def step() -> bool:
            nonlocal done
            done += 1
            return done == self.step

        def dies() -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        def is_inside(path: Any) -> bool:
            return not isinstance(path, int) and Path(os.fspath(path)).is_relative_to(root)

        def on_path(original: Callable[..., Any]) -> Callable[..., Any]:
            def call(path: Any, *rest: Any, **more: Any) -> Any:
                if is_inside(path) and step():
                    dies()
                return original(path, *rest, **more)

            return call

        opens = on_path(os.open)

        def opened(path: Any, *rest: Any, **more: Any) -> Any:
            descriptor = opens(path, *rest, **more)
            if is_inside(path):
                files.add(descriptor)
            return descriptor

        def written(descriptor: int, data: bytes) -> int:
            if descriptor in files and step():
                if self.torn:
                    write(descriptor, data[: len(data) // 2])
                dies()
            return write(descriptor, data)

        def on_file(original: Callable[[int], None]) -> Callable[[int], None]:
            def call(descriptor: int) -> None:
                if descriptor in files and step():
                    dies()
                original(descriptor)

            return call

        for name in ("rename", "replace", "unlink", "mkdir"):
            setattr(os, name, on_path(getattr(os, name)))
        os.fsync = on_file(os.fsync)  # type: ignore[assignment]
        os.close = on_file(os.close)  # type: ignore[assignment]
        os.open, os.write = opened, written  # type: ignore[assignment]
        _on_each_call(step, dies)
        _on_each_promise(self.promised)


def _on_each_call(step: Callable[[], bool], dies: Callable[[], None]) -> None:
    from lsq_sync.crm.client import Client

    exchange = Client._exchange

    async def exchanged(self: Client, *arguments: Any) -> Any:
        if step():
            dies()
        answer = await exchange(self, *arguments)
        if step():
            dies()
        return answer

    Client._exchange = exchanged  # type: ignore[method-assign, assignment]


def _on_each_promise(promised: Path) -> None:
    from lsq_sync.core.events import Accepted, Event
    from lsq_sync.lock.ledger import Ledger

    record = Ledger.record

    async def recorded(self: Ledger, *events: Event) -> None:
        await record(self, *events)
        with promised.open("a") as file:
            file.writelines(f"{one.request_id}\n" for one in events if isinstance(one, Accepted))

    Ledger.record = recorded  # type: ignore[method-assign]


@dataclass(frozen=True)
class KillAfter:
    """SIGKILL after so many real seconds, wherever that is."""

    seconds: float
    promised: Path

    def __call__(self, _root: Path) -> None:
        _on_each_promise(self.promised)
        timer = threading.Timer(self.seconds, os.kill, (os.getpid(), signal.SIGKILL))
        timer.daemon = True
        timer.start()


@dataclass
class Swept:
    """What a sweep did and found."""

    kills: int = 0
    ended: int = 0
    unknown: int = 0
    bad: list[str] = field(default_factory=list)
    last: str = ""


# --- sweeps


def _apply(world: World) -> Sequence[str]:
    return ("apply", "--yes", "--format", "json")


def _apply_plan_file(world: World) -> Sequence[str]:
    assert world.run("plan", "--out", str(world.root / "plan.json")).code == 0
    return ("apply", "plan.json", "--format", "json")


def _status(world: World) -> Sequence[str]:
    """Requests of an earlier run are open; the CRM has settled them meanwhile."""
    assert world.json("apply", "--yes", "--no-wait").code == 0
    return ("status", "--wait", "--format", "json")


def _after_a_kill(world: World) -> Sequence[str]:
    """The command that folds what a killed one left."""
    killed = acted(world, KillAt(34, world.root.parent / "promised"), *_apply(world))
    assert killed.code == -signal.SIGKILL
    return _apply(world)


def _forget(world: World) -> Sequence[str]:
    assert world.json("apply", "--yes").code == 0
    return ("state", "forget", FORGOTTEN, "--yes", "--format", "json")


COMMANDS: dict[str, Callable[[World], Sequence[str]]] = {
    "apply": _apply,
    "apply PLANFILE": _apply_plan_file,
    "status": _status,
    "apply after a kill": _after_a_kill,
    "state forget": _forget,
}


def sweep(world: World, command: str, steps: Iterator[int], *, torn: bool = False) -> Swept:
    """Kills the command at each of these steps, until it gets to its end."""
    swept = Swept()
    for number in steps:
        _begin_anew(world, number)
        sent_before = len(world.sent())
        arguments = COMMANDS[command](world)
        promised = world.root.parent / "promised"
        ended = acted(world, KillAt(number, promised, torn), *arguments)
        what = f"{command} at step {number}"
        if ended.code != -signal.SIGKILL:
            swept.ended += 1
            if ended.code not in (0, 4):  # what an earlier kill left may be unknown
                swept.bad.append(f"{what}: exit {ended.code}: {ended.err}")
            return swept
        swept.kills += 1
        posted = _posted(world, sent_before)
        if command == "state forget":
            posted.remove(FORGOTTEN)
        swept.bad += [f"{what}: {fault}" for fault in _faults(world, promised, posted, swept)]
        swept.bad += [f"{what}: {fault}" for fault in _faults_at_the_end(world, KEYS, sent_before)]
    return swept


def kill_again_and_again(world: World, seed: int, most: int) -> Swept:
    """One apply of many updates, killed at random moments until it gets through or is let."""
    chance = random.Random(seed)
    swept = Swept()
    promised = world.root.parent / "promised"
    world.fields(*MANY, mx_Custom_6=seed + 1)
    arguments = ("apply", "--yes", "--max-updates", "99", "--format", "json")
    sent_before = len(world.sent())
    for _ in range(most):
        ended = acted(world, KillAfter(chance.uniform(0.02, 0.2), promised), *arguments)
        if ended.code != -signal.SIGKILL:
            swept.ended += 1
            swept.last = f"exit {ended.code}: {ended.err}"
            break
        swept.kills += 1
        swept.bad += [
            f"seed {seed}: {fault}"
            for fault in _faults(world, promised, _posted(world, sent_before), swept)
        ]
    swept.bad += [f"seed {seed}: {one}" for one in _faults_at_the_end(world, MANY, sent_before)]
    return swept


def _begin_anew(world: World, value: int) -> None:
    """The same workspace with nothing recorded, and with values that the CRM does not have."""
    shutil.rmtree(world.root / ".lsq-sync", ignore_errors=True)
    (world.root / "lsq-sync.lock").unlink(missing_ok=True)
    (world.root.parent / "promised").unlink(missing_ok=True)
    world.fields(*KEYS, mx_Custom_6=1_000_000 + value)


# --- what must hold


def _posted(world: World, sent_before: int) -> list[str]:
    """The opportunities of the updates that the CRM accepted since."""
    return [body["ProspectOpportunityId"] for body in world.sent()[sent_before:]]


def _faults(world: World, promised: Path, posted: Sequence[str], swept: Swept) -> Iterator[str]:
    """Right after a kill, without a call: reading works, and nothing that was promised is lost."""
    planned = world.json("plan")
    if planned.code != 0:
        yield f"plan ends with {planned.code}: {planned.err}"
        return
    entries = world.json("state", "list").document["opportunities"]
    known = set()
    for entry in entries.values():
        pending, final = entry.get("pending"), entry.get("request")
        known |= {pending["request_id"]} if pending else set()
        known |= {final["id"]} if final else set()
        swept.unknown += bool(pending and not pending["request_id"])
    said = set(promised.read_text().split()) if promised.exists() else set()
    if lost := said - known:
        yield f"RequestIDs that were said to be durable are lost: {sorted(lost)}"
    unrecorded = [key for key in posted if key not in entries]
    if unrecorded:
        yield f"posted, and nothing is recorded of it: {unrecorded}"


def _faults_at_the_end(world: World, keys: Sequence[str], sent_before: int) -> Iterator[str]:
    """After the next commands: all is as desired, and nothing was posted twice."""
    world.run("status", "--wait")
    first = world.json("apply", "--yes", "--max-updates", "99")
    if first.code not in (0, 4):
        yield f"the next apply ends with {first.code}: {first.err}"
    again = Counter(_posted(world, sent_before))
    if twice := [key for key, count in again.items() if count > 1]:
        yield f"posted twice: {twice}"
    last = world.json("apply", "--yes", "--max-updates", "99", "--resend-unknown")
    if last.code != 0:
        yield f"apply --resend-unknown ends with {last.code}: {last.err}"
    posted = Counter(_posted(world, sent_before))
    if posted != Counter(keys):
        yield f"posted {dict(posted)}"
    plan = world.json("plan", "--refresh", "--detailed-exitcode")
    if plan.code != 0:
        yield f"not as desired: {plan.out}"
    if left := [path.name for path in world.root.rglob("*.tmp")]:
        yield f"files are left: {left}"
    if (world.root / ".lsq-sync/journal").exists():
        yield "the journal is left"
