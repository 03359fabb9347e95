"""Which field a reason is about."""

import pytest

from lsq_sync.core.blame import Suspect, blamed

SENT = (
    Suspect("mx_Custom_1", "Opportunity Name"),
    Suspect("mx_Custom_19", "Status Comment"),
    Suspect("mx_Custom_36~mx_CustomObject_1", "Nominee"),
    Suspect("OpportunityNote", "Note"),
)
REASONS = [
    ("Field name : 'mx_Custom_19' of datatype : 'String' is mandatory.", "mx_Custom_19"),
    ("mx_custom_1 is too long", "mx_Custom_1"),
    ("mx_Custom_190 is unknown", None),
    ("The Status Comment is mandatory", "mx_Custom_19"),
    ("mx_Custom_1: the Status Comment", "mx_Custom_1"),
    ("mx_CustomObject_1 is no number", "mx_Custom_36~mx_CustomObject_1"),
    ("mx_Custom_36 cannot be parsed", "mx_Custom_36~mx_CustomObject_1"),
    ("Activity does not exist.", None),
    ("", None),
]


@pytest.mark.parametrize(("reason", "name"), REASONS)
def test_the_field_that_a_reason_names(reason: str, name: str | None) -> None:
    found = blamed(reason, SENT)
    assert (found.name if found else None) == name


def test_a_name_is_no_pattern() -> None:
    assert blamed("aXb", [Suspect("a.b")]) is None
    assert blamed("anything", []) is None
