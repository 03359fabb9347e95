"""The CRM shuts the door in the middle of a run: no further sends, and no answer is lost."""

from pathlib import Path

import pytest

from tests.support.world import LOANS, new_world

ON_THEIR_WAY = 25
MANY = LOANS[: 2 * ON_THEIR_WAY]


@pytest.mark.parametrize("answer", ["unauthorized", "forbidden"])
def test_keys_that_stop_working_with_25_calls_on_their_way(tmp_path: Path, answer: str) -> None:
    """The first call goes out alone, then 25 at once; the refusal overtakes the other answers."""
    faults = [
        {"on": "submit", "call": 9, "do": answer},
        {"on": "submit", "every": 1, "do": "delay", "seconds": 0.5},
    ]
    limit = {"rate_limit": {"calls": ON_THEIR_WAY, "seconds": 0.1}}
    with new_world(tmp_path, {"faults": faults}, api=limit, account={"host": None}) as world:
        world.fields(*MANY, mx_Custom_6=1)
        ended = world.json("apply", "--yes", "--max-updates", "99", "--no-wait")
        assert ended.code == 1
        assert ended.document["error"]["code"] == "authentication"
        issued = {task.opportunity: task.request_id for task in world.crm.crm.tasks()}
        called = world.crm.crm.count("submit")
        assert 9 < called <= ON_THEIR_WAY + 1
        assert len(issued) == called - 1, "all but the refused one were accepted"
        told = {one["id"]: one["request_id"] for one in ended.document["opportunities"]}
        assert {key: request for key, request in told.items() if request} == issued
        recorded = {key: entry["pending"]["request_id"] for key, entry in world.entries.items()}
        assert recorded == issued
        assert ended.summary["unsent"] == len(MANY) - len(issued)
        assert ended.summary["unknown"] == 0
