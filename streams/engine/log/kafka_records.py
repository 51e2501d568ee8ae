"""Records as the client's parser has them.

The client puts each record into a frozen dataclass of eleven fields before it hands it over, which takes as long as
all the rest of fetching it. The parsed record has all that the engine asks of a `Record`: offset, timestamp, key,
value, headers.
"""

from __future__ import annotations

from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult


def hand_over_parsed(consumer: AIOKafkaConsumer) -> None:
    """From now on the consumer, which has been started, hands records over as they were parsed."""
    consumer._fetcher._records = _Fetched(consumer._fetcher._records)


class _Fetched(dict[Any, Any]):
    """What the client has fetched, by partition."""

    def __setitem__(self, partition: Any, result: Any) -> None:
        if type(result) is FetchResult:
            result._partition_records._consumer_record = _as_parsed
        super().__setitem__(partition, result)


def _as_parsed(_: Any, record: Any) -> Any:
    return record
