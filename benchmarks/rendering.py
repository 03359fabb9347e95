"""Showing a plan of many changes: the first line on a terminal, every form whole, a browser.

Each opportunity has another value in four of its eight fields than the lock knows.
"""

import errno
import json
import os
import pty
import shutil
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.processes import ROOT, BenchmarkError, environment
from benchmarks.tables import Table
from lsq_sync.core.model import Account
from lsq_sync.core.state import Entry, Recorded
from lsq_sync.lock.format import dump

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_SIZES = (10_000, 100_000)
_FILES = 100
_CHANGED, _FIELDS = 4, 8
_FORMS = ("text", "json", "markdown", "html")
_ROUNDS = 3
_LOADS = 5
_CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
_QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")


def tables(folder: Path) -> list[Table]:
    """The browser's figures only where there is a browser."""
    roots = {size: _workspace(folder / f"{size}", size) for size in _SIZES}
    found = [_forms(root, size) for size, root in roots.items()]
    return [*found, _browser(folder, roots)] if _CHROMIUM else found


def _workspace(root: Path, size: int) -> Path:
    """Every opportunity is recorded, and every one is to be updated."""
    (root / "specs").mkdir(parents=True)
    host = "http://127.0.0.1:9"
    settings = f"version: 1\naccount: {{name: bench, async_host: '{host}', host: null}}\n"
    (root / "lsq-sync.yaml").write_text(settings, encoding="utf-8")
    keys = [str(uuid.uuid5(uuid.NAMESPACE_OID, f"{number}")) for number in range(size)]
    for number in range(_FILES):
        text = "".join(_spec(key) for key in keys[number::_FILES])
        path = root / f"specs/part-{number:03}.yaml"
        path.write_text(f"version: 1\nopportunities:\n{text}", encoding="utf-8")
    entries = {key: Entry(fields=_values(key, changed=0)) for key in sorted(keys)}
    (root / "lsq-sync.lock").write_bytes(dump(Recorded(Account("bench", host, None), entries)))
    return root


def _values(key: str, changed: int) -> dict[str, str]:
    """Eight fields, the first of them with new values."""
    return {
        f"mx_Custom_{number}": f"{'new' if number < changed else 'old'} {key[:8]}"
        for number in range(_FIELDS)
    }


def _spec(key: str) -> str:
    fields = "".join(f"      {name}: {text}\n" for name, text in _values(key, _CHANGED).items())
    return f"  {key}:\n    label: Opportunity {key[:4]}\n    fields:\n{fields}"


# --- forms


@dataclass(frozen=True, slots=True)
class _Shown:
    """What it took, in seconds and MB: until the first line, all of it, CPU, memory, output."""

    first: float
    whole: float
    cpu: float
    peak: float
    size: float


def _forms(root: Path, size: int) -> Table:
    cases: dict[str, Callable[[], _Shown]] = {"text, on a terminal": partial(_on_a_terminal, root)}
    cases |= {f"{form}, in a pipe": partial(_in_a_pipe, root, form) for form in _FORMS}
    rows = tuple((name, *_median([case() for _ in range(_ROUNDS)])) for name, case in cases.items())
    columns = ("form", "first s", "whole s", "CPU s", "peak MB", "output MB")
    note = "Reading and planning included, without an index; a terminal without a pager."
    return Table(f"`plan` of {size:,} changes, {_CHANGED} fields each", columns, rows, note)


def _median(found: list[_Shown]) -> tuple[str, ...]:
    """Of each figure for itself."""

    def middle(figure: Callable[[_Shown], float]) -> float:
        return statistics.median(map(figure, found))

    return (
        f"{middle(lambda one: one.first):.2f}",
        f"{middle(lambda one: one.whole):.2f}",
        f"{middle(lambda one: one.cpu):.2f}",
        f"{middle(lambda one: one.peak):.0f}",
        f"{middle(lambda one: one.size):.1f}",
    )


def _command(root: Path, form: str) -> list[str]:
    """Nothing that an earlier round has left behind makes it quicker."""
    shutil.rmtree(root / ".lsq-sync", ignore_errors=True)
    return [sys.executable, "-m", "lsq_sync", "-C", str(root), "plan", "--format", form]


