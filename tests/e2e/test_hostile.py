"""Specs, file names, type schemas and a CRM that mean harm: every command says so, harmlessly."""

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command import Ended
from tests.support.world import LOANS, World, new_world

IS_LONG = bool(os.environ.get("LSQ_SYNC_LONG"))
TRAP = (
    "\x1b[31mred\x1b]0;title\x07 \x9b2J \u202eevil\u2066 %0A::error::one\r"
    "::set-output name=a::b\u2028"
)
NEWLINE = "a\n::error file=x::fake\n##[error]fake\n"
REASON = {"type": "MXInvalidInputException", "message": f"no {TRAP}{NEWLINE}"}
_HIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]"
)
_COMMAND = re.compile(r"^\s*(::|##\[)", re.MULTILINE)


def assert_harmless(ended: Ended) -> None:
    """Nothing moves the cursor, hides, turns round, or is taken for a command by a CI."""
    for text in (ended.out, ended.err):
        assert _HIDDEN.findall(text) == [], text
        assert _COMMAND.findall(text) == [], text
    if ended.out.startswith("{"):
        json.loads(ended.out)


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[World]:
    """The CRM turns one of two updates down, with a reason that means harm."""
    with new_world(tmp_path, {"rejects": [{"id": LOANS[0], **REASON}]}) as world:
        value = "# x\n::error::fake\n<script>\t=cmd()"
        first, second = ({"label": label, "fields": {"mx_Custom_6": value}} for label in "ab")
        world.spec({LOANS[0]: first, LOANS[1]: second}, "specs/::error::fake %0A\u202e.yaml")
        yield world


COMMANDS = (
    "plan", "plan --refresh --format json", "apply --yes", "status", "plan --retry-rejected",
    "results", "results --format json", "results --format csv", "state list",
    "state list --format json", f"state show {LOANS[0]}", f"state show {LOANS[0]} --format json",
    f"why {LOANS[0]}", f"why {LOANS[0]} --format json", "drift", "drift --format json",
)  # fmt: skip


def test_what_is_accepted_is_shown_harmlessly_everywhere(hostile: World) -> None:
    for command in COMMANDS:
        ended = hostile.run("-v", *command.split())
        assert ended.code in (0, 3), ended
        if "csv" not in command:
            assert_harmless(ended)
    assert hostile.entries[LOANS[0]]["request"]["outcome"] == "rejected"


@pytest.mark.parametrize("form", ["text", "json", "github"])
@pytest.mark.parametrize("place", ["label", "value", "key", "field", "type", "top"])
def test_what_is_refused_is_told_harmlessly(hostile: World, place: str, form: str) -> None:
    spoilt: dict[str, dict[str, object]] = {
        "label": {"opportunities": {LOANS[2]: {"label": TRAP}}},
        "value": {"opportunities": {LOANS[2]: {"fields": {"Status": TRAP}}}, "type": "loan"},
        "key": {"opportunities": {TRAP: {"fields": {"a": {"b": {"c": 1}}}}}},
        "field": {"opportunities": {LOANS[2]: {"fields": {NEWLINE: "1"}}}, "type": "loan"},
        "type": {"type": NEWLINE, "opportunities": {}},
        "top": {NEWLINE: 1, "opportunities": {}},
    }
    hostile.write("specs/b.yaml", json.dumps({"version": 1, **spoilt[place]}))
    ended = hostile.run("validate", "--format", form)
    assert ended.code == 1, ended
    if form != "github":
        assert_harmless(ended)
        return
    assert _HIDDEN.findall(ended.out) == []
    for line in ended.out.splitlines():
        assert re.fullmatch(r"::error file=[^:,]*(,line=\d+)?(,col=\d+)?,title=[^:,]*::.*", line)


