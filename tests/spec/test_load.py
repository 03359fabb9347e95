"""Text -> positioned data: every scalar is its source text, every place is where it stands."""

import pytest

from lsq_sync.spec.document import Block, Items, Place
from tests.spec.support import block, loaded, plain

SOURCE_TEXTS = [
    "NO", "no", "yes", "on", "Off", "true", "True", "false", "y",
    "0123", "0o17", "0x1F", "1_000", "12:30", "1e3", ".5", "5.", "-0", "+91-827", "200,000",
    ".inf", "-.INF", ".NaN", "1.10", "123456789012345678901234567890",
    "2020-09-16", "2020-09-16 12:13:44", "2020-09-16T12:13:44+05:30", "12:30:45.5",
    "nUll", "nil", "None", "=", "Invalid/ Junk", "a'b", 'a"b', "a#b", "a:b", "http://x.example/",
    "c:\\dir", "-5", "?x", ":x", "%", "100%", "a & b", "a * b", "कर्ज़", "😀", "a\u00a0b",
]  # fmt: skip


@pytest.mark.parametrize("text", SOURCE_TEXTS)
def test_a_plain_scalar_is_its_source_text(text: str) -> None:
    if not text.startswith("%"):
        assert loaded(f"a: {text}\n") == {"a": text}
    assert loaded(f"a: '{text.replace(chr(39), chr(39) * 2)}'\n") == {"a": text}
    assert loaded(f"a: |-\n  {text}\n") == {"a": text}


TEXTS: dict[str, tuple[str, object]] = {
    "null": ("a: null", {"a": None}),
    "tilde": ("a: ~", {"a": None}),
    "null in a list": ("a: [null, ~, x]", {"a": [None, None, "x"]}),
    "null in quotes": ("a: 'null'\nb: \"~\"", {"a": "null", "b": "~"}),
    "null in a block": ("a: |-\n  null", {"a": "null"}),
    "empty in quotes": ("a: ''\nb: \"\"", {"a": "", "b": ""}),
    "an empty block": ("a: |\nb: x", {"a": "", "b": "x"}),
    "spaces around": ("a:    x   ", {"a": "x"}),
    "spaces in quotes": ("a: '  x  '", {"a": "  x  "}),
    "a tab after the colon": ("a:\tx", {"a": "x"}),
    "a tab in a value": ("a: x\ty", {"a": "x\ty"}),
    "a comment": ("a: x # not y", {"a": "x"}),
    "no comment": ("a: x#y", {"a": "x#y"}),
    "over two lines": ("a: x\n  y", {"a": "x y"}),
    "literal": ("a: |\n  x\n  y\n", {"a": "x\ny\n"}),
    "literal, stripped": ("a: |-\n  x\n\n  y\n\n", {"a": "x\n\ny"}),
    "literal, kept": ("a: |+\n  x\n\n", {"a": "x\n\n"}),
    "folded": ("a: >\n  x\n  y\n\n  z\n", {"a": "x y\nz\n"}),
    "escapes": (r'a: "x\ny\t\"\\ \u0915 \U0001F600"', {"a": 'x\ny\t"\\ क 😀'}),
    "a quote in quotes": ("a: 'it''s'", {"a": "it's"}),
    "crlf in a block": ("a: |\r\n  x\r\n  y\r\n", {"a": "x\ny\n"}),
    "flow": ("{a: {b: x}, c: [y, {d: z}]}", {"a": {"b": "x"}, "c": ["y", {"d": "z"}]}),
    "empty collections": ("a: {}\nb: []", {"a": {}, "b": []}),
    "a list without indentation": ("a:\n- x\n- y", {"a": ["x", "y"]}),
    "a list of mappings": ("- a: x\n  b: y\n- c: z", [{"a": "x", "b": "y"}, {"c": "z"}]),
    "keys are text": ("1: a\n1.5: b\ntrue: c\n2020-01-01: d", None),
    "a key in quotes": ("'a b': x\n\"c:d\": y", {"a b": "x", "c:d": "y"}),
    "a question mark": ("? a\n: x", {"a": "x"}),
    "a long way down": ("a:\n\n\n# far\n\n  b: x", {"a": {"b": "x"}}),
    "one document, marked": ("---\na: x\n...\n", {"a": "x"}),
    "a directive": ("%YAML 1.1\n---\na: x", {"a": "x"}),
    "an anchor": ("a: &x [y]\nb: *x", {"a": ["y"], "b": ["y"]}),
    "an anchor on a text": ("a: &x y\nb: *x", {"a": "y", "b": "y"}),
    "an anchor written anew": ("a: &x y\nb: &x z\nc: *x", {"a": "y", "b": "z", "c": "z"}),
    "an anchor on null": ("a: &x null\nb: *x", {"a": None, "b": None}),
    "quoted merge key": ("'<<': x", {"<<": "x"}),
    "the end of a file": ("a: x", {"a": "x"}),
}


