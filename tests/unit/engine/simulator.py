"""Drives tasks on a log in memory, one step at a time, in a random order, with crashes between any two steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any

from streams.engine.clock import Clock
from streams.engine.errors import FencedError
from streams.engine.log.interface import TopicPartition, Transaction
from streams.engine.log.journal import SEAL, Reader, intent, seal, sealed
from streams.engine.log.memory import MemoryLog
from streams.engine.processor import Output
from streams.engine.task import Task
from streams.engine.topology import TaskId, Topology
from tests.unit.engine.history import Events, key_of
from tests.unit.engine.toy import DATAFLOW, RESULTS, pack, processor, unpack

APP = "toy"


def topology_of(counts: Mapping[str, int]) -> Topology:
    return Topology(APP, DATAFLOW, counts)


def log_of(topology: Topology) -> MemoryLog:
    log = MemoryLog()
    for kind in topology.dataflow.kinds:
        for item in kind.inputs:
            log.make(item.topic, topology.counts[kind.name])
    for spec in topology.specs():
        log.make(spec.topic, spec.partitions)
    log.make(RESULTS, 3)
    return log


def results(log: MemoryLog, partitions: int = 3) -> Counter[tuple[Any, ...]]:
    found: Counter[tuple[Any, ...]] = Counter()
    for partition in range(partitions):
        for record in log.read(TopicPartition(RESULTS, partition), 0, 1 << 30).records:
            found[tuple(unpack(record.value or b""))] += 1
    return found


class Running:
    """One task as a worker holds it: the writer's epoch, what is fetched, what is being committed."""

    def __init__(self, simulator: Simulator, task: TaskId) -> None:
        self.simulator = simulator
        self.id = task
        log, topology = simulator.log, simulator.topology
        self.epoch = log.fence(topology.transactional_id(task))
        changelog = TopicPartition(topology.changelog(task.kind), task.partition)
        reader = Reader()
        rows = log.read(changelog, 0, 1 << 30).records
        reader.take((record.key or b"", record.value) for record in rows)
        self.torn = reader.end()
        saved = reader.rows
        if simulator.plain:
            if SEAL not in saved:
                log.append(changelog.topic, *seal(), partition=changelog.partition)
            for send in self.sends(*intent(saved)):
                send()
        toy = processor(task.kind, task.partition, topology.counts)
        self.task = Task(topology, task, toy, simulator.clock, simulator.now, saved)
        self.busy = False
        self.flying: Transaction | None = None
        #: Without transactions: the single writes that the commit under way still has to do.
        self.writes: list[Callable[[], object]] = []

    def read(self, random: Random) -> None:
        source, offset = random.choice(list(self.task.positions().items()))
        fetched = self.simulator.log.read(source, offset, random.choice((1, 2, 5, 100)))
        if fetched.next > offset and not self.busy:
            self.task.accept(fetched)

    def ask(self, random: Random) -> None:
        if wanted := self.task.wants_end():
            source = random.choice(wanted)
            self.task.at_end(source.topic, self.simulator.now(), self.simulator.log.end(source))

    def advance(self) -> None:
        self.busy = self.task.advance()

    def snapshot(self) -> None:
        if self.flying is None:
            self.flying = self.task.snapshot()

    def land(self) -> None:
        if self.flying is not None and self.simulator.plain:
            self.write()
        elif self.flying is not None:
            transaction, self.flying = self.flying, None
            name = self.simulator.topology.transactional_id(self.id)
            self.simulator.log.apply(name, self.epoch, APP, transaction)

    def sends(
        self, outputs: Sequence[Output], envelopes: Sequence[tuple[TopicPartition, bytes]]
    ) -> list[Callable[[], object]]:
        """The single writes of what a seal asks to be sent."""
        append = self.simulator.log.append
        found: list[Callable[[], object]] = [partial(append, *output) for output in outputs]
        return found + [partial(append, at.topic, None, value, partition=at.partition) for at, value in envelopes]

    def write(self) -> None:
        """One single write of the commit under way, which is what a crash may come before or behind."""
        transaction, log = self.flying, self.simulator.log
        assert transaction is not None
        if not self.writes:
            at = transaction.changelog
            rows, self.torn = sealed(transaction, self.torn), {}
            self.writes = [partial(log.append, at.topic, key, row, partition=at.partition) for key, row in rows]
            self.writes += self.sends(transaction.outputs, transaction.envelopes)
        self.writes.pop(0)()
        if not self.writes:
            self.flying = None


