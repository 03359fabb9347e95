"""The terminal: where results and progress go, in colour or not, live or as plain lines.

Results go to stdout, everything else to stderr. On a terminal a run shows a live line; elsewhere
it says one plain line every few seconds, so that a CI log stays readable.
"""

import contextlib
import errno
import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import IO, TYPE_CHECKING, Protocol, TextIO, cast

from lsq_sync.core.events import (
    Accepted,
    Event,
    Intended,
    Lost,
    Rejected,
    Seen,
    Succeeded,
    Withdrawn,
)
from lsq_sync.errors import StorageError
from lsq_sync.render.escape import visible
from lsq_sync.render.lines import Line, Piece, Style, line, plain
from lsq_sync.render.paint import painted

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

PLAIN_SECONDS = 5.0
"""How often a plain line tells of progress."""

_PIPE_WIDTH = 100_000
_BATCH = 200
"""Lines that are made at once: a long plan begins to show before the whole of it is made."""


def wants_colour(stream: TextIO, environment: Mapping[str, str], no_colour: bool) -> bool:
    """NO_COLOR and --no-color win, then FORCE_COLOR, then whether it is a terminal."""
    if no_colour or environment.get("NO_COLOR"):
        return False
    if environment.get("FORCE_COLOR"):
        return True
    return stream.isatty() and environment.get("TERM") != "dumb"


@dataclass(frozen=True, slots=True)
class Screen:
    """One stream, and whether colour may be used on it.

    A reader that went away ends no command. What `must_be_read` raises StorageError when it cannot
    be written for another reason (a full disk); everything else is then not said at all.
    """

    stream: TextIO
    colour: bool
    must_be_read: bool = False

    @property
    def is_terminal(self) -> bool:
        """Whether somebody looks at it as it is written."""
        return self.stream.isatty()

    def show(self, lines: Iterable[Line]) -> None:
        """Writes the lines, wrapped where somebody looks at them."""
        self.write_all(self.texts(lines))

    def texts(self, lines: Iterable[Line]) -> Iterator[str]:
        """The lines as they stand there, some at a time; made when they are asked for."""
        form = self._form()
        coming = iter(lines)
        while batch := list(itertools.islice(coming, _BATCH)):
            yield form(batch)

    def _form(self) -> Callable[[Iterable[Line]], str]:
        if not self.colour and not self.is_terminal:
            return plain
        width = shutil.get_terminal_size().columns if self.is_terminal else _PIPE_WIDTH
        return partial(painted, colour=self.colour, width=width)

    def write_all(self, texts: Iterable[str]) -> None:
        """Writes one after the other; what nobody reads any more is not made."""
        for text in texts:
            if not self.write(text):
                return

    def write(self, text: str) -> bool:
        """Writes text as it is; what the stream's encoding lacks is escaped.

        Says whether somebody may be there to read more.
        """
        encoding = self.stream.encoding or "utf-8"
        try:
            self.stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            self.stream.flush()
        except OSError as error:
            _silence(self.stream)
            if self.must_be_read and error.errno not in _NOBODY_READS:
                raise StorageError(
                    f"the result cannot be written: {error.strerror}",
                    hint="what was recorded stays recorded; to see it:\n\n  lsq-sync state list",
                ) from None
            return False
        return True


_NOBODY_READS = (errno.EPIPE, errno.EIO)
"""The pipe was closed (`| head`), the terminal is gone."""


def _silence(stream: TextIO) -> None:
    """Nobody reads it any more. That ends no run: what was sent must be recorded."""
    with contextlib.suppress(OSError, ValueError):
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, stream.fileno())
        os.close(nothing)


# --- progress


class Progress(Protocol):
    """Shows how a run gets on."""

    def begin(self, phase: str, total: int) -> None: ...

    def tell(self, event: Event) -> None: ...

    def step(self, done: int) -> None: ...

    def end(self) -> None: ...


_ENDED = {"sending": "answered", "reading": "read"}


@dataclass(slots=True)
class _Tally:
    """How far a phase is."""

    phase: str
    total: int
    done: int = 0
    rejected: int = 0
    lost: int = 0

    def count(self, event: Event) -> None:
        """An event of this phase; an answer to a question is a step as much as one to an update."""
        self.done += isinstance(event, Accepted | Succeeded | Seen | Rejected | Lost)
        self.rejected += isinstance(event, Rejected)
        self.lost += isinstance(event, Lost)

    def words(self) -> str:
        """One line for people."""
        ended = _ENDED.get(self.phase, "settled")
        return ", ".join(
            (f"{self.phase}: {self.done:,} of {self.total:,} {ended}", *self.trouble())
        )

    def trouble(self) -> list[str]:
        """What did not go well, if anything."""
        parts = ((self.rejected, "rejected"), (self.lost, "without an answer"))
        return [f"{number:,} {word}" for number, word in parts if number]


