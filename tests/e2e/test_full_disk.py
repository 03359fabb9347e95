"""A disk that fails while updates are on their way: no new sends, and no answer is lost."""

import errno
import json
import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.acting import acted
from tests.support.world import LOANS, World, new_world

MANY = LOANS[:20]
APPLY = ("apply", "--yes", "--max-updates", "99", "--format", "json")
SLOW = {"faults": [{"on": "submit", "every": 1, "do": "delay", "seconds": 0.05}]}
"""Several answers are on their way when the disk fails."""


@dataclass(frozen=True)
class FailingDisk:
    """After so many good ones, a call on files of the workspace fails, and ever after.

    With `everywhere`, no place outside of it takes anything either.
    """

    call: str
    number: int
    after: int
    everywhere: bool = False

    def __call__(self, root: Path) -> None:
        original = getattr(os, self.call)
        good = self.after

        def failing(target: Any, *rest: Any, **more: Any) -> Any:
            nonlocal good
            if self.everywhere or _path_of(target).startswith(str(root)):
                good -= 1
                if good < 0:
                    raise OSError(self.number, os.strerror(self.number))
            return original(target, *rest, **more)

        setattr(os, self.call, failing)


def _path_of(target: Any) -> str:
    if isinstance(target, int):
        return str(Path(f"/proc/self/fd/{target}").readlink())
    return str(os.fspath(target))


@pytest.fixture
def world(tmp_path: Path) -> Any:
    """More updates than go out at once, each with a slow answer; places to fall back to."""
    limit = {"rate_limit": {"calls": 3, "seconds": 0.1}}
    with new_world(tmp_path, SLOW, api=limit, account={"host": None}) as made:
        (tmp_path / "home").mkdir()
        (tmp_path / "temporary").mkdir()
        made.environment["TMPDIR"] = str(tmp_path / "temporary")
        made.environment["HOME"] = str(tmp_path / "home")
        made.fields(*MANY, mx_Custom_6=1)
        yield made


def requests_of_the_crm(world: World) -> dict[str, str]:
    """What it issued and answered."""
    return {task.opportunity: task.request_id for task in world.crm.crm.tasks()}


def known_requests(world: World) -> dict[str, str]:
    listed = world.json("state", "list").document["opportunities"]
    opened = {key: entry.get("pending") or entry["request"] for key, entry in listed.items()}
    return {key: one.get("request_id") or one.get("id") or "" for key, one in opened.items()}


def goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With room again, all comes to its end, and nothing is posted twice."""
    monkeypatch.setenv("TMPDIR", world.environment["TMPDIR"])
    issued = requests_of_the_crm(world)
    assert {key: request for key, request in known_requests(world).items() if request} == issued
    assert len(issued) < len(MANY), "it went on sending"
    world.scenario()
    assert world.run("status", "--wait").code == 0
    assert list(world.root.parent.rglob(".lsq-sync-emergency*")) == []
    world.apply("--max-updates", "99")
    posted = [body["ProspectOpportunityId"] for body in world.sent()]
    assert sorted(posted) == sorted(MANY)
    world.assert_nothing_to_do()


def test_a_file_that_may_not_grow(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real fault (EFBIG); the answers that came meanwhile fit into a file of their own."""
    most = (3600, resource.RLIM_INFINITY)
    process = world.start(
        *APPLY, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, most)
    )
    out, _ = process.communicate(timeout=30)
    document = json.loads(out)
    assert process.returncode == 1
    assert document["format"] == "lsq-sync/result/v1"
    assert document["error"]["code"] == "storage"
    assert "File too large" in document["error"]["message"]
    goes_on(world, monkeypatch)


FAULTS = [
    ("write", errno.ENOSPC, 8), ("fsync", errno.EIO, 8), ("write", errno.EROFS, 7),
    ("fsync", errno.EIO, 9), ("write", errno.EDQUOT, 11),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "number", "after"), FAULTS if os.environ.get("LSQ_SYNC_LONG") else FAULTS[:2]
)
def test_a_disk_that_fails_in_the_middle(
    world: World, call: str, number: int, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = acted(world, FailingDisk(call, number, after), *APPLY)
    assert ended.code == 1, ended
    assert os.strerror(number) in ended.document["error"]["message"]
    issued = requests_of_the_crm(world)
    told = {one["id"]: one["request_id"] for one in ended.document["opportunities"]}
    assert issued
    assert {key: request for key, request in told.items() if request} == issued
    goes_on(world, monkeypatch)


def test_where_nothing_can_be_written_the_request_ids_are_said(world: World) -> None:
    ended = acted(world, FailingDisk("fsync", errno.EIO, 8, everywhere=True), *APPLY)
    assert ended.code == 1, ended
    said = ended.document["error"]["message"]
    known = known_requests(world)
    for key, request in requests_of_the_crm(world).items():
        assert known[key] == request or f"{key}: request {request}" in said
        assert known[key] == request or f"{key}: request {request}" in ended.err


@pytest.mark.parametrize("place", ["rename", "replace"])
def test_a_lock_that_cannot_be_replaced_leaves_all_in_the_journal(
    world: World, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = acted(world, FailingDisk(place, errno.ENOSPC, 0), *APPLY)
    assert ended.code == 1, ended
    assert ended.document["error"]["code"] == "storage"
    assert ended.summary["succeeded"] == len(MANY)
    world.scenario()
    assert world.run("status", "--wait").code == 0
    world.assert_nothing_to_do()
