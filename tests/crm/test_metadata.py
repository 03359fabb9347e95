"""Opportunity types: what is asked, and what any answer says."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.core.answers import NotAllowed, ReadFailed, TooFast, TypesFound
from lsq_sync.core.metadata import FieldMetadata, ListedType, TypeMetadata
from lsq_sync.crm.credentials import Credentials
from lsq_sync.crm.metadata import (
    MOST_FIELDS,
    MOST_OPTIONS,
    metadata_request,
    read_metadata,
    read_types,
    title_of,
    types_request,
)
from lsq_sync.crm.wire import Answer
from lsq_sync.spec.type_schema import to_text, type_schema
from lsq_sync.spec.types import OpportunityType, read_type

HOST = "https://api.example.com"
KEYS = Credentials("u$r1", "secret", "gateway")
SERVICE = f"{HOST}/v2/OpportunityManagement.svc"


def answer(content: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(content).encode())


def of_fields(*fields: Any, **more: Any) -> Answer:
    return answer({"EventCode": 12005, "DisplayName": "Loan", "Fields": list(fields), **more})


def read(*fields: Any) -> TypeMetadata:
    found = read_metadata(of_fields(*fields), 12005)
    assert isinstance(found, TypeMetadata), found
    return found


def field(**told: Any) -> FieldMetadata:
    (found,) = read({"SchemaName": "a", **told}).fields
    return found


def test_the_requests_name_no_key_in_their_url() -> None:
    types, one = types_request(HOST, KEYS), metadata_request(HOST, KEYS, 12005)
    assert (types.method, types.url) == ("GET", f"{SERVICE}/GetOpportunityTypes")
    assert (one.method, one.url) == ("GET", f"{SERVICE}/GetOpportunityTypeMetadata?code=12005")
    assert (
        types.headers
        == one.headers
        == {
            "x-LSQ-AccessKey": "u$r1",
            "x-LSQ-SecretKey": "secret",
        }
    )


# --- the list of types


def test_the_types_with_codes_as_numbers_or_as_text() -> None:
    listed = [
        {"EventCode": 12005, "DisplayName": "Loan", "Fields": None},
        {"eventcode": "12006", "displayName": " Home\tLoan "},
        {"EventCode": True, "DisplayName": "None"},
        {"EventCode": "-1"},
        {"EventCode": "²"},
        {"EventCode": 10**9},
        "none",
    ]
    expected = (ListedType(12005, "Loan"), ListedType(12006, "Home Loan"))
    assert read_types(answer(listed)) == TypesFound(expected)
    assert read_types(answer([])) == TypesFound(())


@pytest.mark.parametrize("content", [{}, None, "", {"List": []}, 5])
def test_what_is_no_list_of_types(content: Any) -> None:
    assert read_types(answer(content)) == ReadFailed(
        "HTTP 200, but the answer is no list of opportunity types"
    )


FAULT = {"Status": "Error", "ExceptionType": "MXSomethingException", "ExceptionMessage": "no"}
LIMIT = {"ExceptionMessage": "API calls exceeded the limit of 25 in 5 second(s)"}


def test_faults_are_what_they_are_everywhere() -> None:
    for found in (read_types(answer(FAULT, 500)), read_metadata(answer(FAULT, 500), 12005)):
        assert found == ReadFailed("MXSomethingException: no")
    for found in (read_types(answer(LIMIT, 429)), read_metadata(answer(LIMIT, 429), 12005)):
        assert isinstance(found, TooFast)
        assert (found.calls, found.seconds) == (25, 5.0)
    for found in (read_types(answer({}, 401)), read_metadata(answer({}, 401), 12005)):
        assert isinstance(found, NotAllowed)
    for found in (read_types(answer([], 503)), read_metadata(answer([], 503), 12005)):
        assert found == ReadFailed("HTTP 503", retry=True)


# --- one type


def test_a_type() -> None:
    found = read({"SchemaName": "Status"}, {"SchemaName": "ActivityEvent_Note"})
    assert (found.code, found.title) == (12005, "Loan")
    assert [one.name for one in found.fields] == ["Status"]
    assert found.left_out == ()


@pytest.mark.parametrize(
    "content",
    [
        {},
        [],
        None,
        {"EventCode": 12005},
        {"EventCode": 12005, "Fields": None},
        {"EventCode": 12005, "Fields": {}},
        {"Fields": []},
        {"EventCode": "x", "Fields": []},
    ],
)
def test_metadata_of_another_shape(content: Any) -> None:
    assert read_metadata(answer(content), 12005) == ReadFailed(
        "HTTP 200, but the answer describes no opportunity type"
    )


def test_metadata_of_another_type() -> None:
    assert read_metadata(of_fields(EventCode="12006"), 12005) == ReadFailed(
        "the CRM was asked for the type 12005 and describes 12006"
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (["none"], "one of the fields that the CRM tells of is no object"),
        (
            [{"SchemaName": "a"}, {"SchemaName": "a", "DataType": "Number"}],
            "the CRM tells of two fields a",
        ),
        (
            [{"SchemaName": "a", "Fields": [{"SchemaName": "b"}, {"SchemaName": "b"}]}],
            "the CRM tells of two fields b in a",
        ),
        ([{"SchemaName": "a", "Fields": {}}], "the sub-fields of a are no list, or too many"),
        (
            [{}] * (MOST_FIELDS + 1),
            f"the CRM tells of {MOST_FIELDS + 1:,} fields, the limit is {MOST_FIELDS:,}",
        ),
    ],
)
def test_metadata_that_cannot_be_understood(fields: list[Any], reason: str) -> None:
    assert read_metadata(of_fields(*fields), 12005) == ReadFailed(reason)


def test_a_field_with_everything() -> None:
    options = json.dumps([{"Value": "B", "Order": 2}, {"Value": "A", "Order": 1}])
    found = field(
        DisplayName="Source",
        DataType="Dropdown",
        IsMandatory=True,
        IsReadOnly="True",
        IsMultiSelectDropdown=1,
        IncludeOthersOption="1",
        IsEncrypted=True,
        MaxFieldLength="200",
        ParentField="Status",
        OptionSet=options,
    )
    assert found == FieldMetadata(
        name="a",
        title="Source",
        data_type="Dropdown",
        mandatory=True,
        read_only=True,
        masked=True,
        multi_select=True,
        others_allowed=True,
        max_length=200,
        options=("A", "B"),
        parent="Status",
    )


def test_a_field_of_which_nothing_is_told() -> None:
    empty = {"OptionSet": "", "DependentOptionSet": " ", "ParentField": "", "Fields": None}
    assert (
        field() == field(**empty) == field(MaxFieldLength=0, IsMasked=False) == FieldMetadata("a")
    )


@pytest.mark.parametrize("told", [-1, 0, True, 2.5, "", "x", "²", None, [], 10**9])
def test_what_is_no_length(told: Any) -> None:
    assert field(MaxFieldLength=told).max_length == 0


@pytest.mark.parametrize("told", [False, 0, "", "false", "no", None, [], {}, 2])
def test_what_is_no_switch(told: Any) -> None:
    assert not field(IsReadOnly=told).read_only


@pytest.mark.parametrize(
    "told",
    [
        {"Open": [{"Value": "New"}], "Won": ["Done", "Done"]},
        [
            {"ParentValue": "Open", "Value": "New"},
            {"ParentValue": "Won", "Value": "Done"},
        ],
    ],
)
@pytest.mark.parametrize("packed", [True, False])
def test_dependent_options_in_each_form(told: Any, packed: bool) -> None:
    found = field(DependentOptionSet=json.dumps(told) if packed else told, ParentField="Status")
    assert found.options_by_parent == {"Open": ("New",), "Won": ("Done",)}
    assert found.options == ("New", "Done")


LEFT_OUT: dict[str, tuple[Any, str]] = {
    "a name with a blank": (
        {"SchemaName": "mx Custom"},
        "the field 'mx Custom': no spec can name it",
    ),
    "a name with a line end": ({"SchemaName": "a\n"}, "the field 'a\\n': no spec can name it"),
    "no name": ({"SchemaName": None}, "the field without a name: no spec can name it"),
    "options that are no JSON": (
        {"SchemaName": "a", "OptionSet": "[{"},
        "the options of a: they cannot be read",
    ),
    "options that nest without end": (
        {"SchemaName": "a", "OptionSet": "[" * 100_000},
        "the options of a: they cannot be read",
    ),
    "options that are no list": (
        {"SchemaName": "a", "OptionSet": '{"b": "c"}'},
        "the options of a: they are no list",
    ),
    "an option of no text": (
        {"SchemaName": "a", "OptionSet": [{"Value": None}]},
        "an option of a: it is no text",
    ),
    "an option with a control character": (
        {"SchemaName": "a", "OptionSet": ["b\x00"]},
        "the option 'b\\x00' of a: it is not all visible",
    ),
    "options of no parent": (
        {"SchemaName": "a", "DependentOptionSet": [{"Value": "b"}]},
        "the dependent options of a: their form is not known",
    ),
    "options without end": (
        {"SchemaName": "a", "OptionSet": [str(number) for number in range(MOST_OPTIONS + 1)]},
        f"the options of a: {MOST_OPTIONS + 1:,}, more than {MOST_OPTIONS:,}",
    ),
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_what_no_spec_could_name_is_left_out_and_said(case: str) -> None:
    told, expected = LEFT_OUT[case]
    found = read(told)
    assert found.left_out == (expected,)
    assert all(one.options == () for one in found.fields)


def test_a_value_of_the_parent_that_no_spec_could_hold() -> None:
    told = {"Open": ["b"], "\ud800": ["c"], "\n": ["d"], "": ["e"], "Won": 5}
    assert field(DependentOptionSet=told).options_by_parent == {"Open": ("b",)}


def test_options_are_kept_as_they_are_written() -> None:
    odd = ["Invalid/ Junk", " x ", "a\u00a0b", "कर्ज़", "👨\u200d👩", "5"]
    assert field(OptionSet=[*odd, "", 5, "5"]).options == tuple(odd)


@pytest.mark.parametrize(
    ("told", "title"),
    [
        ("  A \t B\n", "A B"),
        ("\x1b[31mred", "[31mred"),
        ("a\u202eb\u200bc\ufeff", "a b c"),
        ("x" * 500, "x" * 200),
        ("\x00", ""),
        (None, ""),
        (5, ""),
    ],
)
def test_titles_stand_on_one_line(told: Any, title: str) -> None:
    assert title_of(told) == title


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS_OF_A_FIELD = st.sampled_from(
    ["SchemaName", "DisplayName", "OptionSet", "DependentOptionSet", "Fields", "MaxFieldLength",
     "ParentField", "IsMasked", "DataType"]
)  # fmt: skip
FIELDS = st.dictionaries(KEYS_OF_A_FIELD, JSON | JSON.map(json.dumps), max_size=6)


@settings(deadline=None, max_examples=60)
@given(st.lists(FIELDS | JSON, max_size=3))
def test_any_metadata_are_a_type_or_a_failure(fields: list[Any]) -> None:
    """And what is a type has a schema that can be read again."""
    found = read_metadata(of_fields(*fields), 12005)
    if isinstance(found, TypeMetadata):
        text = to_text(type_schema("test", found))
        assert isinstance(read_type("test", text.encode().decode(), "a"), OpportunityType)
    else:
        assert isinstance(found, ReadFailed)
