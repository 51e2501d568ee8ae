"""All tasks of the dataflow on a log in memory, one step at a time; a task may crash between any two of them.

What a task has not committed is gone when it crashes: it is made anew from the rows of its changelog.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from types import ModuleType
from typing import Any

from schemas.decode import decode
from schemas.events import CHATS, ORDERS, SCANS, record_key
from streams.engine.clock import Clock
from streams.engine.log.interface import Fetched, TopicPartition
from streams.engine.partitioner import partition_for
from streams.engine.processor import Output, Record
from streams.engine.task import Task
from streams.engine.topology import TaskId, Topology
from streams.policy.model import Policy
from streams.stages.dataflow import ORDERS_TASK, SHIPMENTS_TASK, dataflow
from streams.stages.factory import processor
from streams.stages.intake import Counts
from streams.stages.orders_task import OrdersTask
from streams.stages.shipments.native_scans import chosen
from streams.stages.task_context import Setting

#: The native path where it is built, so that one reader in Python checks it; `PARCELWATCH_NATIVE=off` goes without.
NATIVE = chosen("off" if os.environ.get("PARCELWATCH_NATIVE") == "off" else "auto")

#: The value of an event as a producer writes it, and its topic.
Event = tuple[str, bytes]


def written(event: Mapping[str, Any]) -> Event:
    """An event as {"topic", "value"} object in the form of this module."""
    return event["topic"], json.dumps(event["value"], ensure_ascii=False, separators=(",", ":")).encode()


class Cluster:
    """The tasks of a dataflow with so many partitions of orders (and chats), and of scans.

    `crash`: the chance that a task that could commit crashes instead. `recent`: how many cases a task keeps as they
    are, if not as many as it does. `native`: the module that takes the common scans.
    """

    def __init__(
        self,
        policy: Policy,
        until: int,
        *,
        orders: int = 1,
        scans: int = 1,
        random: Random | None = None,
        crash: float = 0,
        recent: int | None = None,
        native: ModuleType | None = NATIVE,
    ) -> None:
        self.until = until
        self.random = random or Random(0)
        self.crash = crash
        self._recent = recent
        self._native = native
        self.crashes = 0
        self.outputs: list[Output] = []
        self.sent: list[tuple[TopicPartition, bytes]] = []
        self.counts = Counts()
        self._policy = policy
        self._partitions = {ORDERS: orders, CHATS: orders, SCANS: scans}
        self.topology = Topology("app", dataflow(policy), {ORDERS_TASK: orders, SHIPMENTS_TASK: scans})
        self._log: dict[TopicPartition, list[Record]] = {}
        self._rows: dict[TaskId, dict[bytes, bytes]] = {task: {} for task in self.topology.tasks()}
        self.tasks: dict[TaskId, Task] = {}
        for task in self.topology.tasks():
            self.start(task)

    def start(self, name: TaskId) -> None:
        """Makes a task from what it has committed."""
        setting = Setting(
            self._policy,
            self._partitions[ORDERS],
            self._partitions[SCANS],
            partition_for,
            lambda: 0,
            self.counts,
            native=self._native,
        )
        made = processor(setting, name.kind, name.partition)
        if isinstance(made, OrdersTask) and self._recent is not None:
            made._orders.cases._recent = self._recent
        clock = Clock.end(self.until)
        self.tasks[name] = Task(self.topology, name, made, clock, lambda: 0, dict(self._rows[name]))

    def resume(
        self, rows: Mapping[str, Mapping[bytes, bytes]], edges: Mapping[str, tuple[int, Sequence[bytes]]]
    ) -> None:
        """Goes on from rows by name of a task, and by "TOPIC/PARTITION" from what is not read, and where it begins."""
        for where, (begin, values) in edges.items():
            topic, partition = where.rsplit("/", 1)
            read = [Record(offset, 0, None, b"") for offset in range(begin)]
            left = [Record(begin + offset, 0, None, value) for offset, value in enumerate(values)]
            self._log[TopicPartition(topic, int(partition))] = read + left
        for name in list(self.tasks):
            self._rows[name] = dict(rows[str(name)])
            self.start(name)

    def append(self, event: Event) -> None:
        """A producer writes an event, whose record has the event's own time."""
        topic, value = event
        decoded, time = decode(topic, value)
        key = record_key(decoded).encode()
        source = TopicPartition(topic, partition_for(key, self._partitions[topic]))
        self._write(source, key, value, time // 1000)

    def _write(self, source: TopicPartition, key: bytes | None, value: bytes, timestamp: int = 0) -> None:
        records = self._log.setdefault(source, [])
        records.append(Record(len(records), timestamp, key, value))

    # -- steps of one task

    def read(self, name: TaskId, at_most: int = 1 << 30) -> bool:
        """Reads what is there, at most so much of each input. False: there is nothing."""
        found = False
        for source, offset in self.tasks[name].positions().items():
            records = self._log.get(source, [])[offset : offset + at_most]
            if records:
                self.tasks[name].accept(Fetched(source, records, offset + len(records)))
                found = True
        return found

    def commit(self, name: TaskId) -> bool:
        """Commits what there is, or crashes. False: there is nothing to commit."""
        if self.random.random() < self.crash:
            self.crashes += 1
            self.start(name)
            return True
        transaction = self.tasks[name].snapshot()
        if transaction is None:
            return False
        self.outputs += transaction.outputs
        self.sent += transaction.envelopes
        for target, value in transaction.envelopes:
            self._write(target, None, value)
        for key, row in transaction.rows.items():
            if row is None:
                self._rows[name].pop(key, None)
            else:
                self._rows[name][key] = row
        return True

    def end(self, name: TaskId) -> None:
        """Tells the task where its inputs end."""
        for source in self.tasks[name].wants_end():
            self.tasks[name].at_end(source.topic, 0, len(self._log.get(source, [])))

    # -- schedules

    def run(self, events: Iterable[Event]) -> None:
        """Everything is there at the start, and read in pieces of any size, in any order of the tasks."""
        for event in events:
            self.append(event)
        names = list(self.tasks)
        for _ in range(40 * len(names)):
            name = self.random.choice(names)
            self.read(name, self.random.choice((1, 3, 20, 500)))
            more = self.tasks[name].advance()
            # A commit may come in the midst of a long piece of work.
            while more and self.random.random() < 0.7:
                more = self.tasks[name].advance()
            if self.random.random() < 0.5:
                self.commit(name)
            while name in self.tasks and self.tasks[name].advance():
                pass
        self.finish()

    def run_in_batches(self, events: Iterable[Event], size: int) -> None:
        """Everything is there at the start, and read in batches of so many records of each input."""
        for event in events:
            self.append(event)
        moved = True
        while moved:
            moved = False
            for name in list(self.tasks):
                moved |= self.read(name, size)
                while self.tasks[name].advance():
                    pass
                moved |= self.commit(name)
        self.finish()

    def step(self, event: Event) -> None:
        """An event comes, and all that follows from it is done, task by task, each commit behind each read."""
        self.append(event)
        self._rest()

    def finish(self) -> None:
        """No event follows: every task goes to the end."""
        for _ in range(100):
            self._rest()
            for name in self.tasks:
                self.end(name)
            if all(task.final for task in self.tasks.values()):
                return
        raise AssertionError("the tasks never come to the end")

    def _rest(self) -> None:
        moved = True
        while moved:
            moved = False
            for name in list(self.tasks):
                while self._turn(name):
                    moved = True

    def _turn(self, name: TaskId) -> bool:
        """Reads, advances and commits once; what a crash undoes is done again by the next turn."""
        found = self.read(name)
        while self.tasks[name].advance():
            if self.random.random() < self.crash:
                # In the midst of a long piece of work: committed, and then crashed.
                crash, self.crash = self.crash, 0
                self.commit(name)
                self.crash = crash
                self.crashes += 1
                self.start(name)
                return True
        return self.commit(name) or found

    def rows(self, name: TaskId) -> dict[bytes, bytes]:
        """The live rows of a task's changelog."""
        return self._rows[name]

    # -- what came out

    def alerts(self) -> Counter[bytes]:
        """The values on both topics of alerts."""
        return Counter(output.value or b"" for output in self.outputs if output.topic.startswith("alerts."))

    def tables(self) -> dict[str, dict[bytes, Any]]:
        """The last record of each key of each table, without tombstones."""
        found: dict[str, dict[bytes, Any]] = {}
        for output in self.outputs:
            if output.topic.startswith("alerts.") or output.topic.endswith(".dlq") or output.key is None:
                continue
            table = found.setdefault(output.topic, {})
            if output.value is None:
                table.pop(output.key, None)
            else:
                table[output.key] = json.loads(output.value)
        return {name: table for name, table in found.items() if table}