def test_a_type_schema_with_traps_is_shown_harmlessly(hostile: World) -> None:
    path = hostile.root / "schemas/types/loan.schema.json"
    schema = json.loads(path.read_text("utf-8"))
    schema["$defs"]["fields"]["properties"]["mx_Custom_6"]["title"] = TRAP + NEWLINE
    path.write_text(json.dumps(schema), "utf-8")
    hostile.fields(LOANS[3], mx_Custom_6="1", name="specs/c.yaml")
    assert_harmless(hostile.run("plan"))
    hostile.fields(LOANS[3], mx_Custom_6="no number", name="specs/c.yaml")
    for form in ("text", "json"):
        assert_harmless(hostile.run("validate", "--format", form))


@pytest.mark.parametrize("where", ["pattern", "patternProperties"])
def test_a_type_schema_cannot_keep_us_busy(hostile: World, where: str) -> None:
    """A pattern that takes exponential time, in the file of a stranger's branch."""
    path = hostile.root / "schemas/types/loan.schema.json"
    schema = json.loads(path.read_text("utf-8"))
    fields = schema["$defs"]["fields"]
    if where == "pattern":
        fields["properties"]["mx_Custom_1"]["pattern"] = "^(a+)+$"
    else:
        fields["patternProperties"] = {"^(a+)+$": {}}
    path.write_text(json.dumps(schema), "utf-8")
    hostile.fields(LOANS[3], name="specs/c.yaml", mx_Custom_1="a" * 60 + "!", **{"a" * 60 + "!": 1})
    began = time.monotonic()
    assert hostile.run("validate").code == 1
    assert time.monotonic() - began < 20.0


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param(BOMB.encode(), "", id="bomb"),
        pytest.param(b"[" * 50_000, "", id="brackets"),
        pytest.param(b"{a: " * 12_500, "", id="braces"),
        pytest.param(b"version: 1\nx: \0\n", "", id="NUL"),
        pytest.param(b"version: 1\nx: \xff\xfe\n", "UTF-8", id="no UTF-8"),
        pytest.param(b"version: 1\nx: \xed\xa0\x80\n", "UTF-8", id="half a letter"),
        pytest.param(b'version: 1\nx: "\\ud800"\n', "", id="half a letter, escaped"),
        pytest.param(b"!!python/object/apply:os.system [true]\n", "", id="tag"),
        pytest.param(b"x: \x1b[2J\x9b\n", "", id="escapes"),
    ],
)
def test_a_spec_that_attacks_the_reader(hostile: World, content: bytes, told: str) -> None:
    (hostile.root / "specs/d.yaml").write_bytes(content)
    for command in ("validate", "plan", "apply --yes"):
        ended = hostile.run(*command.split())
        assert ended.code == 1, ended
        assert "specs/d.yaml" in ended.out + ended.err
        assert told in ended.out + ended.err
        assert_harmless(ended)
    assert hostile.sent() == []


@pytest.mark.skipif(not IS_LONG, reason="takes a while")
def test_a_million_keys_take_time_and_no_more(hostile: World) -> None:
    lines = "".join(f"key_{number}: x\n" for number in range(1_000_000))
    hostile.write("specs/d.yaml", f"version: 1\n{lines}")
    ended = hostile.run("validate")
    assert ended.code == 1
    assert len(ended.out) < 200_000_000


ANSWERS = (
    '{"RequestID": "\\u001b[2J::error::x"}', '{"message": "\\u009b2J\\n::error::x\\u202e"}',
    '{"ExceptionType": "MXOdd\\n::error::x", "ExceptionMessage": "\\ud800 \\u2028"}',
)  # fmt: skip


@pytest.mark.parametrize("status", [500, 404, 200] if IS_LONG else [500])
@pytest.mark.parametrize("body", ANSWERS)
@pytest.mark.parametrize("on", ["submit", "status", "read"] if IS_LONG else ["submit"])
def test_an_answer_that_means_harm(hostile: World, on: str, body: str, status: int) -> None:
    fault = {"on": on, "do": "status", "status": status, "body": body}
    hostile.scenario(faults=[fault])
    for command in ("apply --yes --timeout 5", "status", "metrics", "results", "state list"):
        for form in ("text", "json"):
            ended = hostile.run("-v", *command.split(), "--format", form)
            assert ended.code in (0, 1, 3, 4, 5, 64), ended
            assert_harmless(ended)
