"""A real Apache Kafka for the connected tests, one node, on this machine's loopback.

`choose` takes the first that there is: a broker named in `PARCELWATCH_TEST_BROKER`, a Docker engine, Java
with Maven. Where there is none it raises `NoBrokerError` with one line that says what to install: tests are
never skipped.
"""

from tests.kafka_broker.broker import Broker, BrokerError, GivenBroker, NotOursError
from tests.kafka_broker.choice import GIVEN, NoBrokerError, choose, missing, own
from tests.kafka_broker.traffic import Traffic

__all__ = [
    "GIVEN",
    "Broker",
    "BrokerError",
    "GivenBroker",
    "NoBrokerError",
    "NotOursError",
    "Traffic",
    "choose",
    "missing",
    "own",
]
