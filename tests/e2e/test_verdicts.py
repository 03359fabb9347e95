"""Verdicts as people meet them: what contradicts itself is told."""

from tests.support.world import LOANS, World

ONE = LOANS[0]


def test_a_failure_after_its_values_were_read_back_is_told_with_the_contradiction(
    world: World,
) -> None:
    world.scenario(queue={"delay_seconds": 3600}, rejects=[{}])
    world.fields(ONE, mx_Custom_6=180000)
    world.apply("--no-wait")
    world.crm.change(ONE, "mx_Custom_6", "180000")
    world.run("apply", "--yes", "--refresh")  # reads back that it is there
    assert world.entries[ONE]["pending"]["seen"] is True
    world.crm.skip(3700)
    ended = world.run("status")
    assert ended.code == 3
    assert "although its values were read back before: they are in the CRM" in ended.out
    assert "although" in world.entries[ONE]["request"]["reason"]
    assert world.entries[ONE]["fields"] == {"mx_Custom_6": "180000"}
    world.assert_nothing_to_do()


def test_a_success_that_does_not_show_is_told_with_the_contradiction(world: World) -> None:
    world.scenario(lost_updates=[{}])
    world.fields(ONE, mx_Custom_6=180000)
    ended = world.run("apply", "--yes")
    assert ended.code == 0
    assert "Succeeded, but the values are not visible in the CRM" in ended.out
    assert world.json("results").document["opportunities"][0]["verified"] is False
