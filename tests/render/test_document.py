"""Documents as text: one form, whole or some of it at a time."""

import json
from typing import Any

import pytest

from lsq_sync.render.document import Document, Rows, to_text, to_texts


def _row(number: int) -> Document:
    return {"number": number, "text": "\u202e"}


@pytest.mark.parametrize("size", [0, 1, 99, 100, 101, 250])
def test_rows_are_written_as_a_list_is(size: int) -> None:
    listed = {"before": 1, "rows": [*map(_row, range(size))], "after": {}}
    text = to_text(listed)
    assert to_text({**listed, "rows": Rows(range(size), _row)}) == text
    assert json.loads(text) == listed
    assert text.isascii()


@pytest.mark.parametrize(
    ("document", "text"),
    [
        ({}, "{}\n"),
        ({"a": []}, '{\n  "a": []\n}\n'),
        ({"a": {}}, '{\n  "a": {}\n}\n'),
        ({"a": [1, 2]}, '{\n  "a": [1, 2]\n}\n'),
        ({"a": {"b": 1}}, '{\n  "a": {"b": 1}\n}\n'),
        ({"a": [{"b": 1}, {}]}, '{\n  "a": [\n    {"b": 1},\n    {}\n  ]\n}\n'),
        ({"a": {"b": {}, "c": 1}}, '{\n  "a": {\n    "b": {},\n    "c": 1\n  }\n}\n'),
    ],
)
def test_members_of_lists_have_lines_of_their_own(document: Any, text: str) -> None:
    assert to_text(document) == text


def test_a_row_is_made_when_it_is_written() -> None:
    made: list[int] = []

    def row(number: int) -> Document:
        made.append(number)
        return _row(number)

    texts = to_texts({"format": "x", "rows": Rows(range(1000), row)})
    while not made:
        next(texts)
    assert len(made) < 200
