"""Hands over records as the client's parser produces them.

The client copies each record into a frozen dataclass of eleven fields, which takes as long as all the rest of the
fetch. The parsed record already has everything that the engine needs of a `Record`: offset, timestamp, key, value,
headers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult


def hand_over_parsed(consumer: AIOKafkaConsumer) -> None:
    """Makes a started consumer hand over records as parsed, and pass over those that cannot be."""
    consumer._fetcher._records = _Fetched(consumer._fetcher._records, as_parsed=True)


def pass_over_unreadable(consumer: AIOKafkaConsumer) -> None:
    """Makes a started consumer pass over records that cannot be parsed; an `Unread` stands for them."""
    consumer._fetcher._records = _Fetched(consumer._fetcher._records, as_parsed=False)


class _Fetched(dict[Any, Any]):
    """What the client has fetched, by partition."""

    def __init__(self, before: Mapping[Any, Any], *, as_parsed: bool) -> None:
        super().__init__(before)
        self._as_parsed = as_parsed

    def __setitem__(self, partition: Any, result: Any) -> None:
        if type(result) is FetchResult:
            records = result._partition_records
            records.passes = True
            if self._as_parsed:
                records._consumer_record = _as_parsed
        super().__setitem__(partition, result)


def _as_parsed(_: Any, record: Any) -> Any:
    return record