@pytest.mark.parametrize("case", TEXTS)
def test_what_a_text_means(case: str) -> None:
    text, expected = TEXTS[case]
    if expected is None:
        expected = {"1": "a", "1.5": "b", "true": "c", "2020-01-01": "d"}
    assert plain(loaded(text)) == expected
    assert plain(loaded(text.replace("\r\n", "\n").replace("\n", "\r\n"))) == expected
    assert plain(loaded(b"\xef\xbb\xbf" + text.encode())) == expected


EMPTY = ["", "\n\n", "# only\n# comments\n", "\ufeff", "null", "~\n", "---\n", "--- # later\n"]


@pytest.mark.parametrize("text", EMPTY)
def test_an_empty_file_is_no_document(text: str) -> None:
    assert loaded(text) is None


# --- places

PLACES: dict[str, tuple[str, Place, Place]] = {
    # text, the place of the key `a`, the place of its value
    "block": ("x: 1\na: y", Place(2, 1), Place(2, 4)),
    "indented": ("x:\n  a:   y", Place(2, 3), Place(2, 8)),
    "flow": ("x: {b: 1, a: y}", Place(1, 11), Place(1, 14)),
    "quoted": ('"x": 1\n\'a\': "y"', Place(2, 1), Place(2, 6)),
    "value below": ("a:\n  y", Place(1, 1), Place(1, 1)),
    "value far below": ("a:\n\n\n  y", Place(1, 1), Place(1, 1)),
    "literal": ("a: |\n  y", Place(1, 1), Place(1, 4)),
    "multi-line": ("a: y\n  z", Place(1, 1), Place(1, 4)),
    "after a comment": ("# a\n\n# b\na: y", Place(4, 1), Place(4, 4)),
    "after crlf": ("x: 1\r\n\r\na: y\r\n", Place(3, 1), Place(3, 4)),
    "after a bom": ("\ufeffa: y", Place(1, 1), Place(1, 4)),
    "after a multi-line text": ("x: |\n  1\n  2\na: y", Place(4, 1), Place(4, 4)),
    "after wide characters": ("{क😀: 1, a: y}", Place(1, 9), Place(1, 12)),
    "a tab between": ("a:\ty", Place(1, 1), Place(1, 4)),
    "null": ("a: ~", Place(1, 1), Place(1, 4)),
    "a mapping below": ("a:\n  b: y", Place(1, 1), Place(2, 3)),
    "a mapping beside": ("a: {b: y}", Place(1, 1), Place(1, 4)),
    "a list below": ("a:\n  - y", Place(1, 1), Place(2, 3)),
    "a list beside": ("a: [y]", Place(1, 1), Place(1, 4)),
    "an alias of a text": ("x: &t y\na: *t", Place(2, 1), Place(2, 4)),
    "an alias of a mapping: where it stands": ("x: &t\n  b: y\na: *t", Place(3, 1), Place(1, 4)),
    "an anchor before the value": ("a: &t y", Place(1, 1), Place(1, 4)),
    "a question mark": ("? a\n: y", Place(1, 3), Place(1, 3)),
    "the second of many": ("{b: 1, a: y, c: 2}", Place(1, 8), Place(1, 11)),
}


@pytest.mark.parametrize("case", PLACES)
def test_where_a_key_and_its_value_stand(case: str) -> None:
    text, key, value = PLACES[case]
    owner = holder(block(text))
    assert owner.key_place("a") == key
    assert owner.value_place("a") == value


def holder(document: Block) -> Block:
    """The mapping that has the key `a`: the document or one in it."""
    inner = (value for value in document.values() if isinstance(value, Block))
    return document if "a" in document else next(value for value in inner if "a" in value)


def test_where_the_members_of_a_list_stand() -> None:
    document = block("a: [x, 'y', {b: z}]\nc:\n  - x\n  -   - y\n")
    beside, below = document["a"], document["c"]
    assert isinstance(beside, Items)
    assert isinstance(below, Items)
    assert [beside.value_place(index) for index in range(3)] == [(1, 5), (1, 8), (1, 13)]
    assert [below.value_place(index) for index in range(2)] == [(3, 5), (4, 7)]
    assert (beside.place, below.place) == ((1, 4), (3, 3))


def test_the_places_of_all_keys_are_in_the_order_of_the_file() -> None:
    document = block("z: 1\na: 2\nm:\n  b: 3\n")
    assert list(document) == ["z", "a", "m"]
    assert list(document.places()) == [(1, 1), (2, 1), (3, 1)]
