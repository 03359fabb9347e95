"""What a command says and asks while it runs; the terminal, a pipe or a test answers."""

from typing import Protocol

from lsq_sync.commands.plan import Planned
from lsq_sync.core.events import Event


class Dialogue(Protocol):
    """The other side of a running command."""

    def notice(self, text: str) -> None:
        """Something the user should know, and need not act on now."""

    def show_plan(self, planned: Planned, *, reviewed: bool) -> None:
        """The plan, before it is asked about or carried out; somebody has seen a reviewed one."""

    def confirm(self, planned: Planned) -> bool:
        """Whether to carry it out."""

    def begin(self, phase: str, total: int) -> None:
        """A phase of `total` steps begins; the one before has ended."""

    def tell(self, event: Event) -> None:
        """An event that is durable now."""

    def end(self) -> None:
        """No phase runs any more."""
