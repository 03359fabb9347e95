"""What a workspace is made of. Imports nothing that takes time."""

from collections.abc import Mapping

SETTINGS = "lsq-sync.yaml"
STATE_VARIABLE = "LSQ_SYNC_STATE_DIR"
_STATE = ".lsq-sync"
CACHE = "cache"
"""In the state: what a plan keeps for the next one."""


def state_folder(environment: Mapping[str, str]) -> str:
    """Where the local state is, relative to the workspace."""
    return environment.get(STATE_VARIABLE) or _STATE
