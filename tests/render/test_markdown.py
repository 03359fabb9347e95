"""Review documents in Markdown: what a pull request shows, and what no value can do to it."""

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from lsq_sync.core.change import Action
from lsq_sync.core.model import FieldRule
from lsq_sync.core.review import LIMIT, length
from lsq_sync.errors import Origin
from lsq_sync.render.escape import around_difference, visible
from lsq_sync.render.inert import code, inert
from lsq_sync.render.markdown import markdown
from lsq_sync.render.result_report import result_report
from tests.render import reports, samples
from tests.support import golden

GITHUB = MarkdownIt("gfm-like", {"html": True, "linkify": True})
assert GITHUB.linkify
GITHUB.linkify.set({"fuzzy_link": False})  # GitHub takes evil.example for no link either

HOSTILE = (
    "```\n# heading",
    "a | b || c",
    "`code` and ``more``",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "![x](https://evil.example/p.png) [y](javascript:alert(1))",
    "@octocat @org/team #123 GH-7 octo/repo#9",
    "https://evil.example www.evil.example me@evil.example",
    "</details></td></table>",
    "*a* _b_ **c** __d__ ~~e~~ $x$ :smile:",
    "- [ ] task\n> quote\n\n---",
    "back\\slash \\| \\`",
    "-->  <!-- lsq-sync plan=0 -->",
    "&lt;b&gt; &#64;octocat",
)


@pytest.mark.parametrize("name", sorted(reports.REPORTS))
def test_markdown(name: str) -> None:
    golden.check(f"{name}.md", markdown(reports.REPORTS[name]))


@pytest.mark.parametrize("name", sorted(reports.REPORTS))
def test_a_machine_finds_its_mark_in_the_first_line(name: str) -> None:
    first = markdown(reports.REPORTS[name]).splitlines()[0]
    assert re.fullmatch(r"<!-- lsq-sync (plan|run|drift)=\S+ -->", first)


# --- size


def test_a_plan_of_any_size_is_a_comment_that_tells_first_and_last() -> None:
    text = markdown(reports.of_size(10_000))
    assert LIMIT - 2_000 < len(text) <= LIMIT
    left = re.search(r"> ([\d,]+) opportunities are left out here", text)
    assert left
    shown = len(re.findall(r"\*\*Opportunity \d+\*\*", text))
    assert shown + int(left[1].replace(",", "")) == 10_000
    assert "**Opportunity 0**" in text
    assert "**Opportunity 9999**" in text
    assert "<code>specs/part-19.yaml</code>: 500 opportunities" in text
    assert text.count("<details") == text.count("</details>")


@pytest.mark.parametrize("number", [1, 9, 150, 151, 152, 160, 200])
def test_what_fits_is_whole_and_what_does_not_is_counted(number: int) -> None:
    text = markdown(reports.of_size(number))
    assert len(text) <= LIMIT
    shown = len(re.findall(r"\*\*Opportunity \d+\*\*", text))
    left = re.search(r"> ([\d,]+) opportunit(?:y is|ies are) left out here", text)
    assert shown + (int(left[1]) if left else 0) == number
    assert bool(left) == (shown < number)


def test_letters_that_count_twice_for_github_count_twice_here() -> None:
    faces = "\U0001f600" * 40
    many = [
        samples.change(1, Action.UPDATE, samples.field("a", Action.UPDATE, faces, str(n)))
        for n in range(2_000)
    ]
    text = markdown(reports.of_changes(*many))
    assert LIMIT - 2_000 < length(text) <= LIMIT


def test_a_small_plan_is_open_and_a_large_one_is_not() -> None:
    assert "<details open>" in markdown(reports.of_size(10))
    assert "<details open>" not in markdown(reports.of_size(11))


def test_of_long_values_the_part_that_differs_is_shown() -> None:
    before, after = "same " * 200 + "old end", "same " * 200 + "new end"
    part = samples.field("a", Action.UPDATE, before, after)
    text = markdown(reports.of_changes(samples.change(1, Action.UPDATE, part)))
    assert "old end" in text
    assert "new end" in text
    assert len(text) < 2_000


@given(st.text("ab", max_size=300), st.text("ab", max_size=300), st.integers(60, 200))
def test_texts_around_their_difference(before: str, after: str, limit: int) -> None:
    shown = around_difference(before, after, limit)
    assert max(map(len, shown)) <= limit + 10
    assert (shown[0] == shown[1]) <= (before == after or max(len(before), len(after)) > limit)


# --- hostile values


def _row(text: str) -> str:
    """The whole document of a plan in which everything that people write is this text."""
    part = samples.field("mx_Custom_5", Action.UPDATE, text, f"{text}!", rule=FieldRule(title=text))
    change = samples.change(
        1, Action.UPDATE, part, label=text, reason=text, type=text, origin=Origin(text, 3)
    )
    return markdown(reports.of_changes(change))


@given(st.text(max_size=60) | st.lists(st.sampled_from(HOSTILE)).map("".join))
@example("".join(HOSTILE))
def test_no_value_does_anything(text: str) -> None:
    seen = reports.Seen(GITHUB.render(_row(text)))
    assert {*seen.elements} <= {
        "h2", "p", "strong", "em", "table", "thead", "tbody", "tr", "td", "th", "details",
        "summary", "b", "br", "wbr", "code", "pre", "sub", "blockquote", "ul", "li",
    }  # fmt: skip
    (row,) = [cells for cells in seen.rows if len(cells) == 4 and cells[0] != "Opportunity"]
    if len(visible(text)) <= 160:
        assert row[0].startswith(f"{visible(text).strip()}5ca5b042")
    for piece in seen.pieces:
        assert not re.search(r"@\w|#\d|https?://|www\.\w|GH-\d|:smile:", piece)


@given(st.text(min_size=1, max_size=40) | st.sampled_from(HOSTILE))
def test_code_shows_a_value_to_the_letter(text: str) -> None:
    shown = visible(text)
    page = reports.Seen(GITHUB.render(f"| a |\n|---|\n| {code(shown)} |\n"))
    assert page.codes == [shown]
    assert "a" not in page.elements


@given(st.text(max_size=40) | st.sampled_from(HOSTILE))
def test_inert_text_shows_to_the_letter_what_it_was(text: str) -> None:
    shown = visible(text)
    page = reports.Seen(GITHUB.render(f"| a |\n|---|\n| x{inert(shown)}x |\n"))
    assert page.rows[-1] == [f"x{shown}x"]
    assert {*page.elements} <= {"table", "thead", "tbody", "tr", "th", "td", "wbr"}


def test_sensitive_values_stay_masked() -> None:
    text = markdown(reports.REPORTS["plan"])
    assert "+91" not in text
    assert "(sensitive)" in text


def test_the_reason_of_a_rejection_comes_before_the_rows() -> None:
    results = replace(samples.RESULTS[1], reason="MXNo: Stage does not exist")
    report = result_report(samples.RUN, [results] * 3, {}, 1.0)
    text = markdown(report)
    assert "**Rejected**: 3 updates: MXNo: Stage does not exist" in text.split("<details")[0]
