"""`ci push-lock` and `ci pull-lock`: the lock between a job and the branch, with real git."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from lsq_sync import repository
from tests.e2e.test_state_repair import HOUR, git
from tests.support.world import LOANS, World

ONE, TWO, THREE = sorted(LOANS)[:3]
LOCK = "lsq-sync.lock"


class Team:
    """A bare repository, the checkout of a job in the world's workspace, and a colleague's."""

    def __init__(self, world: World, folder: Path) -> None:
        self.world = world
        self.origin, self.colleague = folder / "origin.git", folder / "colleague"
        git(world.root, "init", "-q", "-b", "main")
        world.write(".gitignore", ".lsq-sync/\n")
        world.fields(ONE, mx_Custom_6=1)
        world.apply()
        git(world.root, "add", "-A", ".")
        git(world.root, "commit", "-q", "-m", "base")
        git(folder, "clone", "-q", "--bare", str(world.root), str(self.origin))
        git(world.root, "remote", "add", "origin", str(self.origin))
        git(folder, "clone", "-q", str(self.origin), str(self.colleague))

    def somebody_pushes(self, name: str, text: str = "x\n") -> None:
        git(self.colleague, "pull", "-q", "--rebase")
        (self.colleague / name).write_text(text, encoding="utf-8")
        git(self.colleague, "add", name)
        git(self.colleague, "commit", "-q", "-m", f"colleague: {name}")
        git(self.colleague, "push", "-q", "origin", "main")

    def somebody_applies(self, *keys: str, value: int = 7) -> None:
        """A colleague's job records something in the same account."""
        git(self.colleague, "pull", "-q", "--rebase")
        theirs = self.world.root.with_name("theirs")
        shutil.copytree(self.colleague, theirs)
        ours = self.world.root
        self.world.root = theirs
        self.world.fields(ONE, mx_Custom_6=1)
        self.world.fields(*keys, name="specs/b.yaml", mx_Custom_6=value)
        assert self.world.json("apply", "--yes").code == 0
        self.world.root = ours
        lock = (theirs / LOCK).read_text("utf-8")
        shutil.rmtree(theirs)
        self.somebody_pushes(LOCK, lock)

    def push(self, *arguments: str) -> Any:
        ended = self.world.json("ci", "push-lock", *arguments)
        assert ended.code == 0, ended
        return ended.document

    def at_origin(self, name: str = LOCK) -> str:
        return git(self.origin, "show", f"main:{name}")


@pytest.fixture
def team(world: World, tmp_path: Path) -> Team:
    return Team(world, tmp_path)


def test_the_lock_and_nothing_else_is_committed_and_pushed(team: Team) -> None:
    team.world.fields(ONE, TWO, mx_Custom_6=2)
    team.world.apply()
    team.world.write("notes.txt", "mine\n")
    git(team.world.root, "add", "notes.txt")
    pushed = team.push()
    assert pushed["commit"] == git(team.origin, "rev-parse", "main").strip()
    assert git(team.origin, "diff", "--name-only", "main~1", "main") == f"{LOCK}\n"
    assert team.at_origin() == (team.world.root / LOCK).read_text("utf-8")
    status = git(team.world.root, "status", "--porcelain").splitlines()
    assert sorted(status) == [" M specs/a.yaml", "A  notes.txt"]
    assert git(team.world.root, "rev-parse", "HEAD").strip() == pushed["commit"]
    assert team.push()["commit"] is None


def test_somebody_who_was_quicker_is_merged_with_record_by_record(team: Team) -> None:
    team.world.fields(ONE, TWO, mx_Custom_6=2)
    team.world.apply()
    team.somebody_pushes("README.md")
    team.somebody_applies(THREE)
    pushed = team.push()
    assert pushed["merged"] is True
    lock = team.at_origin()
    assert all(f'"{key}"' in lock for key in (ONE, TWO, THREE))
    assert lock.count('"mx_Custom_6": "2"') == 2
    assert team.at_origin("README.md") == "x\n"
    assert git(team.origin, "log", "--merges", "--oneline", "main") == ""


