"""What a stencil reads is what libyaml reads there, places included, or it fits not."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lsq_sync.spec.document import Block
from lsq_sync.spec.scan import scan
from lsq_sync.spec.stencil import Stencils
from tests.spec.test_scan import by_libyaml, told

HEAD = "version: 1\nopportunities:\n"
RECORD = """\
  {key}:
    label: Acme
    fields:
      mx_Custom_1: {value}
      mx_Custom_36:
        mx_CustomObject_1: "200,000"
      mx_Custom_2: [PAN, "a, b"]
    note: 'x'
"""
VALUES = [
    "Acme", '"Acme"', "'Acme: x'", "null", "~", "nullable", "n", "-5", "2020-09-16 12:13:44", "a:b",
    '""',
]  # fmt: skip
NOT_ONE_LINE = [
    "[PAN]", "[PAN, 'b']",
    "", "Null", "a # c", "a  ", "{a: b}", "|\n        text", "a: b", "*a", "&a b", "[null]",
    "'it''s'", "a\n    # c", "a\n", "a\n      mx_Custom_1: b", "a\n       more", "a\n     less: 1",
]  # fmt: skip


def records(values: list[str]) -> str:
    return "".join(RECORD.format(key=f"LN-{n:04}", value=one) for n, one in enumerate(values))


def learnt(text: str) -> Stencils:
    """Stencils of what stands in the text."""
    stencils = Stencils(patience=0)
    for _ in range(3):
        scan(text, stencils)
    return stencils


def assert_same_or_nothing(text: str, stencils: Stencils) -> Block | None:
    read = scan(text, stencils)
    if read is not None:
        assert told(read) == told(by_libyaml(text))
    return read


@pytest.fixture
def stencils() -> Iterator[Stencils]:
    found = learnt(HEAD + records(["a"] * 4))
    yield found
    assert found.cut, "nothing was learnt: the test shows nothing"


@pytest.mark.parametrize("value", VALUES)
def test_a_value_in_a_hole(value: str, stencils: Stencils) -> None:
    hits = stencils.hits
    assert assert_same_or_nothing(HEAD + records(["a", value, "b"]), stencils) is not None
    assert stencils.hits == hits + 3


@pytest.mark.parametrize("value", ["[b]", "[b, 'c', \"d\"]", "b", "null"])
def test_a_value_in_the_hole_of_a_list(value: str, stencils: Stencils) -> None:
    hits = stencils.hits
    text = HEAD + records(["a"]).replace('[PAN, "a, b"]', value)
    assert assert_same_or_nothing(text, stencils) is not None
    assert stencils.hits == hits + 1


@pytest.mark.parametrize("value", NOT_ONE_LINE)
def test_what_does_not_fit_is_read_in_another_way(value: str, stencils: Stencils) -> None:
    hits = stencils.hits
    assert_same_or_nothing(HEAD + records(["a", value, "b"]), stencils)
    assert stencils.hits < hits + 3


@pytest.mark.parametrize(
    "end",
    ["", "\n\n", "# end\n", "      # deep\n", "defaults:\n  fields:\n    a: b\n", "      a: b\n",
     " a: b\n", "  a: b\n", "  LN-0001:\n    label: twice\n", "---\n", "...\n",
     "x", "\t\n", "    \n  \n"],
)  # fmt: skip
def test_what_stands_behind_a_record(end: str, stencils: Stencils) -> None:
    assert_same_or_nothing(HEAD + records(["a", "b"]) + end, stencils)
    assert_same_or_nothing((HEAD + records(["a", "b"]) + end).rstrip("\n"), stencils)


def test_records_of_several_forms() -> None:
    one, other = records(["a"]), "  LN-9:\n    fields:\n      mx_Custom_1: b\n"
    text = HEAD + "".join((other.replace("9", f"9{n}") if n % 3 else one.replace("0000", f"{n:04}"))
                          for n in range(40))  # fmt: skip
    found = learnt(text)
    hits = found.hits
    assert assert_same_or_nothing(text, found) is not None
    assert found.hits == hits + 40


@pytest.mark.parametrize(("fields", "cut"), [(98, 1), (99, 0), (2000, 0)])
def test_no_stencil_is_cut_from_a_long_record(fields: int, cut: int) -> None:
    listed = "".join(f"      mx_Custom_{number}: a\n" for number in range(fields))
    found = learnt(HEAD + f"  LN-1:\n    fields:\n{listed}")
    assert len(found.cut) == cut


def test_the_next_stencil_is_cut_when_the_last_was_worth_it() -> None:
    one, other = records(["a"]), "  LN-9:\n    fields:\n      mx_Custom_1: b\n"
    found = Stencils(patience=2)
    for _ in range(4):
        scan(HEAD + one, found)
    assert (len(found.cut), found.hits) == (1, 0)
    for _ in range(4):
        scan(HEAD + other, found)
    assert len(found.cut) == 1
    for _ in range(2):
        scan(HEAD + one, found)
    for _ in range(2):
        scan(HEAD + other, found)
    assert len(found.cut) == 2


@pytest.mark.parametrize("indent", [1, 3])
def test_records_that_are_not_indented_alike(indent: int) -> None:
    one, other = records(["a"]), records(["b"]).replace("LN-0", "LN-1")
    moved = one.replace("  ", " " * indent, 1)
    found = learnt(HEAD + moved)
    found.cut += learnt(HEAD + one).cut
    assert assert_same_or_nothing(HEAD + moved + other, found) is None


def test_records_of_which_no_two_are_alike_are_soon_let_alone() -> None:
    found = Stencils(patience=0)
    text = HEAD + "".join(f"  LN-{n}:\n    fields:\n      a_{n}: b\n" for n in range(4100))
    assert assert_same_or_nothing(text, found) is not None
    assert not found.cut
    alike = HEAD + records(["a"] * 4)
    for _ in range(3):
        assert assert_same_or_nothing(alike, found) is not None
    assert not found.cut


def test_a_key_twice_in_a_record_is_no_form() -> None:
    twice = "  LN-{}:\n    label: a\n    label: b\n"
    found = learnt(HEAD + "".join(twice.format(n) for n in range(5)))
    assert not found.cut


_PARTS = [
    "a", "null", "~", "Null", ":", ": ", " ", "  ", "\n", "\n  ", "\n    ", "#", " #", "- ", "[",
    "]", ", ", "{", "'", '"', "\\", "&a", "|", "\t", "\u00a0", "\u2028", "---",
    "\n      ", "  b:\n",
]  # fmt: skip


@given(st.randoms(use_true_random=False), st.integers(1, 4), st.booleans())
def test_records_with_faults(chance: random.Random, faults: int, learns: bool) -> None:
    """`learns`: stencils may also be cut from what is wrong."""
    good = HEAD + records(chance.choices(VALUES, k=4))
    text = good
    for _ in range(faults):
        at = chance.randrange(len(text) + 1)
        text = text[:at] + chance.choice(["", *_PARTS]) + text[at + chance.randrange(3) :]
    assert_same_or_nothing(text, learnt(text if learns else good))
