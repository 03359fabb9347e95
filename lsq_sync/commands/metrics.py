"""`lsq-sync metrics`: how long the CRM's queue is. One call, nothing recorded."""

from collections.abc import Callable
from typing import assert_never

from lsq_sync.commands.session import Session, Talk
from lsq_sync.commands.workspace import Workspace
from lsq_sync.core.answers import MetricsAnswer, NoVerdict, QueueMetrics, TooFast
from lsq_sync.crm.credentials import FOR_QUESTIONS
from lsq_sync.errors import AuthenticationError, NetworkError
from lsq_sync.surroundings import Surroundings


def run(
    workspace: Workspace,
    around: Surroundings,
    watch: Callable[[str, str], None] = lambda _what, _answer: None,
) -> QueueMetrics:
    """The metrics. Raises CredentialsError, AuthenticationError or NetworkError."""

    async def ask(session: Session) -> MetricsAnswer:
        return await session.client.metrics()

    answer = Talk(workspace, around, FOR_QUESTIONS, watch).hold(ask)
    match answer:
        case QueueMetrics():
            return answer
        case TooFast(reason):
            raise NetworkError(f"the CRM refused the call: {reason}", hint="wait, and try again")
        case NoVerdict(reason, refused=True):
            raise AuthenticationError(
                f"the CRM refused to tell its metrics: {reason}",
                hint="check LSQ_X_API_KEY, account.async_host and api.metrics_path",
            )
        case NoVerdict(reason):
            raise NetworkError(f"the CRM did not tell its metrics: {reason}")
        case _:
            assert_never(answer)
