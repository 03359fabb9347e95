"""What `plan` says where it has nothing to do, kept with one digest of all that it depends on.

The next plan compares before anything else is imported, the command line included. So this imports
next to nothing, and reads neither settings nor specs: whoever keeps an answer tells the places.
Whatever cannot be read, or is not what it was, is left to a plan.
"""

import hashlib
import json
import os
from collections.abc import Container, Mapping
from typing import NamedTuple

from lsq_sync.index.digests import digest_of, digest_or_none
from lsq_sync.index.private import read_private
from lsq_sync.index.tool import of_the_tool
from lsq_sync.places import CACHE, SETTINGS, STATE_VARIABLE, state_folder
from lsq_sync.spec.files import MAX_BYTES, spec_files

NAME = "answer"

_FORMAT = "lsq-sync/answer/v1"
_PLACES = ("HOME", "TMPDIR")
_VARIABLES = (*_PLACES, STATE_VARIABLE, "LSQ_ASYNC_HOST", "LSQ_HOST", "PYTHONTZPATH")
"""All of the environment that a plan without keys reads, besides the look of its text."""

NOT_READ = (CACHE, "runs")
"""In the state folder: the cache decides nothing, and of past runs a plan reads nothing."""


class Answer(NamedTuple):
    """A text, and the places that it depends on: `specs`, `schemas` and `lock` are relative to the
    workspace, `zones` may hold the rules of its time zone, `absent` must not exist."""

    says: str
    specs: str
    schemas: str
    lock: str
    zones: tuple[str, ...]
    absent: tuple[str, ...]


def dump(answer: Answer, evidence: str) -> bytes:
    """The file of an answer that was given on this evidence."""
    return json.dumps({"evidence": evidence, **answer._asdict()}).encode()


def standing_answer(root: str, environment: Mapping[str, str]) -> str | None:
    """What a plan of this workspace would say, where that is known."""
    state = os.path.join(root, state_folder(environment))
    data = read_private(os.path.join(state, CACHE, NAME))
    if data is None:
        return None
    try:
        content = json.loads(data)
        before = content.pop("evidence")
        answer = Answer(**content)
        specs = _digests_of_specs(os.path.join(root, answer.specs))
        lock = digest_of(os.path.join(root, answer.lock))
        is_same = before == evidence(root, state, answer, specs, lock, environment)
    except (OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError):
        return None
    return answer.says if is_same else None


def evidence(
    root: str,
    state: str,
    answer: Answer,
    specs: Mapping[str, str],
    lock: str,
    environment: Mapping[str, str],
) -> str:
    """One digest of the answer and of all that it depends on; `specs` are the digests of the spec
    files, by their names below their folder, `lock` is that of the lock.

    Raises OSError where anything cannot be read, or must not be there.
    """
    if any(map(os.path.lexists, answer.absent)):
        raise FileExistsError(answer.absent)
    parts = {
        "format": _FORMAT,
        "answer": answer,
        "tool": of_the_tool(),
        "places": [os.path.realpath(root), os.path.realpath(os.path.join(root, answer.lock))],
        "environment": [environment.get(name) for name in _VARIABLES],
        "here": _here_if_it_counts(environment),
        "settings": digest_of(os.path.join(root, SETTINGS)),
        "zones": [digest_or_none(path) for path in answer.zones],
        "schemas": _in_folder(os.path.join(root, answer.schemas, "types"), ".json"),
        "specs": sorted(specs.items()),
        "lock": lock,
        "state": _in_folder(state, ignored=NOT_READ),
    }
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _here_if_it_counts(environment: Mapping[str, str]) -> str | None:
    """The current folder, where a variable names another from there."""
    named = [environment.get(name) for name in _PLACES]
    return os.getcwd() if any(place and not os.path.isabs(place) for place in named) else None


def _digests_of_specs(folder: str) -> dict[str, str]:
    names = spec_files(folder, _raise)
    return {name: digest_of(os.path.join(folder, name), MAX_BYTES) for name in names}


def _raise(error: OSError) -> None:
    raise error


def _in_folder(folder: str, ending: str = "", ignored: Container[str] = ()) -> dict[str, str]:
    """What is in a folder, by name: the digest of a file, or that it is a folder itself."""
    found = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    names = [name for name in found if name.endswith(ending) and name not in ignored]
    paths = [os.path.join(folder, name) for name in names]
    digests = ["folder" if os.path.isdir(path) else digest_of(path) for path in paths]
    return dict(zip(names, digests, strict=True))
