"""Places at the edges of what they are packed into."""

import pytest

from lsq_sync.spec.document import Block, Items, Place
from tests.spec.support import block


def one(key: Place, value: Place) -> Block:
    found = Block(Place(1, 1))
    found.add("a", key, "x", value)
    return found


@pytest.mark.parametrize("line", [1, 2, 16_777_215, 16_777_216, 17_000_000, 2**28 - 1])
def test_any_line_that_a_file_can_have(line: int) -> None:
    found = one(Place(line, 3), Place(line, 9))
    assert found.key_place("a") == (line, 3)
    assert found.value_place("a") == (line, 9)
    assert list(found.places()) == [(line, 3)]


def test_a_place_far_to_the_right_is_still_on_its_line() -> None:
    found = one(Place(7, 50_000), Place(7, 100_000))
    assert found.key_place("a") == (7, 50_000)
    assert found.value_place("a") == (7, 100_000)
    beyond = one(Place(7, 5), Place(7, 2**30))
    assert beyond.value_place("a") == (7, 5)
    assert beyond.key_place("a") == (7, 5)
    assert one(Place(7, 2**30), Place(7, 2**30 + 3)).key_place("a").line == 7


def test_a_value_on_another_line_is_told_by_its_key() -> None:
    assert one(Place(7, 5), Place(9, 1)).value_place("a") == (7, 5)


def test_a_collection_knows_its_own_place() -> None:
    found = Block(Place(1, 1))
    found.add("a", Place(2, 1), Items(Place(9, 9)), Place(9, 9))
    found.add("b", Place(3, 1), Block(Place(2**28, 4)), Place(2**28, 4))
    assert found.value_place("a") == (9, 9)
    assert found.value_place("b") == (2**28, 4)


def test_a_place_may_be_asked_for_while_the_mapping_grows() -> None:
    found = one(Place(1, 1), Place(1, 4))
    assert found.key_place("a") == (1, 1)
    found.add("b", Place(2, 1), "x", Place(2, 4))
    assert found.key_place("b") == (2, 1)


def test_a_key_that_is_not_there_has_no_place() -> None:
    with pytest.raises(KeyError):
        one(Place(1, 1), Place(1, 4)).key_place("b")


def test_places_in_a_very_long_line() -> None:
    width = 120_000
    found = block("{" + " " * width + "a: x, b: y}")
    assert found.key_place("a") == (1, width + 2)
    assert found.value_place("b") == (1, width + 11)


def test_a_file_with_more_lines_than_most() -> None:
    """17 MB of line ends are no reason to give up."""
    found = block(b"\n" * 17_000_000 + b"a: x\nb: y\n")
    assert found.key_place("b") == (17_000_002, 1)
    assert found.value_place("b") == (17_000_002, 4)
