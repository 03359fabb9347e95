"""The whole story of a pull request, told by the example workflows themselves.

Real git with a bare repository, a stand-in for GitHub, the simulated CRM: opened, mended, changed,
merged while somebody else pushes, sent, confirmed or rejected, settled an hour later; and drift.
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from lsq_sync import repository
from lsq_sync.core.review import marks_of
from tests.e2e.test_state_repair import HOUR, git
from tests.support.forge import Forge, event, run_of, served
from tests.support.workflow import Job
from tests.support.world import LOANS, World

ONE, TWO, THREE = sorted(LOANS)[:3]
SPEC = "specs/a.yaml"
KEYS = ("LSQ_ACCESS_KEY", "LSQ_SECRET_KEY", "LSQ_X_API_KEY")


class Story:
    """The repository, the forge, the CRM, and jobs with a checkout of their own."""

    def __init__(self, world: World, forge: Forge, folder: Path) -> None:
        self.world, self.forge, self.folder = world, forge, folder
        self.origin, self.desk = folder / "origin.git", folder / "desk"
        self.jobs = 0
        git(world.root, "init", "-q", "-b", "main")
        world.write(".gitignore", ".lsq-sync/\n*.md\napplied.json\n")
        self.state = folder / "cache"
        world.fields(ONE, mx_Custom_6=1)
        world.apply()
        git(world.root, "add", "-A", ".")
        git(world.root, "commit", "-q", "-m", "base")
        git(folder, "clone", "-q", "--bare", str(world.root), str(self.origin))
        git(folder, "clone", "-q", str(self.origin), str(self.desk))

    # --- what people do

    def proposes(self, number: int, text: str, file: str = SPEC) -> None:
        """Somebody pushes a spec to the branch of a pull request."""
        branch = f"topic-{number}"
        git(self.desk, "fetch", "-q")
        known = git(self.desk, "branch", "--list", branch)
        where = (branch,) if known else ("-b", branch, "origin/main")
        git(self.desk, "checkout", "-q", *where)
        (self.desk / file).write_text(text, encoding="utf-8")
        git(self.desk, "add", "-A", ".")
        git(self.desk, "commit", "-q", "-m", "propose")
        git(self.desk, "push", "-q", "origin", branch)
        head = git(self.desk, "rev-parse", "HEAD").strip()
        self.forge.opened(number, head, branch=branch)

    def merges(self, number: int) -> str:
        """Somebody presses the button; the new commit of main."""
        git(self.desk, "checkout", "-q", "-B", "main", "origin/main")
        git(self.desk, "pull", "-q", "origin", "main")
        git(self.desk, "merge", "-q", "--no-ff", "-m", f"Merge {number}", f"topic-{number}")
        git(self.desk, "push", "-q", "origin", "main")
        commit = git(self.desk, "rev-parse", "HEAD").strip()
        self.forge.merged(number, commit)
        return commit

    def pushes(self, name: str) -> None:
        """Somebody pushes something else to main."""
        git(self.desk, "checkout", "-q", "-B", "main")
        git(self.desk, "pull", "-q", "--rebase", "origin", "main")
        (self.desk / name).write_text("x\n", encoding="utf-8")
        git(self.desk, "add", "-A", ".")
        git(self.desk, "commit", "-q", "-m", name)
        git(self.desk, "push", "-q", "origin", "main")

    # --- what the forge starts

    def job(self, name: str, started_by: str, what: Any, at: str, **more: Any) -> Job:
        """A job in a checkout of `at`, with the state of the last writer from the cache."""
        self.jobs += 1
        root = self.folder / f"job-{self.jobs}"
        git(self.folder, "clone", "-q", str(self.origin), str(root))
        git(root, "checkout", "-q", *(("main",) if at == "main" else ("--detach", at)))
        is_writer = name in ("lsq-sync-apply.yml", "lsq-sync-settle.yml")
        if is_writer and self.state.exists():
            shutil.copytree(self.state, root / ".lsq-sync")
        hosts = {key: text for key, text in self.world.environment.items() if key not in KEYS}
        keys = {key: self.world.environment[key] for key in KEYS} if is_writer else {}
        base = {
            **hosts, **event(root, started_by, what), **self.forge.environment,
            "GITHUB_ACTIONS": "true", "GITHUB_REF_TYPE": "branch", "GITHUB_REF_NAME": "main",
            "GITHUB_WORKSPACE": str(root),
        }  # fmt: skip
        (root / f"event-{started_by}.json").rename(self.folder / f"event-{self.jobs}.json")
        base["GITHUB_EVENT_PATH"] = str(self.folder / f"event-{self.jobs}.json")
        done = Job(name, root, base, keys, **more).run()
        if is_writer:
            shutil.rmtree(self.state, ignore_errors=True)
            shutil.copytree(root / ".lsq-sync", self.state)
        return done

    def checks(self, number: int) -> tuple[Job, Job]:
        """The plan of a pull request, and the comment on it."""
        found = self.forge.pull_requests[number]
        head = found["head"]["sha"]
        started = {"pull_request": {"number": number, "head": {"sha": head}}}
        plan = self.job("lsq-sync-plan.yml", "pull_request", started, head)
        owner, branch = found["head"]["label"].split(":")
        conclusion = "failure" if plan.failed else "success"
        ended = run_of(head, owner, branch)
        comment = self.job_without_checkout(ended, conclusion, plan)
        return plan, comment

    def job_without_checkout(self, ended: Any, conclusion: str, plan: Job) -> Job:
        self.jobs += 1
        root = self.folder / f"job-{self.jobs}"
        (root / "artifact").mkdir(parents=True)
        if conclusion == "success":
            shutil.copy(plan.root / "plan.md", root / "artifact")
        base = {**event(root, "workflow_run", ended), **self.forge.environment}
        return Job("lsq-sync-comment.yml", root, base, conclusion=conclusion).run()

    def applies(self, commit: str, **more: Any) -> Job:
        """What a merge starts."""
        return self.job("lsq-sync-apply.yml", "push", {"after": commit}, commit, **more)

    def settles(self) -> Job:
        """What the clock starts."""
        return self.job("lsq-sync-settle.yml", "schedule", {}, "main")

    # --- what there is

    def comment(self, number: int) -> str:
        """The one comment of ours."""
        (text,) = self.forge.texts(number)
        return text

    @property
    def entries(self) -> dict[str, Any]:
        """What main has recorded."""
        content = json.loads(git(self.origin, "show", "main:lsq-sync.lock"))
        entries: dict[str, Any] = content["opportunities"]
        return entries


@pytest.fixture
def story(world: World, tmp_path: Path) -> Iterator[Story]:
    with served() as forge:
        yield Story(world, forge, tmp_path)


def _spec(values: Mapping[str, int]) -> str:
    lines = [f"  {key}:\n    fields:\n      mx_Custom_6: {value}" for key, value in values.items()]
    return "version: 1\ntype: loan\nopportunities:\n" + "\n".join(lines) + "\n"


def test_from_the_pull_request_to_the_settled_lock(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A mistake is told on its line, and there is no plan.
    story.proposes(4, _spec({ONE: 1, TWO: 2}).replace(" 2\n", " two\n"))
    plan, comment = story.checks(4)
    assert plan.failed
    assert (
        "::error file=specs/a.yaml,line=9," in plan.ended["lsq-sync validate --format github"].out
    )
    assert not comment.failed
    assert "**No plan of" in story.comment(4)

    # Mended, the same comment has the plan; changed, another one.
    story.proposes(4, _spec({ONE: 1, TWO: 2}))
    story.checks(4)
    first = marks_of(story.comment(4))["plan"]
    assert TWO in story.comment(4)
    story.proposes(4, _spec({ONE: 1, TWO: 3}))
    story.checks(4)
    marks = marks_of(story.comment(4))
    assert marks["plan"] != first

    # Merged, exactly that is sent, and the lock gets to main while somebody else pushes too.
    story.world.scenario(queue={"delay_seconds": HOUR})
    commit = story.merges(4)
    push, others = repository.Repository.push, ["NOTES.txt", "MORE.txt"]

    def while_somebody_pushes(self: repository.Repository, commit: str, branch: str) -> Any:
        if others:
            story.pushes(others.pop())
        return push(self, commit, branch)

    monkeypatch.setattr(repository.Repository, "push", while_somebody_pushes)
    applied = story.applies(commit)
    assert not applied.failed, applied.ended
    assert applied.ended["Send it"].document["summary"]["pending"] == 1
    assert "Lock pushed to main" in applied.ended["Keep the RequestIDs"].out
    assert [one["ProspectOpportunityId"] for one in story.world.sent()] == [ONE, TWO]
    assert git(story.origin, "show", "main:NOTES.txt", "main:MORE.txt") == "x\nx\n"
    assert story.entries[TWO]["pending"]["run"] == marks_of(story.comment(4))["run"]
    assert marks_of(story.comment(4))["plan"] == marks["plan"]

    # An hour later it is confirmed, in the same comment; and there is no drift.
    story.world.crm.skip(2 * HOUR)
    settled = story.settles()
    assert not settled.failed, settled.ended
    assert story.entries[TWO]["fields"] == {"mx_Custom_6": "3"}
    assert "pending" not in story.entries[TWO]
    assert "1 succeeded" in story.comment(4)
    assert story.forge.issues == []


def test_a_rejection_is_an_error_on_its_line_and_stands_in_the_comment(story: Story) -> None:
    story.proposes(4, _spec({ONE: 1, TWO: 2}))
    story.checks(4)
    commit = story.merges(4)
    reason = "mx_Custom_6 is over the limit"
    story.world.scenario(rejects=[{"id": TWO, "message": reason}])
    applied = story.applies(commit)
    assert applied.failed
    said = applied.ended["Show rejections on their lines"]
    assert said.code == 3
    (line,) = said.out.splitlines()
    assert line.startswith("::error file=specs/a.yaml,line=9,")
    assert reason in line
    assert reason.replace("_", "") in story.comment(4).replace("\\", "").replace("_", "")


def test_what_was_not_reviewed_is_not_sent(story: Story) -> None:
    story.proposes(4, _spec({ONE: 1, TWO: 2}))
    commit = story.merges(4)
    applied = story.applies(commit)
    assert applied.failed
    assert (
        "has no plan in a comment of ours"
        in applied.ended["Look up the plan that was reviewed"].err
    )
    assert "Send it" not in applied.ended
    assert "**Not applied:**" in story.comment(4)
    assert len(story.world.sent()) == 1


def test_two_merges_that_wait_for_each_other_both_send_what_was_reviewed(story: Story) -> None:
    """The commit of the second knows nothing of what the first recorded meanwhile."""
    story.proposes(4, _spec({ONE: 1, TWO: 2}))
    story.proposes(5, _spec({THREE: 5}), "specs/b.yaml")
    for number in (4, 5):
        story.checks(number)
    first, second = story.merges(4), story.merges(5)
    assert not story.applies(first).failed
    applied = story.applies(second)
    assert not applied.failed, applied.ended
    assert sorted(story.entries) == sorted([ONE, TWO, THREE])
    assert len(story.world.sent()) == 3
    for number in (4, 5):
        assert "1 succeeded" in story.comment(number)


def test_what_was_changed_by_hand_is_not_sent_over_and_the_comment_says_why(story: Story) -> None:
    story.world.crm.skip(HOUR)
    story.proposes(4, _spec({ONE: 2}))
    story.checks(4)
    commit = story.merges(4)
    story.world.crm.change(ONE, "mx_Custom_6", "77")
    applied = story.applies(commit)
    assert applied.failed
    assert "**Not applied:**" in story.comment(4)
    assert len(story.world.sent()) == 1
    assert applied.ended["Show rejections on their lines"].code == 0


def test_drift_is_one_issue_that_closes_itself(story: Story) -> None:
    story.world.crm.skip(HOUR)
    for value, expected in (("77", "open"), ("78", "open"), ("1", "closed")):
        story.world.crm.change(ONE, "mx_Custom_6", value)
        settled = story.settles()
        assert not settled.failed, settled.ended
        assert [one["state"] for one in story.forge.issues] == [expected]
    assert "78" in story.forge.issues[0]["body"]
