"""`results` and `why`: a run told again, and where a value comes from."""

import csv
import io
import json
import re
import subprocess

from tests.support.world import LOANS, World

ONE, TWO, THREE = LOANS[:3]
AMOUNT = "mx_Custom_6"
HOUR = 3600


def test_the_last_run_is_told_again(world: World) -> None:
    world.fields(ONE, TWO, mx_Custom_6=1)
    applied = world.apply().document
    told = world.json("results")
    assert told.code == 0
    assert told.document["format"] == "lsq-sync/result/v1"
    for name in ("run", "summary", "calls", "elapsed_seconds"):
        assert told.document[name] == applied[name]
    by_id = {one["id"]: one for one in applied["opportunities"]}
    assert {one["id"]: one for one in told.document["opportunities"]} == by_id
    assert world.run("results").out.startswith(f"Run {applied['run']}\n")


def test_what_was_learnt_since_is_told(world: World) -> None:
    world.scenario(queue={"delay_seconds": HOUR}, rejects=[{"id": TWO, "message": "Not so."}])
    world.fields(ONE, TWO, mx_Custom_6=1)
    run = world.apply("--no-wait").document["run"]
    assert world.json("results").summary["pending"] == 2
    assert world.json("results").code == 4
    world.crm.skip(2 * HOUR)
    world.run("status", "--wait", "--timeout", "10")
    told = world.json("results", run)
    assert (told.code, told.summary["succeeded"], told.summary["rejected"]) == (3, 1, 1)
    first = told.document["opportunities"][0]
    assert (first["id"], "Not so." in first["reason"]) == (TWO, True)


def test_a_lost_answer_stays_unknown_until_something_is_known(world: World) -> None:
    world.scenario(
        queue={"delay_seconds": HOUR},
        faults=[{"on": "submit", "calls": "1", "do": "drop_after"}],
    )
    world.fields(ONE, mx_Custom_6=1)
    world.run("apply", "--yes", "--no-wait")
    told = world.json("results")
    assert (told.code, told.summary["unknown"]) == (4, 1)
    world.crm.skip(2 * HOUR)
    assert world.json("status").code == 0
    assert world.json("results").summary["succeeded"] == 1


