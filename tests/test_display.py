"""The screen: text goes out as it is made, and what nobody reads is not made."""

import errno
import io
from collections.abc import Iterator

import pytest

from lsq_sync.display import Screen
from lsq_sync.errors import StorageError
from lsq_sync.render.lines import Line, line

MANY = 10_000


class _Lines:
    """Many lines, and how many of them somebody wanted."""

    made = 0

    def __iter__(self) -> Iterator[Line]:
        for number in range(MANY):
            self.made += 1
            yield line(f"line {number}")


class _Reader(io.StringIO):
    """Somebody who stops to listen after so many texts."""

    def __init__(self, patience: int, number: int = errno.EPIPE) -> None:
        super().__init__()
        self._patience = patience
        self._number = number

    def write(self, text: str) -> int:
        if not self._patience:
            raise OSError(self._number, "no more")
        self._patience -= 1
        return super().write(text)


@pytest.mark.parametrize("colour", [False, True])
def test_the_first_lines_are_there_before_the_others_are_made(*, colour: bool) -> None:
    lines = _Lines()
    begin = next(Screen(io.StringIO(), colour).texts(lines))
    assert begin.startswith("line 0\nline 1\n")
    assert lines.made < MANY / 20


@pytest.mark.parametrize("colour", [False, True])
def test_all_lines_are_written(*, colour: bool) -> None:
    out = io.StringIO()
    Screen(out, colour).show(_Lines())
    assert out.getvalue() == "".join(f"line {number}\n" for number in range(MANY))


def test_for_a_reader_that_went_away_nothing_more_is_made() -> None:
    lines, reader = _Lines(), _Reader(2)
    Screen(reader, colour=False, must_be_read=True).show(lines)
    assert reader.getvalue().endswith("\n")
    assert lines.made < MANY / 10


def test_a_result_that_cannot_be_written_is_told() -> None:
    with pytest.raises(StorageError, match="the result cannot be written"):
        Screen(_Reader(1, errno.ENOSPC), colour=False, must_be_read=True).show(_Lines())
    Screen(_Reader(1, errno.ENOSPC), colour=False).show(_Lines())
