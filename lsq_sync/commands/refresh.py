"""Reading live values for a command that changes nothing, neither in the CRM nor in the lock."""

from collections.abc import Callable

from lsq_sync.commands.session import Session, Talk
from lsq_sync.commands.workspace import Workspace
from lsq_sync.core.model import Live
from lsq_sync.core.reading import Wanted
from lsq_sync.core.state import Recorded
from lsq_sync.crm.credentials import FOR_READS
from lsq_sync.errors import LockError, SettingsError
from lsq_sync.lock.writer import Writer
from lsq_sync.reader import Reader
from lsq_sync.render.words import counted
from lsq_sync.surroundings import Surroundings


def live_values(
    workspace: Workspace,
    recorded: Recorded,
    wanted: tuple[Wanted, ...],
    around: Surroundings,
    watch: Callable[[str, str], None] = lambda _what, _answer: None,
    notice: Callable[[str], None] = lambda _text: None,
) -> Live:
    """What the CRM says now of what is wanted.

    Raises SettingsError without a synchronous host, CredentialsError, AuthenticationError,
    NetworkError, and LockError when the keys belong to another account than the lock.
    """
    need_host(workspace, "live values")
    notice(f"reading {counted(len(wanted), 'opportunity')} from the CRM")

    async def read(session: Session) -> Live:
        reader = Reader(session.client, around)
        check_account(recorded, await reader.short_code())
        return await reader.read(wanted)

    talk = Talk(workspace, around, FOR_READS, watch)
    return talk.hold_or_raise(read, "stopped while it was reading; nothing was sent")


def need_host(workspace: Workspace, what: str) -> None:
    """Raises SettingsError where there is no synchronous host to read `what` from."""
    if workspace.settings.account.host is None:
        raise SettingsError(
            f"there is no synchronous host to read {what} from",
            hint="set account.host (or account.region) in lsq-sync.yaml",
        )


async def keep_account(reader: Reader, writer: Writer) -> None:
    """Keeps the short code of the account in the lock. Raises what `check_account` does, and what
    reading does."""
    short_code = await reader.short_code()
    check_account(writer.recorded, short_code)
    writer.belongs_to(short_code)


def check_account(recorded: Recorded, short_code: str) -> None:
    """Raises LockError when the lock was written for another account than the keys belong to."""
    known = recorded.account.short_code if recorded.account else None
    if known and known != short_code:
        raise LockError(
            f"the keys belong to the account {short_code}, the lock to {known}",
            hint="set the keys of the account that this workspace is for; for another one, "
            "make a workspace of its own:\n\n  lsq-sync init",
        )
