"""Which partition a key goes to: the choice of Kafka's Java client."""

from __future__ import annotations

from aiokafka.partitioner import murmur2


def partition_for(key: bytes, partitions: int) -> int:
    """The partition of `key` among `partitions`: murmur2, as every Java producer does it."""
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)
