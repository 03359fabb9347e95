"""What `init` has made, and how to go on."""

from collections.abc import Iterator
from pathlib import Path

from lsq_sync.commands.init import Made
from lsq_sync.render.escape import visible
from lsq_sync.render.lines import BLANK, Line, Piece, Style, line


def made_lines(made: Made, folder: Path) -> Iterator[Line]:
    """The files, and the next steps as commands to copy."""
    yield line(Piece("A new workspace", Style.GOOD), f" in {visible(str(made.root))}:")
    for file in made.files:
        yield line(file, indent=2)
    yield BLANK
    if not made.region_was_given:
        yield line(
            Piece("The region is a guess", Style.CARE),
            f" ({made.region}): set account.region in lsq-sync.yaml.",
        )
    yield line("Put the keys of the account into the environment, then:")
    yield BLANK
    if str(folder) != ".":
        yield line(Piece(f"cd {folder}", Style.COMMAND), indent=4)
    for command in ("lsq-sync validate", "lsq-sync plan", "lsq-sync apply"):
        yield line(Piece(command, Style.COMMAND), indent=4)
