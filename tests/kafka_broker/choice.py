"""Which broker the tests use."""

from __future__ import annotations

import os
from pathlib import Path

from tests.kafka_broker import container, java
from tests.kafka_broker.broker import Broker, GivenBroker

#: The environment variable that names a broker, "HOST:PORT". The tests create and delete topics on it.
GIVEN = "PARCELWATCH_TEST_BROKER"


class NoBrokerError(RuntimeError):
    """This machine can neither reach nor start a broker."""


def choose(folder: Path) -> Broker:
    """The broker named in the environment, else one of our own, not started yet. Raises `NoBrokerError`.

    `folder` is empty or absent, and takes the data and the log of a broker of our own.
    """
    given = os.environ.get(GIVEN)
    return GivenBroker(given) if given else own(folder)


def missing() -> str | None:
    """Why no broker can be had here, or None. It starts none and makes nothing."""
    if os.environ.get(GIVEN):
        return None
    return None if container.missing() is None or java.missing() is None else _lacking()


def _lacking() -> str:
    return (
        f"no Kafka for the connected tests ({container.missing()}; {java.missing()}): name one in {GIVEN}=HOST:PORT, "
        f"start a Docker engine, or install Java {java.MINIMUM_JAVA} and Maven"
    )


def own(folder: Path) -> Broker:
    """A broker that the tests may stop, kill and pause, not started yet. Raises `NoBrokerError`."""
    if container.missing() is None:
        return container.ContainerBroker()
    if java.missing() is None:
        return java.JavaBroker(folder)
    raise NoBrokerError(_lacking())