def test_a_push_that_is_refused_is_tried_again_on_top_of_the_others(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.world.fields(ONE, TWO, mx_Custom_6=2)
    team.world.apply()
    push, left = repository.Repository.push, [1, 2, 3]

    def after_somebody(self: repository.Repository, commit: str, branch: str) -> Any:
        if left:
            team.somebody_pushes(f"file-{left.pop()}")
        return push(self, commit, branch)

    monkeypatch.setattr(repository.Repository, "push", after_somebody)
    assert team.push()["tries"] == 4
    assert f'"{TWO}"' in team.at_origin()
    left[:] = range(9)
    team.world.fields(ONE, TWO, mx_Custom_6=3)
    team.world.apply()
    ended = team.world.json("ci", "push-lock", "--tries", "2")
    assert (ended.code, ended.document["error"]["code"]) == (1, "git")
    assert "main moved on each time, 2 times" in ended.err


def test_a_branch_that_may_not_be_pushed_to_is_not_tried_again(team: Team) -> None:
    team.world.fields(ONE, TWO, mx_Custom_6=2)
    team.world.apply()
    hook = team.origin / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'main is protected' >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)
    before = (team.world.root / LOCK).read_bytes()
    ended = team.world.json("ci", "push-lock")
    assert ended.code == 1
    assert "has not moved" in ended.err
    assert "contents: write" in " ".join(ended.err.split())
    assert (team.world.root / LOCK).read_bytes() == before


def test_a_token_in_the_address_of_the_remote_is_not_told(team: Team) -> None:
    team.world.fields(ONE, TWO, mx_Custom_6=2)
    team.world.apply()
    url = "https://x-access-token:ghs_secret@127.0.0.1:1/acme/crm.git"
    git(team.world.root, "remote", "set-url", "origin", url)
    ended = team.world.json("ci", "push-lock")
    assert (ended.code, ended.document["error"]["code"]) == (1, "git")
    assert "ghs_secret" not in ended.out + ended.err


def test_a_commit_that_is_checked_out_needs_a_branch(team: Team) -> None:
    """As GitLab and tags do it."""
    git(team.world.root, "checkout", "-q", "--detach")
    team.world.fields(ONE, TWO, mx_Custom_6=2)
    team.world.apply()
    assert team.world.json("ci", "push-lock").code == 64
    team.world.environment["CI_COMMIT_BRANCH"] = "main"
    assert team.push()["commit"] is not None
    assert f'"{TWO}"' in team.at_origin()


def test_what_a_killed_job_left_in_the_journal_is_pushed_too(team: Team) -> None:
    team.world.scenario(queue={"delay_seconds": HOUR})
    team.world.fields(ONE, TWO, mx_Custom_6=2)
    team.world.apply("--no-wait")
    state = team.world.root / ".lsq-sync"
    journals = (state / "runs").glob("*.journal")
    max(journals, key=lambda path: path.stat().st_mtime_ns).rename(state / "journal")
    (state / "open").unlink()
    git(team.world.root, "checkout", "-q", "--", LOCK)
    assert f'"{TWO}"' not in (team.world.root / LOCK).read_text()
    team.push()
    assert team.at_origin().count('"pending"') == 2


def test_two_open_requests_of_one_opportunity_are_never_merged_away(team: Team) -> None:
    team.world.scenario(queue={"delay_seconds": HOUR})
    theirs = team.world.root.with_name("theirs")
    shutil.copytree(team.colleague, theirs)
    ours, team.world.root = team.world.root, theirs
    team.world.fields(ONE, mx_Custom_6=5)
    team.world.json("apply", "--yes", "--no-wait")
    team.world.root = ours
    team.somebody_pushes(LOCK, (theirs / LOCK).read_text("utf-8"))
    team.world.fields(ONE, mx_Custom_6=6)
    team.world.apply("--no-wait", "--no-refresh")
    ended = team.world.json("ci", "push-lock")
    assert (ended.code, ended.document["error"]["code"]) == (1, "lock")
    assert "concurrency group" in " ".join(ended.err.split())


