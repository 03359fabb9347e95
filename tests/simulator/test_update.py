import json

import pytest

from lsq_sync.simulator.update import FieldWrite, UnparsableError, Update, parse_update


def parsed(document: object) -> Update:
    return parse_update(json.dumps(document).encode())


def test_the_documented_body() -> None:
    update = parsed(
        {
            "ProspectOpportunityId": "abc",
            "OpportunityNote": "hello",
            "Fields": [{"SchemaName": "mx_Custom_6", "Value": "250000"}],
        }
    )
    assert update == Update("abc", "hello", (FieldWrite("mx_Custom_6", "250000"),))


def test_names_are_read_without_case_as_dot_net_does() -> None:
    update = parsed({"prospectopportunityid": "abc", "FIELDS": [{"schemaname": "a", "VALUE": "b"}]})
    assert update == Update("abc", None, (FieldWrite("a", "b"),))


@pytest.mark.parametrize(
    ("value", "text"), [(5, "5"), (1.5, "1.5"), (True, "True"), (False, "False"), (None, None)]
)
def test_scalars_become_text(value: object, text: str | None) -> None:
    update = parsed({"Fields": [{"SchemaName": "a", "Value": value}]})
    assert update.fields == (FieldWrite("a", text),)


@pytest.mark.parametrize("name", ["SchemaName", "Attribute"])
def test_a_custom_field_set(name: str) -> None:
    nested = [{name: "mx_CustomObject_1", "Value": "x"}]
    update = parsed({"Fields": [{"SchemaName": "mx_Custom_36", "Value": "", "Fields": nested}]})
    assert update.fields == (
        FieldWrite("mx_Custom_36", "", (FieldWrite("mx_CustomObject_1", "x"),)),
    )
    assert update.flat() == {"mx_Custom_36~mx_CustomObject_1": "x"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "Unexpected character encountered while parsing value"),
        (b"not json", "Unexpected character encountered while parsing value"),
        (b'{"Fields": "\xe9"}', "Unable to translate bytes"),
        (b"[]", "Cannot deserialize the current JSON array"),
        (b'{"Fields": {"SchemaName": "a"}}', "Cannot deserialize the current JSON object"),
        (b'{"Fields": ["a"]}', "Error converting value"),
        (b'{"Fields": [{"SchemaName": "a", "Value": []}]}', "requires a JSON string"),
        (b"[" * 100_000, "Unexpected character encountered while parsing value"),
    ],
)
def test_what_does_not_parse_is_refused_in_the_words_of_dot_net(body: bytes, words: str) -> None:
    with pytest.raises(UnparsableError, match=words):
        parse_update(body)
