"""Keys and sensitive values stay in, over every command and in a crash."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from lsq_sync.commands import apply
from lsq_sync.crm.client import Client
from lsq_sync.simulator import SimulatorThread
from lsq_sync.simulator.scenario_file import scenario_from
from tests.reliability import canaries
from tests.reliability.canaries import KEYS, VALUE, found_in, keys_in, value_in
from tests.support.world import ACCOUNT, LOANS, World

SENSITIVE = "mx_Custom_1"
REPEATS = {"message": f"'{VALUE}' is none of the options", "type": "MXInvalidInputException"}
COMMANDS = (
    "validate", "plan", "plan --refresh --out plan.json", "plan --format json", "drift",
    "drift --format json", "apply plan.json", "status", "status --format json", "metrics",
    "results", "results --format json", "results --format csv", "state list",
    "state list --format json", "doctor", "doctor --format json", "plan --show-unchanged",
)  # fmt: skip


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """The CRM repeats the sensitive value in its refusal of the first of two updates."""
    rejects = [{"id": LOANS[0], **REPEATS}]
    scenario = scenario_from({"rate_limit": {"enabled": False}, "rejects": rejects})
    with SimulatorThread(ACCOUNT, scenario, keys=KEYS) as crm:
        made = World(tmp_path / "workspace", crm, {})
        path = made.root / "schemas/types/loan.schema.json"
        schema = json.loads(path.read_text("utf-8"))
        schema["$defs"]["fields"]["properties"][SENSITIVE]["x-lsq-sensitive"] = True
        path.write_text(json.dumps(schema), "utf-8")
        made.fields(*LOANS[:2], **{SENSITIVE: VALUE, "mx_Custom_6": "4711"})
        yield made


def printed_by(world: World, *lines: str) -> dict[str, str]:
    printed: dict[str, str] = {}
    for line in lines:
        ended = world.run("-v", *line.split())
        assert ended.code in (0, 1, 3, 4), ended
        printed[f"stdout of {line}"], printed[f"stderr of {line}"] = ended.out, ended.err
    return printed


def test_no_command_shows_a_key_or_a_sensitive_value(world: World) -> None:
    told = [f"{command} {LOANS[0]}" for command in ("state show", "why", "why --format json")]
    printed = printed_by(world, *COMMANDS, *told)
    assert world.entries[LOANS[0]]["request"]["outcome"] == "rejected"
    assert found_in(world.root, printed) == []
    plan = (world.root / "plan.json").read_bytes()
    assert list(value_in("the plan file", plan)) == [], "a plan file needs no values to be applied"
    for path in (world.root / ".lsq-sync").rglob("*"):
        assert (
            path.is_dir()
            or path.name in ("write.lock", ".gitignore")
            or not path.stat().st_mode & 0o077
        ), path


def test_what_the_crm_repeats_is_told_without_the_value(world: World) -> None:
    ended = world.json("apply", "--yes")
    [reason] = [one["reason"] for one in ended.document["opportunities"] if one["reason"]]
    assert reason == "MXInvalidInputException: '(sensitive)' is none of the options"
    assert world.entries[LOANS[0]]["request"]["reason"] == reason


def test_a_crash_shows_neither(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever an exception says, and whatever it was caused by."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    async def crashes(_client: Client, key: str, fields: Any, *_more: Any) -> NoReturn:
        try:
            raise OSError(f"{KEYS.secret_key} {fields}")
        except OSError as error:
            raise RuntimeError(f"{key} {fields} {KEYS}", *canaries.forms(VALUE)) from error

    monkeypatch.setattr(Client, "submit", crashes)
    ended = world.run("-v", "apply", "--yes")
    assert ended.code == 70
    [report] = tmp_path.glob("lsq-sync-bug-*")
    text = report.read_bytes()
    assert b"RuntimeError" in text
    assert b"in crashes" in text
    assert apply.__file__.encode() in text
    assert [*keys_in("report", text), *value_in("report", text)] == []
    assert found_in(world.root, {"out": ended.out, "err": ended.err}) == []


@pytest.mark.parametrize("secret", [VALUE, *vars(canaries)["_SECRETS"].values()])
def test_the_search_finds_every_form(secret: str) -> None:
    """A scan that finds nothing must be able to find something."""
    search = value_in if secret == VALUE else keys_in
    for form in canaries.forms(secret):
        assert list(search("a place", b"before " + form + b" after")), form
