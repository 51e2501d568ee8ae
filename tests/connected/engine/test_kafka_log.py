"""The log on Kafka keeps the contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from streams.engine.log.interface import TopicPartition
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from tests.kafka_broker import Broker
from tests.unit.engine.log_contract import LogContract


class KafkaBench:
    def __init__(self, kafka: Broker) -> None:
        self.kafka = kafka
        self.log = KafkaLog(KafkaSettings(bootstrap=kafka.bootstrap))

    async def make(self, topic: str, partitions: int) -> None:
        await self.kafka.create_topics({topic: partitions})

    async def produce(self, source: TopicPartition, values: Sequence[bytes]) -> None:
        await self.kafka.produce(source.topic, [(None, value) for value in values], partition=source.partition)


class TestKafkaLog(LogContract):
    @pytest.fixture
    async def bench(self, kafka: Broker) -> AsyncIterator[KafkaBench]:
        bench = KafkaBench(kafka)
        await bench.log.start()
        yield bench
        await bench.log.stop()
