"""`lsq-sync ci issue`: one issue, opened once, edited in place, closed when it is over."""

from dataclasses import dataclass
from pathlib import Path

from lsq_sync.commands.ci_job import Job
from lsq_sync.core.ci import Reported
from lsq_sync.core.review import as_kept, is_empty, is_name, marked, marks_of
from lsq_sync.errors import UsageError
from lsq_sync.forge.github import GitHub, Issue, LostError

_TRIES = 3


@dataclass(frozen=True, slots=True)
class Options:
    """What the issue is to say. `name` tells several of one repository apart."""

    file: Path
    title: str
    name: str = "drift"
    close_if_empty: bool = False


def run(job: Job, options: Options) -> Reported:
    """Reports. Raises ForgeError when the forge refuses or does not answer."""
    if not is_name(options.name):
        raise UsageError(f"{options.name!r} is no name: letters, digits, dots and dashes are")
    try:
        body = options.file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise UsageError(f"{options.file} cannot be read: {error.strerror}") from None
    forge = job.forge()
    me = forge.own_number()
    for tries_left in reversed(range(_TRIES)):  # looks first, so a lost answer opens no second one
        there = _own_issue(forge, me, options.name)
        try:
            if options.close_if_empty and is_empty(body):
                return _close(forge, there)
            return _tell(forge, there, options, marked({"issue": options.name}, body))
        except LostError:
            if not tries_left:
                raise
    raise AssertionError("the last try returns or raises")


def _own_issue(forge: GitHub, me: int, name: str) -> Issue | None:
    own = (one for one in forge.open_issues() if one.author == me)
    return next((one for one in own if marks_of(one.body).get("issue") == name), None)


def _close(forge: GitHub, there: Issue | None) -> Reported:
    if there is None:
        return Reported("none")
    closed = forge.edit_issue(there.number, {"state": "closed", "state_reason": "completed"})
    return Reported("closed", closed.number, closed.page)


def _tell(forge: GitHub, there: Issue | None, options: Options, text: str) -> Reported:
    if there is None:
        made = forge.create_issue(options.title, text)
        return Reported("created", made.number, made.page)
    if there.title == options.title and as_kept(there.body) == as_kept(text):
        return Reported("unchanged", there.number, there.page)
    edited = forge.edit_issue(there.number, {"title": options.title, "body": text})
    return Reported("edited", edited.number, edited.page)
