"""Reads a broker's input topics, as they were when the command started, as a replay's input.

Records of a partition stay in order; partitions are merged by event time, like the files of a folder
(`streams.replay.reading`). Events that a worker would reject because of their record (its key, partition or timestamp)
are marked as invalid.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from heapq import heappop, heappush
from typing import Any

from schemas.decode import Invalid, Reason, decode
from schemas.events import record_key
from schemas.topics import PLAIN, TopicNames
from streams.engine.log.interface import TopicPartition
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.log.kafka_spans import KafkaSpans
from streams.engine.processor import Record
from streams.replay.reading import TOPICS, Line, MissingInput, time_of
from streams.stages.intake import Partitioner

#: Keys whose partition is remembered.
_KEYS = 200_000


class BrokerInput:
    """Reads from the beginning to the end as of its opening, any number of times. A context manager.

    `client`: arguments for every Kafka client (security). Raises `LogError` if the broker fails, `FatalError` if it
    refuses the client, `MissingInput` if it has none of the topics.
    """

    def __init__(
        self, bootstrap: str, partitioner: Partitioner, client: Mapping[str, Any], topics: TopicNames = PLAIN
    ) -> None:
        self._settings = KafkaSettings(bootstrap=bootstrap, client=client)
        self._partition_of = lru_cache(_KEYS)(partitioner)
        #: What the topics are called there, and what the program knows each by.
        self._topics = topics.all(TOPICS)
        self._names = dict(zip(self._topics, TOPICS, strict=True))
        self._loop = asyncio.Runner()
        self._partitions: dict[str, int] = {}
        self._spans: dict[TopicPartition, tuple[int, int]] = {}
        #: What is no event for the record around it: found by the first reading.
        self._unfit: dict[tuple[TopicPartition, int], Invalid] = {}
        self._checked = False

    def __enter__(self) -> BrokerInput:
        self._loop.__enter__()
        try:
            self._loop.run(self._open())
        except BaseException:
            self._loop.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.close()

    @property
    def size(self) -> int:
        """The number of offsets that one reading covers."""
        return sum(end - begin for begin, end in self._spans.values())

    def lines(self, progress: Callable[[int], None] | None = None) -> Iterator[Line]:
        """All records. `progress` is called with the number of offsets read."""
        reader = KafkaSpans(self._settings, self._spans, passes=True)
        try:
            self._loop.run(reader.open())
            for source, record in self._merged(reader, progress):
                if record.value is None:
                    continue
                unfit = self._check(source, record, record.value)
                reason, detail = (unfit.reason, unfit.detail) if unfit is not None else (None, "")
                yield Line(record.offset, self._names[source.topic], record.value, reason, detail, source.partition)
            self._checked = True
        finally:
            self._loop.run(reader.close())

    async def _open(self) -> None:
        log = KafkaLog(self._settings)
        try:
            await log.start()
            self._partitions = await log.partitions(self._topics)
            if not self._partitions:
                raise MissingInput(f"{self._settings.bootstrap}: has none of the topics {', '.join(self._topics)}")
            sources = [
                TopicPartition(topic, each) for topic, count in self._partitions.items() for each in range(count)
            ]
            begin, end = await log.begin_offsets(sources), await log.stable_offsets(sources)
            self._spans = {source: (begin[source], end[source]) for source in sources}
        finally:
            await log.stop()

    def _merged(
        self, reader: KafkaSpans, progress: Callable[[int], None] | None
    ) -> Iterator[tuple[TopicPartition, Record]]:
        positions = {source: begin for source, (begin, _) in self._spans.items()}
        waiting: dict[TopicPartition, deque[Record]] = {source: deque() for source in self._spans}
        heads: list[tuple[int, int, int, Record]] = []
        #: Partitions of which no head is known.
        headless = set(self._spans)
        sources = {(self._topics.index(source.topic), source.partition): source for source in self._spans}
        while True:
            while headless:
                headless -= {source for source in headless if not waiting[source] and source in reader.ended}
                for source in [source for source in headless if waiting[source]]:
                    record = waiting[source].popleft()
                    order = self._topics.index(source.topic)
                    heappush(heads, (time_of(record.value or b""), order, source.partition, record))
                    headless.discard(source)
                if headless:
                    _fill(self._loop, reader, headless, waiting, positions, progress)
            if not heads:
                return
            _, order, partition, record = heappop(heads)
            source = sources[order, partition]
            headless.add(source)
            yield source, record

    def _check(self, source: TopicPartition, record: Record, value: bytes) -> Invalid | None:
        if self._checked:
            return self._unfit.get((source, record.offset))
        try:
            event, _ = decode(
                self._names[source.topic], value, record.timestamp * 1000 if record.timestamp > 0 else None
            )
            key = record_key(event).encode()
            if record.key != key:
                raise Invalid(Reason.WRONG_KEY, "the record's key is not the one that its event asks for")
            if self._partition_of(key, self._partitions[source.topic]) != source.partition:
                raise Invalid(Reason.WRONG_PARTITION, f"the key belongs to another partition than {source.partition}")
        except Invalid as invalid:
            self._unfit[source, record.offset] = invalid
            return invalid
        return None


def _fill(
    loop: asyncio.Runner,
    reader: KafkaSpans,
    headless: set[TopicPartition],
    waiting: Mapping[TopicPartition, deque[Record]],
    positions: dict[TopicPartition, int],
    progress: Callable[[int], None] | None,
) -> None:
    """Waits for more of at least one of the partitions."""
    for fetched in loop.run(reader.read(headless)):
        waiting[fetched.source].extend(fetched.records)
        if progress is not None:
            progress(fetched.next - positions[fetched.source])
        positions[fetched.source] = fetched.next
