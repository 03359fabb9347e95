"""What `init` has made, and how to go on."""

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from lsq_sync.render.escape import visible
from lsq_sync.render.lines import BLANK, Line, Piece, Style, line


def made_lines(folder: Path, files: Iterable[str], guessed_region: str | None) -> Iterator[Line]:
    """The files, and the next steps as commands to copy. `folder` is as the user called it."""
    yield line(Piece("A new workspace", Style.GOOD), f" in {visible(str(folder))}:")
    for file in files:
        yield line(file, indent=2)
    yield BLANK
    if guessed_region:
        yield line(
            Piece("The region is a guess", Style.CARE),
            f" ({guessed_region}): set account.region in lsq-sync.yaml.",
        )
    yield line("Put the keys of the account into the environment, then:")
    yield BLANK
    if str(folder) != ".":
        yield line(Piece(f"cd {shlex.quote(str(folder))}", Style.COMMAND), indent=4)
    for command in ("lsq-sync validate", "lsq-sync plan", "lsq-sync apply"):
        yield line(Piece(command, Style.COMMAND), indent=4)
