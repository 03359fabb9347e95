"""The real command on a terminal of its own, and a person who types there."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Mapping

from tests.support.world import ROOT, World

_PATIENCE_SECONDS = 30.0
_OF_THE_SHELL = ("COLUMNS", "LINES", "CI", "PAGER", "LESS")


class Terminal:
    """A command that runs on a terminal; without a pager, unless the environment has one."""

    def __init__(
        self,
        world: World,
        *arguments: str,
        columns: int = 120,
        rows: int = 40,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        kept = {name: text for name, text in os.environ.items() if name not in _OF_THE_SHELL}
        given = environment or {"LSQ_SYNC_PAGER": ""}
        whole = {**kept, **world.environment, "TERM": "xterm", **given}
        command = [sys.executable, "-m", "lsq_sync", "-C", str(world.root), *arguments]
        self._told = b""
        self._size = struct.pack("HHHH", rows, columns, 0, 0)
        self.child, self._screen = pty.fork()
        if self.child == 0:
            os.chdir(ROOT)
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a background job inherits it ignored
            os.execve(sys.executable, command, whole)
        fcntl.ioctl(self._screen, termios.TIOCSWINSZ, self._size)

    @property
    def told(self) -> str:
        """What stood on the screen so far."""
        return self._told.decode("utf-8", "replace")

    def wait_for(self, text: str) -> None:
        """Until the screen says this, colour aside."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while text not in without_colour(self.told):
            if time.monotonic() > end or not self._read():
                self._give_up(f"it never said {text!r}: {self.told}")

    def type(self, keys: str) -> None:
        """Presses keys; `\\x03` is Ctrl-C."""
        os.write(self._screen, keys.encode())

    def end(self) -> int:
        """Waits for the end of the command: its exit code."""
        while self._read():
            pass
        _, status = os.waitpid(self.child, 0)
        os.close(self._screen)
        return os.waitstatus_to_exitcode(status)

    def _read(self) -> bool:
        """Whether there was more; a child that hangs is killed."""
        readable, _, _ = select.select([self._screen], [], [], _PATIENCE_SECONDS)
        if not readable:
            self._give_up(f"the command neither spoke nor ended: {self.told}")
        try:
            part = os.read(self._screen, 65536)
        except OSError:  # how Linux says that the other end was closed
            return False
        self._told += part
        return bool(part)

    def _give_up(self, why: str) -> None:
        os.kill(self.child, signal.SIGKILL)
        raise AssertionError(why)


def without_colour(text: str) -> str:
    """The same without the terminal's codes."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r", "")
