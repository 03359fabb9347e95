"""`--format markdown|html` of plan, apply's results, status and drift, on the real command."""

import pytest

from tests.support.world import LOANS, World

ONE, TWO, THREE = LOANS[:3]
HOUR = 3600


def test_a_plan_for_a_pull_request(world: World) -> None:
    world.fields(ONE, TWO, mx_Custom_6=1)
    plan = world.json("plan").document
    ended = world.run("plan", "--format", "markdown")
    assert ended.code == 0
    assert ended.out.startswith(f"<!-- lsq-sync plan={plan['id']} -->\n## Plan for ")
    assert ONE in ended.out
    assert f"lsq-sync apply --expect {plan['id']}" in ended.out


def test_the_reviewed_plan_is_the_one_that_runs(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    text = world.run("plan", "--format", "markdown").out
    plan = text.partition("plan=")[2].split()[0]
    world.fields(ONE, mx_Custom_6=2)
    assert world.json("apply", "--expect", plan).code == 5
    world.fields(ONE, mx_Custom_6=1)
    assert world.json("apply", "--expect", plan).summary["succeeded"] == 1


@pytest.mark.parametrize("form", ["markdown", "html"])
def test_the_exit_code_is_that_of_the_text(world: World, form: str) -> None:
    world.fields(ONE, mx_Custom_6=1)
    assert world.run("plan", "--detailed-exitcode", "--format", form).code == 2
    world.scenario(rejects=[{"id": ONE, "message": "Not <b>so</b>."}])
    world.apply(code=3)
    told = world.run("results", "--format", form)
    assert told.code == 3
    assert "Not <b>so" not in told.out
    assert world.run("drift", "--detailed-exitcode", "--format", form).code == 0


def test_results_go_on_where_the_plan_was(world: World) -> None:
    world.scenario(queue={"delay_seconds": HOUR})
    world.fields(ONE, mx_Custom_6=1)
    run = world.apply("--no-wait").document["run"]
    pending = world.run("status", "--format", "markdown")
    assert (pending.code, "1 pending" in pending.out) == (4, True)
    world.crm.skip(2 * HOUR)
    world.run("status", "--wait", "--timeout", "10")
    told = world.run("results", run, "--format", "markdown").out
    assert told.startswith(f"<!-- lsq-sync run={run} -->\n## Results\n")
    assert "1 succeeded" in told


def test_drift_as_html_is_a_page(world: World) -> None:
    world.fields(ONE, mx_Custom_6=1)
    world.apply()
    world.crm.skip(HOUR)
    world.crm.change(ONE, "mx_Custom_6", "77")
    page = world.run("drift", "--format", "html").out
    assert page.startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert '"77"' in page


def test_an_error_is_told_on_stderr_and_leaves_no_half_page(world: World) -> None:
    (world.root / "specs/a.yaml").write_text("opportunities: {", encoding="utf-8")
    ended = world.run("plan", "--format", "html")
    assert (ended.code, ended.out) == (1, "")
    assert "specs/a.yaml" in ended.err
