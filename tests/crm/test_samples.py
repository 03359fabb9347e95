"""Recorded answers and what they mean: every folder under `tests/samples` is a case.

`request.http` holds the request line, `answer.http` the answer, `expected.json` the class and the
members of what it is understood as.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

import pytest

from lsq_sync.core import answers
from lsq_sync.crm.protocol import read_metrics, read_status, read_submit
from lsq_sync.crm.wire import Answer

SAMPLES = Path(__file__).parents[1] / "samples"
READERS: Mapping[str, Callable[[Answer], Any]] = {
    "POST /opportunity/update": read_submit,
    "GET /opportunity/update/status": read_status,
    "GET /opportunity/update/metrics": read_metrics,
}


def recorded_answer(case: Path) -> Answer:
    head, _, body = (case / "answer.http").read_bytes().partition(b"\n\n")
    return Answer(int(head.split(b" ", 2)[1]), body)


def understood(case: Path) -> Any:
    line = (case / "request.http").read_text().strip().partition("?")[0]
    return READERS[line](recorded_answer(case))


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.iterdir()))
def test_a_recorded_answer_means_what_it_should(name: str) -> None:
    expected = json.loads((SAMPLES / name / "expected.json").read_text("utf-8"))
    kind = getattr(answers, expected.pop("class"))
    assert understood(SAMPLES / name) == kind(**expected)


def test_every_answer_there_is_has_a_sample() -> None:
    classes = {
        json.loads((path / "expected.json").read_text("utf-8"))["class"]
        for path in SAMPLES.iterdir()
    }
    everything = answers.SubmitAnswer | answers.StatusAnswer | answers.MetricsAnswer
    ours = {kind.__name__ for kind in get_args(everything)}
    assert classes == ours - {"NotSent"}


@pytest.mark.parametrize("name", [p.name for p in SAMPLES.iterdir() if "secrets" in p.name])
def test_what_was_submitted_is_never_told_again(name: str) -> None:
    assert b"SECRET" in (SAMPLES / name / "answer.http").read_bytes()
    assert "SECRET" not in repr(understood(SAMPLES / name))
