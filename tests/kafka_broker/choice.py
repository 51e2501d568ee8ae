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


def own(folder: Path) -> Broker:
    """A broker that the tests may stop, kill and pause, not started yet. Raises `NoBrokerError`."""
    no_engine = container.missing()
    if no_engine is None:
        return container.ContainerBroker()
    no_java = java.missing()
    if no_java is None:
        return java.JavaBroker(folder)
    raise NoBrokerError(
        f"no Kafka for the connected tests ({no_engine}; {no_java}): name one in {GIVEN}=HOST:PORT, "
        f"start a Docker engine, or install Java {java.MINIMUM_JAVA} and Maven"
    )
