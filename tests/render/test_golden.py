"""Whole outputs, as people and machines get them."""

import json
from collections.abc import Iterable
from datetime import timedelta

import pytest

from lsq_sync.core.answers import QueueMetrics
from lsq_sync.core.budget import RateLimit, budget
from lsq_sync.errors import Diagnostic, Origin, RefusedError, SpecError
from lsq_sync.lock.entry import entry_to_json
from lsq_sync.render import (
    account_document,
    document,
    plan_document,
    result_document,
    state_document,
)
from lsq_sync.render.lines import Line, plain
from lsq_sync.render.paint import painted
from lsq_sync.render.plan_text import plan_lines, summary_lines
from lsq_sync.render.problem_text import error_lines, github_lines, validated_lines
from lsq_sync.render.result_text import next_step, result_lines, status_lines
from lsq_sync.render.state_text import entry_lines, metrics_lines, state_lines
from tests.render import samples
from tests.support import golden

LIMIT = RateLimit(25, 5)
COST = budget(samples.PLAN, LIMIT)

PROBLEMS = (
    Diagnostic(Origin("specs/a.yaml", 5, 18), "not-an-option", "'Websit' is no option", "mend it"),
    Diagnostic(Origin("specs/a,b.yaml", 7, 1), "x:y", f"100 % {samples.HOSTILE}", ""),
    Diagnostic(Origin("schemas/types/loan.schema.json"), "type-schema", "not valid JSON"),
)


def _plan(*, show_unchanged: bool = False) -> list[Line]:
    lines = plan_lines(samples.PLAN, COST, LIMIT, samples.REFUSALS, show_unchanged=show_unchanged)
    return list(lines)


TEXTS: dict[str, Iterable[Line]] = {
    "plan": _plan(),
    "plan-unchanged": _plan(show_unchanged=True),
    "plan-summary": list(summary_lines(samples.PLAN, COST, LIMIT, samples.REFUSALS)),
    "result": list(
        result_lines(samples.RESULTS, samples.PLAN.changes[1:5], samples.CALLS, 83.4)
    ),
    "result-nothing": list(result_lines((), (), {}, 0.0)),
    "status": list(status_lines(samples.RESULTS, samples.CALLS, 3.0)),
    "status-nothing": list(status_lines((), {}, 0.0)),
    "state-list": list(state_lines(samples.RECORDED)),
    "state-show": [
        line
        for key, entry in samples.RECORDED.entries.items()
        for line in entry_lines(key, entry, samples.RULES, timedelta(hours=12))
    ],
    "metrics": list(metrics_lines(QueueMetrics(120, 64.0, 24.8))),
    "problems": list(validated_lines(PROBLEMS, 3, 41)),
    "error": list(
        error_lines(
            SpecError("3 problems in 3 files", hint="look:\n\n  lsq-sync validate",
                      diagnostics=PROBLEMS)
        )
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_text(name: str) -> None:
    golden.check(f"{name}.txt", plain(TEXTS[name]))


@pytest.mark.parametrize("name", ["plan", "result", "state-show", "problems"])
@pytest.mark.parametrize("width", [40, 100])
def test_text_on_a_terminal(name: str, width: int) -> None:
    text = painted(list(TEXTS[name]), colour=False, width=width)
    assert max(len(line) for line in text.splitlines()) <= width
    golden.check(f"{name}-{width}.txt", text)


def test_colour_adds_nothing_but_looks() -> None:
    text = painted(_plan(), colour=True, width=1000)
    golden.check("plan-colour.txt", text.replace("\x1b", "ESC"))


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_nothing_of_a_value_reaches_the_terminal_raw(name: str) -> None:
    text = plain(TEXTS[name])
    assert not [one for one in text if one != "\n" and (ord(one) < 32 or one in "\u202e\u202c")]


def test_github_commands() -> None:
    text = "\n".join(github_lines(PROBLEMS))
    assert text.count("\n") == len(PROBLEMS) - 1
    golden.check("github.txt", text + "\n")


DOCUMENTS = {
    "plan": plan_document.plan_document(
        samples.PLAN, COST, samples.REFUSALS, samples.NOW, show_unchanged=True
    ),
    "result": result_document.result_document(
        samples.RUN, samples.RESULTS, samples.CALLS, 83.4, samples.PLAN.changes[1:5],
        RefusedError("stopped", code="held"),
    ),
    "error": document.error_document(SpecError("3 problems", diagnostics=PROBLEMS)),
    "validate": document.validate_document(PROBLEMS, 3, 41),
    "metrics": account_document.metrics_document(QueueMetrics(1, 0.0, 24.8)),
    "state": state_document.state_document(
        samples.ACCOUNT,
        {
            key: state_document.masked_entry(entry_to_json(entry), samples.RULES)
            for key, entry in samples.RECORDED.entries.items()
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_document(name: str) -> None:
    text = document.to_text(DOCUMENTS[name])
    assert json.loads(text)["format"] == f"lsq-sync/{name}/v1"
    assert "9820" not in text, "a sensitive value got out"
    golden.check(f"{name}.json", text)


@pytest.mark.parametrize("name", ["plan", "state-show", "result"])
def test_sensitive_values_are_masked_in_text(name: str) -> None:
    text = plain(TEXTS[name])
    assert "+91-" not in text


@pytest.mark.parametrize(
    ("number", "command"),
    [(slice(0, 1), ""), (slice(3, 4), "lsq-sync apply"), (slice(4, 5), "status --wait"),
     (slice(2, 3), "--resend-unknown")],
)  # fmt: skip
def test_the_next_step_fits_what_is_open(number: slice, command: str) -> None:
    step = next_step(samples.RESULTS[number])
    assert command in step
    assert bool(step) == bool(command)
