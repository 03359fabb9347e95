"""A report of a bug, to paste into an issue: versions and the traceback, no values and no keys."""

import os
import platform
import tempfile
import traceback
from collections.abc import Mapping
from pathlib import Path

from lsq_sync import __version__
from lsq_sync.core.moment import moment
from lsq_sync.crm.credentials import FOR_UPDATES
from lsq_sync.surroundings import this_second


def write_report(error: BaseException, command: str, environment: Mapping[str, str]) -> Path:
    """The file with the report, readable by its owner only."""
    lines = [
        f"lsq-sync {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"command: {command}",
        f"at: {moment(this_second())}",
        "",
        *traceback.format_exception(error),
    ]
    descriptor, name = tempfile.mkstemp(prefix="lsq-sync-bug-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(_without_keys("\n".join(lines), environment))
    return Path(name)


def _without_keys(text: str, environment: Mapping[str, str]) -> str:
    for name in FOR_UPDATES:
        value = environment.get(name)
        if value:
            text = text.replace(value, f"<{name}>")
    return text


def command_of(arguments: list[str]) -> str:
    """The command without its values: a value may be somebody's data."""
    shown = [word.partition("=")[0] if word.startswith("-") else "…" for word in arguments[1:]]
    return " ".join(["lsq-sync", *arguments[:1], *shown])
