"""A worker in memory on the toy dataflow: how tests feed one, and read what it found."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from streams.engine.clock import Clock
from streams.engine.log.memory import MemoryLog
from streams.engine.processor import Processor
from streams.engine.runner import Factory
from streams.worker import Embedded
from tests.unit.engine.history import UNTIL, Events, key_of
from tests.unit.engine.toy import DATAFLOW, RESULTS, pack, processor, unpack

CLOCK = Clock.end(UNTIL)


def assemble(counts: Mapping[str, int]) -> Factory:
    def make(kind: str, partition: int) -> Processor:
        return processor(kind, partition, counts)

    return make


def embedded(counts: Mapping[str, int], log: MemoryLog | None = None, **options: Any) -> Embedded:
    topics = {"orders": counts["desk"], "calls": counts["desk"], "scans": counts["road"], RESULTS: 3}
    return Embedded(
        DATAFLOW,
        options.pop("assemble", assemble),
        clock=options.pop("clock", CLOCK),
        topics=topics,
        app_id="toy",
        log=log,
        **options,
    )


def append_all(worker: Embedded, events: Events) -> None:
    for topic, listed in events.items():
        for event in listed:
            worker.append(topic, key_of(event), pack(event))


def results(worker: Embedded) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(unpack(record.value or b"")) for _, record in worker.records(RESULTS))


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110
        await asyncio.sleep(0.005)
