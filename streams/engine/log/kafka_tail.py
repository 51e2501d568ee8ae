"""Follows changelogs on Kafka for standbys, by a consumer of its own outside the group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition as KafkaPartition

from streams.engine.log.interface import Rows, TopicPartition
from streams.engine.log.kafka_batches import Batched
from streams.engine.log.kafka_clients import errors, quietly
from streams.engine.log.kafka_rows import hand_over_batches, joined

#: Bytes that are fetched of one partition, and of all, and wait to be read.
_PARTITION_BYTES, _BYTES = 1 << 20, 8 << 20
#: Batches, as they were written, that are taken at once: of half a MiB at the most, or of one commit.
_BATCHES = 4


class KafkaTail:
    """Follows changelog partitions; see `streams.engine.log.interface.Tail`. `client`: options of the consumer.

    `make`: what reads records in their batches.
    """

    def __init__(self, client: Mapping[str, Any], make: Callable[[], Batched] | None) -> None:
        self._make = make
        self._positions: dict[KafkaPartition, int] = {}
        self._consumer = AIOKafkaConsumer(
            **{
                **client,
                "max_partition_fetch_bytes": _PARTITION_BYTES,
                "fetch_max_bytes": _BYTES,
            }
        )

    async def open(self) -> None:
        await self._consumer.start()
        hand_over_batches(self._consumer, self._make, most=1)

    def follow(self, positions: Mapping[TopicPartition, int]) -> None:
        self._positions = {KafkaPartition(*source): offset for source, offset in positions.items()}
        if not self._positions:
            self._consumer.unsubscribe()
            return
        self._consumer.assign([*self._positions])
        for partition, offset in self._positions.items():
            self._consumer.seek(partition, offset)

    async def read(self, seconds: float) -> Sequence[tuple[TopicPartition, Rows]]:
        if not self._positions:
            await asyncio.sleep(seconds)
            return []
        with errors("following changelogs", "Read"):
            fetched = await self._consumer.getmany(timeout_ms=int(seconds * 1000), max_records=_BATCHES)
        assignment = self._consumer._subscription.subscription.assignment
        found = []
        for partition, before in self._positions.items():
            # Past the records, or past markers alone, which are never handed over.
            position = int(assignment.state_value(partition).position)
            if position > before:
                self._positions[partition] = position
                found.append((TopicPartition(*partition), Rows(joined(fetched.get(partition, ())), position)))
        return found

    async def close(self) -> None:
        await quietly(self._consumer.stop())
