"""What is read in plain text is what libyaml reads in it, places included, or nothing at all."""

import random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lsq_sync.spec import scan as scanner
from lsq_sync.spec.document import Block, Items, Node
from lsq_sync.spec.events import read_events
from lsq_sync.spec.stencil import Stencils

SPEC = """\
# a comment
version: 1
type: loan

defaults:
  fields:
    mx_Custom_3: Website
opportunities:
  5ca5b042-51ea-4699-b6f0-84c40ab12770:   # the first
    label: Acme, home loan
    note: 'Update: note'
    fields:
      mx_Custom_6: "200,000"
      mx_Custom_7: -180000.50

      # a list
      mx_Custom_8: 2020-09-16 12:13:44
      mx_Custom_9: null
      mx_Custom_10: ~
      mx_Custom_11: [PAN, "a, b", 'c'] # options
      mx_Custom_5: |  # some lines
        # no comment
          deeper

        last: one
      # a comment
      mx_Custom_12: |-
        one line
      mx_Custom_36:
        mx_CustomObject_1: http://x/y#z
  LN-0012:
    fields:
      mx_Custom_1: été (1 %) & more
"""


def scan(text: str) -> Block | None:
    """As the first file of a run."""
    return scanner.scan(text, Stencils())


def by_libyaml(text: str) -> Node:
    """None where it is refused or told to be wrong in any way."""
    loaded = read_events(text, "a.yaml")
    return None if loaded.problems else loaded.document


def told(node: Node) -> object:
    """A document with the places of everything in it."""
    if isinstance(node, Block):
        members = [
            (key, told(value), node.key_place(key), node.value_place(key))
            for key, value in node.items()
        ]
        return node.place, members, list(node.places())
    if isinstance(node, Items):
        return node.place, [(told(one), node.value_place(i)) for i, one in enumerate(node)]
    return node


def assert_same_or_nothing(text: str) -> None:
    read = scan(text)
    if read is not None:
        assert told(read) == told(by_libyaml(text))


def test_the_plain_form_is_read() -> None:
    read = scan(SPEC)
    assert read is not None
    assert told(read) == told(by_libyaml(SPEC))


def test_a_shipped_spec(pytestconfig: pytest.Config) -> None:
    text = (pytestconfig.rootpath / "specs/loans.yaml").read_text(encoding="utf-8")
    read = scan(text)
    assert read is not None
    assert told(read) == told(by_libyaml(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# nothing\n",
        "a:\n",
        "a:\nb: 1\n",
        "a: 1\na: 2\n",
        "a: 1\n  b: 2\n",
        "a:\n  b: 1\n c: 2\n",
        "a: Null\n",
        "a: NULL # x\n",
        "null: 1\n",
        "a: x: y\n",
        "a: x:\n",
        "a: &x 1\n",
        "a: *x\n",
        "a: !x 1\n",
        "a: |\n",
        "a: |+\n  b\n",
        "a: |2\n  b\n",
        "a: |\n    b\n  c\n",
        "a: |\n\n  b\n",
        "a: >\n  b\n",
        "a: {b: 1}\n",
        "a: [b: 1]\n",
        "a: [null]\n",
        "a: 'it''s'\n",
        'a: "\\n"\n',
        "a: 'b\n  c'\n",
        "a: b\n  c\n",
        "a: - b\n",
        "a: ? b\n",
        "a:b\n",
        "a: b\tc\n",
        "a: b\u2028c: d\n",
        "a: b\x85c: d\n",
        "a: \ufeffb\n",
        "---\na: 1\n---\nb: 2\n",
        "a: 1\n...\n",
        "%YAML 1.1\n---\na: 1\n",
        "- a\n",
        "<<: 1\n",
        '"a": 1\n',
        "a : 1\n",
    ],
)
def test_what_is_not_plain_or_wrong_is_left(text: str) -> None:
    assert scan(text) is None


@pytest.mark.parametrize(
    "text",
    ["a: 1", "a: null", "a: nullable\n", "a: null#\n", "a: b  # c\n", "a: b#c\n", "a: b  c\n",
     "a: b:c\n", "a: 12:30\n", "a: yes\n", "a: 'x'   \n", "a: []x\n", "a: -5\n", "a: <<\n",
     "a: =\n", "a: |\n  b\n\n\nc: 1\n", "a: |-\n  b\n\n", "a: |\n  b\n # c\nd: 1\n", "a: |\n  b",
     "a:\n  b: |\n    c\n  d: 2\n", "a: |\n  b\n  \n", "a: |\n  b \n", "a: |\n  b\nc\n",
     "a: |-\n  b\n ", "a: |\n  b\n\n  c\n", "a: |\n  b\n   c\n",
     "a: (x)\n",
     "a: {}\n", "a: {}", "a: {} # b\n", "a: {}\n  b: 1\n", "a: {}x\n",
     "a:\n  b: {}\nc: 1\n", "a: b, [c] {d}\n", "\n\na: 1\n", "a:   \n   b: 2\n", "a: [b,  c]\n",
     "  a: 1\n"],
)  # fmt: skip
def test_corners(text: str) -> None:
    assert_same_or_nothing(text)


@pytest.mark.parametrize("indent", [900, 1000, 1001, 262_139, 262_143, 262_144])
def test_however_far_it_is_indented(indent: int) -> None:
    """Also where the columns have no room in a packed place."""
    for value in ("1", "[b]", "{}", "\n" + (indent + 2) * " " + "b: 1"):
        assert_same_or_nothing(f"{indent * ' '}a: {value}\n{indent * ' '}ccc: 1\n")


_PARTS = [
    "a", "b", "mx_Custom_1", "null", "~", "Null", ":", ": ", " ", "  ", "\n", "\n  ", "\n    ", "#",
    " #", "-", "- ", "[", "]", ", ", "{", "}", "'", '"', "\\", "&a", "*a", "!", "|", ">", "%", "@",
    "?", "1", "2020-01-01", "é", "\t", "\u00a0", "\x85", "\u2028", "\ufeff", "---", "...", "<<",
    "\U0001f600", "|-\n", "|\n  ", "\n      ",
]  # fmt: skip


@example("a: 1\nb: 2")
@example("a: [b, null]\n")
@given(st.lists(st.sampled_from(_PARTS), max_size=24).map("".join))
def test_anything(text: str) -> None:
    assert_same_or_nothing(text)


@given(st.randoms(use_true_random=False), st.integers(1, 4))
def test_a_spec_with_faults(chance: random.Random, faults: int) -> None:
    text = SPEC
    for _ in range(faults):
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice(["", *_PARTS]) + text[at + chance.randrange(3) :]
    assert_same_or_nothing(text)
