"""A worker on a log in memory, inside the event loop of the caller."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import TracebackType

from streams.engine.clock import Clock, Now, system_now
from streams.engine.log.interface import TopicPartition
from streams.engine.log.memory import MemoryLog
from streams.engine.positions import OnLost
from streams.engine.processor import Dataflow, Record
from streams.engine.runner import Assemble
from streams.engine.runtime import Cadence, TaskRuntime
from streams.engine.store.interface import Store
from streams.engine.store.memory import MemoryStore
from streams.engine.store.warm import WarmStore
from streams.worker.metrics import Metrics
from streams.worker.service import serve

#: Quick commits: nothing has to be waited for in memory.
_CADENCE = Cadence(seconds=0.02, first_wait=0.02, fenced_wait=0.05)


class Embedded:
    """A worker in memory; see the package's docstring. `log` may be shared by several workers of one `app_id`."""

    def __init__(
        self,
        dataflow: Dataflow,
        assemble: Assemble,
        *,
        clock: Clock,
        topics: Mapping[str, int],
        once: bool = False,
        app_id: str = "embedded",
        metrics: Metrics | None = None,
        cadence: Cadence = _CADENCE,
        now: Now = system_now,
        log: MemoryLog | None = None,
        fetch_records: int = 2000,
        store: Store | None = None,
        standbys: int = 0,
        quiet_seconds: float = 30.0,
        on_lost: OnLost = "stop",
    ) -> None:
        self.log = log or MemoryLog()
        self.metrics = metrics or Metrics()
        self._dataflow = dataflow
        self._assemble = assemble
        self._app_id = app_id
        self._runtime = TaskRuntime(
            log=self.log,
            store=store or (WarmStore() if standbys else MemoryStore()),
            clock=clock,
            now=now,
            cadence=cadence,
            once=once,
            standbys=standbys,
            on_lost=on_lost,
            fetch_records=fetch_records,
            quiet_seconds=quiet_seconds,
        )
        self._topics = dict(topics)
        for topic, partitions in topics.items():
            self.log.make(topic, partitions)
        self._stop = asyncio.Event()
        self._life: asyncio.Task[int] | None = None

    async def __aenter__(self) -> Embedded:
        self._life = asyncio.create_task(
            serve(
                self._runtime,
                self._app_id,
                self._dataflow,
                self._assemble,
                stop=self._stop,
                metrics=self.metrics,
            )
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._life is not None:
            await asyncio.wait([self._life])

    def append(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: tuple[tuple[str, bytes], ...] = (),
        partition: int | None = None,
    ) -> None:
        """Adds one record to an input; without a partition, by the key."""
        self.log.append(topic, key, value, headers, partition)

    async def finished(self) -> int:
        """Waits for the worker's end and returns its exit status."""
        if self._life is None:
            raise RuntimeError("the worker has not been started")
        return await asyncio.shield(self._life)

    def records(self, topic: str) -> list[tuple[int, Record]]:
        """Everything that a topic holds now, by partition and offset."""
        found = []
        for partition in range(self._topics[topic]):
            fetched = self.log.read(TopicPartition(topic, partition), 0, 1 << 60)
            found += [(partition, record) for record in fetched.records]
        return found

    async def subscribe(self, topic: str) -> AsyncIterator[tuple[int, Record]]:
        """All records of a topic, from its beginning, as they are committed. Ends behind the worker's end."""
        positions = dict.fromkeys(range(self._topics[topic]), 0)
        while True:
            ended = self._life is not None and self._life.done()
            found = False
            for partition, position in positions.items():
                fetched = self.log.read(TopicPartition(topic, partition), position, 1000)
                positions[partition] = fetched.next
                for record in fetched.records:
                    found = True
                    yield partition, record
            if not found:
                if ended:
                    return
                await self.log.grown(0.1)
