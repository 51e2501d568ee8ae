"""The brokers: topics, transaction coordinators, and what consumer groups have committed.

Modelled on Apache Kafka 4.1 as far as a worker can tell; docs/reliability-model.md has the assumptions. Every method is
one step of a broker. What takes several steps in Kafka does here, too: a transaction's end is decided, and then its
markers reach one partition after the other, and the group's offsets.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random

from streams.engine.errors import FatalError, FencedError, LogError
from streams.engine.log.interface import Committed, Topic, TopicPartition, TopicSpec
from streams.engine.partitioner import partition_for
from tests.simulation.group import Group
from tests.simulation.loop import SimulatedLoop
from tests.simulation.partitions import Partition, Row
from tests.simulation.virtual_time import EPOCH


class Busy(Exception):
    """The last transaction is still being ended: ask again."""


@dataclass(slots=True)
class Transactional:
    """What the coordinator knows of one transactional id. `ending`: its markers are under way."""

    epoch: int = -1
    number: int = 0
    ending: bool = False
    partitions: set[TopicPartition] = field(default_factory=set)
    offsets: dict[str, dict[TopicPartition, Committed]] = field(default_factory=dict)
    #: What has been written by this epoch: a batch that is sent again is not written again.
    batches: dict[int, dict[TopicPartition, int]] = field(default_factory=dict)
    #: The epoch and the number of the transaction that its own producer ended last.
    ended: tuple[int, int, bool] | None = None


class Broker:
    """All brokers of a cluster."""

    def __init__(self, loop: SimulatedLoop, random: Random, transaction_timeout: float, lag: float) -> None:
        self._loop = loop
        self._random = random
        self._timeout = transaction_timeout
        self._lag = lag
        self._numbers = itertools.count(1)
        self._topics: dict[str, list[Partition]] = {}
        self._ids: dict[str, bytes] = {}
        self.configs: dict[str, Mapping[str, str]] = {}
        self.producers: dict[str, Transactional] = {}
        self.offsets: dict[str, dict[TopicPartition, Committed]] = {}
        self.groups: dict[str, Group] = {}
        self._waiting: list[Callable[[], None]] = []

    # -- topics

    def make(self, topic: str, partitions: int) -> None:
        if topic not in self._topics:
            self._topics[topic] = [Partition(TopicPartition(topic, each)) for each in range(partitions)]
            self._ids[topic] = self._random.randbytes(16)

    def create(self, specs: Sequence[TopicSpec]) -> None:
        for spec in specs:
            self.make(spec.topic, spec.partitions)
            self.configs.setdefault(spec.topic, spec.config)

    def describe(self, topics: Collection[str]) -> dict[str, Topic]:
        known = self._topics
        return {topic: Topic(self._ids[topic], len(known[topic])) for topic in sorted(topics) if topic in known}

    def count(self, topic: str) -> int:
        if topic not in self._topics:
            raise FatalError(f"topic {topic} does not exist, and there is something to be written to it")
        return len(self._topics[topic])

    def partition(self, source: TopicPartition) -> Partition:
        try:
            return self._topics[source.topic][source.partition]
        except (KeyError, IndexError):
            raise LogError(f"{source.topic}-{source.partition} does not exist") from None

    def now(self) -> int:
        """Milliseconds."""
        return int((EPOCH + self._loop.time()) * 1000)

    # -- without transactions

    def append(
        self, topic: str, key: bytes | None, value: bytes | None, partition: int | None = None
    ) -> tuple[TopicPartition, int]:
        if partition is None:
            partition = 0 if key is None else partition_for(key, len(self._topics[topic]))
        source = TopicPartition(topic, partition)
        offset = self.partition(source).append([(key, value, ())], self.now())
        self.wake()
        return source, offset

    # -- transactions

    def init(self, name: str) -> int:
        """A new producer of a transactional id: ends what an earlier one has left open, and fences it."""
        producer = self.producers.setdefault(name, Transactional())
        if producer.ending:
            raise Busy
        if producer.number:
            producer.epoch += 1
            self._end(name, producer, commit=False)
            raise Busy
        producer.epoch += 1
        producer.batches, producer.ended = {}, None
        self._loop.note(f"init {name} {producer.epoch}")
        return producer.epoch

    def _current(self, name: str, epoch: int) -> Transactional:
        producer = self.producers[name]
        if producer.epoch != epoch:
            raise FencedError(f"{name}: epoch {epoch} is fenced by {producer.epoch}")
        if producer.ending:
            raise Busy
        return producer

    def add(self, name: str, epoch: int, partitions: Collection[TopicPartition]) -> None:
        """Adds partitions to the transaction, which this may begin."""
        producer = self._current(name, epoch)
        self._begin(name, producer)
        producer.partitions.update(partitions)

    def _begin(self, name: str, producer: Transactional) -> None:
        if not producer.number:
            producer.number = next(self._numbers)
            self._loop.later(self._timeout, self._expire, name, producer.number)

    def _expire(self, name: str, number: int) -> None:
        producer = self.producers[name]
        if producer.number == number and not producer.ending:
            self._loop.note(f"expire {name}")
            producer.epoch += 1
            self._end(name, producer, commit=False)

    def produce(
        self, name: str, epoch: int, batch: int, rows: Mapping[TopicPartition, Sequence[Row]]
    ) -> dict[TopicPartition, int]:
        """Returns the first offset in each partition. `batch` numbers what one epoch sends: repeats are dropped."""
        producer = self._current(name, epoch)
        if batch in producer.batches:
            return producer.batches[batch]
        if not producer.number or not producer.partitions.issuperset(rows):
            raise LogError(f"{name}: the partition is not in the transaction")
        found = {
            source: self.partition(source).append(each, self.now(), producer.number) for source, each in rows.items()
        }
        producer.batches[batch] = found
        return found

    def add_offsets(self, name: str, epoch: int, group: str) -> None:
        producer = self._current(name, epoch)
        self._begin(name, producer)
        producer.offsets.setdefault(group, {})

    def commit_offsets(self, name: str, epoch: int, group: str, offsets: Mapping[TopicPartition, Committed]) -> None:
        producer = self._current(name, epoch)
        if group not in producer.offsets:
            raise LogError(f"{name}: the group is not in the transaction")
        producer.offsets[group].update(offsets)

    def end(self, name: str, epoch: int, number: int, *, commit: bool) -> None:
        """Decides the transaction: from here on it will be committed. `number` numbers those of one epoch."""
        producer = self.producers[name]
        if producer.epoch == epoch and producer.ended == (epoch, number, commit):
            return  # asked again
        producer = self._current(name, epoch)
        if not producer.number:
            raise LogError(f"{name}: there is no transaction")
        producer.ended = epoch, number, commit
        self._end(name, producer, commit=commit)

    def _end(self, name: str, producer: Transactional, *, commit: bool) -> None:
        self._loop.note(f"end {name} {producer.number} {commit}")
        producer.ending = True
        number = producer.number
        marks: list[Callable[[], None]] = [
            partial(self._mark, source, number, commit) for source in sorted(producer.partitions)
        ]
        if commit:
            marks += [partial(self._take_offsets, group, offsets) for group, offsets in producer.offsets.items()]
        self._random.shuffle(marks)
        left = len(marks)

        def one(mark: Callable[[], None]) -> None:
            nonlocal left
            mark()
            left -= 1
            if not left:
                complete()

        def complete() -> None:
            producer.number, producer.ending = 0, False
            producer.partitions.clear()
            producer.offsets = {}

        lag = self._random.choice((0.0, 0.1, 1.0)) * self._lag
        for mark in marks:
            self._loop.later(self._random.random() * lag, one, mark)
        if not marks:
            complete()

    def _mark(self, source: TopicPartition, number: int, commit: bool) -> None:
        self.partition(source).mark(number, commit=commit)
        self.wake()

    def _take_offsets(self, group: str, offsets: Mapping[TopicPartition, Committed]) -> None:
        self.offsets.setdefault(group, {}).update(offsets)

    # -- groups

    def group(self, name: str) -> Group:
        if name not in self.groups:
            self.groups[name] = Group(self._loop, self._random)
        return self.groups[name]

    # -- waiting for records

    def when_grown(self, told: Callable[[], None]) -> None:
        """Calls it once, when anything can be read that could not before."""
        self._waiting.append(told)

    def wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for told in waiting:
            told()
