"""The command: what it is asked, or at once what a plan said before, if it would say that again.

All of the command line is imported only where it is needed, and so is the look for an answer.
"""

import os
import sys
from collections.abc import Mapping, Sequence

from lsq_sync.places import SETTINGS

_OPTIONS = frozenset({"--detailed-exitcode"})
"""With these, too, a plan that has nothing to do says the same, and its exit code is 0."""

_SAYS_MORE = ("_LSQ_SYNC_COMPLETE", "FORCE_COLOR")
"""Variables with which a plan prints something else where nobody looks on."""


def main() -> None:
    """The entry point of `lsq-sync` and `python -m lsq_sync`."""
    try:
        text = _said_before(sys.argv[1:], os.environ)
        if text is not None and _is_written(text):
            os._exit(0)  # nothing is left to be done, not even to free memory
        from lsq_sync.cli import main as run
    except KeyboardInterrupt:  # afterwards, signals.py handles it
        from lsq_sync.cli import interrupted

        interrupted(sys.argv[1:])
    run()


def _said_before(arguments: Sequence[str], environment: Mapping[str, str]) -> str | None:
    """What would be printed, where that is known."""
    folder = _folder_of_a_plan(arguments)
    if folder is None or not _is_plain(environment):
        return None
    root = _workspace_around(folder)
    if root is None:
        return None
    from lsq_sync.index.answer import standing_answer

    return standing_answer(root, environment)


def _folder_of_a_plan(arguments: Sequence[str]) -> str | None:
    """Where a plan is to be made, if that is all that is asked."""
    folder = "."
    if len(arguments) > 2 and arguments[0] == "-C" and not arguments[1].startswith("-"):
        _, folder, *arguments = arguments
    is_plan = arguments[:1] == ["plan"] and _OPTIONS.issuperset(arguments[1:])
    return folder if is_plan else None


def _workspace_around(folder: str) -> str | None:
    """The nearest folder, from this one up, with settings."""
    if not os.path.isdir(folder):
        return None
    above = os.path.realpath(folder)
    while not os.path.isfile(os.path.join(folder, SETTINGS)):
        folder, above = above, os.path.dirname(above)
        if folder == above:
            return None
    return folder


def _is_plain(environment: Mapping[str, str]) -> bool:
    """Whether nobody looks on, so that it has no colour, is not wrapped and not paged."""
    if sys.stdout is None or sys.stdout.isatty():
        return False
    return not any(map(environment.get, _SAYS_MORE))


def _is_written(text: str) -> bool:
    """Whether all of it is; where not, the command tells of it."""
    data = text.encode(sys.stdout.encoding, "backslashreplace")
    try:
        return os.write(sys.stdout.fileno(), data) == len(data)
    except OSError:
        return False
