"""What a bug report holds: enough to find the bug by, and nothing of anybody."""

import stat
import tempfile
from pathlib import Path

import pytest

from lsq_sync import __version__
from lsq_sync.bug_report import command_of, write_report

SECRET = "s3cr3t-0123456789abcdef"
DATA = "Mrs Miller, 200,000"


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def report(error: BaseException, environment: dict[str, str] | None = None) -> str:
    path = write_report(error, "lsq-sync apply", environment or {})
    assert path.name.startswith("lsq-sync-bug-")
    assert path.suffix == ".txt"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path.read_text(encoding="utf-8")


def raised(error: Exception, *, cause: Exception | None = None) -> Exception:
    """The error as somebody catches it."""
    try:
        raise error from cause
    except Exception as caught:  # noqa: BLE001 - that is what is reported
        return caught


def test_it_tells_versions_command_type_and_place_but_no_words() -> None:
    told = report(raised(ValueError(DATA)))
    assert told.startswith(f"lsq-sync {__version__}, Python 3.")
    assert "\ncommand: lsq-sync apply\nat: 20" in told
    assert "builtins.ValueError\n" in told
    assert "in raised" in told
    assert DATA not in told


def test_what_led_to_it_comes_first() -> None:
    told = report(raised(ValueError(DATA), cause=raised(KeyError(DATA))))
    first, second = told.index("builtins.KeyError"), told.index("builtins.ValueError")
    assert first < told.index("which led to:") < second
    assert DATA not in told


def test_what_was_cut_off_is_not_told_and_what_was_being_handled_is() -> None:
    handled, cut = ValueError(DATA), ValueError(DATA)
    handled.__context__ = cut.__context__ = KeyError(DATA)
    cut.__suppress_context__ = True
    assert "KeyError" in report(handled)
    assert "KeyError" not in report(cut)


def test_errors_in_a_circle_are_told_once_each() -> None:
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one
    told = report(one)
    assert (told.count("ValueError"), told.count("KeyError")) == (1, 1)


def test_a_group_is_told_with_its_parts() -> None:
    told = report(raised(ExceptionGroup(DATA, [raised(OSError(DATA)), KeyError(DATA)])))
    assert told.count("made up of:") == 2
    assert told.index("ExceptionGroup") < told.index("OSError") < told.index("KeyError")
    assert DATA not in told


def test_a_key_that_got_into_it_is_hidden(tmp_path: Path) -> None:
    def named(name: str) -> Exception:
        code = compile("raise ValueError", f"{name}.py", "exec")
        try:
            exec(code, {})
        except ValueError as caught:
            return caught
        raise AssertionError

    file = tmp_path / "key"
    file.write_text(f"{SECRET}\n", encoding="utf-8")
    for environment in ({"LSQ_SECRET_KEY": SECRET}, {"LSQ_SECRET_KEY_FILE": str(file)}):
        told = report(named(f"at-{SECRET}-here"), environment)
        assert SECRET not in told
        assert "at-<LSQ_SECRET_KEY>-here" in told


def test_a_command_is_told_without_its_values() -> None:
    words = ["apply", "--only", DATA, f"--expect={DATA}", "--yes"]
    assert command_of(words) == "lsq-sync apply --only … --expect --yes"
    assert command_of([]) == "lsq-sync"
