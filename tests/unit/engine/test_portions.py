"""Work that takes long is done in portions, and nothing is committed in the midst of an envelope."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from streams.engine.clock import Clock
from streams.engine.envelopes import pack as packed
from streams.engine.log.interface import TopicPartition
from streams.engine.log.memory import MemoryLog
from streams.engine.portions import Portions
from streams.engine.processor import Processor
from streams.engine.runner import Factory
from streams.engine.watermarks import START
from streams.worker import Embedded
from tests.patience import PATIENCE
from tests.unit.engine.embedding import embedded, until
from tests.unit.engine.history import T0
from tests.unit.engine.toy import DATAFLOW, RESULTS, Toy, processor

COUNTS = {"desk": 1, "road": 1}
REGISTRATIONS = TopicPartition("toy-registrations", 0)
PARCELS = 4000


class Slow:
    """Makes processors that keep the event loop for some milliseconds with each record of an envelope."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.taken = 0

    def assemble(self, counts: Mapping[str, int]) -> Factory:
        def factory(kind: str, partition: int) -> Processor:
            made: Any = processor(kind, partition, counts)
            take = made.envelope

            def envelope(edge: str, source: int, records: Sequence[Any]) -> None:
                for _ in records:
                    time.sleep(self.seconds)
                    self.taken += edge == "registrations"
                take(edge, source, records)

            made.envelope = envelope
            return made  # type: ignore[no-any-return]

        return factory

    def worker(self, log: MemoryLog) -> Embedded:
        topics = {"orders": 1, "calls": 1, "scans": 1, RESULTS: 1}
        return Embedded(DATAFLOW, self.assemble, clock=Clock.stream(), topics=topics, app_id="toy", log=log)


class Taking:
    """Portions of items that take a time of the test's own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._now = 0.0
        self._portions = Portions()
        monkeypatch.setattr("streams.engine.portions.time", SimpleNamespace(perf_counter=lambda: self._now))

    def __call__(self, items: int, seconds: float) -> list[int]:
        """The sizes of the portions, where each item takes so long."""
        sizes = []
        for portion in self._portions.cut(range(items)):
            self._now += seconds * len(portion)
            self._portions.done()
            sizes.append(len(portion))
        return sizes


def test_portions_are_as_large_as_the_time_that_they_take_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    taken_portions = Taking(monkeypatch)
    assert taken_portions(500, 0.0) == [16, 32, 64, 128, 128, 128, 4]
    first, *others = taken_portions(160, 0.002)
    assert first == 128
    assert sum(others) == 32
    assert max(others) <= 25
    assert max(taken_portions(30, 0.03)[1:]) <= 2
    quick = taken_portions(1000, 0.0)
    assert quick[0] <= 2
    assert quick[-2] == 128


async def test_what_takes_long_leaves_the_event_loop_to_others_and_can_be_stopped() -> None:
    log, slow = MemoryLog(), Slow(0.005)
    async with slow.worker(log) as worker, asyncio.timeout(PATIENCE):
        await until(lambda: tasks(worker) == 2)
        records = [[T0 + each, f"p{each}", f"o{each}"] for each in range(PARCELS)]
        (envelope,) = packed(0, 10**6, START, START, "", records)
        log.append(REGISTRATIONS.topic, None, envelope, partition=0)
        await until(lambda: slow.taken > 0)
        longest = 0.0
        for _ in range(20):
            before = time.monotonic()
            await asyncio.sleep(0)
            longest = max(longest, time.monotonic() - before)
        assert longest < PARCELS * slow.seconds / 2
        assert slow.taken < PARCELS
        stopping = time.monotonic()
    # It was in the midst of the envelope, and has committed nothing of it.
    assert slow.taken < PARCELS
    assert time.monotonic() - stopping < PARCELS * slow.seconds
    quick = embedded(COUNTS, log, clock=Clock.stream())
    async with quick, asyncio.timeout(PATIENCE):
        await until(lambda: tasks(quick) == 2 and registered(quick) == PARCELS)


def tasks(worker: Embedded) -> int:
    return len(worker.metrics.processors())


def registered(worker: Embedded) -> int:
    toys = [each for each in worker.metrics.processors() if isinstance(each, Toy)]
    return sum(len(getattr(each, "orders", ())) for each in toys if type(each).__name__ == "Road")
