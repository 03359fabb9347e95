"""`doctor`: what is wrong with a workspace, its keys and its account, and how to mend it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.world import LOANS, World, new_world

ONE = LOANS[0]


def _examined(world: World, code: int = 0) -> dict[str, dict[str, str]]:
    ended = world.json("doctor")
    assert ended.code == code, ended
    assert ended.document["format"] == "lsq-sync/doctor/v1"
    return {check["name"]: check for check in ended.document["checks"]}


def _settings(world: World, **more: Any) -> None:
    content = json.loads((world.root / "lsq-sync.yaml").read_text())
    world.write("lsq-sync.yaml", json.dumps({**content, **more}))


def test_a_healthy_workspace_is_ready(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    _settings(world, api={"rate_limit": {"calls": 20, "seconds": 5}})
    before = world.crm.crm.count("submit")
    found = _examined(world)
    assert {check["state"] for check in found.values()} == {"ok"}, found
    assert list(found) == [
        "settings",
        "specs",
        "lock",
        "permissions",
        "keys",
        "rate limit",
        "asynchronous host",
        "status path",
        "account",
        "reading",
        "clock",
    ]
    assert world.crm.crm.count("submit") == before
    assert world.run("doctor").out.endswith("\nReady.\n")


def test_it_writes_nothing(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    before = sorted(world.root.rglob("*"))
    _examined(world)
    made = {path.name for path in world.root.rglob("*")} - {path.name for path in before}
    assert made <= {".lsq-sync", ".gitignore", "pacing.json"}


def test_broken_settings_are_one_problem_with_every_place(world: World) -> None:
    world.write("lsq-sync.yaml", "version: 1\naccount:\n  name: a\n  regoin: in21\n")
    found = _examined(world, 1)
    assert found["settings"]["state"] == "problem"
    assert "regoin" in found["settings"]["message"]


def test_broken_specs_and_a_broken_lock(world: World) -> None:
    world.fields(ONE, mx_Custom_6="many")
    world.write("lsq-sync.lock", "{")
    found = _examined(world, 1)
    assert (found["specs"]["state"], found["lock"]["state"]) == ("problem", "problem")
    assert "specs/a.yaml:" in found["specs"]["message"]
    assert found["lock"]["hint"]


def test_without_keys_nothing_is_asked(world: World) -> None:
    world.environment = {"LSQ_HOST": world.crm.url, "LSQ_ASYNC_HOST": world.crm.url}
    found = _examined(world, 1)
    assert (found["keys"]["state"], found["account"]["state"]) == ("problem", "skipped")
    assert world.crm.crm.count() == 0


def test_a_wrong_x_api_key(world: World) -> None:
    world.environment["LSQ_X_API_KEY"] = "wrong-key-0001"
    found = _examined(world, 1)
    assert found["asynchronous host"]["state"] == "problem"
    assert "LSQ_X_API_KEY" in found["asynchronous host"]["hint"]
    assert found["account"]["state"] == "ok"


def test_wrong_keys_of_the_user(world: World) -> None:
    world.environment["LSQ_SECRET_KEY"] = "wrong-key-0001"
    found = _examined(world, 1)
    assert found["synchronous host"]["state"] == "problem"
    assert "wrong-key" not in json.dumps(found)


def test_a_wrong_status_path(world: World) -> None:
    _settings(world, api={"status_path": "/elsewhere"})
    found = _examined(world, 1)
    assert found["status path"]["state"] == "problem"
    assert "api.status_path" in found["status path"]["hint"]


def test_the_host_of_another_region_is_told_and_not_followed(world: World) -> None:
    body = json.dumps(
        {
            "Status": "Error",
            "ExceptionType": "MXInvalidAccessDetailsException",
            "ExceptionMessage": "Use api-us11.leadsquared.com for this account.",
        }
    )
    fault = {"on": "read", "every": 1, "do": "status", "status": 401, "body": body}
    world.scenario(faults=[fault, {**fault, "on": "other"}, {**fault, "on": "submit"}])
    found = _examined(world, 1)
    assert "api-us11.leadsquared.com" in found["synchronous host"]["hint"]
    world.fields(ONE, mx_Custom_6=1)
    for arguments in (
        ("plan", "--refresh"),
        ("apply", "--yes"),
        ("apply", "--yes", "--no-refresh"),
    ):
        ended = world.run(*arguments)
        assert ended.code == 1
        assert "its answer names api-us11.leadsquared.com" in " ".join(ended.err.split())


def test_the_keys_of_another_account(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    lock = (world.root / "lsq-sync.lock").read_text()
    code = world.lock["account"]["short_code"]
    world.write("lsq-sync.lock", lock.replace(f'"{code}"', '"99999"'))
    assert _examined(world, 1)["account"]["state"] == "problem"


def test_an_opportunity_that_the_crm_does_not_show(world: World) -> None:
    world.crm.delete(ONE)
    world.fields(ONE, mx_Custom_6=1)
    found = _examined(world)
    assert (found["reading"]["state"], ONE in found["reading"]["message"]) == ("warning", True)


def test_without_a_synchronous_host_that_is_a_warning(tmp_path: Path) -> None:
    with new_world(tmp_path, account={"host": None}) as world:
        assert _examined(world)["synchronous host"]["state"] == "warning"


def test_a_crm_that_is_not_there(world: World) -> None:
    _settings(world, account={"name": "a", "async_host": "http://127.0.0.1:9", "host": None})
    for name in ("LSQ_HOST", "LSQ_ASYNC_HOST"):
        world.environment.pop(name, None)
    found = _examined(world, 1)
    assert "account.async_host" in found["asynchronous host"]["hint"]


def test_a_file_of_keys_that_others_may_read(world: World, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(world.environment.pop("LSQ_X_API_KEY"))
    file.chmod(0o644)
    world.environment["LSQ_X_API_KEY_FILE"] = str(file)
    ended = world.json("doctor")
    states = [one["state"] for one in ended.document["checks"] if one["name"] == "keys"]
    assert (ended.code, states) == (0, ["ok", "warning"])
    file.chmod(0o600)
    assert _examined(world)["keys"]["state"] == "ok"


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(world: World) -> None:
    world.root.chmod(0o500)
    try:
        assert _examined(world, 1)["permissions"]["state"] == "problem"
    finally:
        world.root.chmod(0o700)
