"""`simulate` without its command line, in a process of its own."""

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from lsq_sync.simulator.command import run
from lsq_sync.simulator.errors import SimulatorError
from lsq_sync.simulator.server import SimulatorThread

ROOT = Path(__file__).resolve().parents[2]
SCENARIO = "name: rough day\npaths: {status_alias: /opportunity/status}\n"


def started(*arguments: str) -> "subprocess.Popen[str]":
    imports = "from pathlib import Path; from lsq_sync.simulator.command import run"
    code = f"{imports}; run(0, {', '.join(arguments)})"
    return subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_interrupted(tmp_path: Path, how: signal.Signals) -> None:
    path = tmp_path / "rough.yaml"
    path.write_text(SCENARIO, encoding="utf-8")
    with started(f"scenario_path=Path({str(path)!r})", "watch=True") as process:
        assert process.stderr is not None
        lines: list[str] = []
        while not lines or "Ctrl-C" not in lines[-1]:
            lines.append(process.stderr.readline())
            assert process.poll() is None, "".join(lines)
        banner = "".join(lines)
        exports = dict(re.findall(r"export (\w+)='(.*)'", banner))
        request = urllib.request.Request(
            f"{exports['LSQ_ASYNC_HOST']}/opportunity/update/metrics",
            headers={"x-api-key": exports["LSQ_X_API_KEY"]},
        )
        with urllib.request.urlopen(request, timeout=5) as response:
            assert response.status == 200
        watched = process.stderr.readline()
        process.send_signal(how)
        rest = process.stderr.read()
        assert process.wait(5) == 0
    assert "200 opportunities: Loan (12005), Insurance (12006); scenario: rough day" in banner
    assert "GET  /opportunity/status" in banner
    assert exports["LSQ_ACCESS_KEY"].startswith("u$r")
    assert watched.split()[1:4] == ["GET", "/opportunity/update/metrics", "200"]
    assert rest == "Stopped; calls answered: 1\n"


@pytest.mark.parametrize("name", ["data_path", "scenario_path"])
def test_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    paths = {name: tmp_path / "missing"}
    with pytest.raises(SimulatorError, match="missing: cannot be read"):
        run(0, paths.get("data_path"), paths.get("scenario_path"))


def test_a_busy_port() -> None:
    with SimulatorThread() as sim:
        port = int(sim.url.rpartition(":")[2])
        with pytest.raises(SimulatorError, match="Choose another one with --port"):
            run(port)
