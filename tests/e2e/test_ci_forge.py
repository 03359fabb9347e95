"""`ci comment`, `ci issue` and `ci plan-id` against a stand-in for GitHub."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Ended, run
from tests.support.forge import STRANGER, TOKEN, Forge, event, run_of, served

PLAN = "<!-- lsq-sync plan=abc123 -->\n# Plan\n"
SENT = "<!-- lsq-sync run=r1 -->\n# Sent\n"


@pytest.fixture
def forge() -> Iterator[Forge]:
    with served() as made:
        yield made


class Desk:
    """Where a job runs the commands."""

    def __init__(self, forge: Forge, folder: Path) -> None:
        self.forge = forge
        self.folder = folder
        self.environment = dict(forge.environment)

    def on(self, name: str, content: Any) -> "Desk":
        """In a job that this event started."""
        self.environment |= event(self.folder, name, content)
        return self

    def ci(self, *arguments: str, file: str | None = None) -> Ended:
        more: tuple[str, ...] = ()
        if file is not None:
            (self.folder / "body.md").write_text(file, encoding="utf-8")
            more = ("--file", "body.md")
        ended = run(
            "-C", str(self.folder), "ci", *arguments, *more, "--format", "json",
            environment=self.environment,
        )  # fmt: skip
        assert TOKEN not in ended.out + ended.err
        return ended

    def comment(self, file: str, *arguments: str) -> Any:
        ended = self.ci("comment", *arguments, file=file)
        assert ended.code == 0, ended
        return ended.document["action"]


@pytest.fixture
def desk(forge: Forge, tmp_path: Path) -> Desk:
    return Desk(forge, tmp_path)


# --- comment


def test_one_comment_is_made_and_edited_in_place(forge: Forge, desk: Desk) -> None:
    desk.on("pull_request", {"pull_request": {"number": 4, "head": {"sha": "aa"}}})
    forge.opened(4, "aa")
    assert desk.comment(PLAN) == "created"
    assert desk.comment(PLAN) == "unchanged"
    assert desk.comment(PLAN.replace("abc123", "def456")) == "edited"
    (text,) = forge.texts(4)
    assert text == "<!-- lsq-sync comment=default plan=def456 commit=aa -->\n# Plan\n"
    assert forge.tokens == {f"Bearer {TOKEN}"}


def test_it_is_found_behind_hundreds_of_others(forge: Forge, desk: Desk) -> None:
    for number in range(250):
        forge.comment(4, f"talk {number}", STRANGER)
    desk.comment(PLAN, "--pull-request", "4")
    for number in range(250):
        forge.comment(4, f"talk {number}", STRANGER)
    assert desk.comment(SENT, "--pull-request", "4") == "edited"
    assert len(forge.texts(4)) == 1


def test_what_a_stranger_writes_is_never_taken_for_ours(forge: Forge, desk: Desk) -> None:
    forge.comment(4, "<!-- lsq-sync comment=default plan=evil -->\n", STRANGER)
    assert desk.ci("plan-id", "--pull-request", "4").code == 5
    assert desk.comment(PLAN, "--pull-request", "4") == "created"
    forge.opened(4, "aa")
    assert desk.ci("plan-id", "--pull-request", "4").document["plan"] == "abc123"


def test_workspaces_have_comments_of_their_own(forge: Forge, desk: Desk) -> None:
    for name in ("india", "singapore", "india"):
        desk.comment(PLAN, "--pull-request", "4", "--name", name)
    assert len(forge.texts(4)) == 2
    assert desk.ci("comment", "--pull-request", "4", "--name", "a b", file=PLAN).code == 64


def test_a_lost_answer_makes_no_second_comment(forge: Forge, desk: Desk) -> None:
    forge.faults["POST"] = [(-1, {}), (0, {})]  # the first asks who we are
    assert desk.comment(PLAN, "--pull-request", "4") == "unchanged"
    assert len(forge.texts(4)) == 1


@pytest.mark.parametrize(
    "fault",
    [(502, {}), (429, {"Retry-After": "1"}), (403, {"Retry-After": "1"}), (0, {})],
    ids=["bad gateway", "too many", "secondary limit", "no answer"],
)
def test_what_may_be_asked_again_is(
    forge: Forge, desk: Desk, fault: tuple[int, dict[str, str]]
) -> None:
    forge.faults["GET"] = [fault]
    assert desk.comment(PLAN, "--pull-request", "4") == "created"


def test_a_forge_that_knows_no_graphql_tells_users_who_they_are(forge: Forge, desk: Desk) -> None:
    forge.faults["POST"] = [(404, {})]
    assert desk.comment(PLAN, "--pull-request", "4") == "created"
    assert ("GET", "/user") in forge.calls


def test_a_token_that_is_not_accepted_is_said_at_once(forge: Forge, desk: Desk) -> None:
    forge.faults["POST"] = [(401, {})]
    ended = desk.ci("comment", "--pull-request", "4", file=PLAN)
    assert (ended.code, ended.document["error"]["code"]) == (1, "forge")
    assert "has it expired?" in ended.err
    assert len(forge.calls) == 1


def test_no_answer_at_all_is_an_error_with_a_way_out(forge: Forge, desk: Desk) -> None:
    forge.faults["GET"] = [(502, {})] * 20
    ended = desk.ci("comment", "--pull-request", "4", file=PLAN)
    assert (ended.code, ended.document["error"]["code"]) == (1, "forge")
    assert "/repos/acme/crm/issues/4/comments" in ended.err
    assert "may be run again" in ended.err


def test_a_redirect_is_not_followed_with_the_token(forge: Forge, desk: Desk) -> None:
    forge.faults["GET"] = [(301, {"Location": f"{forge.url}/elsewhere"})]
    assert desk.ci("comment", "--pull-request", "4", file=PLAN).code == 1
    assert ("GET", "/elsewhere") not in forge.calls


def test_a_token_that_only_reads_puts_it_into_the_summary(
    forge: Forge, desk: Desk, tmp_path: Path
) -> None:
    forge.may_write = False
    ended = desk.ci("comment", "--pull-request", "4", file=PLAN)
    assert ended.code == 1
    assert "pull-requests: write" in " ".join(ended.err.split())
    desk.environment["GITHUB_STEP_SUMMARY"] = str(tmp_path / "summary.md")
    assert desk.comment(PLAN, "--pull-request", "4") == "summary"
    assert "# Plan" in (tmp_path / "summary.md").read_text()


def test_a_run_of_a_fork_comments_on_its_own_pull_request_only(forge: Forge, desk: Desk) -> None:
    """The number comes from the event and the forge, whatever the artifact says."""
    forge.opened(4, "aa", owner="eve")
    forge.opened(5, "bb")
    desk.on("workflow_run", run_of("aa", "eve"))
    assert desk.comment(PLAN + "ask @acme/admins\n") == "created"
    (text,) = forge.texts(4)
    assert "made by a run of a fork" in text
    assert "@acme" not in text
    forge.opened(4, "cc", owner="eve")
    assert desk.comment(PLAN) == "skipped"
    forge.merged(4, "dd")
    assert desk.comment(PLAN) == "skipped"
    assert forge.texts(5) == []


def test_a_commit_that_fails_takes_the_earlier_plan_away(forge: Forge, desk: Desk) -> None:
    forge.opened(4, "aa")
    desk.on("workflow_run", run_of("aa"))
    desk.comment(PLAN)
    forge.opened(4, "bb")
    desk.on("workflow_run", run_of("bb"))
    assert desk.ci("comment", "--failed").document["action"] == "edited"
    (text,) = forge.texts(4)
    assert "**No plan of bb:**" in text
    assert "https://forge.invalid/runs/1" in text
    assert desk.ci("plan-id", "--pull-request", "4").code == 5


def test_the_outcome_goes_where_the_plan_was(forge: Forge, desk: Desk, tmp_path: Path) -> None:
    forge.opened(4, "aa")
    desk.on("workflow_run", run_of("aa"))
    desk.comment(PLAN)
    forge.merged(4, "ee")
    desk.on("push", {"after": "ee"})
    _write(tmp_path, {"run": "r1"})
    assert desk.comment(SENT, "--applied", "applied.json") == "edited"
    desk.on("schedule", {})
    assert desk.comment(SENT + "Confirmed.\n") == "edited"
    (text,) = forge.texts(4)
    marks = "comment=default plan=abc123 commit=aa run=r1"
    assert text == f"<!-- lsq-sync {marks} -->\n# Sent\nConfirmed.\n"
    assert desk.comment(SENT.replace("r1", "r2")) == "skipped"
    assert desk.comment("") == "skipped"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(
            {"error": {"message": "not the plan <b>that</b> was *expected*"}},
            r"**Not applied:** not the plan \<b\>that\</b\> was \*expected\*. Nothing was sent.",
            id="refused",
        ),
        pytest.param({"run": "r2"}, "**Applied:** there was nothing to send.", id="nothing sent"),
        pytest.param(
            {"run": "r2", "error": {"message": "x"}}, "**Unknown:** the job ended", id="stopped"
        ),
        pytest.param({}, "**Unknown:** the job ended before", id="killed"),
        pytest.param(None, "**Not applied:** the job ended before", id="never began"),
    ],
)
def test_what_was_not_sent_is_not_told_as_the_outcome_of_an_earlier_run(
    forge: Forge, desk: Desk, tmp_path: Path, document: Any, expected: str
) -> None:
    if document is not None:
        _write(tmp_path, document)
    desk.comment(SENT, "--applied", "applied.json", "--pull-request", "4")
    (text,) = forge.texts(4)
    assert expected in text
    assert "# Sent" not in text


def _write(folder: Path, document: Any) -> None:
    (folder / "applied.json").write_text(json.dumps(document), encoding="utf-8")


# --- plan id


def test_the_reviewed_plan_of_a_merge(forge: Forge, desk: Desk, tmp_path: Path) -> None:
    forge.opened(4, "aa")
    desk.on("workflow_run", run_of("aa"))
    desk.comment(PLAN)
    forge.merged(4, "ee")
    desk.on("push", {"after": "ee"})
    desk.environment["GITHUB_OUTPUT"] = str(tmp_path / "output")
    ended = desk.ci("plan-id")
    assert (ended.code, ended.document["plan"], ended.document["pull_request"]) == (0, "abc123", 4)
    assert (tmp_path / "output").read_text() == "plan=abc123\n"
    plain = run("ci", "plan-id", environment=desk.environment)
    assert plain.out == "abc123\n"


def test_a_plan_of_an_earlier_commit_was_not_reviewed(forge: Forge, desk: Desk) -> None:
    forge.opened(4, "aa")
    desk.on("workflow_run", run_of("aa"))
    desk.comment(PLAN)
    forge.opened(4, "bb")
    forge.merged(4, "ee")
    desk.on("push", {"after": "ee"})
    ended = desk.ci("plan-id")
    assert (ended.code, ended.document["error"]["code"]) == (5, "not-reviewed")
    assert "is of commit aa, its last one is bb" in ended.err
    desk.on("push", {"after": "ff"})
    assert "no pull request became this commit" in desk.ci("plan-id").err


# --- issue


def test_one_issue_is_opened_edited_and_closed(forge: Forge, desk: Desk) -> None:
    forge.issue("Drift", "<!-- lsq-sync issue=drift -->\nnot ours", STRANGER)
    forge.issue("A change", "<!-- lsq-sync issue=drift -->\n", pull_request={})
    about = ("issue", "--title", "Drift in acme", "--close-if-empty")

    def report(body: str) -> tuple[str, int | None]:
        ended = desk.ci(*about, file=body)
        assert ended.code == 0, ended
        return ended.document["action"], ended.document["number"]

    assert report("<!-- lsq-sync drift=0 -->\n# No drift\n") == ("none", None)
    assert report("<!-- lsq-sync drift=1 -->\n# Drift\n") == ("created", 3)
    assert report("<!-- lsq-sync drift=1 -->\n# Drift\n") == ("unchanged", 3)
    assert report("<!-- lsq-sync drift=2 -->\n# More\n") == ("edited", 3)
    assert forge.issues[2]["body"] == "<!-- lsq-sync issue=drift -->\n# More\n"
    assert report("") == ("closed", 3)
    assert report("# Again\n") == ("created", 4)
    assert [one["state"] for one in forge.issues] == ["open", "open", "closed", "open"]


# --- what is missing


@pytest.mark.parametrize(
    ("changes", "arguments", "code", "said"),
    [
        ({"GITHUB_TOKEN": ""}, (), 1, "GITHUB_TOKEN is not set"),
        ({"GITHUB_TOKEN": "ghs_\u201cpasted"}, (), 1, "a character that no token has"),
        ({"GITHUB_REPOSITORY": ""}, (), 64, "--repo OWNER/NAME"),
        ({}, ("--repo", "acme/crm/../x"), 64, "is no repository"),
        ({"GITHUB_API_URL": "http://forge.example"}, (), 1, "only over https"),
        ({"GITHUB_EVENT_PATH": "/nowhere"}, (), 64, "--pull-request"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_called(
    forge: Forge, desk: Desk, changes: dict[str, str], arguments: tuple[str, ...], code: int,
    said: str,
) -> None:  # fmt: skip
    desk.on("pull_request", {"pull_request": {"number": 4, "head": {"sha": "aa"}}})
    desk.environment |= changes
    ended = desk.ci("comment", *arguments, file=PLAN)
    assert ended.code == code
    assert said in ended.err
    assert "pasted" not in ended.err
    assert forge.calls == []


def test_a_comment_needs_a_pull_request_and_something_to_say(desk: Desk) -> None:
    assert "which pull request?" in desk.ci("comment", file=PLAN).err
    assert "which pull request?" in desk.ci("plan-id").err
    assert desk.ci("comment").code == 64
    assert desk.ci("comment", "--file", "nowhere.md", "--pull-request", "4").code == 64
    assert desk.ci("issue", "--file", "nowhere.md", "--title", "x").code == 64


def test_a_link_in_an_artifact_leads_nowhere(forge: Forge, desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("the token", encoding="utf-8")
    (tmp_path / "plan.md").symlink_to(tmp_path / "secret")
    ended = desk.ci("comment", "--file", "plan.md", "--pull-request", "4")
    assert ended.code == 64
    assert "is a link" in ended.err
    assert forge.calls == []
