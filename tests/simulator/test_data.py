import json
from pathlib import Path
from typing import Any

import pytest

from lsq_sync.simulator.data import account_text, load_account, read_account
from lsq_sync.simulator.errors import SimulatorError
from tests.simulator.support import ACCOUNT, Caller

GUID = "11111111-2222-3333-4444-555555555555"
STAGE = {
    "SchemaName": "mx_Custom_2",
    "DisplayName": "Stage",
    "DataType": "SearchableDropdown",
    "ParentField": "Status",
    "OptionSet": "",
    "DependentOptionSet": {"Open": ["New"], "Won": ["Done"]},
}
CFS = {
    "SchemaName": "mx_Custom_36",
    "DataType": "CustomObject",
    "Fields": [{"SchemaName": "mx_CustomObject_1", "DataType": "String"}],
}
TYPE = {
    "code": 12000,
    "display_name": "Deal",
    "auto_id_field": None,
    "fields": [
        {"SchemaName": "Status", "DataType": "Dropdown", "OptionSet": ["Open", "Won"]},
        {"SchemaName": "mx_Custom_6", "DataType": "Number"},
        STAGE,
        CFS,
    ],
}


def document(**opportunity: Any) -> dict[str, Any]:
    return {"types": [TYPE], "opportunities": [{"id": GUID, "code": 12000, **opportunity}]}


def test_a_data_file_as_people_write_it() -> None:
    fields = {
        "Status": "Open",
        "mx_Custom_6": None,
        "mx_Custom_36": {"mx_CustomObject_1": "Meera"},
    }
    lead = {"id": GUID, "email": "a@b.example"}
    account = read_account(json.dumps(document(fields=fields, lead=lead, note="hi")))
    (opportunity,) = account.opportunities
    assert opportunity.fields == {
        "Status": "Open",
        "mx_Custom_6": "",
        "mx_Custom_36~mx_CustomObject_1": "Meera",
    }
    assert (opportunity.lead_email, opportunity.note) == ("a@b.example", "hi")
    stage = account.types[0].field("mx_Custom_2")
    assert stage is not None
    assert stage.dependent_options == (("Open", ("New",)), ("Won", ("Done",)))


def test_it_can_be_served() -> None:
    account = read_account(json.dumps(document(fields={"Status": "Open"})))
    caller = Caller(account)
    assert caller.verdict(GUID, {"mx_Custom_6": "5"}) == "Success"
    assert caller.details(GUID)["ModifiedByName"] is None  # no users


def test_options_may_stand_as_the_string_that_the_crm_has() -> None:
    options = json.dumps([{"Value": "Open"}, {"Value": "Won"}])
    by_parent = json.dumps([{"Value": "New", "ParentValue": "Open"}])
    fields = [{"SchemaName": "a", "OptionSet": options, "DependentOptionSet": by_parent}]
    account = read_account(json.dumps({"types": [{**TYPE, "fields": fields}], "opportunities": []}))
    assert account.types[0].fields[0].options == ("Open", "Won")
    assert account.types[0].fields[0].dependent_options == (("Open", ("New",)),)


def test_there_and_back_is_the_same_account() -> None:
    text = account_text(ACCOUNT)
    assert read_account(text) == ACCOUNT
    assert account_text(read_account(text)) == text


WRONG: list[tuple[object, str]] = [
    ({"types": []}, "the document: 'opportunities' is a required property"),
    (document(kode=1), "opportunities[0].kode: there is no such key. Did you mean code?"),
    (document(id="abc"), 'opportunities[0].id: "abc" is not allowed here; what is: A GUID.'),
    (document(fields={"Status": 5}), "opportunities[0].fields.Status: 5 is not"),
    (document(fields={"mx_Custom_9": "x"}), "fields.mx_Custom_9: Deal has no such field"),
    (document(code=1), "opportunities[0].code: no type has 1; there are 12000"),
    (
        {"types": [TYPE], "opportunities": document()["opportunities"] * 2},
        f"opportunities[1].id: {GUID} stands twice",
    ),
    (
        {
            "types": [{**TYPE, "fields": [{"SchemaName": "a", "OptionSet": "[{]"}]}],
            "opportunities": [],
        },
        "type 12000: an OptionSet cannot be read",
    ),
    ([], "the document: [] is not a mapping"),
]


@pytest.mark.parametrize(("wrong", "words"), WRONG)
def test_a_mistake_is_named(wrong: object, words: str) -> None:
    with pytest.raises(SimulatorError) as caught:
        read_account(json.dumps(wrong), "crm.json")
    assert str(caught.value).startswith("crm.json: ")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"{", "is not JSON"), (b"\xff", "is not UTF-8"), (None, "cannot be read")],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "crm.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SimulatorError, match=words):
        load_account(path)


def test_a_masked_field_does_not_show_its_value() -> None:
    fields = [{"SchemaName": "mx_Custom_6", "DataType": "String", "IsMasked": True}]
    account = read_account(
        json.dumps(
            {
                "types": [{**TYPE, "fields": fields}],
                "opportunities": document(fields={"mx_Custom_6": "secret"})["opportunities"],
            }
        )
    )
    assert Caller(account).detail(GUID, "mx_Custom_6")["Value"] == "XXXXXXXX"
