"""Text that is longer than the terminal goes through a pager there, as git does it.

Only where a person sits at both ends: never in a pipe, in a CI, or on a terminal that cannot do
more than print. What is beyond the screen is made when it is looked at, and who leaves the pager
has seen enough; the exit code is that of the command.
"""

import itertools
import os
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TextIO, cast

from lsq_sync import signals
from lsq_sync.display import Screen
from lsq_sync.render.lines import Line

if TYPE_CHECKING:  # takes long to import for what is seldom needed
    import subprocess

Command = tuple[str, ...]

_NAMES = ("LSQ_SYNC_PAGER", "PAGER")
_HOW = {"LESS": "FRX", "LV": "-c"}
"""Keep the colours, leave what was shown on the screen, ask nothing where all of it fits; as git
tells its pagers."""

_NO_TERMINALS = ("", "dumb", "unknown")
"""Where a pager cannot go back, and may ask whether to go on."""

_PATIENCE_SECONDS = 2.0
"""So long a pager has to leave the terminal as it found it."""


def find_pager(environment: Mapping[str, str]) -> Command | None:
    """The pager that is wanted and there; None where text is to be printed as it is."""
    if environment.get("CI") or environment.get("TERM", "") in _NO_TERMINALS:
        return None
    wanted = next((environment[name] for name in _NAMES if name in environment), "less")
    try:
        words = shlex.split(wanted)
    except ValueError:
        return None
    if not words or words == ["cat"]:
        return None
    program = shutil.which(words[0], path=environment.get("PATH"))
    return (program, *words[1:]) if program else None


def show_in_pager(screen: Screen, lines: Iterable[Line], pager: Command | None) -> None:
    """Shows the lines; through the pager where there are more than the screen has.

    Who has interrupted the command wants it to end.
    """
    is_watched = screen.is_terminal and _is_terminal(sys.stdin)
    if pager is None or not is_watched or signals.first_heard():
        screen.show(lines)
        return
    texts = screen.texts(lines)
    begin, is_all = _first_screen(texts, shutil.get_terminal_size(fallback=(80, 0)).lines)
    whole = itertools.chain(begin, texts)
    if is_all or not _paged(whole, screen, pager):
        screen.write_all(whole)


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


def _first_screen(texts: Iterator[str], height: int) -> tuple[list[str], bool]:
    """What fills a screen, and whether that is all there is; the prompt needs a row as well.

    A terminal that does not know its height is none that somebody looks at.
    """
    begin: list[str] = []
    rows = 0
    for text in texts:
        begin.append(text)
        rows += text.count("\n")
        if rows >= height > 0:
            return begin, False
    return begin, True


def _paged(texts: Iterable[str], screen: Screen, pager: Command) -> bool:
    """False where the pager cannot be started. Raises StoppedError for all but Ctrl-C, which is a
    key of the pager."""
    import subprocess

    with signals.left_to_another():
        try:
            process = subprocess.Popen(  # noqa: S603 - what the user has chosen, and no shell reads it
                pager,
                stdin=subprocess.PIPE,
                env={**_HOW, **os.environ},
                encoding=screen.stream.encoding,
            )
        except OSError:
            return False
        try:
            with process:
                Screen(cast("TextIO", process.stdin), colour=False).write_all(texts)
        except BaseException:
            _end(process)
            raise
    return True


def _end(process: "subprocess.Popen[str]") -> None:
    from subprocess import TimeoutExpired

    process.terminate()
    try:
        process.wait(_PATIENCE_SECONDS)
    except TimeoutExpired:
        process.kill()
