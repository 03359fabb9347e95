"""What `lsq-sync ci` did, as text and as one kind of document."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import assert_never

from lsq_sync.core.ci import Commented, Pulled, Pushed, Reported, Reviewed
from lsq_sync.render.document import Document
from lsq_sync.render.escape import visible
from lsq_sync.render.lines import Line, Piece, Style, line

Done = Commented | Pulled | Pushed | Reported | Reviewed


def ci_document(command: str, done: Done) -> Document:
    """What `--format json` prints."""
    return {"format": "lsq-sync/ci/v1", "command": command, **asdict(done)}


def ci_lines(done: Done) -> Iterator[Line]:
    """One line that says what was done."""
    match done:
        case Reviewed(plan=plan):
            yield line(plan)  # and nothing else: it is made to be used
        case Commented():
            yield from _commented(done)
        case Reported():
            yield from _reported(done)
        case Pushed():
            yield from _pushed(done)
        case Pulled(branch=branch, is_newer=is_newer):
            what = "The lock knows now what" if is_newer else "The lock already knew what"
            yield line(f"{what} {visible(branch)} has recorded.")
        case _:
            assert_never(done)


def _commented(done: Commented) -> Iterator[Line]:
    where = f" {visible(done.page)}" if done.page else ""
    match done.action:
        case "skipped":
            yield line(Piece("No comment", Style.CARE), f": {visible(done.why)}.")
        case "summary":
            yield line(
                Piece("Into the job's summary", Style.CARE),
                f", as the token may not comment: {visible(done.why)}",
            )
        case _:
            yield line(Piece(f"Comment {done.action}", Style.GOOD), f":{where}")


def _reported(done: Reported) -> Iterator[Line]:
    if done.number is None:
        yield line("No issue is open, and none is needed.")
    else:
        what = f"Issue {done.number} {done.action}"
        yield line(Piece(what, Style.GOOD), f": {visible(done.page)}")


def _pushed(done: Pushed) -> Iterator[Line]:
    branch = visible(done.branch)
    if done.commit is None:
        yield line(f"Nothing to push: {branch} has recorded all that the lock here knows.")
        return
    how = ", with what others had pushed meanwhile" if done.merged else ""
    yield line(Piece("Lock pushed", Style.GOOD), f" to {branch} as {done.commit[:12]}{how}.")
