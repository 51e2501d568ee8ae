"""Hands over records as the client's parser produces them.

The client copies each record into a frozen dataclass of eleven fields, which takes as long as all the rest of the
fetch. The parsed record already has everything that the engine needs of a `Record`: offset, timestamp, key, value,
headers.
"""

from __future__ import annotations

from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult


def hand_over_parsed(consumer: AIOKafkaConsumer) -> None:
    """Makes a started consumer hand over records as parsed, and pass over those that cannot be."""
    consumer._fetcher._records = _Fetched(consumer._fetcher._records)


class _Fetched(dict[Any, Any]):
    """What the client has fetched, by partition."""

    def __setitem__(self, partition: Any, result: Any) -> None:
        if type(result) is FetchResult:
            records = result._partition_records
            records._consumer_record = _as_parsed
            records.passes = True
        super().__setitem__(partition, result)


def _as_parsed(_: Any, record: Any) -> Any:
    return record
