"""Requests that no question can settle are settled by what the CRM shows; of many, most are."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from lsq_sync.core.answers import Done, NoVerdict, QueueMetrics, StatusAnswer, Waiting
from lsq_sync.core.events import Succeeded
from lsq_sync.core.state import OpenRequest, Payload, RunID
from lsq_sync.errors import NetworkError
from tests.support.clock import STARTED, VirtualClock
from tests.test_poller import QUEUED, World, opened, play

LOST = OpenRequest(Payload({"a": "1"}), RunID("run"), STARTED)
FORGOTTEN = NoVerdict("the CRM does not know the request")


@dataclass(slots=True)
class FakeReader:
    """Shows values from some moment on; `looks` are the moments and what was asked."""

    clock: VirtualClock
    shows: dict[str, float] = field(default_factory=dict)
    error: str = ""
    looks: list[tuple[float, list[str]]] = field(default_factory=list)

    async def read(self, keys: Collection[str]) -> Collection[str]:
        now = self.clock.monotonic()
        self.looks.append((now, list(keys)))
        if self.error:
            raise NetworkError(self.error)
        return {key for key in keys if now >= self.shows.get(key, 1e9)}


def test_a_lost_answer_is_looked_for_until_it_shows() -> None:
    async def scenario(world: World) -> None:
        reader = FakeReader(world.clock, {"lost": 7.0})
        await world.poller([("lost", LOST)], reader.read).until_settled(600.0)
        readers.append(reader)

    readers: list[FakeReader] = []
    world = play(scenario)
    moments = [at for at, _ in readers[0].looks]
    assert moments[0] == 0.0
    assert 7.0 <= moments[-1] == world.clock.monotonic() < 20.0
    assert world.crm.asked == []


def test_a_lost_answer_that_never_shows_is_not_waited_for_in_vain() -> None:
    async def scenario(world: World) -> None:
        reader = FakeReader(world.clock)
        await world.poller([("lost", LOST)], reader.read).until_settled(600.0)
        readers.append(reader)

    readers: list[FakeReader] = []
    world = play(scenario)
    assert 30.0 <= world.clock.monotonic() < 60.0
    assert 3 <= len(readers[0].looks) < 15


def test_one_that_is_in_doubt_is_looked_for_as_long_as_others_are_awaited() -> None:
    async def scenario(world: World) -> None:
        world.crm.answer = lambda _id, now: Done() if now >= 200.0 else QUEUED
        reader = FakeReader(world.clock, {"lost": 100.0})
        await world.poller([("lost", LOST), *opened(1)], reader.read).until_settled(600.0)
        readers.append(reader)

    readers: list[FakeReader] = []
    world = play(scenario)
    assert world.ledger.keys(Succeeded) == ["k0"]
    assert all(keys == ["lost"] for _, keys in readers[0].looks)
    assert readers[0].looks[-1][0] >= 100.0


def test_a_request_that_the_crm_does_not_know_is_read_back() -> None:
    def answer(request: str, _now: float) -> StatusAnswer:
        return FORGOTTEN if request == "r0" else Waiting("ERROR")

    async def scenario(world: World) -> None:
        world.crm.answer = answer
        reader = FakeReader(world.clock, {"k0": 0.0, "k1": 0.0})
        await world.poller(opened(2), reader.read).until_settled(300.0)
        readers.append(reader)
        assert set(world.findings.why_open) == {"k1"}

    readers: list[FakeReader] = []
    play(scenario)
    assert all(keys == ["k0"] for _, keys in readers[0].looks)


def test_of_many_requests_all_are_read_back_before_any_is_asked_about() -> None:
    async def scenario(world: World) -> None:
        shows = {f"k{number}": 0.0 for number in range(5, 500)}
        reader = FakeReader(world.clock, shows)
        await world.poller(opened(500), reader.read).until_settled(600.0)
        readers.append(reader)

    readers: list[FakeReader] = []
    world = play(scenario)
    assert [len(keys) for _, keys in readers[0].looks] == [500]
    assert sorted(world.crm.ids) == [f"r{number}" for number in range(5)]


def test_while_the_queue_is_long_only_what_may_be_through_is_read_and_hardly_any_is_asked() -> None:
    """5,000 requests at 60 a minute: one bulk read (of up to 2,000) a look, not one of all."""
    count, each = 5000, 1.0

    async def scenario(world: World) -> None:
        shows = {f"k{number}": (number + 1) * each for number in range(count)}
        reader = FakeReader(world.clock, shows)
        world.crm.queue = lambda now: QueueMetrics(max(0, count - int(now / each)), 0.0, 60.0)
        world.crm.answer = lambda request, now: (
            Done() if now >= shows[f"k{request[1:]}"] else QUEUED
        )
        await world.poller(opened(count), reader.read).until_settled(10_000.0)
        readers.append(reader)

    readers: list[FakeReader] = []
    world = play(scenario, debug=False)
    looks = readers[0].looks
    assert world.findings.why_open == {}
    assert world.clock.monotonic() < count * each + 120.0
    assert sum(len(keys) > 2000 for _, keys in looks) <= 3
    assert len(looks) < 120
    assert len(world.crm.asked) < 8 * len(looks)


def test_where_those_that_should_be_through_do_not_show_the_next_look_is_at_all() -> None:
    """The oldest are stuck between two tries of the CRM; the others are not left waiting."""

    async def scenario(world: World) -> None:
        shows = {f"k{number}": 0.0 for number in range(2000, 4500)}
        reader = FakeReader(world.clock, shows)
        world.crm.queue = lambda _now: QueueMetrics(2800, 0.0, 60.0)
        world.crm.answer = lambda _id, _now: QUEUED
        await world.poller(opened(4500), reader.read).until_settled(5.0)
        readers.append(reader)

    readers: list[FakeReader] = []
    play(scenario, debug=False)
    assert [len(keys) for _, keys in readers[0].looks[:3]] == [2000, 4500, 2000]


def test_just_sent_requests_are_given_time_first() -> None:
    async def scenario(world: World) -> None:
        world.crm.answer = lambda _id, now: Done() if now > 5.0 else QUEUED
        reader = FakeReader(world.clock)
        await world.poller([("lost", LOST), *opened(200)], reader.read, 2.0).until_settled(60.0)
        readers.append(reader)

    readers: list[FakeReader] = []
    play(scenario)
    assert readers[0].looks[0][0] >= 2.0


def test_a_read_that_fails_settles_nothing_and_is_not_repeated() -> None:
    async def scenario(world: World) -> None:
        reader = FakeReader(world.clock, error="HTTP 503")
        await world.poller([("lost", LOST), *opened(1)], reader.read).until_settled(600.0)
        readers.append(reader)

    readers: list[FakeReader] = []
    world = play(scenario)
    assert world.findings.unread == "HTTP 503"
    assert world.ledger.keys(Succeeded) == ["k0"]
    assert len(readers[0].looks) == 1


def test_without_reading_a_lost_answer_is_nothing_to_ask_about() -> None:
    world = play(lambda world: world.poller([("lost", LOST)]).until_settled(600.0))
    assert (world.clock.monotonic(), world.crm.asked) == (0.0, [])


def test_what_was_seen_and_has_no_id_is_not_looked_at_for_ever() -> None:
    seen = [(f"s{n}", replace(LOST, seen=True)) for n in range(150)]

    async def scenario(world: World) -> None:
        reader = FakeReader(world.clock)
        await world.poller(seen, reader.read).until_settled(600.0)
        assert reader.looks == []

    play(scenario)
