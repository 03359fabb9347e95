"""Canonical values -> the mapping that an opportunity has in a spec. Pure."""

from collections.abc import Callable, Mapping

from lsq_sync.core.model import SUBFIELD, FieldRule
from lsq_sync.core.state import NOTE
from lsq_sync.core.values import DataType, Value, ValueProblemError, ValueRules, canonical
from lsq_sync.spec.dump import Plain, Tree


def tree_of(
    values: Mapping[str, Value], rule_of: Callable[[str], FieldRule], rules: ValueRules
) -> dict[str, Tree]:
    """Note and fields, such that they mean exactly these values; field sets are mappings."""
    fields: dict[str, Tree] = {}
    for name, value in values.items():
        if name != NOTE:
            _put(fields, name, written(rule_of(name).data_type, value, rules))
    note: dict[str, Tree] = {"note": values[NOTE]} if NOTE in values else {}
    return {**note, "fields": fields} if fields else note


def _put(fields: dict[str, Tree], name: str, value: Tree) -> None:
    parent, _, part = name.partition(SUBFIELD)
    if not part:
        fields[parent] = value
        return
    inside = fields.setdefault(parent, {})
    assert isinstance(inside, dict)
    inside[part] = value


def written(data_type: DataType, value: Value, rules: ValueRules) -> Tree:
    """How a canonical value is written so that a spec means exactly it."""
    if value is None:
        return None
    match data_type:
        case DataType.OPTIONS:
            return tuple(value.split(rules.separator))
        case DataType.NUMBER | DataType.DATE | DataType.BOOLEAN:
            return Plain(value)
        case DataType.DATE_TIME:
            return Plain(value if _means_itself(value, rules) else f"{value}Z")
        case _:
            return value


def _means_itself(value: str, rules: ValueRules) -> bool:
    """Whether the account's time zone is UTC, as far as this moment is concerned."""
    try:
        return canonical(DataType.DATE_TIME, value, rules) == value
    except ValueProblemError:
        return False
