"""Hands over records as the client's parser produces them.

The client copies each record into a frozen dataclass of eleven fields, which takes as long as all the rest of the
fetch. The parsed record already has everything that the engine needs of a `Record`: offset, timestamp, key, value,
headers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchResult

from streams.engine.log.kafka_batches import Batched, in_batches

#: What changes how fetched records of a partition are handed over.
_Change = Callable[[Any], None]


def hand_over_parsed(consumer: AIOKafkaConsumer) -> None:
    """Makes a started consumer hand over records as parsed, and pass over those that cannot be."""
    _change(consumer, _parsed)


def hand_over_batched(consumer: AIOKafkaConsumer, make: Callable[[], Batched], most: int) -> None:
    """Makes a started consumer hand over sequences of about `most` records, and pass over those that cannot be read.

    `max_records` counts the sequences.
    """
    _change(consumer, partial(_batched, make, most))


def pass_over_unreadable(consumer: AIOKafkaConsumer) -> None:
    """Makes a started consumer pass over records that cannot be parsed; an `Unread` stands for them."""
    _change(consumer, lambda _: None)


def _change(consumer: AIOKafkaConsumer, change: _Change) -> None:
    consumer._fetcher._records = _Fetched(consumer._fetcher._records, change)


class _Fetched(dict[Any, Any]):
    """What the client has fetched, by partition."""

    def __init__(self, before: Mapping[Any, Any], change: _Change) -> None:
        super().__init__(before)
        self._change = change

    def __setitem__(self, partition: Any, result: Any) -> None:
        if type(result) is FetchResult:
            records = result._partition_records
            records.passes = True
            self._change(records)
        super().__setitem__(partition, result)


def _parsed(records: Any) -> None:
    records._consumer_record = _as_parsed


def _batched(make: Callable[[], Batched], most: int, records: Any) -> None:
    # In case not all of them can be read in batches.
    _parsed(records)
    records._records_iterator = in_batches(records, make, most)


def _as_parsed(_: Any, record: Any) -> Any:
    return record