def test_a_run_may_be_named_by_its_beginning(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    run = world.apply().document["run"]
    assert world.json("results", run[:-3]).document["run"] == run
    ended = world.json("results", "19990101")
    assert (ended.code, ended.document["error"]["code"]) == (64, "usage")


def test_a_killed_run_is_known_by_its_requests(world: World) -> None:
    world.scenario(queue={"delay_seconds": HOUR})
    world.fields(ONE, mx_Custom_6=1)
    run = world.apply("--no-wait").document["run"]
    (world.root / ".lsq-sync/runs" / f"{run}.json").unlink()
    told = world.json("results")
    assert (told.document["run"], told.summary["pending"]) == (run, 1)


def test_before_the_first_run_there_is_nothing(world: World) -> None:
    ended = world.json("results")
    assert (ended.code, ended.document["error"]["message"]) == (64, "there was no run yet")


def test_a_report_that_was_damaged_is_told_as_such(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    run = world.apply().document["run"]
    report = world.root / ".lsq-sync/runs" / f"{run}.json"
    assert report.stat().st_mode & 0o777 == 0o600
    for content in ("{", "[]", '{"opportunities": [{}]}', '{"opportunities": 7}'):
        report.write_text(content)
        ended = world.json("results")
        assert (ended.code, ended.document["error"]["code"]) == (64, "usage"), content


def test_csv_has_no_formulas(world: World) -> None:
    world.spec(
        {
            ONE: {"label": "=HYPERLINK(1)", "fields": {AMOUNT: 1}},
            TWO: {"label": '+1 "x", y\nz', "fields": {AMOUNT: 1}},
            THREE: {"label": "@SUM(A1)", "fields": {AMOUNT: 1}},
        },
        type="loan",
    )
    world.apply()
    ended = world.run("results", "--format", "csv")
    rows = {row["id"]: row for row in csv.DictReader(io.StringIO(ended.out))}
    assert rows[ONE]["label"] == "'=HYPERLINK(1)"
    assert rows[TWO]["label"] == '\'+1 "x", y\\nz'
    assert rows[THREE]["label"] == "'@SUM(A1)"
    assert rows[ONE]["outcome"] == "succeeded"
    assert (rows[ONE]["file"], rows[ONE]["fields"]) == ("specs/a.yaml", AMOUNT)


def test_a_rejection_leads_to_the_line_of_the_field_that_it_names(world: World) -> None:
    reject = {"field": AMOUNT, "message": "mx_Custom_6 is out of range."}
    world.scenario(rejects=[reject])
    world.fields(ONE, mx_Custom_3="Website", mx_Custom_6=1)
    ended = world.run("apply", "--yes")
    assert ended.code == 3
    assert re.search(r"specs/a.yaml:8:\d+  Expected Deal Size \(mx_Custom_6\)\n", ended.out)
    (told,) = world.json("results").document["opportunities"]
    assert told["culprit"] == {
        "name": AMOUNT,
        "title": "Expected Deal Size",
        "source": {"file": "specs/a.yaml", "line": 8},
    }
    world.scenario(queue={"delay_seconds": HOUR}, rejects=[reject])
    world.fields(ONE, mx_Custom_3="Website", mx_Custom_6=2)
    world.apply("--no-wait")
    world.crm.skip(2 * HOUR)
    (asked,) = world.json("status").document["opportunities"]
    assert (asked["culprit"]["source"]["line"], asked["source"]["line"]) == (8, 5)


# --- why


def _why(world: World, *arguments: str) -> dict[str, dict[str, object]]:
    ended = world.json("why", *arguments)
    assert ended.code == 0, ended
    assert ended.document["format"] == "lsq-sync/why/v1"
    return {one["name"]: one for one in ended.document["fields"]}


def _git(world: World, *arguments: str) -> str:
    identity = ["-c", "user.name=Asha", "-c", "user.email=asha@example.com"]
    ended = subprocess.run(
        ["git", *identity, *arguments],
        cwd=world.root,
        check=True,
        capture_output=True,
        text=True,
    )
    return ended.stdout.strip()


def test_a_value_from_its_line_and_commit_to_its_outcome(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1, mx_Custom_12="+91-9820098200")
    _git(world, "init", "-q")
    _git(world, "add", ".")
    _git(world, "commit", "-q", "-m", "Raise the amount")
    applied = world.apply().document
    known = _why(world, ONE[:8])
    amount = known[AMOUNT]
    assert (amount["desired"], amount["recorded"]) == ({"value": "1"}, {"value": "1"})
    assert amount["commit"]["id"] == _git(world, "rev-parse", "HEAD")  # type: ignore[index]
    assert amount["commit"]["summary"] == "Raise the amount"  # type: ignore[index]
    request = amount["request"]
    assert (request["run"], request["outcome"]) == (applied["run"], "succeeded")  # type: ignore[index]
    assert request["request_id"] == applied["opportunities"][0]["request_id"]  # type: ignore[index]
    text = world.run("why", ONE, "expected deal size").out
    assert "Raise the amount" in text
    assert "confirmed by the CRM" in text
    assert "9820098200" not in json.dumps(known) + world.run("why", ONE).out


def test_each_field_is_told_by_the_request_that_wrote_it(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1, mx_Custom_3="Website")
    first = world.apply().document["run"]
    world.fields(ONE, mx_Custom_6=2, mx_Custom_3="Website")
    world.scenario(rejects=[{"field": AMOUNT, "message": "Not so."}])
    second = world.apply(code=3).document["run"]
    known = _why(world, ONE)
    assert known["mx_Custom_3"]["request"]["run"] == first  # type: ignore[index]
    request = known[AMOUNT]["request"]
    assert (request["run"], request["outcome"]) == (second, "rejected")  # type: ignore[index]
    assert "Not so." in request["reason"]  # type: ignore[index]
    assert (known[AMOUNT]["desired"], known[AMOUNT]["recorded"]) == ({"value": "2"}, {"value": "1"})


def test_what_is_on_its_way(world: World) -> None:
    world.scenario(queue={"delay_seconds": HOUR})
    world.fields(ONE, mx_Custom_6=1)
    world.apply("--no-wait")
    amount = _why(world, ONE)[AMOUNT]
    assert (amount["on_its_way"], amount["recorded"]) == ({"value": "1"}, None)
    assert amount["request"]["outcome"] == "pending"  # type: ignore[index]


def test_without_the_journals_the_lock_still_tells_the_last_request(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    run = world.apply().document["run"]
    for journal in (world.root / ".lsq-sync/runs").glob("*.journal"):
        journal.unlink()
    ended = world.json("why", ONE)
    assert ended.document["last_request"]["run"] == run
    assert run in world.run("why", ONE).out


def test_what_was_released_and_adopted(world: World) -> None:
    world.crm.change(ONE, AMOUNT, "5")
    world.fields(ONE, mx_Custom_6=5, mx_Custom_3="Website")
    world.apply()
    assert _why(world, ONE)[AMOUNT]["request"]["outcome"] in ("adopted", "succeeded")  # type: ignore[index]
    world.fields(ONE, mx_Custom_6=5)
    world.apply()
    known = _why(world, ONE)["mx_Custom_3"]
    assert (known["desired"], known["request"]["outcome"]) == (None, "released")  # type: ignore[index]


def test_a_field_or_an_opportunity_that_nobody_knows(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    for arguments in ((ONE, "mx_Custom_66"), ("nobody",)):
        ended = world.json("why", *arguments)
        assert (ended.code, ended.document["error"]["code"]) == (64, "usage")
    assert "did you mean mx_Custom_6?" in world.run("why", ONE, "mx_Custom_66").err
