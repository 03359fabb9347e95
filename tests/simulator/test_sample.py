import json
import re

import pytest

from lsq_sync.simulator.account import OpportunityType
from lsq_sync.simulator.data import account_text
from lsq_sync.simulator.metadata import field_from, type_object
from lsq_sync.simulator.sample import INSURANCE_TYPE, LOAN_TYPE, sample_account
from lsq_sync.simulator.scenario import Answers
from lsq_sync.simulator.scenario_file import scenario_from
from tests.simulator.support import Caller

GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def test_same_seed_same_bytes() -> None:
    assert account_text(sample_account(50, 3)) == account_text(sample_account(50, 3))
    assert account_text(sample_account(50, 3)) != account_text(sample_account(50, 4))


def test_a_larger_account_begins_like_a_smaller_one() -> None:
    assert sample_account(50, 3).opportunities[:20] == sample_account(20, 3).opportunities


def test_ids_are_guids_and_differ() -> None:
    ids = [one.id for one in sample_account(500).opportunities]
    assert len(set(ids)) == 500
    assert all(GUID.fullmatch(one) for one in ids)


def test_there_are_loans_and_insurances() -> None:
    codes = [one.code for one in sample_account(200).opportunities]
    assert (codes.count(12005), codes.count(12006)) == (150, 50)


def test_every_sample_record_obeys_the_rules_of_its_own_account() -> None:
    account = sample_account(60, seed=11)
    types = {known.code: known for known in account.types}
    caller = Caller(account, rules={"unknown_user": "reject"})
    for one in account.opportunities:
        flat = {
            name: value
            for name, value in one.fields.items()
            if "~" not in name and not is_read_only(types[one.code], name)
        }
        assert caller.verdict(one, flat) == "Success"


def is_read_only(known: OpportunityType, name: str) -> bool:
    field = known.field(name)
    assert field is not None
    return field.is_read_only


LOAN_FIELDS = {
    "ActivityEvent_Note": "Notes",
    "mx_Custom_1": "Opportunity Name",
    "Status": "Status",
    "mx_Custom_2": "Stage",
    "Owner": "Owner",
    "mx_Custom_3": "Source",
    "mx_Custom_4": "Loss Reason",
    "mx_Custom_5": "Description",
    "mx_Custom_6": "Expected Deal Size",
    "mx_Custom_7": "Actual Deal Size",
    "mx_Custom_8": "Expected Closure Date",
    "mx_Custom_9": "Actual Closure Date",
    "mx_Custom_10": "Product",
    "mx_Custom_11": "Origin",
    "mx_Custom_12": "Mobile",
    "mx_Custom_13": "First EMI Date",
    "mx_Custom_14": "Documents Complete",
    "mx_Custom_15": "Documents Received",
    "mx_Custom_19": "Status Comment",
    "mx_Custom_20": "Loan Number",
    "mx_Custom_21": "Agreement",
    "mx_Custom_36": "Co-applicant",
    "CreatedOn": "Created On",
    "ModifiedOn": "Modified On",
    "CreatedBy": "Created By",
    "ModifiedBy": "Modified By",
}


def test_the_fields_of_a_loan_are_those_the_tutorials_speak_of() -> None:
    assert {one.schema_name: one.display_name for one in LOAN_TYPE.fields} == LOAN_FIELDS


@pytest.mark.parametrize("known", [LOAN_TYPE, INSURANCE_TYPE])
@pytest.mark.parametrize("style", ["by_parent", "list"])
def test_a_type_survives_its_own_metadata(known: OpportunityType, style: str) -> None:
    answers: Answers = scenario_from({"answers": {"dependent_option_set": style}}).answers
    described = json.loads(json.dumps(type_object(known, answers)))
    assert tuple(field_from(one) for one in described["Fields"]) == known.fields
