"""The keys of the account: from the environment or files it names, never printed."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lsq_sync.core.hiding import hidden_in, surely_without
from lsq_sync.errors import CredentialsError

ACCESS_KEY = "LSQ_ACCESS_KEY"
SECRET_KEY = "LSQ_SECRET_KEY"  # noqa: S105 - the name of a variable
X_API_KEY = "LSQ_X_API_KEY"

FOR_UPDATES = (ACCESS_KEY, SECRET_KEY, X_API_KEY)
FOR_READS = (ACCESS_KEY, SECRET_KEY)
FOR_QUESTIONS = (X_API_KEY,)
"""Of status and metrics (apidocs.leadsquared.com/update-an-opportunity-status-api)."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The keys; no representation of them shows their content."""

    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    x_api_key: str = field(default="", repr=False)

    def hidden_in(self, text: str) -> str:
        """The text with every key in it replaced, in whatever form it stands there."""
        return hidden_in(text, self._looked_for, HIDDEN)

    def are_surely_not_in(self, json_text: str) -> bool:
        """Whether `hidden_in` would change no string of this JSON; in doubt it says no."""
        return surely_without(json_text, self._looked_for)

    @property
    def _looked_for(self) -> tuple[str, ...]:
        keys = (self.access_key, self.secret_key, self.x_api_key)
        return tuple(key for key in keys if len(key) >= _SHORTEST_KEY)


HIDDEN = "(a key)"
_SHORTEST_KEY = 8
"""Shorter ones are made up for a test, and may be part of any word."""


def read_credentials(
    environment: Mapping[str, str], needed: tuple[str, ...], useful: tuple[str, ...] = ()
) -> Credentials:
    """The keys that a command needs, and those of the useful ones that are there.

    Raises CredentialsError that names every variable which is missing, set twice, or unusable.
    """
    values = {name: _value(name, environment) for name in (*needed, *useful)}
    missing = [name for name in needed if not values[name]]
    if missing:
        raise CredentialsError(
            f"{_listed(missing)} {'is' if len(missing) == 1 else 'are'} not set",
            hint="the CRM shows the keys under Settings > API and Webhooks; set them in the "
            "environment, or set <NAME>_FILE to the path of a file that holds one",
        )
    return Credentials(
        access_key=values.get(ACCESS_KEY, ""),
        secret_key=values.get(SECRET_KEY, ""),
        x_api_key=values.get(X_API_KEY, ""),
    )


def keys_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Every key that is set in some way, by its variable: to hide them, so nothing is refused."""
    found: dict[str, str] = {}
    for name in FOR_UPDATES:
        if environment.get(name):
            found[name] = environment[name]
        elif path := environment.get(f"{name}_FILE"):
            with suppress(CredentialsError):
                found[name] = _from_file(f"{name}_FILE", path)
    return {name: key for name, key in found.items() if key}


def _value(name: str, environment: Mapping[str, str]) -> str:
    direct, file = environment.get(name), environment.get(f"{name}_FILE")
    if direct and file:
        raise CredentialsError(f"{name} and {name}_FILE are both set", hint="unset one of the two")
    value = _from_file(f"{name}_FILE", file) if file else direct or ""
    if not value.isascii() or not value.isprintable() or value != value.strip():
        raise CredentialsError(
            f"{name} holds a character that no key has",
            hint="a line end, a blank or a curly quote from a paste? copy the key again",
        )
    return value


def _from_file(variable: str, path: str) -> str:
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise CredentialsError(
            f"{variable}: the file that it names cannot be read: {reason}",
            hint="it takes the path of a file that holds the key, not the key itself",
        ) from None  # nor is the path told: it may be the key, put there by mistake
    return text.removesuffix("\n").removesuffix("\r")


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
