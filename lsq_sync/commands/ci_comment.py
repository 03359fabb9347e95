"""`lsq-sync ci comment`: one comment of a pull request, made once and edited in place from then on.

It goes from the plan to what became of it. Only a comment of our own account counts as ours: its
marks say which plan was reviewed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lsq_sync.commands.applied import applied_document
from lsq_sync.commands.ci_job import Job
from lsq_sync.core.ci import Commented
from lsq_sync.core.job import Headed, Merged, Numbered, PullRequest, Sought, headed_by, merged_as
from lsq_sync.core.review import (
    Said,
    as_kept,
    calling_nobody,
    from_a_fork,
    is_empty,
    is_name,
    marked,
    marks_of,
    next_comment,
)
from lsq_sync.errors import ForgeError, UsageError
from lsq_sync.forge.github import Comment, GitHub, LostError
from lsq_sync.render.escape import visible

_TRIES = 3
_RECENT_PAGES = 20
_MOST_BYTES = 4 * 1024 * 1024
_FORBIDDEN = (403, 404)


@dataclass(frozen=True, slots=True)
class Options:
    """What to say, and where. `name` tells several comments of one pull request apart."""

    file: Path | None
    applied: Path | None = None
    failed: bool = False
    name: str = "default"
    pull_request: int | None = None


def run(job: Job, options: Options) -> Commented:
    """Comments. Raises ForgeError when the forge refuses or does not answer."""
    if not is_name(options.name):
        raise UsageError(f"{options.name!r} is no name: letters, digits, dots and dashes are")
    sought = Numbered(options.pull_request) if options.pull_request else job.sought()
    said = _said(job, options, sought)
    if said is None:
        return Commented("skipped", why="there is nothing to say")
    forge = job.forge()
    if sought is None:
        return _say_where_the_run_is(forge, options, said)
    found = pull_request(forge, sought)
    if found is None:
        return Commented("skipped", why=_NOBODY[type(sought)])
    try:
        return _say(forge, found.number, options.name, said)
    except ForgeError as error:
        summary = job.file("GITHUB_STEP_SUMMARY")
        if error.status not in _FORBIDDEN or summary is None:
            raise
        _append(summary, marked({}, said.body))
        return Commented("summary", found.number, why=error.message)


_NOBODY: Mapping[type, str] = {
    Numbered: "there is no such pull request",
    Headed: "the pull request is closed, or has newer commits",
    Merged: "no pull request became this commit",
}


def pull_request(forge: GitHub, sought: Sought) -> PullRequest | None:
    """The pull request that is meant; None where there is none (any more)."""
    match sought:
        case Numbered(number, commit):
            return PullRequest(number, commit, "", is_merged=False)
        case Headed(owner, branch):
            found = forge.pull_requests_from(owner, branch)
            default = forge.default_branch() if len(found) > 1 else ""
            return headed_by(sought, found, default)
        case Merged(commit):
            return merged_as(commit, forge.pull_requests_with(commit))


def own_comment(forge: GitHub, number: int, name: str, me: int) -> Comment | None:
    """The comment of this name that our own account wrote."""
    return next(_own(forge.comments(number), me, "comment", name), None)


def _own(comments: Iterator[Comment], me: int, mark: str, value: str) -> Iterator[Comment]:
    return (one for one in comments if one.author == me and marks_of(one.body).get(mark) == value)


# --- what is said


def _said(job: Job, options: Options, sought: Sought | None) -> Said | None:
    commit = "" if sought is None else sought.commit
    if options.failed:
        return Said(_no_plan(commit, job.plan_page()), commit, ends_plan=True)
    body = _text(options.file) if options.file else ""
    if options.applied is not None:
        body = _outcome(applied_document(options.applied), body, job.own_page())
    if is_empty(body):
        return None
    is_foreign = isinstance(sought, Headed) and sought.is_foreign
    return Said(from_a_fork(body) if is_foreign else body, commit)


def _no_plan(commit: str, page: str) -> str:
    of = f" of {commit[:12]}" if commit else ""
    where = f": [the run]({page}) tells why" if page else ""
    return f"**No plan{of}:** the specs are not valid, or the plan could not be made{where}.\n"


def _outcome(document: Mapping[str, Any] | None, body: str, page: str) -> str:
    """The body, if it tells of the run that `apply --format json` printed the document of; else
    what that says."""
    where = f" [The run]({page}) tells more." if page else ""
    if document is None:
        return f"**Not applied:** the job ended before it came to that. Nothing was sent.{where}\n"
    run, error = document.get("run"), document.get("error")
    if run and run == marks_of(body).get("run"):
        return body
    if run and not error:
        return "**Applied:** there was nothing to send.\n"
    if not run and isinstance(error, dict):
        why = _inert(str(error.get("message", "")))
        return f"**Not applied:** {why}. Nothing was sent.{where}\n"
    return f"**Unknown:** the job ended before it told what it had sent.{where}\n"


def _inert(text: str) -> str:
    """Text of other people that Markdown makes nothing of."""
    shown = visible(text)
    escaped = "".join(f"\\{letter}" if letter in _SPECIAL else letter for letter in shown)
    return calling_nobody(escaped)


_SPECIAL = frozenset("\\`*_{}[]<>()#+!|~&")


def _text(file: Path) -> str:
    """An artifact comes from strangers: a link in it would lead to files of this machine."""
    if file.is_symlink():
        raise UsageError(f"{file} is a link, and what it leads to is not meant to be told")
    try:
        with file.open("rb") as opened:
            return opened.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None


def _append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as opened:
        opened.write(f"{text}\n")


# --- where it is said


def _say(forge: GitHub, number: int, name: str, said: Said) -> Commented:
    """Looks first, every time: so a call whose answer was lost makes no second comment."""
    me = forge.own_number()
    for tries_left in reversed(range(_TRIES)):
        there = own_comment(forge, number, name, me)
        text = next_comment(name, there.body if there else "", said)
        plan = marks_of(text).get("plan", "")
        if there and as_kept(there.body) == as_kept(text):
            return Commented("unchanged", number, there.page, plan)
        try:
            if there:
                return Commented("edited", number, forge.edit_comment(there.id, text).page, plan)
            return Commented("created", number, forge.create_comment(number, text).page, plan)
        except LostError:
            if not tries_left:
                raise
    raise AssertionError("the last try returns or raises")


def _say_where_the_run_is(forge: GitHub, options: Options, said: Said) -> Commented:
    """A job that no pull request started may still know more of a run that one has told of."""
    if not said.run:
        raise UsageError(
            "which pull request? Nothing in the job's event names one",
            hint="give --pull-request NUMBER",
        )
    own = _own(forge.recent_comments(_RECENT_PAGES), forge.own_number(), "run", said.run)
    there = next((one for one in own if marks_of(one.body).get("comment") == options.name), None)
    if there is None:
        return Commented("skipped", why=f"no comment of the last ones tells of the run {said.run}")
    text = next_comment(options.name, there.body, said)
    plan = marks_of(text).get("plan", "")
    if as_kept(there.body) == as_kept(text):
        return Commented("unchanged", None, there.page, plan)
    return Commented("edited", None, forge.edit_comment(there.id, text).page, plan)
