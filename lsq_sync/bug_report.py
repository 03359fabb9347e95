"""A report of a bug, to paste into an issue: versions and the traceback, no values and no keys.

What an exception says of itself is left out: nobody can know what stands in it. Its type and the
places in the code are what a bug is found by.
"""

import os
import platform
import tempfile
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

from lsq_sync import __version__
from lsq_sync.core.hiding import hidden_in
from lsq_sync.core.moment import moment
from lsq_sync.crm.credentials import keys_of
from lsq_sync.surroundings import this_second


def write_report(error: BaseException, command: str, environment: Mapping[str, str]) -> Path:
    """The file with the report, readable by its owner only."""
    lines = [
        f"lsq-sync {__version__}, Python {platform.python_version()}, {platform.platform()}",
        f"command: {command}",
        f"at: {moment(this_second())}",
        "",
        *_told(error, set()),
    ]
    descriptor, name = tempfile.mkstemp(prefix="lsq-sync-bug-", suffix=".txt")
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(_without_keys("\n".join(lines), environment))
    return Path(name)


def _told(error: BaseException, told: set[int]) -> Iterator[str]:
    """The exception and what led to it, oldest first, each with its place and without its text."""
    told.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in told:
        yield from _told(before, told)
        yield "which led to:\n"
    yield "".join(traceback.format_tb(error.__traceback__))
    yield f"{type(error).__module__}.{type(error).__qualname__}\n"
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield "made up of:\n"
            yield from _told(one, told)


def _without_keys(text: str, environment: Mapping[str, str]) -> str:
    """A file name or a line of the code may hold one, however unlikely."""
    for name, key in keys_of(environment).items():
        text = hidden_in(text, [key], f"<{name}>")
    return text


def command_of(arguments: list[str]) -> str:
    """The command without its values: a value may be somebody's data."""
    shown = [word.partition("=")[0] if word.startswith("-") else "…" for word in arguments[1:]]
    return " ".join(["lsq-sync", *arguments[:1], *shown])
