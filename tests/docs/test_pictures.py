"""The pictures of the docs show what the commands print now, and fetch nothing."""

import os
import re

from benchmarks import page
from tests.docs import record


def test_the_pictures_are_what_commands_print() -> None:
    """To mend: `make pictures`, and look at them."""
    if os.environ.get("LSQ_SYNC_UPDATE"):
        record.write()
    for path, picture in record.pictures():
        stale = f"{path.name} shows what was: run {record.COMMAND}"
        assert record.words_of(path.read_text("utf-8")) == record.words_of(picture), stale


def test_the_pictures_are_small_and_fetch_nothing() -> None:
    found = sorted(record.FOLDER.glob("*.svg"))
    assert [path.name for path in found] == sorted([*record.SESSIONS, page.PLOT.name])
    for path in found:
        text = path.read_text("utf-8")
        assert len(text) < 30_000
        assert re.findall(r"url\((?!#)|@import|<image|<script", text) == []
