"""What systemd is told of a worker."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from streams.worker.supervisor import Supervisor
from tests.patience import PATIENCE


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listening


def test_it_lives_from_the_start_and_is_ready_once(told: socket.socket) -> None:
    supervisor = Supervisor()
    supervisor.alive(False)
    assert told.recv(100) == b"WATCHDOG=1"
    for ready in (True, False, True):
        supervisor.alive(ready)
    assert told.recv(100) == b"READY=1"
    supervisor.ends()
    assert told.recv(100) == b"STOPPING=1"
    supervisor.alive(True)
    told.setblocking(False)
    with pytest.raises(BlockingIOError):
        told.recv(100)


def test_nobody_has_to_listen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for address in ("", str(tmp_path / "nobody"), "@nobody"):
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        supervisor = Supervisor()
        supervisor.alive(True)
        supervisor.ends()
