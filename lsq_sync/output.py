"""What a command prints: one JSON document, or text; and the questions it asks meanwhile."""

import io
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, TextIO

from lsq_sync import signals
from lsq_sync.core.budget import RateLimit
from lsq_sync.core.events import Event
from lsq_sync.display import (
    LiveProgress,
    NoProgress,
    PlainProgress,
    Progress,
    Screen,
    ToldProgress,
    wants_colour,
)
from lsq_sync.errors import LsqSyncError
from lsq_sync.pager import Command, find_pager, show_in_pager
from lsq_sync.render.document import Document, error_document, to_texts
from lsq_sync.render.escape import visible
from lsq_sync.render.lines import BLANK, Line, Piece, Style, line
from lsq_sync.render.plan_text import plan_lines, summary_lines
from lsq_sync.render.problem_text import error_lines, hint_lines

if TYPE_CHECKING:  # what a plan is made of takes long to import
    from lsq_sync.commands.plan import Planned


@dataclass(frozen=True, slots=True)
class Loudness:
    """How much is said besides the results."""

    verbose: bool = False
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """Results to stdout, the rest to stderr."""

    results: Screen
    asides: Screen
    as_json: bool
    loudness: Loudness
    pager: Command | None = None

    def look_through(self, lines: Iterable[Line]) -> None:
        """A result to read, which may be long: through the pager on a terminal that has one."""
        show_in_pager(self.results, lines, self.pager)

    def document(self, document: Document, lines: Iterable[Line]) -> None:
        """The result of a command, in the form that was asked for."""
        if self.as_json:
            self._write_the_document(document)
        else:
            self.results.show(lines)

    def error(self, error: LsqSyncError) -> None:
        """What stopped a command: in JSON the one document, always said on stderr for people."""
        if self.as_json:
            self._write_the_document(error_document(error))
        self.asides.show(error_lines(error))

    def _write_the_document(self, document: Document) -> None:
        """There is one, and it is whole."""
        texts = to_texts(document)
        begin = next(texts)
        signals.stand_by_the_result()
        signals.on_leaving(None)
        self.results.write_all(chain((begin,), texts))

    def warning(self, text: str) -> None:
        """Something that may need a look."""
        self.asides.show([line(Piece("warning", Style.CARE), f": {visible(text)}")])

    def notice(self, text: str) -> None:
        """Something worth knowing; not said when quiet."""
        if not self.loudness.quiet:
            self.asides.show([line(Piece(visible(text), Style.FAINT))])

    def next_step(self, text: str) -> None:
        """How to go on; a command stands alone on its line."""
        if text and not self.loudness.quiet:
            self.asides.show([BLANK, *hint_lines(text)])

    def ask(self, question: str, read: Callable[[], str]) -> bool:
        """Only a whole "yes" is yes."""
        words = Piece(visible(question), Style.STRONG)
        self.asides.show([line(words, " Only the answer yes goes on.")])
        self.asides.write("> ")
        return read().strip() == "yes"

    @property
    def watch(self) -> Callable[[str, str], None]:
        """Told of every call; speaks when verbose. Neither URL nor keys ever come here."""
        if not self.loudness.verbose:
            return lambda _what, _answer: None
        return lambda what, answer: self.notice(f"{what}: {answer}")

    def progress(self) -> Progress:
        """Live on a terminal, plain lines elsewhere, nothing when quiet."""
        if self.loudness.quiet:
            return NoProgress()
        if self.loudness.verbose:
            return ToldProgress(self.asides, PlainProgress(self.asides))
        return LiveProgress(self.asides) if self.asides.is_terminal else PlainProgress(self.asides)


def open_output(
    environment: Mapping[str, str],
    *,
    as_json: bool,
    no_colour: bool,
    loudness: Loudness,
    no_pager: bool = False,
) -> Output:
    """The output of this process."""
    return Output(
        results=_screen(sys.stdout, environment, no_colour, must_be_read=True),
        asides=_screen(sys.stderr, environment, no_colour, must_be_read=False),
        as_json=as_json,
        loudness=loudness,
        pager=None if no_pager else find_pager(environment),
    )


def _screen(
    stream: TextIO | None, environment: Mapping[str, str], no_colour: bool, must_be_read: bool
) -> Screen:
    """Where the stream was closed before we began, there is nobody to tell."""
    if stream is None:
        return Screen(io.StringIO(), colour=False)
    return Screen(stream, wants_colour(stream, environment, no_colour), must_be_read)


class TerminalSteps:
    """Shows how far a command is that asks nothing."""

    def __init__(self, output: Output) -> None:
        self._progress = output.progress()
        self.notice = output.notice

    def begin(self, phase: str, total: int) -> None:
        """A phase begins."""
        self._progress.begin(phase, total)

    def step(self, done: int) -> None:
        """So much of it is done."""
        self._progress.step(done)

    def end(self) -> None:
        """No phase runs any more."""
        self._progress.end()


class TerminalDialogue:
    """Speaks with the person at the terminal; in a pipe it only tells."""

    def __init__(self, output: Output, limit: RateLimit, ask: Callable[[], str]) -> None:
        self._output = output
        self._limit = limit
        self._ask = ask
        self._progress = output.progress()

    def notice(self, text: str) -> None:
        """Something the user should know."""
        self._output.notice(text)

    def show_plan(self, planned: "Planned", *, reviewed: bool) -> None:
        """On stdout, unless that is kept for the JSON document; a reviewed one in short."""
        screen = self._output.asides if self._output.as_json else self._output.results
        if self._output.as_json and not screen.is_terminal:
            return
        show = summary_lines if reviewed else plan_lines
        screen.show([*show(planned.plan, planned.budget, self._limit, planned.refusals), BLANK])

    def confirm(self, planned: "Planned") -> bool:
        """Only a whole "yes" is yes."""
        counts = planned.plan.summary
        doing = [
            f"{verb} {counts[action]:,}"
            for action, verb in (("update", "update"), ("adopt", "adopt"), ("release", "release"))
            if counts[action]
        ]
        account = visible(planned.plan.account.name)
        question = f"{' and '.join(doing).capitalize() or 'Go on'} in {account}?"
        return self._output.ask(question, self._ask)

    def begin(self, phase: str, total: int) -> None:
        """A phase begins."""
        self._progress.begin(phase, total)

    def tell(self, event: Event) -> None:
        """An event that is durable."""
        self._progress.tell(event)

    def end(self) -> None:
        """No phase runs any more."""
        self._progress.end()
