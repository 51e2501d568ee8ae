"""The toy's task `road-0`, run again and again on one log, each time as a new process would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, cast

from streams.engine.clock import Clock
from streams.engine.log.interface import TopicPartition
from streams.engine.processor import Processor
from streams.engine.runner import Kept, Runner
from streams.engine.runtime import Cadence, TaskRuntime
from streams.engine.store.interface import Store
from streams.engine.topology import TaskId
from streams.worker import Metrics
from tests.patience import PATIENCE
from tests.unit.engine.history import T0
from tests.unit.engine.simulator import log_of, topology_of
from tests.unit.engine.toy import HOUR, pack, processor

COUNTS = {"desk": 1, "road": 1}


ROAD = TaskId("road", 0)


SCANS = TopicPartition("scans", 0)


CHANGELOG = TopicPartition("toy-road-changelog", 0)


class Stage:
    """Runs `road-0` again and again, each time as a new process would."""

    def __init__(self, make: Callable[[], Store]) -> None:
        self.topology = topology_of(COUNTS)
        self.log = log_of(self.topology)
        self.make = make
        self.scans = 0
        #: Rows that the last run read of the log, and rows that its task was restored from.
        self.read = 0
        self.restored: dict[bytes, bytes] = {}

    def anew(self) -> None:
        """The log is another one, of the same topics."""
        self.log, self.scans = log_of(self.topology), 0

    def live(self) -> dict[bytes, bytes]:
        """The processor's rows, by the whole changelog."""
        rows = {record.key: record.value for record in self.log.read(CHANGELOG, 0, 1 << 30).records}
        return {key[1:]: row for key, row in rows.items() if key and key[:1] == b"p" and row is not None}

    def factory(self, kind: str, partition: int) -> Processor:
        made: Any = processor(kind, partition, COUNTS)
        restore = made.restore

        def remember(rows: Iterable[tuple[bytes, bytes]]) -> None:
            self.restored = dict(rows)
            restore(self.restored.items())

        made.restore = remember
        return cast(Processor, made)

    async def run(self, scans: int, kept: Kept | None = None, store: Store | None = None) -> Kept | None:
        """Takes the task over, checks that it is as the changelog says, reads so many scans, commits and stops."""
        epochs: list[int] = []
        metrics = Metrics()
        expected, self.restored = self.live(), {}
        runtime = TaskRuntime(
            log=self.log,
            store=store or self.make(),
            clock=Clock.stream(),
            now=lambda: T0,
            cadence=Cadence(seconds=0.01),
        )
        runner = Runner(runtime, self.topology, ROAD, self.factory, lambda *seek: epochs.append(seek[2]), metrics, kept)
        life = asyncio.create_task(runner.run())
        async with asyncio.timeout(PATIENCE):
            while runner.task is None:
                if life.done():
                    await life
                await asyncio.sleep(0.001)
            assert runner.task.positions()[SCANS] == self.scans
            if kept is None:
                assert self.restored == expected
            for number in range(self.scans, self.scans + scans):
                key = b"p%d" % (number % 7)
                self.log.append("scans", key, pack([T0 + number * HOUR, "scan", key.decode()]))
            taken = asyncio.Event()
            runner.put(self.log.read(SCANS, self.scans, 1000)._replace(epoch=epochs[-1]), taken.set)
            await taken.wait()
            self.scans += scans
            runner.stop()
            await life
        self.read = int(metrics.registry.get_sample_value("parcelwatch_restored_rows_total", {"kind": "road"}) or 0)
        return runner.kept
