"""Painting: between words where there are some, never beyond the window, and nothing is lost."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from lsq_sync.render.escape import visible
from lsq_sync.render.lines import Line, Piece, Style, line
from lsq_sync.render.paint import cells, painted

_ALPHABETS = ("ab ", "aé→… ", "a अक्मे", "家 x", "👩\u200d\ufe0f e\u0301\xa0")
texts = st.one_of(st.text(max_size=40), *(st.text(alphabet=one, max_size=80) for one in _ALPHABETS))
lines = st.builds(
    Line,
    st.lists(st.builds(Piece, texts, st.sampled_from(Style)), max_size=4).map(tuple),
    st.integers(0, 6),
)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", [""]),
        ("twenty letters, fits", ["twenty letters, fits"]),
        ("between the words, as one reads", ["between the words,", "  as one reads"]),
        ("x" * 45, ["x" * 20, "  " + "x" * 20, "  " + "x" * 5]),
        ("a " + "x" * 25 + " b", ["a", "  " + "x" * 20, "  " + "x" * 5 + " b"]),
        ("家" * 12, ["家" * 10, "  家家"]),
        ("a row that ends so   ", ["a row that ends so"]),
    ],
)
def test_rows(text: str, rows: list[str]) -> None:
    assert painted([line(text)], colour=False, width=22).splitlines() == rows


def test_a_style_goes_on_in_the_next_row() -> None:
    text = painted([line("so ", Piece("that is new and long", Style.NEW))], colour=True, width=22)
    assert text == "so \x1b[32mthat is new and\x1b[0m\n  \x1b[32mlong\x1b[0m\n"


@given(lines, st.integers(30, 60))
def test_no_row_is_wider_than_the_window(one: Line, width: int) -> None:
    for row in painted([one], colour=False, width=width)[:-1].split("\n"):
        assert cell_len(row) <= width


@given(lines, st.integers(30, 60))
def test_only_blanks_are_lost_where_a_row_ends(one: Line, width: int) -> None:
    shown = painted([one], colour=False, width=width)
    told = visible("".join(piece.text for piece in one.pieces))
    assert re.sub(r"\s", "", shown) == re.sub(r"\s", "", told)


@given(lines, st.integers(30, 60))
def test_colour_changes_no_row(one: Line, width: int) -> None:
    coloured = painted([one], colour=True, width=width)
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == painted([one], colour=False, width=width)


@given(texts)
def test_the_quick_count_of_cells_is_that_of_rich(text: str) -> None:
    assert cells(text) == cell_len(text)
