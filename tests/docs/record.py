"""Terminal sessions as pictures: real commands beside a simulated CRM, drawn by rich.

    python -m tests.docs.record

draws them again into `docs/img/`. Times and request ids are the same in every recording, so that
a picture only changes when what it shows does.
"""

import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.docs.walk import PROGRESS, Printed, walked

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/img"
COMMAND = "python -m tests.docs.record"
_WIDTH = 104

SESSIONS = {
    "apply.svg": """
<!-- walk: workspace -->
```yaml title="specs/december.yaml"
version: 1
type: loan
opportunities:
  2425cef9-3ed1-5313-9e88-ac45e3071881:
    label: Meera Fernandes
    fields:
      mx_Custom_6: 45,00,000
      mx_Custom_15: [PAN, Aadhaar]
  28ee172b-f09b-5e10-ace6-b03a9fabd021:
    label: Kavya Sharma
    fields: {mx_Custom_11: Branch}
```
<!-- walk: delete 28ee172b-f09b-5e10-ace6-b03a9fabd021 -->
```console
$ lsq-sync apply
$ echo $?
```
""",
    "validate.svg": """
<!-- walk: workspace -->
```yaml title="specs/december.yaml"
version: 1
type: loan
opportunities:
  2425cef9-3ed1-5313-9e88-ac45e3071881:
    label: Meera Fernandes
    fields:
      mx_Custom_3: Websit
      mx_Custom_6: 4,5,00,000
      mx_Custom_88: 2026-12-01 17:30:00
```
```console
$ lsq-sync validate
$ echo $?
```
""",
}


def pictures() -> Iterator[tuple[Path, str]]:
    """Every picture as it should be."""
    for name, page in SESSIONS.items():
        with tempfile.TemporaryDirectory() as folder:
            printed = walked(page, Path(folder), {"FORCE_COLOR": "1"})
        yield FOLDER / name, _drawn(name.partition(".")[0], printed)


def write() -> None:
    """Draws the pictures."""
    FOLDER.mkdir(exist_ok=True)
    for path, picture in pictures():
        path.write_text(picture, encoding="utf-8")


def _drawn(name: str, printed: list[Printed]) -> str:
    console = Console(
        record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    for step, lines in printed:
        console.print(Text.assemble(("$ ", "dim"), (step.words, "bold")))
        for line in lines:
            console.print(Text.from_ansi(_settled(line)))
    picture = console.export_svg(title="lsq-sync", theme=MONOKAI, unique_id=f"lsq-{name}")
    without_fonts = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    drawn = (line.rstrip() for line in without_fonts.split("\n"))
    return "\n".join(line for line in drawn if line) + "\n"


def _settled(line: str) -> str:
    """What is another every time becomes the same; colours stay."""
    line = re.sub(r"(request )[0-9a-f-]{36}", r"\g<1>8f3c1d52-6a0b-5e47-9c1e-2b7d40a5e913", line)
    return re.sub(r"\(\d[^()]* s, \d+ calls\)", "(1.2 s, 7 calls)", line)


def words_of(picture: str) -> str:
    """What can be read in a picture, without how it is drawn: that differs by version of rich."""
    texts = re.findall(r"<text[^>]*>(.*?)</text>", picture, re.DOTALL)
    words = " ".join("".join(texts).replace("&#160;", " ").split())
    return PROGRESS.sub("", words)


if __name__ == "__main__":
    write()
