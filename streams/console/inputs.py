"""The input topics as they are now, for a timeline: of a broker, or of the log in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from heapq import merge
from typing import Any, NamedTuple

from schemas.topics import TopicNames
from streams.engine.log.interface import TopicPartition
from streams.engine.log.memory import MemoryLog
from streams.engine.processor import Record
from streams.explain.broker import BrokerInput
from streams.replay.reading import TOPICS, Line, time_of
from streams.stages.intake import Partitioner

#: Called with the number of records read since the last call.
Progress = Callable[[int], None]


class Input(NamedTuple):
    """An input that can be read any number of times. `size`: how many records one reading covers, about."""

    lines: Callable[[Progress], Iterator[Line]]
    size: int


#: Opens the inputs as of now. May raise `LogError`, `FatalError` and `MissingInput`.
Inputs = Callable[[], AbstractContextManager[Input]]


def kafka_inputs(bootstrap: str, partitioner: Partitioner, client: Mapping[str, Any], topics: TopicNames) -> Inputs:
    """Those of a broker, as `explain --broker` reads them."""

    @contextmanager
    def opened() -> Iterator[Input]:
        with BrokerInput(bootstrap, partitioner, client, topics) as found:
            yield Input(found.lines, found.size)

    return opened


def _lines(topic: str, source: TopicPartition, records: Sequence[Record]) -> Iterator[Line]:
    return (Line(record.offset, topic, record.value, partition=source.partition) for record in records)


def memory_inputs(log: MemoryLog, partitions: int) -> Inputs:
    """Those of a log in memory, with so many partitions a topic; what has been truncated is not told of."""

    @contextmanager
    def opened() -> Iterator[Input]:
        sources = [(topic, TopicPartition(topic, number)) for topic in TOPICS for number in range(partitions)]
        held = [(topic, source, log.read(source, 0, 1 << 60).records) for topic, source in sources]

        def lines(progress: Progress) -> Iterator[Line]:
            # The partitions' heads by time, as a replay merges files.
            for line in merge(*(_lines(*part) for part in held), key=lambda line: time_of(line.value or b"")):
                progress(1)
                yield line

        yield Input(lines, sum(len(records) for *_, records in held))

    return opened