def test_the_lock_of_the_branch_comes_in_and_the_specs_stay(team: Team) -> None:
    """A job that waited in the queue: its commit is older than what was recorded meanwhile."""
    team.somebody_applies(THREE)
    team.somebody_pushes("specs/c.yaml", "version: 1\nopportunities: {}\n")
    assert list(team.world.entries) == [ONE]
    ended = team.world.json("ci", "pull-lock")
    assert (ended.code, ended.document["is_newer"]) == (0, True)
    assert sorted(team.world.entries) == sorted([ONE, THREE])
    assert not (team.world.root / "specs/c.yaml").exists()
    assert team.world.json("ci", "pull-lock").document["is_newer"] is False
    team.world.fields(ONE, TWO, THREE, mx_Custom_6=7)
    assert team.world.actions() == {ONE: "update", TWO: "update"}
    team.world.apply()
    team.push()
    assert team.at_origin() == (team.world.root / LOCK).read_text("utf-8")


def test_a_workspace_in_a_folder_of_the_repository(team: Team, tmp_path: Path) -> None:
    top = tmp_path / "mono"
    shutil.copytree(team.world.root, top / "crm")
    shutil.rmtree(top / "crm/.git")
    origin = tmp_path / "mono.git"
    git(top, "init", "-q", "-b", "main")
    git(top, "add", "-A", ".")
    git(top, "commit", "-q", "-m", "base")
    git(tmp_path, "clone", "-q", "--bare", str(top), str(origin))
    git(top, "remote", "add", "origin", str(origin))
    team.world.root = top / "crm"
    team.world.fields(ONE, TWO, mx_Custom_6=2)
    team.world.apply()
    team.push()
    assert git(origin, "diff", "--name-only", "main~1", "main") == f"crm/{LOCK}\n"


def test_a_checkout_of_one_commit_is_enough(team: Team, tmp_path: Path) -> None:
    """As actions/checkout makes it."""
    shallow = tmp_path / "shallow"
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{team.origin}", str(shallow))
    team.world.root = shallow
    team.world.fields(ONE, TWO, mx_Custom_6=2)
    team.world.apply()
    team.somebody_pushes("README.md")
    team.push()
    assert f'"{TWO}"' in team.at_origin()
    assert team.at_origin("README.md") == "x\n"


def test_annotations_name_files_as_the_repository_does(team: Team) -> None:
    team.world.environment["GITHUB_WORKSPACE"] = str(team.world.root.parent)
    folder = team.world.root.name
    team.world.fields(ONE, mx_Custom_6="two")
    ended = team.world.run("validate", "--format", "github")
    assert ended.out.startswith(f"::error file={folder}/specs/a.yaml,line=")
    team.world.scenario(rejects=[{"id": ONE, "message": "Not so."}])
    team.world.fields(ONE, mx_Custom_6=3)
    team.world.apply(code=3)
    ended = team.world.run("ci", "annotate")
    assert ended.code == 3
    assert ended.out.startswith(f"::error file={folder}/specs/a.yaml,line=")
    assert "Not so." in ended.out


def test_there_is_nothing_to_annotate_before_the_first_run(world: World) -> None:
    assert (world.run("ci", "annotate").code, world.run("ci", "annotate").out) == (0, "")
    assert world.run("ci", "annotate", "2026").code == 64


def test_without_a_repository_it_says_so(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    world.environment["GIT_CEILING_DIRECTORIES"] = str(world.root.parent)
    ended = world.json("ci", "push-lock", "--branch", "main")
    assert (ended.code, ended.document["error"]["code"]) == (1, "git")
    assert "not a git repository" in ended.err
