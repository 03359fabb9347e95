"""The marks of our comments, and texts that fit into them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsq_sync.core.review import (
    LIMIT,
    Said,
    fitted,
    from_a_fork,
    is_empty,
    marked,
    marks_of,
    next_comment,
    without_marks,
)

PLAN = "<!-- lsq-sync plan=abc123 -->\n# Plan\n"
OUTCOME = "<!-- lsq-sync run=20260101T000000Z-00ff00 -->\n# Sent\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(PLAN, {"plan": "abc123"}, id="one"),
        pytest.param("<!-- lsq-sync comment=a plan=b -->", {"comment": "a", "plan": "b"}, id="two"),
        pytest.param("<!-- lsq-sync plan=a -->\r\nx", {"plan": "a"}, id="line end of a browser"),
        pytest.param("\n" + PLAN, {}, id="not in the first line"),
        pytest.param("> " + PLAN, {}, id="quoted"),
        pytest.param("<!-- lsq-sync plan=a --> b", {}, id="something behind it"),
        pytest.param("<!-- lsq-sync plan=a b -->", {}, id="a word without a value"),
        pytest.param("<!-- lsq-sync plan=$(id) -->", {}, id="what a shell would run"),
        pytest.param("<!-- lsq-sync plan= -->", {}, id="empty"),
        pytest.param("", {}, id="nothing"),
    ],
)
def test_marks(text: str, found: dict[str, str]) -> None:
    assert marks_of(text) == found


def test_a_comment_goes_from_plan_to_outcome_and_keeps_the_plan_that_was_reviewed() -> None:
    planned = next_comment("default", "", Said(PLAN, "c0ffee"))
    assert planned == "<!-- lsq-sync comment=default plan=abc123 commit=c0ffee -->\n# Plan\n"
    sent = next_comment("default", planned, Said(OUTCOME, "other"))
    expected = {"comment": "default", "plan": "abc123", "commit": "c0ffee"}
    assert marks_of(sent) == {**expected, "run": "20260101T000000Z-00ff00"}
    refused = next_comment("default", sent, Said("**Not applied**", "other"))
    assert marks_of(refused) == expected


def test_a_commit_without_a_plan_takes_the_earlier_plan_away() -> None:
    planned = next_comment("default", "", Said(PLAN, "c0ffee"))
    failed = next_comment("default", planned, Said("**No plan**", "d00d", ends_plan=True))
    assert marks_of(failed) == {"comment": "default", "commit": "d00d"}


def test_a_fork_calls_nobody_and_its_plan_comes_with_a_warning() -> None:
    text = from_a_fork(PLAN + "thanks @everybody\n")
    assert marks_of(text) == {"plan": "abc123"}
    assert "made by a run of a fork" in text
    assert "@everybody" not in text
    assert "@\u200beverybody" in text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("", True), (" \n", True), ("<!-- lsq-sync drift=0 -->\n# No drift\n", True), (PLAN, False),
        ("<!-- lsq-sync drift=2 -->\n# Drift\n", False), ("<!-- lsq-sync run=a -->\n", True),
    ],
)  # fmt: skip
def test_what_has_nothing_to_tell(body: str, expected: bool) -> None:
    assert is_empty(body) is expected


def test_what_is_too_long_is_cut_at_a_line_with_a_word_and_everything_closed() -> None:
    rows = "\n".join(f"- {number} 😀" for number in range(20_000))
    text = marked({"comment": "a"}, f"<details>\n\n```diff\n{rows}\n```\n</details>\n")
    assert len(text.encode("utf-16-le")) // 2 <= LIMIT
    assert text.count("```") == 2
    assert text.count("</details>") == 1
    assert text.rstrip().endswith("The job has the whole of it.")


@given(st.text(max_size=300), st.integers(300, 400))
def test_what_fits_stays_and_what_is_cut_fits(text: str, limit: int) -> None:
    assert fitted(text, 1000) == text
    assert len(fitted(text * 9, limit).encode("utf-16-le", "surrogatepass")) // 2 <= limit


@given(st.text(max_size=100))
def test_marks_and_text_come_apart_again(text: str) -> None:
    whole = marked({"comment": "a", "plan": ""}, text)
    assert marks_of(whole) == {"comment": "a"}
    assert without_marks(whole) == without_marks(text)
