"""`python -m bench.embedded FILE`: a worker with all its tasks reads a file of events, on the in-memory log."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from bench.host import POLICY, as_the_command_does
from schemas.events import CHATS, ORDERS, SCANS, record_key
from schemas.topics import OUTPUTS
from streams.engine.clock import Clock, system_now
from streams.engine.partitioner import partition_for
from streams.engine.runtime import Cadence
from streams.replay.batches import batches
from streams.stages.dataflow import dataflow
from streams.stages.factory import processor
from streams.stages.task_context import Setting
from streams.worker.embedded import Embedded

_PARTITIONS = 2
_INPUTS = (ORDERS, SCANS, CHATS)
#: Like a worker on Kafka; a commit in memory costs next to nothing.
_CADENCE = Cadence(seconds=0.5)


async def main(path: Path) -> int:
    as_the_command_does()
    events = [event for batch in batches(path) for event in batch.events]
    setting = Setting(POLICY, _PARTITIONS, _PARTITIONS, partition_for, system_now)
    worker = Embedded(
        replace(dataflow(POLICY), outputs=OUTPUTS),
        lambda _: partial(processor, setting),
        clock=Clock.end(max(event[2] for event in events)),
        once=True,
        topics=dict.fromkeys((*_INPUTS, *OUTPUTS), _PARTITIONS),
        cadence=_CADENCE,
    )
    for topic, event, _, value, *_ in events:
        worker.append(topic, record_key(event).encode(), value)
    del events
    async with worker:
        return await worker.finished()


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
