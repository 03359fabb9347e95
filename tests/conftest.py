"""Guards that are always on: no network but loopback, no home folder, no keys of the developer."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# How fast examples are made and tried says something of the machine only. The same examples every
# time, so that a change is judged by what it changes; the long sweeps look for new ones.
_UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("here", _UNTIMED, derandomize=True)
settings.register_profile("long", _UNTIMED, max_examples=1000)
settings.load_profile("long" if os.environ.get("LSQ_SYNC_LONG") else "here")

_LOOPBACK = {"127.0.0.1", "::1", "localhost", "", None}


@pytest.fixture(autouse=True)
def _only_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test that reaches for the network fails, and says where it wanted to go."""
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in _LOOPBACK:
            raise AssertionError(f"a test reached for {address}")
        connect(self, address)

    def guarded_resolve(host: Any, *rest: Any, **more: Any) -> Any:
        if host not in _LOOPBACK and not str(host).endswith(".invalid"):
            raise AssertionError(f"a test looked up {host}")
        return resolve(host, *rest, **more)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_resolve)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the developer's keys nor files of the home folder get into a test."""
    for name in list(os.environ):
        if name.startswith("LSQ_") and name not in ("LSQ_SYNC_LONG", "LSQ_SYNC_UPDATE"):
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
