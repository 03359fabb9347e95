"""The data file: an account as JSON, and back."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from lsq_sync.simulator import schemas
from lsq_sync.simulator.account import (
    SUB_FIELD_SEPARATOR,
    Account,
    Opportunity,
    OpportunityType,
    User,
    sub_field_name,
)
from lsq_sync.simulator.errors import SimulatorError
from lsq_sync.simulator.metadata import field_from, type_object
from lsq_sync.simulator.scenario import Answers

REMEDY: Final = "The format is described in schemas/simulator-data.schema.json."


def load_account(path: Path) -> Account:
    """Raises `SimulatorError`."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SimulatorError(str(path), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SimulatorError(str(path), "is not UTF-8") from error
    return read_account(text, str(path))


def read_account(text: str, place: str = "data") -> Account:
    """An account from JSON text. Raises `SimulatorError`."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SimulatorError(place, f"is not JSON: {error}", REMEDY) from error
    schemas.check(document, schemas.DATA, place, REMEDY)
    account = _account(document, place)
    _refuse_contradictions(account, place)
    return account


def _account(document: Mapping[str, Any], place: str) -> Account:
    named = {name: document[name] for name in ("short_code", "time_zone") if name in document}
    return Account(
        types=tuple(_type(one, place) for one in document["types"]),
        opportunities=tuple(_opportunity(one) for one in document["opportunities"]),
        users=tuple(User(**one) for one in document.get("users", ())),
        **named,
    )


def _type(one: Mapping[str, Any], place: str) -> OpportunityType:
    try:
        fields = tuple(field_from(described) for described in one["fields"])
    except (ValueError, KeyError, TypeError) as error:
        raise SimulatorError(
            place, f"type {one['code']}: an OptionSet cannot be read: {error!r}", REMEDY
        ) from error
    return OpportunityType(
        code=one["code"],
        display_name=one["display_name"],
        fields=fields,
        auto_id_field=one.get("auto_id_field"),
    )


def _opportunity(one: Mapping[str, Any]) -> Opportunity:
    lead = one.get("lead", {})
    return Opportunity(
        id=one["id"],
        code=one["code"],
        lead_id=lead.get("id", one["id"]),
        lead_email=lead.get("email", ""),
        fields=dict(_flat(one.get("fields", {}))),
        note=one.get("note") or "",
    )


def _flat(fields: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in fields.items():
        if isinstance(value, Mapping):
            yield from ((sub_field_name(name, sub), text or "") for sub, text in value.items())
        else:
            yield name, value or ""


def _refuse_contradictions(account: Account, place: str) -> None:
    """What a schema cannot see: codes and names that fit nothing, and ids given twice."""
    types = {known.code: known for known in account.types}
    seen: set[str] = set()
    for number, one in enumerate(account.opportunities):
        key = f"opportunities[{number}]"
        known = types.get(one.code)
        if known is None:
            codes = ", ".join(map(str, types)) or "none"
            raise SimulatorError(place, f"{key}.code: no type has {one.code}; there are {codes}")
        unknown = next((name for name in one.fields if known.field(name) is None), None)
        if unknown is not None:
            raise SimulatorError(
                place, f"{key}.fields.{unknown}: {known.display_name} has no such field"
            )
        if one.id.lower() in seen:
            raise SimulatorError(place, f"{key}.id: {one.id} stands twice")
        seen.add(one.id.lower())


# And back


def account_text(account: Account) -> str:
    """The account as a data file; same account, same bytes."""
    document = {
        "short_code": account.short_code,
        "time_zone": account.time_zone,
        "users": [
            {"id": user.id, "name": user.name, "email": user.email} for user in account.users
        ],
        "types": [_type_document(known) for known in account.types],
        "opportunities": [_opportunity_document(one) for one in account.opportunities],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _type_document(known: OpportunityType) -> dict[str, Any]:
    return {
        "code": known.code,
        "display_name": known.display_name,
        "auto_id_field": known.auto_id_field,
        "fields": type_object(known, Answers())["Fields"],
    }


def _opportunity_document(one: Opportunity) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, value in one.fields.items():
        owner, _, sub = name.partition(SUB_FIELD_SEPARATOR)
        if sub:
            fields.setdefault(owner, {})[sub] = value
        else:
            fields[name] = value
    return {
        "id": one.id,
        "code": one.code,
        "lead": {"id": one.lead_id, "email": one.lead_email},
        "fields": fields,
        "note": one.note,
    }
