"""`python -m bench.restore`: how fast a task of shipments is restored, from Kafka and from a copy on disk.

Shipments are written as the worker writes them, each changed twice, into the changelog of one partition. Then a task
takes it over, as after a rebalance: it reads the rows, and builds its state of them.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import orjson

from bench import machine
from schemas.times import DAY, SECOND, parse, render
from streams.engine.changelog import Changelog
from streams.engine.clock import Clock, system_now
from streams.engine.collector import paused
from streams.engine.log.interface import Fetched, TopicPartition, TopicSpec
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.partitioner import partition_for
from streams.engine.processor import Record
from streams.engine.store.interface import Store
from streams.engine.store.memory import MemoryStore
from streams.engine.store.rocks import RocksStore
from streams.engine.task import Task
from streams.engine.topology import TaskId, Topology
from streams.policy import load
from streams.stages.dataflow import ORDERS_TASK, SHIPMENTS_TASK, dataflow
from streams.stages.factory import processor
from streams.stages.settings import Setting
from tests.kafka_broker import Broker, choose

START = parse("2026-03-01T00:00:00Z")
SCANS = TopicPartition("logistics-scans", 0)
TASK = TaskId(SHIPMENTS_TASK, 0)
COUNTS = {ORDERS_TASK: 1, SHIPMENTS_TASK: 1}
#: Shipments of one commit.
CHUNK = 20_000


def scans(first: int, count: int, number: int) -> Iterator[Record]:
    """The scan of that number of each of so many shipments."""
    for parcel in range(first, first + count):
        tracking_no = f"SF{parcel:012d}"
        value = {
            "event_id": f"e{parcel}-{number}",
            "occurred_at": render(START + number * DAY + parcel * SECOND // 100),
            "type": "scan",
            "carrier": ("SF", "YTO", "ZTO")[parcel % 3],
            "tracking_no": tracking_no,
            "status": ("picked_up", "in_transit")[number],
            "facility": f"hub-{parcel % 400}",
        }
        yield Record(parcel, (START + 9 * DAY) // 1000, tracking_no.encode(), orjson.dumps(value))


def empty(topology: Topology, saved: dict[bytes, bytes]) -> Task:
    """The task as it is built of these rows."""
    setting = Setting(load.default(), 1, 1, partition_for, system_now)
    with paused():
        made = processor(setting, TASK.kind, TASK.partition)
        return Task(topology, TASK, made, Clock.stream(), system_now, saved)


def of(log: KafkaLog, topology: Topology, store: Store) -> Changelog:
    """The changelog of the task."""
    return Changelog(log, store, TASK, TopicPartition(topology.changelog(TASK.kind), TASK.partition))


async def write(log: KafkaLog, topology: Topology, parcels: int) -> int:
    """Writes the changelog of a task with so many shipments; how many rows it has."""
    task = empty(topology, {})
    changelog = of(log, topology, MemoryStore())
    await changelog.restore(lambda: False, lambda _rows, _left: None)
    writer = await log.writer(topology.transactional_id(TASK), topology.app_id)
    written = 0
    for number in (0, 1):
        for first in range(0, parcels, CHUNK):
            count = min(CHUNK, parcels - first)
            offset = number * parcels + first
            records = [each._replace(offset=offset + place) for place, each in enumerate(scans(first, count, number))]
            task.accept(Fetched(SCANS, records, offset + count))
            while task.advance():
                pass
            transaction = task.snapshot()
            assert transaction is not None
            assert not transaction.outputs
            transaction.envelopes, transaction.offsets = [], {}
            changelog.begin(transaction)
            written += len(transaction.rows)
            await writer.commit(transaction)
    await writer.close()
    return written


async def restore(name: str, log: KafkaLog, topology: Topology, store: Store) -> None:
    """Restores the task once and says what it took."""
    gc.collect()
    changelog = of(log, topology, store)
    began, spent = time.monotonic(), time.process_time()
    restored = await changelog.restore(lambda: False, lambda _rows, _left: None)
    assert restored is not None
    read, read_cpu = time.monotonic() - began, time.process_time() - spent
    began, spent = time.monotonic(), time.process_time()
    task = empty(topology, restored.saved)
    built, built_cpu = time.monotonic() - began, time.process_time() - spent
    await changelog.close()
    rows = restored.read + restored.copied
    print(
        f"{name}: {restored.read:,} rows of Kafka, {restored.copied:,} of the copy, {len(restored.saved):,} live; "
        f"read in {read:.2f} s ({rows / read:,.0f} rows/s, {rows / read_cpu:,.0f} per CPU-second), "
        f"built in {built:.2f} s ({len(restored.saved) / built_cpu:,.0f} rows per CPU-second)"
    )
    del task


async def measure(kafka: Broker, parcels: int, repeat: int, folder: Path) -> None:
    """Writes a changelog and restores it, from Kafka and from disk."""
    topology = Topology("bench", dataflow(load.default()), COUNTS)
    log = KafkaLog(KafkaSettings(bootstrap=kafka.bootstrap))
    await log.start()
    await log.create([TopicSpec(topology.changelog(SHIPMENTS_TASK), 1, {"cleanup.policy": "compact"})])
    began = time.monotonic()
    written = await write(log, topology, parcels)
    print(f"{parcels:,} shipments, {written:,} rows written in {time.monotonic() - began:.1f} s; {machine.described()}")
    rocks = RocksStore(folder / "state")
    for _ in range(repeat):
        print(f"others keep {machine.busy(1.0) or 0.0:.1f} cores busy")
        await restore("memory", log, topology, MemoryStore())
    await restore("rocksdict, without a copy", log, topology, rocks)
    for _ in range(repeat):
        await restore("rocksdict", log, topology, rocks)
    await log.stop()
    print(f"largest size of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024:,} MiB")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.restore", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--parcels", type=int, default=200_000, help="shipments (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=2, help="restores of each kind (default: %(default)s)")
    asked = parser.parse_args()
    # As the command sets it: see `streams.cli`.
    gc.freeze()
    gc.set_threshold(200_000, 50, 1_000)
    with tempfile.TemporaryDirectory(prefix="parcelwatch-bench-") as folder:
        kafka = choose(Path(folder) / "kafka")
        try:
            asyncio.run(kafka.start())
            asyncio.run(measure(kafka, asked.parcels, asked.repeat, Path(folder)))
        finally:
            kafka.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
