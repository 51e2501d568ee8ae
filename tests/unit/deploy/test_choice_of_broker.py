"""Which broker the connected tests take, and the container that they would run, without starting any."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from tests.kafka_broker import GIVEN, GivenBroker, NoBrokerError, NotOursError, choose
from tests.kafka_broker.container import IMAGE, run_command


async def test_a_broker_that_is_named_is_taken_and_never_stopped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(GIVEN, "localhost:19092")
    broker = choose(tmp_path)
    assert isinstance(broker, GivenBroker)
    assert broker.bootstrap == "localhost:19092"
    with pytest.raises(NotOursError):
        await broker.kill()
    with pytest.raises(NotOursError):
        await broker.stop()
    with pytest.raises(NotOursError):
        broker.pause()


def test_a_machine_with_nothing_is_told_in_one_line_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(GIVEN, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBrokerError, match=r"no docker; no java and no mvn.*install Java 17 and Maven") as told:
        choose(tmp_path)
    assert "\n" not in str(told.value)


def test_the_container_is_reached_from_this_machine_alone_at_the_port_that_it_advertises() -> None:
    command = run_command("name", 23456, 23457)
    pairs = list(pairwise(command))
    assert ("--publish", "127.0.0.1:23456:23456") in pairs
    assert ("--publish", "127.0.0.1:23457:23457") in pairs
    advertised = "PLAINTEXT://127.0.0.1:23456,SECURED://127.0.0.1:23457"
    assert ("--env", f"KAFKA_ADVERTISED_LISTENERS={advertised}") in pairs
    assert ("--env", "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR=1") in pairs
    assert command[-1] == IMAGE
