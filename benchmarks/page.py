"""The page `docs/performance.md`: prose by hand, and between two markers what was measured.

A part of the page stands between `<!-- measured: NAME -->` and `<!-- /measured -->`.
"""

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import lsq_sync
from benchmarks.processes import ROOT, program
from benchmarks.tables import Table

PAGE = ROOT / "docs/performance.md"
PLOT = ROOT / "docs/img/performance.svg"

_PART = re.compile(r"<!-- measured: ([a-z]+) -->\n(.*?)<!-- /measured -->\n", re.DOTALL)
_PEERS = {
    "octoDNS": ("octodns-sync", "--version"),
    "check-jsonschema": ("check-jsonschema", "--version"),
    "Terraform": ("terraform", "version"),
}


def parts(page: str) -> dict[str, str]:
    """What stands between the markers of a page, by the part's name."""
    return dict(_PART.findall(page))


def with_part(page: str, name: str, text: str) -> str:
    """The page with another text in this part. Raises KeyError when it has no such part."""
    if name not in parts(page):
        raise KeyError(f"{PAGE.name} has no part <!-- measured: {name} -->: add it by hand")
    new = f"<!-- measured: {name} -->\n\n{text}\n<!-- /measured -->\n"
    return _PART.sub(lambda part: new if part[1] == name else part[0], page)


def write_part(name: str, text: str) -> None:
    """Puts a part into the page."""
    PAGE.write_text(with_part(PAGE.read_text(encoding="utf-8"), name, text), encoding="utf-8")


def text_of(tables: Iterable[Table], circumstances: str) -> str:
    """The tables of a part, below when and where they were measured if that is given."""
    above = [f"_{circumstances}_\n"] if circumstances else []
    return "\n".join([*above, *(table.markdown() for table in tables)])


# --- circumstances


def circumstances() -> str:
    """When, on which machine and with which versions something is measured."""
    peers = [
        f"{name} {_version(path, word)}"
        for name, (command, word) in _PEERS.items()
        if (path := program(command))
    ]
    libraries = [f"{name} {version(name)}" for name in ("PyYAML", "jsonschema")]
    tools = [f"lsq-sync {lsq_sync.__version__}", *libraries, *peers]
    day = datetime.now(UTC).date().isoformat()
    return f"{day}: {_machine()}; Python {platform.python_version()}, {', '.join(tools)}."


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()} {platform.machine()}"
    return f"{system}, {_processor()}{os.cpu_count()} cores, {memory:.0f} GB"


def _processor() -> str:
    """Its name where the system tells."""
    known = Path("/proc/cpuinfo")
    text = known.read_text(encoding="utf-8") if known.exists() else ""
    found = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    return f"{found[1].strip()}, " if found else ""


def _version(*command: str) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    found = re.search(r"\d+(?:\.\d+)+", ended.stdout)
    return found[0] if found else "of unknown version"