class Simulator:
    """All tasks of a dataflow. `crash` is the chance of a crash at each step. `plain`: without transactions."""

    def __init__(
        self, random: Random, counts: Mapping[str, int], clock: Clock, crash: float, plain: bool = False
    ) -> None:
        self.plain = plain
        self.random = random
        self.topology = topology_of(counts)
        self.log = log_of(self.topology)
        self.clock = clock
        self.crash = crash
        self.time = 0
        self.running: dict[TaskId, Running] = {}

    def now(self) -> int:
        return self.time

    def append(self, topic: str, event: list[Any]) -> None:
        self.log.append(topic, key_of(event), pack(event))

    def append_all(self, events: Events) -> None:
        for topic, listed in events.items():
            for event in listed:
                self.append(topic, event)

    def tick(self, time: int, only: Mapping[str, set[int]]) -> None:
        """An event far ahead that moves the watermarks of the given partitions and means nothing."""
        for topic, partitions in only.items():
            for partition in partitions:
                self.log.append(topic, b"", pack([time, "tick"]), partition=partition)

    def start(self) -> None:
        for task in self.topology.tasks():
            self.running[task] = Running(self, task)

    def step(self) -> None:
        task = self.random.choice(list(self.running))
        running = self.running[task]
        if self.random.random() < self.crash:
            if self.random.random() < 0.3:
                self.compact(TopicPartition(self.topology.changelog(task.kind), task.partition))
            zombie = running
            self.running[task] = Running(self, task)
            if zombie.flying is not None and not self.plain:
                try:
                    zombie.land()
                except FencedError:
                    return
                raise AssertionError("a fenced task has written")
            return
        chance = self.random.random()
        if chance < 0.45:
            running.read(self.random)
        elif chance < 0.6:
            running.ask(self.random)
        elif chance < 0.8:
            running.advance()
        elif chance < 0.9:
            running.snapshot()
        else:
            running.land()

    def compact(self, changelog: TopicPartition) -> None:
        """As Kafka's cleaner does, which leaves alone what was written last."""
        rows = self.log.read(changelog, 0, 1 << 30).records
        seals = [record.offset for record in rows if record.key == SEAL]
        self.log.compact(changelog, seals[-1] if seals else 1 << 62)

    def settle(self, rounds: int = 400) -> None:
        """Lets every task do everything in turn, without crashes, until nothing moves any more."""
        for _ in range(rounds):
            before = self.fingerprint()
            for running in self.running.values():
                while running.flying is not None:
                    running.land()
                while running.busy:
                    running.advance()
                for wanted in running.task.wants_end():
                    running.task.at_end(wanted.topic, self.now(), self.log.end(wanted))
                for source, offset in running.task.positions().items():
                    running.task.accept(self.log.read(source, offset, 1 << 30))
                while running.task.advance():
                    pass
                running.snapshot()
                while running.flying is not None:
                    running.land()
            if self.fingerprint() == before:
                return
        raise AssertionError("the tasks never come to rest")

    def fingerprint(self) -> list[int]:
        """The ends of all partitions that any task writes."""
        specs = [*self.topology.specs()]
        ends = [
            self.log.end(TopicPartition(spec.topic, partition))
            for spec in specs
            for partition in range(spec.partitions)
        ]
        return [*ends, sum(results(self.log).values())]

    @property
    def final(self) -> bool:
        return all(running.task.final and running.flying is None for running in self.running.values())
