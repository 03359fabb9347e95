"""The demo plays to its end, and what it leaves can be played with."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.world import ROOT


def _demo(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "lsq_sync", "demo", "--fast", "--dir", str(folder), *arguments],
        cwd=ROOT,
        env={**os.environ, "LSQ_ASYNC_HOST": "http://127.0.0.1:9", "LSQ_ACCESS_KEY": "mine"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_demo_shows_the_whole_loop(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    ended = _demo(folder)
    assert ended.returncode == 0, ended.stderr
    for part in (
        "did you mean 'Website'?",
        "All valid: 2 files, 40 opportunities.",
        "Plan: 40 to update",
        "40 updates: 40 succeeded.",
        "Nothing to do: 40 opportunities are as the specs want.",
        "Plan: 1 to update (1 field), 39 unchanged.",
        "MXUnknownProspectActivityException: Activity does not exist.",
        "Drift: 1 value in 1 opportunity",
        "999000 → 950000, the CRM has 750000",
        "confirmed by the CRM",
        "lsq-sync simulate --port",
    ):
        assert part in ended.stdout, part
    page = (folder / "plan.html").read_text(encoding="utf-8")
    assert (folder / "plan.html").as_uri() in ended.stdout
    assert page.startswith("<!doctype html>")
    assert "Meera Fernandes" in page
    assert _demo(folder).returncode == 0, "a demo replaces the workspace of an earlier one"


def test_one_can_go_on_playing_where_the_demo_ended(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    told = _demo(folder).stdout
    exports = dict(re.findall(r"export (LSQ_\w+)='?([^'\n]+)", told))
    port = re.search(r"--port (\d+)", told)
    assert port is not None
    environment = {**os.environ, **exports}
    command = [sys.executable, "-m", "lsq_sync", "-C", str(folder)]
    simulator = subprocess.Popen(
        [*command, "simulate", "--port", port[1], "--data", "crm.json"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert simulator.stderr is not None
        assert "LeadSquared simulator on" in simulator.stderr.readline()
        metrics = subprocess.run(
            [*command, "metrics"], cwd=ROOT, env=environment, capture_output=True, check=False
        )
        assert metrics.returncode == 0
    finally:
        simulator.terminate()
        simulator.communicate()
    assert simulator.returncode == 0


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    ended = _demo(tmp_path)
    assert ended.returncode == 1
    assert "is not from a demo" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
