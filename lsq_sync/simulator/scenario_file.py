"""A scenario from the text of a YAML or JSON file. Keys are those of `Scenario`.

The text is read with the few rules of YAML 1.2 for plain values: `on` is a key and not true, and
`2026-08-31` and `0123` are text.
"""

import re
from collections.abc import Hashable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import yaml

from lsq_sync.simulator import schemas
from lsq_sync.simulator.errors import SimulatorError
from lsq_sync.simulator.scenario import (
    Access,
    Answers,
    Dates,
    Deletion,
    Echo,
    Fault,
    HumanEdit,
    LostUpdate,
    Paths,
    Queue,
    RateLimit,
    Reject,
    Rules,
    Scenario,
    Span,
    SystemFault,
    Which,
    Words,
)

REMEDY: Final = "Every key is described in schemas/scenario.schema.json."
WHICH_KEYS: Final = frozenset({"call", "calls", "every", "id", "field", "value", "times"})


def load_scenario(path: Path) -> Scenario:
    """Raises `SimulatorError`. Without a name of its own a scenario is called like its file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SimulatorError(str(path), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SimulatorError(str(path), "is not UTF-8") from error
    scenario = read_scenario(text, str(path))
    return scenario if scenario.name != Scenario().name else replace(scenario, name=path.stem)


def read_scenario(text: str, place: str = "scenario") -> Scenario:
    """A scenario from YAML or JSON text. Raises `SimulatorError`."""
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - derived from SafeLoader
    except (yaml.YAMLError, RecursionError) as error:
        raise SimulatorError(place, f"is not YAML: {_one_line(error)}") from error
    return scenario_from({} if document is None else document, place)


def scenario_from(document: Mapping[str, Any], place: str = "scenario") -> Scenario:
    """A scenario from the document itself. Raises `SimulatorError`."""
    schemas.check(document, schemas.SCENARIO, place, REMEDY)
    parts = {name: _part(name, value) for name, value in document.items() if name != "$schema"}
    return Scenario(**parts)


def _part(name: str, value: Any) -> Any:
    match name:
        case "rate_limit":
            return RateLimit(**value)
        case "queue":
            return _queue(value)
        case "paths":
            return Paths(**value)
        case "answers":
            return Answers(**{**value, "words": Words(**value.get("words", {}))})
        case "access":
            return Access(**value)
        case "rules":
            return Rules(**value)
        case "echo":
            return Echo(**{**value, "dates": Dates(**value.get("dates", {}))})
        case "faults":
            return tuple(Fault(**_with_which(one)) for one in value)
        case "rejects":
            return tuple(Reject(**_with_which(one)) for one in value)
        case "system_faults":
            return tuple(SystemFault(**_with_which(one)) for one in value)
        case "lost_updates":
            return tuple(LostUpdate(**_with_which(one)) for one in value)
        case "human_edits":
            return tuple(HumanEdit(**{**one, "value": _text(one["value"])}) for one in value)
        case "deletions":
            return tuple(Deletion(**one) for one in value)
        case _:
            return value


def _queue(value: Mapping[str, Any]) -> Queue:
    ladder = value.get("retry_seconds", Queue().retry_seconds)
    return Queue(**{**value, "retry_seconds": tuple(ladder)})


def _with_which(one: Mapping[str, Any]) -> dict[str, Any]:
    """The conditions among the keys, gathered."""
    rest = {name: value for name, value in one.items() if name not in WHICH_KEYS}
    return {**rest, "which": _which(one)}


def _which(one: Mapping[str, Any]) -> Which:
    listed = one.get("calls", one.get("call", ()))
    spans = listed if isinstance(listed, list | tuple) else (listed,)
    value = one.get("value")
    return Which(
        calls=tuple(_span(span) for span in spans),
        every=one.get("every"),
        id=one.get("id"),
        field=one.get("field"),
        value=None if value is None else _text(value),
        times=one.get("times"),
    )


def _span(listed: int | str) -> Span:
    """5, "5-8" or "5-"."""
    first, dash, last = str(listed).partition("-")
    if not dash:
        return int(first), int(first)
    return int(first), int(last) if last else None


def _text(value: str | int | None) -> str:
    return "" if value is None else str(value)


class _Loader(yaml.SafeLoader):
    """Plain values as in YAML 1.2's core schema, and no key twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - what PyYAML's own class has


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), ["t", "f"])
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""]
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^(?:0|-?[1-9][0-9]*)$"), list("-0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^-?[0-9]+\.[0-9]+$"), list("-0123456789")
)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    mapping: dict[Hashable, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} is not text", key_node.start_mark
            )
        if key in mapping:
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key} stands twice", key_node.start_mark
            )
        mapping[key] = loader.construct_object(value_node, deep=True)
    return mapping


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
