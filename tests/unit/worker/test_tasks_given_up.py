"""Tasks that a worker has given up: their state is freed, and they count no longer."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from streams.engine.clock import Clock
from streams.engine.errors import LogError
from streams.engine.log.interface import TopicPartition, Transaction, Writer
from streams.engine.log.kafka_clients import errors
from streams.engine.log.memory import MemoryLog
from streams.engine.runner import Factory
from streams.engine.runtime import Cadence
from streams.engine.topology import Topology
from streams.stages.intake import Counts
from streams.stages.open_alerts import OpenAlerts
from streams.worker import Embedded, app, service
from streams.worker.rule_metrics import RuleMetrics
from tests.patience import PATIENCE
from tests.unit.engine.history import UNTIL
from tests.unit.engine.toy import DATAFLOW, RESULTS, processor

INPUTS = {"orders", "calls", "scans"}
TOPICS = dict.fromkeys(INPUTS, 2) | {RESULTS: 1}
CLOCK = Clock.end(UNTIL)


class Kin:
    """Points back at its processor, so that only the collector frees the two."""

    def __init__(self, owner: object) -> None:
        self.owner = owner


@pytest.fixture(autouse=True)
def _collector_is_idle() -> Iterator[None]:
    """As with the thresholds of the command, no collection comes by itself in the time of a test."""
    gc.disable()
    yield
    gc.enable()


class Made:
    """Makes processors of which each has `open_stalls` stalls open, and knows those that live."""

    def __init__(self, open_stalls: int) -> None:
        self._open_stalls = open_stalls
        self.living: weakref.WeakSet[Any] = weakref.WeakSet()

    def assemble(self, counts: Mapping[str, int]) -> Factory:
        def factory(kind: str, partition: int) -> Any:
            made: Any = processor(kind, partition, counts)
            made.open_alerts = OpenAlerts()
            made.open_alerts.restore([("shipment.stalled", "platform", self._open_stalls)])
            made.kin = Kin(made)
            self.living.add(made)
            return made

        return factory


def embedded(made: Made, log: MemoryLog) -> Embedded:
    return Embedded(DATAFLOW, made.assemble, clock=CLOCK, topics=TOPICS, app_id="toy", log=log,
                    cadence=Cadence(seconds=0.05, first_wait=0.01))  # fmt: skip


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def told(worker: Embedded, name: str) -> float:
    return sum(
        sample.value for family in worker.metrics.registry.collect() for sample in family.samples if sample.name == name
    )


async def test_what_is_another_workers_now_is_freed_and_counts_no_longer() -> None:
    log = MemoryLog()
    first, second = Made(5), Made(7)
    async with embedded(first, log) as one:
        one.metrics.registry.register(RuleMetrics(Counts(), one.metrics.processors))
        await until(lambda: told(one, "parcelwatch_open_alerts") == 4 * 5)
        assert len(first.living) == 4
        async with embedded(second, log) as two:
            two.metrics.registry.register(RuleMetrics(Counts(), two.metrics.processors))
            await until(lambda: told(two, "parcelwatch_open_alerts") == 2 * 7)
            await until(lambda: told(one, "parcelwatch_open_alerts") == 2 * 5)
            assert len(first.living) == 2


class AnsweringLate(MemoryLog):
    """Once `late` is set, the next request for the inputs' end offsets is answered only after `answer`."""

    def __init__(self) -> None:
        super().__init__()
        self.late = False
        self.asked, self.answer, self.again = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._asker: asyncio.Task[Any] | None = None

    async def end_offsets(self, sources: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        found = await super().end_offsets(sources)
        if self._asker is asyncio.current_task():
            self.again.set()
        if self.late and len({source.topic for source in sources} & INPUTS) == 3:
            self.late = False
            self._asker = asyncio.current_task()
            self.asked.set()
            await self.answer.wait()
        return found


def partitions(worker: Embedded) -> int:
    """The partitions whose lag it tells."""
    name = "parcelwatch_lag_records"
    return sum(sample.name == name for family in worker.metrics.registry.collect() for sample in family.samples)


async def test_end_offsets_that_come_after_tasks_were_given_up_tell_nothing_of_these() -> None:
    log = AnsweringLate()
    async with embedded(Made(0), log) as one:
        await until(lambda: partitions(one) == 6)
        log.late = True
        await log.asked.wait()
        async with embedded(Made(0), log) as two:
            await until(lambda: partitions(two) == 3)
            log.answer.set()
            await log.again.wait()
            assert partitions(one) == 3


class FailingOnce(MemoryLog):
    """The first commit of every writer's first life fails."""

    def __init__(self) -> None:
        super().__init__()
        self._opened: set[str] = set()

    async def writer(self, transactional_id: str, group: str) -> Writer:
        inner = await super().writer(transactional_id, group)
        if transactional_id in self._opened:
            return inner
        self._opened.add(transactional_id)
        return Failing(inner)


class Failing:
    def __init__(self, inner: Writer) -> None:
        self._inner = inner

    async def resume(self, changelog: TopicPartition, saved: Mapping[bytes, bytes]) -> None:
        await self._inner.resume(changelog, saved)

    async def commit(self, transaction: Transaction) -> int | None:
        # As of Kafka's log: what turns the client's error into the engine's is in a frame of the error's own traceback.
        with errors("committing"):
            raise KafkaError("no answer")

    async def close(self) -> None:
        await self._inner.close()


async def test_a_task_that_starts_over_leaves_nothing_of_its_former_life() -> None:
    made = Made(3)
    async with embedded(made, FailingOnce()) as worker:
        worker.metrics.registry.register(RuleMetrics(Counts(), worker.metrics.processors))
        await until(lambda: told(worker, "parcelwatch_task_failures_total") == 4)
        await until(lambda: told(worker, "parcelwatch_open_alerts") == 4 * 3)
        assert len(made.living) == 4


async def test_a_task_in_doubt_leaves_nothing_of_its_former_life(monkeypatch: pytest.MonkeyPatch) -> None:
    made = Made(3)
    groups: list[Any] = []

    def build(topology: Topology, group: Any) -> Any:
        groups.append(group)
        return app.build(topology, group)

    monkeypatch.setattr(service, "build", build)
    async with embedded(made, MemoryLog()):
        await until(lambda: bool(groups) and len(groups[0].tasks) == 4)
        former = weakref.WeakSet(made.living)
        # One for all, as of partitions that one fetch has found to be out of range.
        shared = LogError("another log")
        for runner in groups[0].runners:
            runner.doubt(shared)
        del runner, shared
        await until(lambda: len(groups[0].tasks) == 4 and len(made.living) >= 4 and not former & set(made.living))
        assert len(made.living) == 4
