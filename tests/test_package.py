"""The wheel, alone in an empty folder, works."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without the network and laid out as an installer would."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def _run(site: Path, cwd: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "lsq_sync", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_holds_the_schemas_the_type_marker_and_no_tests(unpacked: Path) -> None:
    files = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*")}
    for file in ("py.typed", "schemas/spec.schema.json", "schemas/types/loan.schema.json"):
        assert f"lsq_sync/{file}" in files
    assert {name.partition("/")[0] for name in files} == {
        "lsq_sync",
        next(name for name in files if name.endswith(".dist-info")),
    }


def test_it_is_imported_from_the_wheel_and_works(unpacked: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [sys.executable, "-c", "import lsq_sync; print(lsq_sync.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked), "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert where.stdout.strip() == str(unpacked / "lsq_sync/__init__.py")
    assert _run(unpacked, tmp_path, "init", "ws").returncode == 0
    validated = _run(unpacked, tmp_path, "-C", "ws", "validate")
    assert (validated.returncode, validated.stdout) == (
        0,
        "All valid: 1 file, 0 opportunities.\n",
    )
    demo = _run(unpacked, tmp_path, "demo", "--fast")
    assert demo.returncode == 0, demo.stderr
