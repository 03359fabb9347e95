"""How a command that reads much says how far it is."""

from typing import Protocol


class Steps(Protocol):
    """The other side of a command that asks nothing."""

    def notice(self, text: str) -> None:
        """Something the user should know."""

    def begin(self, phase: str, total: int) -> None:
        """A phase of `total` steps begins."""

    def step(self, done: int) -> None:
        """So many steps of it are done."""

    def end(self) -> None:
        """No phase runs any more."""
