"""`lsq-sync ci plan-id`: the plan that was reviewed in a pull request, for `apply --expect`."""

from lsq_sync.commands.ci_comment import own_comment, pull_request
from lsq_sync.commands.ci_job import Job
from lsq_sync.core.ci import Reviewed
from lsq_sync.core.job import Numbered
from lsq_sync.core.review import marks_of
from lsq_sync.errors import RefusedError, UsageError

_BY_HAND = "look at `lsq-sync plan`, and apply it by its id:\n\n  lsq-sync apply --expect PLAN_ID"


def run(job: Job, name: str, number: int | None) -> Reviewed:
    """The id in the marks of our own comment, of the pull request that the job is about.

    Raises RefusedError where no plan of its last commit was reviewed. The plan goes to
    GITHUB_OUTPUT too, where there is one.
    """
    sought = Numbered(number) if number else job.sought()
    if sought is None:
        raise UsageError(
            "which pull request? Nothing in the job's event names one",
            hint="give --pull-request NUMBER",
        )
    forge = job.forge()
    found = pull_request(forge, sought)
    if found is None:
        raise _not_reviewed("no pull request became this commit, so no plan of it was reviewed")
    there = own_comment(forge, found.number, name, forge.own_number())
    marks = marks_of(there.body) if there else {}
    if there is None or not marks.get("plan"):
        raise _not_reviewed(f"pull request {found.number} has no plan in a comment of ours")
    head = found.commit or forge.pull_request(found.number).commit
    if marks.get("commit", head) != head:
        raise _not_reviewed(
            f"the plan in pull request {found.number} is of commit {marks['commit'][:12]}, "
            f"its last one is {head[:12]}"
        )
    reviewed = Reviewed(marks["plan"], found.number, there.page)
    if output := job.file("GITHUB_OUTPUT"):
        with output.open("a", encoding="utf-8") as opened:
            opened.write(f"plan={reviewed.plan}\n")
    return reviewed


def _not_reviewed(message: str) -> RefusedError:
    return RefusedError(message, code="not-reviewed", hint=_BY_HAND)
