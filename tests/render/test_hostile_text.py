"""Any text in any place: what is rendered stays on its line, and moves and hides nothing."""

import csv
import io
import json
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.core.budget import RateLimit, budget
from lsq_sync.core.change import Action, FieldChange
from lsq_sync.core.model import FieldRule
from lsq_sync.core.result import UpdateResult
from lsq_sync.core.state import Outcome, RequestID
from lsq_sync.core.values import DataType
from lsq_sync.errors import Diagnostic, LsqSyncError, Origin
from lsq_sync.render.document import to_text
from lsq_sync.render.escape import escaped_in_json, quoted, visible
from lsq_sync.render.lines import Line, line, plain
from lsq_sync.render.paint import painted
from lsq_sync.render.plan_text import plan_lines
from lsq_sync.render.problem_text import error_lines, github_lines
from lsq_sync.render.result_csv import result_csv
from tests.render.samples import PLAN, change

LIMIT = RateLimit(25, 5)

NASTY = (
    "\x1b[31m", "\x1b]0;t\x07", "\x9b2J", "\u202e", "\u2066", "\u2028", "\u0085", "\ud800",
    "\ufeff", "\n::error::x", "::set-output name=a::b", "##[error]x", "%0A", "\r", "\t", "\0",
    "=cmd()", "x",
)  # fmt: skip
texts = st.one_of(st.text(max_size=20), st.lists(st.sampled_from(NASTY), max_size=5).map("".join))
_CALM = {"\u200c", "\u200d"}


def assert_calm(text: str) -> None:
    for character in text.replace("\n", ""):
        hides = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")
        assert not hides or character in _CALM, ascii(text)


def assert_no_command(text: str) -> None:
    for shown in text.splitlines():
        assert not shown.lstrip().startswith(("::", "##[")), ascii(text)


@given(st.lists(st.lists(texts, max_size=3).map(lambda parts: line(*parts)), max_size=4))
def test_a_line_is_one_line(lines: list[Line]) -> None:
    shown = plain(lines)
    assert shown.count("\n") == len(lines)
    assert_calm(shown)
    assert_no_command(shown)
    assert_calm(painted(lines, colour=False, width=500))


@given(texts)
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


@given(texts, texts, texts, texts, texts, texts)
def test_a_plan_with_any_text(
    key: str, label: str, name: str, title: str, before: str, reason: str
) -> None:
    rule = FieldRule(DataType.TEXT, title)
    part = FieldChange(name, Action.UPDATE, before, label, known=True, rule=rule)
    whole = change(1, Action.UPDATE, part, key=key, label=label, reason=reason, type=title)
    whole_plan = replace(PLAN, changes=(whole,))
    shown = plain(plan_lines(whole_plan, budget(whole_plan, LIMIT), LIMIT, ()))
    assert_calm(shown)
    assert_no_command(shown)


@given(texts, texts, texts, texts)
def test_problems_with_any_text(file: str, code: str, message: str, hint: str) -> None:
    problem = Diagnostic(Origin(file, 1, 2), code, message, hint)
    shown = plain(error_lines(LsqSyncError(message, hint=hint, diagnostics=(problem,))))
    assert_calm(shown)
    assert_no_command(shown)
    [command] = github_lines([problem])
    assert_calm(command)
    assert "\n" not in command
    head, _, rest = command.removeprefix("::error ").partition("::")
    assert [part.partition("=")[0] for part in head.split(",")] == ["file", "line", "col", "title"]
    assert rest == rest.replace("\r", "").replace("\n", "")


@settings(max_examples=30)
@given(st.recursive(texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)))
def test_a_document_with_any_text_means_the_same(content: object) -> None:
    shown = to_text({"content": content})
    assert json.loads(shown) == {"content": content}
    assert_calm(shown)
    assert_no_command(shown)


@given(texts, texts, texts)
def test_a_table_with_any_text(key: str, label: str, reason: str) -> None:
    result = UpdateResult(key, Outcome.REJECTED, RequestID("r"), reason, label=label)
    shown = result_csv([result])
    assert_calm(shown.replace("\r\n", ""))
    assert_no_command(shown)
    assert len(list(csv.reader(io.StringIO(shown)))) == 2


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\u202eb", "a\\u202eb"),
        ("\U000e0041", "\\U000e0041"),
        ("\x7f\x9f", "\\x7f\\x9f"),
        ("\u0378\uffff", "\\u0378\\uffff"),
        ("\u0100\u00ff", "\u0100\u00ff"),
        ("\U0010ffff\U00010fff", "\\U0010ffff\\U00010fff"),
    ],
)
def test_how_what_cannot_be_seen_is_written(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"), [("", '""'), ('"a', '""a"'), (" a", '" a"'), ("a", "a")]
)
def test_a_value_whose_ends_could_be_missed_is_quoted(text: str, shown: str) -> None:
    assert quoted(text) == shown


def test_json_writes_a_letter_beyond_the_first_plane_as_two_units() -> None:
    assert escaped_in_json('"\U000e0041x\u202e"') == '"\\udb40\\udc41x\\u202e"'