_STARTER = """
import json, os, sys
process = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
_, status, usage = os.wait4(process, 0)
unit = 1 if sys.platform == "darwin" else 1024
told = [os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit]
with open(sys.argv[1], "w") as file:
    json.dump(told, file)
"""
"""A process counts the peak of its memory from its fork on: this one holds next to nothing."""


def _in_a_pipe(root: Path, form: str) -> _Shown:
    command = _started(root, form)
    began = time.perf_counter()
    with subprocess.Popen(command, env=environment(), cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        first, size = _read_all(process.stdout.fileno(), began)
    return _shown(root, first, time.perf_counter() - began, size)


def _on_a_terminal(root: Path) -> _Shown:
    command = _started(root, "text")
    began = time.perf_counter()
    child, screen = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        around = {**environment(), "TERM": "xterm-256color", "LSQ_SYNC_PAGER": ""}
        os.execve(command[0], command, around)
    first, size = _read_all(screen, began)
    os.waitpid(child, 0)
    whole = time.perf_counter() - began
    os.close(screen)
    return _shown(root, first, whole, size)


def _started(root: Path, form: str) -> list[str]:
    command = _command(root, form)
    return [sys.executable, "-I", "-S", "-c", _STARTER, str(root / "told"), *command]


def _shown(root: Path, first: float, whole: float, size: int) -> _Shown:
    """Raises BenchmarkError when the command did not end with 0."""
    code, cpu, peak = json.loads((root / "told").read_text(encoding="utf-8"))
    if code:
        raise BenchmarkError(f"plan ended with {code}")
    return _Shown(first, whole, cpu, peak / 1e6, size / 1e6)


def _read_all(source: int, began: float) -> tuple[float, int]:
    """When the first of it came, and how much it was."""
    first, size = 0.0, 0
    while part := _read(source):
        first = first or time.perf_counter() - began
        size += len(part)
    return first, size


def _read(source: int) -> bytes:
    try:
        return os.read(source, 1 << 16)
    except OSError as error:
        if error.errno == errno.EIO:  # how Linux says that the terminal was closed
            return b""
        raise


# --- browser

_PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length > 0"
_TIMING = """() => {
  const [at] = performance.getEntriesByType("navigation");
  const [paint] = performance.getEntriesByName("first-contentful-paint");
  return [paint.startTime, at.domInteractive, at.loadEventEnd];
}"""
_SEARCH = """() => new Promise((done) => {
  const search = document.getElementById("search"), began = performance.now();
  search.value = "no such text";
  search.dispatchEvent(new Event("input"));
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - began)));
})"""


def _browser(folder: Path, roots: dict[int, Path]) -> Table:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=_CHROMIUM, args=_QUIET)
        rows = []
        for size, root in roots.items():
            path = folder / f"plan-{size}.html"
            with path.open("wb") as file:
                command = _command(root, "html")
                subprocess.run(command, env=environment(), cwd=ROOT, stdout=file, check=True)
            loads = [_loaded(browser, path) for _ in range(_LOADS)]
            megabytes = f"{path.stat().st_size / 1e6:.1f}"
            rows.append((f"{size:,} changes", megabytes, loads[0].rows, *_seconds(loads)))
    columns = ("page", "MB", "rows in it", "painted s", "interactive s", "loaded s", "search s")
    note = f"From the browser's own timing, the median of {_LOADS} loads."
    return Table("`plan --format html` in Chromium", columns, tuple(rows), note)


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What the page says it holds, and milliseconds."""

    rows: str
    times: list[float]


def _loaded(browser: "Browser", path: Path) -> _Loaded:
    page = browser.new_page()
    page.goto(path.as_uri())
    page.wait_for_function(_PAINTED)
    rows = page.inner_text("#found").partition(" ")[0]
    times = [*page.evaluate(_TIMING), page.evaluate(_SEARCH)]
    page.close()
    return _Loaded(rows, times)


def _seconds(loads: list[_Loaded]) -> list[str]:
    each = zip(*(one.times for one in loads), strict=True)
    return [f"{statistics.median(times) / 1000:.2f}" for times in each]
