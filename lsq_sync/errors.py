"""What can go wrong, in two families.

*Diagnostics* are values: they are collected, sorted and shown together, so that one run names
everything that is wrong in the specs. *Exceptions* stop a command: one root, a branch per edge,
the facts in attributes. Nothing here prints; `cli.py` alone turns an exception into an exit code.
"""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple


class Origin(NamedTuple):
    """A place in a file of the workspace, counted from 1; line 0 is the whole file."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        if not self.line:
            return self.file
        return (
            f"{self.file}:{self.line}:{self.column}" if self.column else f"{self.file}:{self.line}"
        )


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """One thing that is wrong: where, what, and what to do about it."""

    origin: Origin
    code: str
    message: str
    hint: str = ""


class LsqSyncError(Exception):
    """The root of everything that stops a command on purpose.

    `code` names the kind for machines, `hint` says what to do (a command stands alone on its
    line), `diagnostics` holds the places, where there are any.
    """

    code: ClassVar[str] = "error"

    def __init__(
        self, message: str, *, hint: str = "", diagnostics: tuple[Diagnostic, ...] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.diagnostics = tuple(sorted(diagnostics))


class UsageError(LsqSyncError):
    """The command line asks for something that cannot be."""

    code = "usage"


class WorkspaceError(LsqSyncError):
    """There is no workspace here, or a folder of it is missing or cannot be read."""

    code = "workspace"


class SettingsError(LsqSyncError):
    """`lsq-sync.yaml` or the environment holds something that cannot be used."""

    code = "settings"


class SpecError(LsqSyncError):
    """Spec files or type schemas are wrong; `diagnostics` names every place."""

    code = "specs"


class CredentialsError(LsqSyncError):
    """A key that the command needs is missing or cannot be sent."""

    code = "credentials"


class LockError(LsqSyncError):
    """The lock file or the journal cannot be trusted as it stands; no call was made."""

    code = "lock"


class WriterBusyError(LsqSyncError):
    """Another process is writing in this workspace."""

    code = "busy"


class StorageError(LsqSyncError):
    """A file could not be written durably; nothing more is sent."""

    code = "storage"


class AuthenticationError(LsqSyncError):
    """The CRM does not accept the keys, or the path is not one it serves."""

    code = "authentication"


class NetworkError(LsqSyncError):
    """The CRM cannot be reached, or does not answer as itself."""

    code = "network"


class ForgeError(LsqSyncError):
    """The host of the repository refused something or did not answer; `status` is of HTTP."""

    code = "forge"

    def __init__(self, message: str, *, status: int = 0, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status


class RepositoryError(LsqSyncError):
    """git cannot do what is asked of it here."""

    code = "git"


class StoppedError(LsqSyncError):
    """A signal ended the command; `number` is the signal's."""

    code = "interrupted"

    def __init__(self, number: int, message: str = "interrupted") -> None:
        super().__init__(message)
        self.number = number


class OutOfTimeError(LsqSyncError):
    """The deadline of the command came while it talked to the CRM."""

    code = "deadline"


class RefusedError(LsqSyncError):
    """The tool declines to act: a safety limit, a stale plan, a conflict, an answer of no."""

    code = "refused"

    def __init__(
        self,
        message: str,
        *,
        code: str = "refused",
        hint: str = "",
        diagnostics: tuple[Diagnostic, ...] = (),
    ) -> None:
        super().__init__(message, hint=hint, diagnostics=diagnostics)
        self.kind = code
