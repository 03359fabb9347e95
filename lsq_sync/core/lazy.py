"""Tuples that are not made before somebody looks at them: most of a large plan nobody does."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class LazyTuple(Sequence[T]):
    """A tuple, made by `make` when it is first looked at, and equal to one that was made before."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made: tuple[T, ...] | None = None

    def make(self) -> Iterable[T]:
        """The members."""
        raise NotImplementedError

    @property
    def _members(self) -> tuple[T, ...]:
        if self._made is None:
            self._made = tuple(self.make())
        return self._made

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T, ...]: ...
    def __getitem__(self, index: int | slice) -> T | tuple[T, ...]:
        return self._members[index]

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[T]:
        return iter(self._members)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, LazyTuple):
            other = other._members
        return self._members == other

    def __hash__(self) -> int:
        return hash(self._members)

    def __repr__(self) -> str:
        return repr(self._members)
