"""`init` and `validate`, and finding the workspace."""

import json
from pathlib import Path

import pytest

from tests.support.command import run
from tests.support.world import LOANS, World

ONE = LOANS[0]


def test_a_new_workspace_is_valid_and_has_nothing_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "sales"
    made = run("init", str(folder), "--region", "in21", "--name", 'Acme "north"')
    assert made.code == 0
    for file in ("lsq-sync.yaml", "specs/example.yaml", "schemas/spec.schema.json"):
        assert (folder / file).is_file()
        assert file in made.out
    assert (folder / ".gitignore").read_text() == ".lsq-sync/\n"
    assert (folder / ".gitattributes").read_text() == "lsq-sync.lock text eol=lf\n"
    validated = run("-C", str(folder), "validate")
    assert (validated.code, validated.out) == (0, "All valid: 1 file, 0 opportunities.\n")
    planned = run("-C", str(folder / "specs"), "plan", "--format", "json", "--detailed-exitcode")
    assert (planned.code, planned.document["account"]) == (0, 'Acme "north"')


def test_init_takes_the_folder_name_and_says_that_the_region_is_a_guess(tmp_path: Path) -> None:
    made = run("-C", str(tmp_path), "init", "acme")
    assert "region is a guess" in made.out
    assert "name: acme" in (tmp_path / "acme/lsq-sync.yaml").read_text()


def test_init_leaves_what_is_there(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.pyc")
    assert run("-C", str(tmp_path), "init").code == 0
    assert (tmp_path / ".gitignore").read_text() == "*.pyc\n.lsq-sync/\n"
    before = (tmp_path / "lsq-sync.yaml").read_bytes()
    again = run("-C", str(tmp_path), "init")
    assert (again.code, (tmp_path / "lsq-sync.yaml").read_bytes()) == (1, before)
    assert "there is a workspace" in again.err


def test_init_knows_its_regions(tmp_path: Path) -> None:
    ended = run("-C", str(tmp_path), "init", "--region", "mars")
    assert ended.code == 64
    assert "in21" in ended.err


def test_outside_of_a_workspace_every_command_says_how_to_make_one(tmp_path: Path) -> None:
    for command in ("validate", "plan", "status", "metrics"):
        ended = run("-C", str(tmp_path), command, "--format", "json")
        assert (ended.code, ended.document["error"]["code"]) == (1, "workspace")
        assert "lsq-sync init" in ended.err


def test_validate_tells_every_problem_of_every_file_sorted_by_place(world: World) -> None:
    world.spec({ONE: {"lable": "x", "fields": {}}}, "specs/b.yaml")
    world.fields(ONE, mx_Custom_6="many", mx_Custom_3="Websit", name="specs/a.yaml")
    ended = world.json("validate")
    problems = ended.document["problems"]
    assert ended.code == 1
    assert [(one["file"], one["code"]) for one in problems] == [
        ("specs/a.yaml", "wrong-value"),
        ("specs/a.yaml", "not-an-option"),
        ("specs/b.yaml", "duplicate-opportunity"),
        ("specs/b.yaml", "unknown-key"),
    ]
    assert problems[1]["hint"] == "did you mean 'Website'?"
    assert problems[2]["message"].endswith("first at specs/a.yaml:5:3")
    text = world.run("validate")
    assert text.code == 1
    assert text.out.startswith("specs/a.yaml:7:20: mx_Custom_6 (Expected Deal Size): 'many'")
    assert text.out.endswith("\n4 problems in 2 files, 2 opportunities.\n")


def test_validate_speaks_githubs_workflow_commands(world: World) -> None:
    world.fields(ONE, mx_Custom_3="Web%0Asit::x")
    ended = world.run("validate", "--format", "github")
    assert ended.code == 1
    line = ended.out.splitlines()[0]
    assert line.startswith("::error file=specs/a.yaml,line=7,col=20,title=not-an-option::")
    assert "%250A" in line
    assert len(ended.out.splitlines()) == 1


def test_validate_looks_only_where_it_is_told_but_reads_everything(world: World) -> None:
    world.spec({ONE: {"lable": "x"}}, "specs/a.yaml")
    world.spec({ONE: {"fields": {}}}, "specs/b.yaml")
    ended = world.json("validate", str(world.root / "specs/b.yaml"))
    assert [one["code"] for one in ended.document["problems"]] == ["duplicate-opportunity"]
    assert world.run("validate", "specs/none.yaml").code == 64


def test_settings_that_are_wrong_are_problems_with_their_lines(world: World) -> None:
    world.write(
        "lsq-sync.yaml",
        "version: 1\naccount:\n  name: x\n  regoin: in21\napi:\n  timeout_seconds: soon\n",
    )
    ended = world.json("validate")
    assert [(one["line"], one["code"]) for one in ended.document["problems"]] == [
        (4, "unknown-key"),
        (6, "wrong-type"),
    ]
    assert world.json("plan").document["error"]["details"] == ended.document["problems"]


def test_without_the_specs_folder_nothing_is_released(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    (world.root / "specs/a.yaml").unlink()
    (world.root / "specs").rmdir()
    ended = world.json("plan")
    assert (ended.code, ended.document["error"]["code"]) == (1, "workspace")


@pytest.mark.parametrize("arguments", [["plan"], ["apply", "--yes"]])
def test_specs_that_are_wrong_stop_everything_with_the_same_places(
    world: World, arguments: list[str]
) -> None:
    world.fields(ONE, mx_Custom_3="Websit")
    ended = world.json(*arguments)
    error = ended.document["error"]
    assert (ended.code, ended.document["format"], error["code"]) == (
        1,
        "lsq-sync/error/v1",
        "specs",
    )
    assert error["details"] == world.json("validate").document["problems"]
    assert world.crm.crm.count() == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["plan", "--nonsense"],
        ["plan", "--format", "yaml"],
        ["nonsense"],
        ["apply", "--timeout", "-1"],
        ["apply", "plan.json", "--only", "x"],
        ["status", "--wait", "--offline"],
        ["-v", "-q", "plan"],
        [],
    ],
)
def test_wrong_usage_ends_with_64(world: World, arguments: list[str]) -> None:
    assert world.run(*arguments).code == 64


def test_wrong_usage_in_json_is_a_document_too(world: World) -> None:
    ended = run("plan", "--nonsense", "--format=json")
    document = json.loads(ended.out)
    assert (ended.code, document["error"]["code"]) == (64, "usage")
