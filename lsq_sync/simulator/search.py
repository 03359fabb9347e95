"""Advanced Search, sorting and paging. Pure. Section 7.3 of the API notes.

Of the many conditions of the real thing only those seen in public code are here: the event code,
equality, and `between` two times.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from lsq_sync.simulator.account import MODIFIED_ON
from lsq_sync.simulator.records import Record
from lsq_sync.simulator.refusal import RefusedError
from lsq_sync.simulator.update import UnparsableError

LARGEST_PAGE: Final = 1000
ID_COLUMNS: Final = frozenset({"OpportunityId", "ProspectActivityId", "Id"})
_SEARCH_DATE: Final = "%Y-%m-%d %I:%M:%S %p"
_STORED_DATE: Final = "%Y-%m-%d %H:%M:%S"

Row = tuple[Record, Mapping[str, str]]  # a record, and its values as they are read


@dataclass(frozen=True, slots=True)
class Page:
    index: int  # from 1
    size: int
    column: str
    descending: bool


def page(body: Mapping[str, Any], default_size: int) -> Page:
    """`Paging` and `Sorting` of a request. Page size over 1,000 is refused. [seen in code]"""
    paging, sorting = section(body, "Paging"), section(body, "Sorting")
    size = _whole(paging.get("PageSize", default_size))
    if size > LARGEST_PAGE:
        raise RefusedError(
            "MXInvalidInputException", f"PageSize can not be more than {LARGEST_PAGE}."
        )
    return Page(
        index=max(1, _whole(paging.get("PageIndex", 1))),
        size=max(1, size),
        column=str(sorting.get("ColumnName") or MODIFIED_ON),
        descending=str(sorting.get("Direction", 1)) == "1",  # a number here, a string there
    )


def section(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of a request's body; empty when it is missing."""
    part = {key.lower(): value for key, value in body.items()}.get(name.lower())
    if part is None:
        return {}
    if not isinstance(part, dict):
        raise UnparsableError(f"Error converting value to type '{name}'. Path '{name}'.")
    return part


def columns(body: Mapping[str, Any]) -> tuple[str, ...]:
    """`Columns.Include_CSV`, if any."""
    listed = str(section(body, "Columns").get("Include_CSV") or "")
    return tuple(name.strip() for name in listed.split(",") if name.strip())


def cut(rows: Iterable[Row], wanted: Page, *, unstable_ties: bool) -> Sequence[Row]:
    """One page. Rows that sort alike may stand in another order on the next page, as on a live
    account, where that duplicates and drops rows. [seen in code]
    """
    tie = _shuffled(wanted.index) if unstable_ties else _in_order
    ordered = sorted(rows, key=lambda row: tie(row[0].id))
    ordered.sort(key=lambda row: _column(row, wanted.column), reverse=wanted.descending)
    start = (wanted.index - 1) * wanted.size
    return ordered[start : start + wanted.size]


def _in_order(opportunity_id: str) -> str:
    return opportunity_id


def _shuffled(page_index: int) -> Callable[[str], str]:
    """An order of ids that is another one for every page."""

    def tie(opportunity_id: str) -> str:
        return hashlib.blake2b(f"{page_index}/{opportunity_id}".encode(), digest_size=8).hexdigest()

    return tie


def _column(row: Row, column: str) -> str:
    record, values = row
    return record.id if column in ID_COLUMNS else values.get(column, "")


# Conditions


def matching(rows: Iterable[Row], code: int, search: object) -> list[Row]:
    """The rows that an `AdvancedSearch` string lets through. Raises `RefusedError`."""
    conditions = _conditions(search)
    if not any(_names_type(one, code) for one in conditions):
        raise RefusedError(
            "MXInvalidInputException",
            "ActivityEvent in AdvancedSearch does not match the ActivityEvent passed.",
        )
    checks = [_check(one) for one in conditions if one.get("LSO") != "ActivityEvent"]
    return [row for row in rows if all(check(row) for check in checks)]


def _conditions(search: object) -> list[Mapping[str, Any]]:
    if not isinstance(search, str):
        raise UnparsableError(
            "Cannot deserialize the current JSON object into type 'System.String'. "
            "Path 'AdvancedSearch'."
        )
    try:
        document = json.loads(search)
        groups = document["Conditions"]
        return [condition for group in groups for condition in group["RowCondition"]]
    except (ValueError, KeyError, TypeError):
        raise RefusedError("MXInvalidInputException", "Invalid AdvancedSearch provided") from None


def _names_type(condition: Mapping[str, Any], code: int) -> bool:
    return condition.get("LSO") == "ActivityEvent" and str(condition.get("RSO")) == str(code)


def _check(condition: Mapping[str, Any]) -> Callable[[Row], bool]:
    column, operand = str(condition.get("LSO")), str(condition.get("RSO", ""))
    match condition.get("Operator"):
        case "eq":
            return lambda row: _column(row, column) == operand
        case "between" if condition.get("LSO_Type") == "DateTime":
            first, last = _times(operand)
            return lambda row: first <= _column(row, column)[:19] <= last
        case other:
            raise RefusedError("MXInvalidInputException", f"Invalid operator '{other}' provided")


def _times(operand: str) -> tuple[str, str]:
    """`yyyy-MM-dd hh:mm:ss AM TO yyyy-MM-dd hh:mm:ss PM`. [seen in code]"""
    first, _, last = operand.partition(" TO ")
    return _time(first), _time(last)


def _time(text: str) -> str:
    try:
        return datetime.strptime(text.strip(), _SEARCH_DATE).strftime(_STORED_DATE)  # noqa: DTZ007
    except ValueError:
        raise RefusedError("MXInvalidInputException", f"Invalid date '{text}' provided") from None


def _whole(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise UnparsableError(f"Error converting value '{value}' to type 'Int32'.") from None
