"""A server that is not there costs a few calls, and not one for each opportunity."""

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from lsq_sync.executor import _PROBES
from tests.support.world import World, new_world

OPPORTUNITIES = 1_000
LONG = os.environ.get("LSQ_SYNC_LONG") == "1"
MOST_CALLS = _PROBES + 1


@contextmanager
def nobody() -> Iterator[str]:
    """A port that refuses every connection."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@contextmanager
def no_such_name() -> Iterator[str]:
    yield "https://asyncapi-nowhere.invalid"


@contextmanager
def no_tls() -> Iterator[str]:
    """A server that answers the handshake with something else."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(2000)
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"https://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


DEAD: Sequence[Callable[[], AbstractContextManager[str]]] = (nobody, no_such_name, no_tls)


@pytest.fixture
def many(tmp_path: Path) -> Iterator[World]:
    """A workspace with a thousand updates to send, and nothing that reads."""
    with new_world(tmp_path, account={"host": None}) as world:
        keys = [f"5ca5b042-51ea-4699-b6f0-{number:012}" for number in range(OPPORTUNITIES)]
        world.fields(*keys, mx_Custom_6="1")
        yield world


@pytest.mark.parametrize("dead", DEAD if LONG else DEAD[:1])
def test_a_thousand_updates_cost_a_few_calls(
    many: World, dead: Callable[[], AbstractContextManager[str]]
) -> None:
    with dead() as url:
        many.environment["LSQ_ASYNC_HOST"] = url
        ended = many.apply("--max-updates", str(OPPORTUNITIES), code=1)
    assert 0 < ended.document["calls"]["send"] <= MOST_CALLS
    assert ended.summary == {
        "succeeded": 0, "rejected": 0, "pending": 0, "unknown": 0, "unsent": OPPORTUNITIES,
    }  # fmt: skip
    assert "could not be reached" in ended.document["error"]["message"]
    assert set(many.actions().values()) == {"update"}, "all of them are there for the next run"
