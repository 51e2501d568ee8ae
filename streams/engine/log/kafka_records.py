"""Records as the client's parser has them.

The client puts each record into a frozen dataclass of eleven fields before it hands it over, which takes as long as
all the rest of fetching it. The parsed record has all that the engine asks of a `Record`: offset, timestamp, key,
value, headers.
"""

from __future__ import annotations

from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult


def unwrapped(consumer: AIOKafkaConsumer) -> None:
    """What the consumer has fetched and not handed over comes as it was parsed. To be called before asking for it.

    What arrives only while it is waited for comes in the client's own form, which has the same attributes.
    """
    for result in consumer._fetcher._records.values():
        if type(result) is FetchResult and result.has_more():
            result._partition_records._consumer_record = _as_parsed


def _as_parsed(_: Any, record: Any) -> Any:
    return record
