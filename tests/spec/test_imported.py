"""Opportunities of the CRM as a spec: what is written, and what cannot be."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lsq_sync.core.importing import Draft, LeftOut
from lsq_sync.core.model import LiveOpportunity
from lsq_sync.core.state import NOTE
from lsq_sync.core.values import ValueRules
from lsq_sync.errors import Diagnostic, Origin
from lsq_sync.spec.build import Built
from lsq_sync.spec.imported import Target, checked, draft_of, new_spec
from lsq_sync.spec.read import built_from
from lsq_sync.spec.types import OpportunityType, read_type
from tests.spec.support import FILE, GUID, LOAN, workspace

OTHER = "5ca5b042-51ea-4699-b6f0-84c40ab12771"
Read = Callable[[bytes], Built]


@pytest.fixture
def target() -> Target:
    kind = read_type("loan", LOAN.read_text("utf-8"), "loan")
    assert isinstance(kind, OpportunityType)
    return Target(12005, kind, ValueRules())


@pytest.fixture
def read(tmp_path: Path) -> Read:
    workspace(tmp_path, {})
    return lambda data: built_from(tmp_path, data, FILE, "schemas", ValueRules())


def _live(note: str | None = None, **fields: str | None) -> LiveOpportunity:
    return LiveOpportunity(fields, note)


def _draft(target: Target, live: LiveOpportunity, key: str = GUID) -> Draft:
    return draft_of(key, live, (*live.fields, NOTE), "A label", target, empty=())


def test_a_new_spec_has_a_modeline_a_legend_and_an_opportunity_a_paragraph(target: Target) -> None:
    drafts = [
        Draft(GUID, "Acme: home loan", {"mx_Custom_6": "200000", "mx_Custom_15": "PAN;Form 16"}),
        Draft(OTHER, "", {NOTE: "one\ntwo", "mx_Custom_36~mx_CustomObject_1": "NO"}),
    ]
    assert new_spec(drafts, target, "specs/deep/loan.yaml", "schemas").splitlines() == [
        "# yaml-language-server: $schema=../../schemas/types/loan.schema.json",
        "#",
        "# Imported from the CRM. What is not named here is left alone.",
        "#",
        "#   mx_Custom_6                     Expected Deal Size",
        "#   mx_Custom_15                    Documents Received",
        "#   mx_Custom_36~mx_CustomObject_1  Co-applicant: Name",
        "version: 1",
        "type: loan",
        "",
        "opportunities:",
        f"  {GUID}:",
        '    label: "Acme: home loan"',
        "    fields:",
        "      mx_Custom_6: 200000",
        "      mx_Custom_15: [PAN, Form 16]",
        "",
        f"  {OTHER}:",
        "    note: |-",
        "      one",
        "      two",
        "    fields:",
        "      mx_Custom_36:",
        '        mx_CustomObject_1: "NO"',
    ]


def test_a_label_is_one_line_without_anything_invisible(target: Target) -> None:
    draft = draft_of(GUID, _live(), (), " a\r\n\tb\u202e\x1b[31m" + "x" * 999, target, ())
    assert draft.label.startswith("a b[31mx")
    assert len(draft.label) == 200


def test_what_is_empty_is_written_only_where_it_is_asked_for(target: Target) -> None:
    live = _live(mx_Custom_4="", mx_Custom_8="0001-01-01 00:00:00", mx_Custom_5=None)
    names = tuple(live.fields)
    assert draft_of(GUID, live, names, "", target, ()).values == {}
    assert draft_of(GUID, live, names, "", target, {"mx_Custom_8"}).values == {"mx_Custom_8": None}


def test_values_that_the_type_refuses_go_and_the_others_stay(target: Target, read: Read) -> None:
    live = {
        GUID: _live("a\x07", mx_Custom_6="many", mx_Custom_3="Gone", mx_Custom_4="x" * 201),
        OTHER: _live("fine", Status="Open", mx_Custom_15="PAN;Gone", mx_Custom_4="good"),
    }
    done = checked([_draft(target, one, key) for key, one in live.items()], live, target, read)
    assert {(left.key, left.name) for left in done.left_out} == {
        (GUID, NOTE),
        (GUID, "mx_Custom_6"),
        (GUID, "mx_Custom_3"),
        (GUID, "mx_Custom_4"),
        (OTHER, "mx_Custom_15"),
    }
    (kept,) = done.drafts
    assert kept.values == {"Status": "Open", "mx_Custom_4": "good", NOTE: "fine"}
    assert done.meant[OTHER].values == {"Status": "Open", "mx_Custom_4": "good"}


@pytest.mark.parametrize("text", ["XXXXXXXX", "***", "XXXXXX1234", "a\ud800b"])
def test_masked_and_broken_text_goes(target: Target, read: Read, text: str) -> None:
    live = {GUID: _live(mx_Custom_4=text, mx_Custom_6="1")}
    done = checked([_draft(target, live[GUID])], live, target, read)
    assert [left.name for left in done.left_out] == ["mx_Custom_4"]
    assert done.drafts[0].values == {"mx_Custom_6": "1"}


def test_what_reads_back_as_something_else_goes(target: Target, read: Read) -> None:
    live = {GUID: _live("n", mx_Custom_4="x", mx_Custom_6="1")}

    def misread(data: bytes) -> Built:
        built = read(data)
        (one,) = built.opportunities
        fields = tuple(
            field._replace(value="other") if field.name == "mx_Custom_4" else field
            for field in one.fields
        )
        note = one.note and replace(one.note, value="other")
        return replace(built, opportunities=(one._replace(fields=fields, note=note),))

    done = checked([_draft(target, live[GUID])], live, target, misread)
    assert {left.name for left in done.left_out} == {"mx_Custom_4", NOTE}
    assert done.drafts[0].values == {"mx_Custom_6": "1"}


def test_a_problem_that_is_in_no_single_value_keeps_the_opportunity_out(target: Target) -> None:
    live = {GUID: _live(mx_Custom_6="1")}

    def read(data: bytes) -> Built:
        line = data.decode().split(GUID)[0].count("\n") + 1
        return Built((), (Diagnostic(Origin(FILE, line, 3), "x", "bad key"),))

    done = checked([_draft(target, live[GUID])], live, target, read)
    assert (done.drafts, done.left_out) == ((), (LeftOut(GUID, "", "bad key"),))
