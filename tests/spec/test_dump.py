"""Written text reads back as exactly what was to be written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsq_sync.spec import dump
from lsq_sync.spec.dump import Plain, Tree
from lsq_sync.spec.load import load
from tests.spec.support import FILE, block, plain

# What a spec can hold at all: see the loader's control characters.
TEXTS = st.text(
    st.characters(
        exclude_categories=["Cs"],
        exclude_characters=[*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\ufeff",
                            "\ufffe", "\uffff"],
    )
    | st.sampled_from("\n\t \"'\\:#-&*!|>%@`,[]{}?~"),
    max_size=30,
)  # fmt: skip
AMBIGUOUS = st.sampled_from(
    ["", "null", "~", "NO", "y", "0123", "1_000", "12:30", "1e3", "2020-09-16", "true", "+91-827",
     "- a", "a: b", "a #b", "<<", "=", "one\ntwo", "one\n\ntwo ", " x", "a\u2028b", "x" * 2000,
     "---", "...", "%a", "one\n# two", "key:", "\ta", "😀", "हिन्दी", "a\nb\n", "O'Neil \"x\""],
)  # fmt: skip
ANY = TEXTS | AMBIGUOUS
KEYS = ANY.filter(lambda text: 0 < len(text) < 100 and not set(text) & {"\n", "\t"})
OPTIONS = st.lists(ANY, min_size=1, max_size=4).map(tuple)
LEAVES: st.SearchStrategy[Tree] = ANY | st.none() | OPTIONS
TREES: st.SearchStrategy[Tree] = st.recursive(
    st.dictionaries(KEYS, LEAVES, min_size=1, max_size=4),
    lambda inner: st.dictionaries(KEYS, inner | LEAVES, min_size=1, max_size=3),
    max_leaves=6,
)


def _as_data(tree: Tree) -> object:
    if isinstance(tree, dict):
        return {name: _as_data(value) for name, value in tree.items()}
    return list(tree) if isinstance(tree, tuple) else tree


def _read(text: str) -> object:
    found = load(text.encode(), FILE)
    assert found.problems == (), text
    return plain(found.document)


@given(TREES, st.integers(0, 5))
def test_any_text_in_any_place_reads_back_as_the_same_text(tree: Tree, indent: int) -> None:
    assert isinstance(tree, dict)
    text = "\n".join(dump.lines(tree, indent))
    assert _read(text) == _as_data(tree), text
    assert _read(dump.flow(tree)) == _as_data(tree)


@given(ANY)
def test_quotes_of_either_kind_hold_any_text(text: str) -> None:
    for quote in "\"'":
        assert _read(f"a: {dump.quoted(text, quote)}") == {"a": text}


@pytest.mark.parametrize(
    "text",
    ["NO", "yes", "null", "~", "", "0123", "1_000", "12:30", "1e3", "2020-09-16", "+91-827", "200",
     ".5", "0x1F", "Null", " a", "a ", "a: b", "a  b", "-", "=", "<<", "Inf"],
)  # fmt: skip
def test_what_others_might_read_as_something_else_is_quoted(text: str) -> None:
    assert dump.scalar(text) == f'"{text}"'


@pytest.mark.parametrize(
    "text", ["Website", "Invalid/ Junk", "Acme, home loan", "5ca5b042-51ea-4699-b6f0-84c40ab12770"]
)
def test_what_nobody_mistakes_stays_plain(text: str) -> None:
    assert dump.scalar(text) == text


@pytest.mark.parametrize("text", ["200000", "-12.5", "2026-09-16 12:13:44Z", "2026-09-16", "true"])
def test_a_value_of_a_data_type_stays_plain(text: str) -> None:
    assert dump.scalar(Plain(text)) == text
    assert block(f"a: {text}") == {"a": text}


def test_lines_of_text_stand_below_each_other() -> None:
    tree: Tree = {"a": "one\n\ntwo", "b": ("PAN", "x, y"), "c": {"d": None}, "e": "one \ntwo"}
    assert isinstance(tree, dict)
    assert list(dump.lines(tree, 2)) == [
        "  a: |-",
        "    one",
        "",
        "    two",
        '  b: [PAN, "x, y"]',
        "  c:",
        "    d: null",
        '  e: "one \\ntwo"',
    ]
