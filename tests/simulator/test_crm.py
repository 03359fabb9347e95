"""The account over time: people, lag, deletion."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lsq_sync.simulator.errors import SimulatorError
from tests.simulator.support import ONE, OTHER, Caller, decoded

NUMBER = "mx_Custom_6"
LEAD_LIST = "OpportunityManagement.svc/GetOpportunitiesOfLead"


def test_people_edit_at_their_time() -> None:
    edit = {"at": 50, "id": ONE.id, "field": NUMBER, "value": 777}
    caller = Caller(human_edits=[edit])
    assert caller.read(ONE.id, NUMBER, at=49.9) == ONE.fields[NUMBER]
    assert caller.read(ONE.id, NUMBER, at=50) == "777"


def test_an_edit_between_acceptance_and_work_is_overwritten() -> None:
    edit = {"at": 5, "id": ONE.id, "field": NUMBER, "value": "777"}
    caller = Caller(human_edits=[edit], queue={"delay_seconds": 10})
    caller.update(ONE, {NUMBER: "1"}, at=0)
    assert caller.read(ONE.id, NUMBER, at=9) == "777"
    assert caller.read(ONE.id, NUMBER, at=100) == "1"


def test_an_edit_after_the_work_stays_however_late_somebody_looks() -> None:
    edit = {"at": 20, "id": ONE.id, "field": NUMBER, "value": "777"}
    caller = Caller(human_edits=[edit], queue={"delay_seconds": 10})
    caller.update(ONE, {NUMBER: "1"}, at=0)
    assert caller.read(ONE.id, NUMBER, at=100) == "777"


def test_modified_by_tells_people_from_the_keys() -> None:
    edit = {"at": 20, "id": ONE.id, "field": NUMBER, "value": "777"}
    caller = Caller(human_edits=[edit])
    caller.update(ONE, {NUMBER: "1"}, at=0)
    assert caller.details(ONE.id, at=1)["ModifiedByName"] == "Asha Kumar"
    assert caller.details(ONE.id, at=21)["ModifiedByName"] == "Neha Bose"
    assert caller.detail(ONE.id, "ModifiedOn", at=21)["Value"] == "2026-08-31 08:38:20.000"


@pytest.mark.parametrize("edit", [{"id": "nobody", "field": NUMBER}, {"id": ONE.id, "field": "no"}])
def test_an_edit_of_what_the_account_does_not_have_is_an_error_at_once(
    edit: dict[str, str],
) -> None:
    with pytest.raises(SimulatorError, match="has no"):
        Caller(human_edits=[{"at": 1, "value": "x", **edit}])


def test_reads_lag_behind_a_success() -> None:
    caller = Caller(read_lag_seconds=8)
    request_id = caller.update(ONE, {NUMBER: "1"}, at=100)
    assert caller.word(request_id, at=100) == "Success"
    assert caller.read(ONE.id, NUMBER, at=107.9) == ONE.fields[NUMBER]
    assert caller.detail(ONE.id, NUMBER, at=107.9)["Value"] == ONE.fields[NUMBER]
    assert caller.read(ONE.id, NUMBER, at=108) == "1"


def test_lag_shows_each_of_many_changes_in_its_time() -> None:
    caller = Caller(read_lag_seconds=10)
    for number in range(5):
        caller.update(ONE, {NUMBER: str(number)}, at=100 + number)
    shown = [caller.read(ONE.id, NUMBER, at=110 + number) for number in range(5)]
    assert shown == ["0", "1", "2", "3", "4"]


def test_the_index_lags_more_than_the_record() -> None:
    caller = Caller(index_lag_seconds=300)
    caller.update(ONE, {NUMBER: "1"}, at=100)
    assert caller.read(ONE.id, NUMBER, at=101) == "1"

    def listed(at: float) -> object:
        rows = decoded(caller.post(LEAD_LIST, at=at, leadid=ONE.lead_id))["List"]
        return next(row for row in rows if row["OpportunityId"] == ONE.id)[NUMBER]

    assert listed(at=399) == ONE.fields[NUMBER]
    assert listed(at=400) == "1"


def test_a_deleted_opportunity() -> None:
    caller = Caller(deletions=[{"at": 10, "id": ONE.id}])
    assert caller.details(ONE.id, at=9)["ID"] == ONE.id
    gone = caller.get(
        "OpportunityManagement.svc/GetOpportunityDetails", at=10, opportunityid=ONE.id
    )
    assert (gone.status, decoded(gone)["ExceptionType"]) == (
        500,
        "MXUnknownProspectActivityException",
    )
    rows = caller.by_ids([ONE.id, OTHER.id], NUMBER, at=10)
    assert [row["ProspectActivityId"] for row in rows] == [OTHER.id]
    request_id = caller.update(ONE, {NUMBER: "1"}, at=11)
    assert caller.word(request_id, at=11) == "FAILURE"


def test_a_deletion_while_an_update_waits_makes_it_fail() -> None:
    caller = Caller(deletions=[{"at": 5, "id": ONE.id}], queue={"delay_seconds": 10})
    request_id = caller.update(ONE, {NUMBER: "1"}, at=0)
    assert caller.word(request_id, at=20) == "FAILURE"


TIMES = st.lists(st.floats(0, 100), min_size=1, max_size=8)


@given(TIMES, TIMES, TIMES)
@settings(deadline=None)
def test_how_often_it_is_asked_does_not_change_what_happens(
    updates: list[float], edits: list[float], questions: list[float]
) -> None:
    listed = [
        {"at": at, "id": ONE.id, "field": NUMBER, "value": number}
        for number, at in enumerate(edits)
    ]
    switches = {"human_edits": listed, "queue": {"delay_seconds": 7, "per_minute": 10}}
    quiet, asked = Caller(**switches), Caller(**switches)
    for at in sorted([*updates, *questions]):
        if at in updates:
            quiet.update(ONE, {NUMBER: f"{at}"}, at=at)
            asked.update(ONE, {NUMBER: f"{at}"}, at=at)
        asked.metrics(at=at)
    assert quiet.details(ONE.id, at=1000) == asked.details(ONE.id, at=1000)