class NoProgress:
    """For --quiet."""

    def begin(self, phase: str, total: int) -> None:
        """Says nothing."""

    def tell(self, event: Event) -> None:
        """Says nothing."""

    def step(self, done: int) -> None:
        """Says nothing."""

    def end(self) -> None:
        """Says nothing."""


class PlainProgress:
    """One plain line every few seconds, and one at the end of each phase."""

    def __init__(self, screen: Screen, clock: Callable[[], float] = time.monotonic) -> None:
        self._screen = screen
        self._clock = clock
        self._tally: _Tally | None = None
        self._said_at = 0.0
        self._said = ""

    def begin(self, phase: str, total: int) -> None:
        """Ends the phase before, and waits a while before the first line of this one."""
        self.end()
        self._tally = _Tally(phase, total)
        self._said_at = self._clock()
        self._said = ""

    def tell(self, event: Event) -> None:
        """Counts, and speaks when it is time."""
        if self._tally is None:
            return
        self._tally.count(event)
        self._say_if_it_is_time(self._tally)

    def step(self, done: int) -> None:
        """Speaks when it is time."""
        if self._tally is not None:
            self._tally.done = done
            self._say_if_it_is_time(self._tally)

    def end(self) -> None:
        """Says how the phase ended."""
        if self._tally is not None and self._tally.words() != self._said:
            self._say(self._tally)
        self._tally = None

    def _say_if_it_is_time(self, tally: _Tally) -> None:
        if self._clock() - self._said_at >= PLAIN_SECONDS:
            self._say(tally)

    def _say(self, tally: _Tally) -> None:
        self._said_at = self._clock()
        self._said = tally.words()
        self._screen.show([line(self._said)])


class LiveProgress:
    """A bar that moves; for a terminal."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._tally: _Tally | None = None

    def begin(self, phase: str, total: int) -> None:
        """Starts a bar of its own for the phase."""
        self.end()
        self._bar = _new_bar(self._screen)
        self._bar.start()
        self._tally = _Tally(phase, total)
        self._task = self._bar.add_task(phase, total=total, note="")

    def tell(self, event: Event) -> None:
        """Moves the bar, and shows the request that the CRM just accepted."""
        if self._bar is None or self._task is None or self._tally is None:
            return
        self._tally.count(event)
        notes = self._tally.trouble()
        if isinstance(event, Accepted):
            notes.append(f"request {visible(event.request_id)}")
        self._bar.update(self._task, completed=self._tally.done, note=", ".join(notes))

    def step(self, done: int) -> None:
        """Moves the bar."""
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done)

    def end(self) -> None:
        """Leaves the bar as it ended on the screen."""
        if self._bar is not None:
            self._bar.stop()
        self._bar = self._task = self._tally = None


@dataclass(frozen=True, slots=True)
class _Lasting:
    """The stream of a screen for rich, which would die with the terminal."""

    screen: Screen

    def write(self, text: str) -> int:
        self.screen.write(text)
        return len(text)

    def __getattr__(self, name: str) -> object:
        return getattr(self.screen.stream, name)


def _new_bar(screen: Screen) -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.table import Column

    console = Console(
        file=cast("IO[str]", _Lasting(screen)),
        no_color=not screen.colour,
        highlight=False,
        emoji=False,
        markup=False,
    )
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn(
            "{task.fields[note]}",
            markup=False,
            style="dim",
            table_column=Column(no_wrap=True, overflow="ellipsis"),
        ),
        console=console,
        refresh_per_second=8,
    )


class ToldProgress:
    """Another progress, with one line for every event; for --verbose."""

    def __init__(self, screen: Screen, inner: Progress) -> None:
        self._screen = screen
        self._inner = inner

    def begin(self, phase: str, total: int) -> None:
        """Passes it on."""
        self._inner.begin(phase, total)

    def tell(self, event: Event) -> None:
        """Says what happened to which opportunity."""
        self._screen.show([event_line(event)])
        self._inner.tell(event)

    def step(self, done: int) -> None:
        """Passes it on."""
        self._inner.step(done)

    def end(self) -> None:
        """Passes it on."""
        self._inner.end()


def event_line(event: Event) -> Line:
    """An event on one line."""
    words = type(event).__name__.lower()
    details = ""
    match event:
        case Accepted(request_id=request_id) | Succeeded(request_id=request_id):
            details = f"request {request_id}"
        case Rejected(reason=reason) | Lost(reason=reason) | Withdrawn(reason=reason):
            details = reason
        case Intended():
            details = "about to be sent"
        case _:
            pass
    return line(Piece(f"{words} {event.key} ", Style.FAINT), visible(details))
