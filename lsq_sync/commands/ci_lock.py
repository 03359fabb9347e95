"""`lsq-sync ci push-lock` and `pull-lock`: the lock on its way between a job and the branch.

The lock is the only file that moves. Where the branch has gone on meanwhile, both are brought
together record by record, against the lock of the commit that the job began with.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from lsq_sync.commands.ci_job import Job
from lsq_sync.commands.workspace import Workspace, new_run
from lsq_sync.core.ci import Pulled, Pushed
from lsq_sync.errors import LockError, RepositoryError, UsageError
from lsq_sync.repository import Author, Repository
from lsq_sync.surroundings import Surroundings

MESSAGE = "Record what lsq-sync sent and learnt"

_LONGEST_WAIT = 30.0
_ACTIONS = Author("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
_OURS = Author("lsq-sync", "lsq-sync@localhost")


@dataclass(frozen=True, slots=True)
class Options:
    """Where the lock is pushed; `tries` bounds how often somebody else may be quicker."""

    branch: str | None = None
    remote: str = "origin"
    message: str = MESSAGE
    tries: int = 8


def run_push(workspace: Workspace, job: Job, options: Options) -> Pushed:
    """Commits the lock, and only that, on top of the branch, and pushes it.

    Raises RepositoryError when it cannot be pushed: the lock is as it was.
    """
    repository, branch = _places(workspace, job, options)
    store, around = workspace.store, job.around
    file = workspace.settings.paths.lock
    ours = store.folded(new_run(around), around.now())
    head = repository.head()
    base = repository.content(head, file) if head else None
    if ours is None:
        return Pushed(branch, None)
    for number in range(1, options.tries + 1):
        tip = repository.fetch(branch)
        theirs = repository.content(tip, file)
        data = _together(workspace, base, ours, theirs)
        if data == theirs:
            return Pushed(branch, None, number)
        commit = repository.commit(tip, file, data, options.message)
        refused = repository.push(commit, branch)
        if refused is None:
            if tip == head:
                repository.go_along(commit, file)
            return Pushed(branch, commit, number, merged=data != ours)
        if repository.fetch(branch) == tip:
            raise _not_allowed(refused, branch)
        job.wait(_pause(number, around))
    raise RepositoryError(
        f"{branch} moved on each time, {options.tries} times: the lock is not pushed",
        hint="nothing is lost; push it again:\n\n  lsq-sync ci push-lock",
    )


def run_pull(workspace: Workspace, job: Job, options: Options) -> Pulled:
    """Takes what the branch has recorded into the lock here; every other file stays as it is."""
    repository, branch = _places(workspace, job, options)
    file, around = workspace.settings.paths.lock, job.around
    head = repository.head()
    base = repository.content(head, file) if head else None
    theirs = repository.content(repository.fetch(branch), file)
    if theirs is None:
        return Pulled(branch, is_newer=False)
    try:
        newer = workspace.store.bring_in(base, theirs, new_run(around), around.now())
    except LockError as error:
        raise _not_together(error) from None
    return Pulled(branch, newer)


def _together(workspace: Workspace, base: bytes | None, ours: bytes, theirs: bytes | None) -> bytes:
    try:
        return workspace.store.merge_of_copies(base, ours, theirs)
    except LockError as error:
        raise _not_together(error) from None


def _not_together(error: LockError) -> LockError:
    if "neither may be forgotten" not in error.message:
        return error
    return LockError(
        error.message,
        hint="two jobs sent at the same time: put them into one concurrency group. Let one side "
        "learn its outcomes, then push again:\n\n  lsq-sync status --wait\n"
        "  lsq-sync ci push-lock",
    )


def _places(workspace: Workspace, job: Job, options: Options) -> tuple[Repository, str]:
    is_of_actions = job.environment.get("GITHUB_ACTIONS") == "true"
    author = _ACTIONS if is_of_actions else _OURS
    repository = Repository(workspace.root, options.remote, job.environment, author)
    branch = options.branch or _branch_of(job.environment) or repository.branch()
    if not branch:
        raise UsageError(
            "which branch? A commit is checked out, and the job names no branch",
            hint="give --branch NAME",
        )
    return repository, branch


def _branch_of(environment: Mapping[str, str]) -> str | None:
    """The branch of a job of GitHub Actions or GitLab CI."""
    if environment.get("GITHUB_REF_TYPE") == "branch":
        return environment.get("GITHUB_REF_NAME")
    return environment.get("CI_COMMIT_BRANCH")


def _not_allowed(refused: RepositoryError, branch: str) -> RepositoryError:
    return RepositoryError(
        f"{refused.message}; {branch} has not moved, so trying again would not help",
        hint="may the job push to this branch? In a workflow: permissions: {contents: write}, and "
        "where the branch is protected, an app or a deploy key that may bypass it (docs/ci.md)",
    )


def _pause(number: int, around: Surroundings) -> float:
    """Full jitter, so that two jobs do not meet again."""
    return float(min(_LONGEST_WAIT, 2.0**number) * around.chance())
