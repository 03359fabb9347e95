"""Who may call what. Section 1.2 of the API notes. [documented] authentication"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lsq_sync.simulator.account import Keys
from lsq_sync.simulator.log import KeyState
from lsq_sync.simulator.wire import Request

KEY_PARAMETERS: Final = frozenset({"accesskey", "secretkey", "x-api-key"})


@dataclass(frozen=True, slots=True)
class Presented:
    """What became of the keys that came with a call; never the keys themselves."""

    query_pair: KeyState
    header_pair: KeyState
    x_api_key: KeyState

    @property
    def pair(self) -> KeyState:
        """Either pair; a valid one wins."""
        states = (self.query_pair, self.header_pair)
        for state in ("valid", "invalid"):
            if state in states:
                return state
        return "missing"


def presented(keys: Keys, request: Request) -> Presented:
    query, headers = request.query, request.headers
    return Presented(
        query_pair=_pair(keys, query.get("accesskey"), query.get("secretkey")),
        header_pair=_pair(keys, headers.get("x-lsq-accesskey"), headers.get("x-lsq-secretkey")),
        x_api_key=_state(headers.get("x-api-key"), keys.x_api_key),
    )


def _pair(keys: Keys, access_key: str | None, secret_key: str | None) -> KeyState:
    if access_key is None and secret_key is None:
        return "missing"
    return _state((access_key, secret_key), (keys.access_key, keys.secret_key))


def _state(given: object, expected: object) -> KeyState:
    if given is None:
        return "missing"
    return "valid" if given == expected else "invalid"


def without_keys(query: Mapping[str, str], keys: Keys) -> dict[str, str]:
    """What of a query may be written down: no key, whatever it is called."""
    secrets = (keys.access_key, keys.secret_key, keys.x_api_key)
    return {
        name: value
        for name, value in query.items()
        if name not in KEY_PARAMETERS and value not in secrets
    }
