"""`lsq-sync.yaml`: one CRM account and how it is to be treated. No secrets."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta, tzinfo
from importlib import resources
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from lsq_sync.core.budget import RateLimit
from lsq_sync.core.model import Account
from lsq_sync.core.safety import Limits
from lsq_sync.core.values import ValueRules, shown
from lsq_sync.errors import Diagnostic, Origin, SettingsError
from lsq_sync.places import SETTINGS
from lsq_sync.spec.document import Block, Items, Node
from lsq_sync.spec.load import load
from lsq_sync.spec.names import nearest
from lsq_sync.spec.schemas import Schema, schema
from lsq_sync.spec.validate import problems

REGIONS = {
    "in21": ("asyncapi-in21", "api-in21"),
    "in22": ("asyncapi-in22", "api-in22"),
    "us11": ("asyncapi-us11", "api-us11"),
    "sg": ("asyncapi", "api"),
    "ir31": ("asyncapi-ir31", "api-ir31"),
    "ca12": ("asyncapi-ca12", "api-ca12"),
    "me61": ("asyncapi-me61", "api-me61"),
}
"""apidocs.leadsquared.com/async-api documents the asynchronous hosts of in21, us11 and sg; the
others follow their pattern (inferred). `account.async_host` overrides."""

_HOST = re.compile(
    r"https?://(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])(?::[0-9]+)?/?",
    re.IGNORECASE | re.ASCII,
)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class API:
    """How the CRM is asked. `status_path` and `metrics_path` are inferred, hence settings."""

    rate_limit: RateLimit = field(default_factory=RateLimit)
    status_path: str = "/opportunity/update/status"
    metrics_path: str = "/opportunity/update/metrics"
    timeout_seconds: float = 30.0
    late_window: timedelta = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Paths:
    """Places in the workspace, relative to it."""

    specs: str = "specs"
    schemas: str = "schemas"
    lock: str = "lsq-sync.lock"


@dataclass(frozen=True, slots=True)
class Settings:
    """All of the settings, defaults filled in, environment applied."""

    account: Account
    values: ValueRules
    api: API
    paths: Paths
    limits: Limits


def read_settings(data: bytes, environment: Mapping[str, str]) -> Settings:
    """The settings in this text. LSQ_ASYNC_HOST and LSQ_HOST come before it.

    Raises SettingsError with every problem and its line.
    """
    loaded = load(data, SETTINGS)
    rules = schema("settings.schema.json")
    document = _typed(loaded.document, rules, rules)
    found = [_about_settings(problem) for problem in loaded.problems]
    if document is not None or not found:
        told = {problem.origin for problem in found}
        found += [one for one in problems(document, SETTINGS, rules) if one.origin not in told]
    if found:
        raise _error(found)
    assert isinstance(loaded.document, Block)
    return _settings(document, loaded.document, environment)


def _about_settings(problem: Diagnostic) -> Diagnostic:
    """There is nothing to clear in settings, as there is in a spec."""
    if problem.code != "unclear-null":
        return problem
    return replace(problem, hint="give it a value, or delete the line")


def _error(found: list[Diagnostic]) -> SettingsError:
    count = f"{len(found)} problem{'s' if len(found) > 1 else ''}"
    return SettingsError(f"{SETTINGS} has {count}", diagnostics=tuple(found))


def _typed(node: Node, rules: Schema, root: Schema) -> Any:
    """The same document with numbers and booleans where the schema wants them."""
    if isinstance(node, Block):
        members = rules.get("properties", {})
        for key, value in node.items():
            node[key] = _typed(value, _resolved(members.get(key, {}), root), root)
        return node
    if isinstance(node, Items) or node is None:
        return node
    return _scalar(node, rules)


def _resolved(rules: Schema, root: Schema) -> Schema:
    reference = rules.get("$ref", "")
    return root["$defs"][reference.rpartition("/")[2]] if reference else rules


def _scalar(text: str, rules: Schema) -> object:
    wanted = rules.get("type", "integer" if "const" in rules else "string")
    kinds = [wanted] if isinstance(wanted, str) else wanted
    for kind in kinds:
        if kind not in _READERS:
            continue
        try:
            return _READERS[kind](text)
        except ValueError:
            continue
    return text


_INTEGER = re.compile(r"-?[0-9]+")
_NUMBER = re.compile(r"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)")


def _integer(text: str) -> int:
    if not _INTEGER.fullmatch(text):
        raise ValueError(text)
    return int(text)


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    return float(text)


_READERS = {"integer": _integer, "number": _number}


def _settings(document: Any, block: Block, environment: Mapping[str, str]) -> Settings:
    api = document.get("api", {})
    return Settings(
        account=_account(document["account"], block["account"], environment),
        values=ValueRules(
            time_zone=_time_zone(document["account"].get("time_zone", "UTC"), block["account"]),
            separator=api.get("multi_select_separator", ";"),
        ),
        api=_api(api),
        paths=Paths(**document.get("paths", {})),
        limits=_limits(document.get("safety", {})),
    )


def _api(given: dict[str, Any]) -> API:
    default = API()
    return API(
        rate_limit=RateLimit(**given.get("rate_limit", {})),
        status_path=given.get("status_path", default.status_path),
        metrics_path=given.get("metrics_path", default.metrics_path),
        timeout_seconds=given.get("timeout_seconds", default.timeout_seconds),
        late_window=timedelta(hours=given.get("late_window_hours", 12)),
    )


def _limits(given: dict[str, Any]) -> Limits:
    return Limits(**{**given, "protected_fields": tuple(given.get("protected_fields", ()))})


def _account(given: dict[str, Any], block: Node, environment: Mapping[str, str]) -> Account:
    assert isinstance(block, Block)
    async_host, host = _hosts_of_region(given.get("region"))
    async_host = given.get("async_host", async_host)
    host = given.get("host", host)
    if not (async_host or environment.get("LSQ_ASYNC_HOST")):
        hint = f"add region: (one of {', '.join(REGIONS)}) or async_host: under account:"
        origin = Origin(SETTINGS, *block.place)
        fault = Diagnostic(origin, "no-host", "the account has no region and no async_host", hint)
        raise _error([fault])
    return Account(
        name=given["name"],
        async_host=_host("async_host", async_host, "LSQ_ASYNC_HOST", block, environment) or "",
        host=_host("host", host, "LSQ_HOST", block, environment),
    )


def _hosts_of_region(region: str | None) -> tuple[str | None, str | None]:
    return (None, None) if region is None else region_hosts(region)


def region_hosts(region: str) -> tuple[str, str]:
    """The asynchronous and the synchronous host of a region."""
    async_name, name = REGIONS[region]
    return f"https://{async_name}.leadsquared.com", f"https://{name}.leadsquared.com"


def _host(
    key: str, written: str | None, variable: str, block: Block, environment: Mapping[str, str]
) -> str | None:
    """The host from the environment, else from the file; https, or http on loopback."""
    given = environment.get(variable) or written
    if not given:
        return None
    fault = host_fault(given)
    if fault is None:
        return given.rstrip("/")
    if environment.get(variable):
        raise SettingsError(f"{variable} {fault}", hint=_HOST_HINT)
    place = block.value_place(key)
    origin = Origin(SETTINGS, *place)
    raise _error([Diagnostic(origin, "host", f"account.{key} {fault}", _HOST_HINT)])


_HOST_HINT = "write it as https://asyncapi-in21.leadsquared.com, without a path"


def host_fault(text: str) -> str | None:
    """Why this cannot be a host of the CRM, or None."""
    try:
        parts = urlsplit(text)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        return "is not a URL"
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        return "is not the URL of a host"
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return "has a path or a query"
    if parts.username is not None or parts.password is not None:
        return "holds a user name or a password"
    if not _HOST.fullmatch(text):
        return "is not the URL of a host"  # urlsplit is lax: it takes blanks, and drops line ends
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        return "is plain http: the keys would travel unprotected"
    return None


def _time_zone(name: str, block: Node) -> tzinfo:
    try:
        if name not in _NOT_A_PLACE:
            return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        pass
    assert isinstance(block, Block)
    origin = Origin(SETTINGS, *block.value_place("time_zone"))
    message = f"{shown(name)} is not a time zone"
    raise _error([Diagnostic(origin, "time-zone", message, _zone_hint(name))])


_NOT_A_PLACE = frozenset({"localtime", "posixrules", "Factory"})
"""They load, and mean something else on every machine."""

_ABBREVIATED = {"ist": "Asia/Kolkata"}


def _zone_hint(name: str) -> str:
    """Only names of places are guessed: the nearest of IST would be MST."""
    known = resources.files("tzdata").joinpath("zones").read_text("ascii").split()
    zones = [zone for zone in known if zone not in _NOT_A_PLACE]
    by_word = {zone.rpartition("/")[2].casefold(): zone for zone in zones} | _ABBREVIATED
    near = by_word.get(name.casefold().replace(" ", "_"))
    if near is None and "/" in name.strip("./"):
        near = nearest(name, zones)
    return f"did you mean {near!r}?" if near else "write an IANA name, such as Asia/Kolkata"
