"""Traffic between tasks by the number of partitions, and how long a reader waits after a worker is killed.

Every task tells every task of a kind how far it is, so the traffic grows with the square of the partitions: once with a
feed that is silent, once with some thousand scans a second. Then one of two workers is frozen in the midst of a
transaction and killed: what the other commits behind it cannot be read until that transaction is undone.
"""

from __future__ import annotations

import asyncio
import re
import signal
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from itertools import pairwise
from random import Random

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench import machine
from bench.asked import Asked
from bench.contenders import ALERTS_TOPIC, SCANS_TOPIC
from bench.feed import POLICY, Parcels, produce, read
from bench.results import Cell, Table
from bench.scans import PARTITIONS, Alert
from bench.throughput import WrongError, delete
from bench.worker import Series, Worker, ready, started, total
from tests.kafka_broker import Broker

COUNTS = (4, 12, 48)
SECONDS, _SETTLE = 8.0, 2.0
#: Scans a second of a busy feed.
BUSY = 4000
_READER_RATE = 2000
#: Seconds that a reader is watched before and behind a kill.
_BEFORE, _BEHIND = 5.0, 15.0
_BOUND = re.compile(r'le="([^"]+)"')


def quantile_of(before: Mapping[str, float], after: Mapping[str, float], part: float) -> float | None:
    """From the buckets of a histogram at two times, in seconds; within a bucket by proportion."""
    counts: dict[float, float] = {}
    for labels, count in after.items():
        match = _BOUND.search(labels)
        assert match is not None
        bound = float(match[1])
        counts[bound] = counts.get(bound, 0.0) + count - before.get(labels, 0.0)
    wanted = part * max(counts.values(), default=0.0)
    if not wanted:
        return None
    last, below = 0.0, 0.0
    for bound, count in sorted(counts.items()):
        if count >= wanted:
            return last if bound == float("inf") else last + (bound - last) * (wanted - below) / (count - below)
        last, below = bound, count
    return last


async def _watched(asked: Asked, partitions: int, rate: int) -> list[Cell]:
    kafka, group = asked.kafka, f"marks-{partitions}-{rate}"
    policy = asked.folder / "quick.toml"
    policy.write_text(POLICY)
    await ready(kafka, group, partitions)
    seconds = asked.seconds(SECONDS, 2)
    async with started(kafka, group, asked.folder, "--policy", str(policy)) as worker:
        await worker.until_it_works()
        end = time.time() + _SETTLE + seconds
        feeding = asyncio.create_task(produce(kafka.bootstrap, Parcels(rate, partitions), lambda: time.time() >= end))
        await asyncio.sleep(_SETTLE)
        broker = machine.broker()
        before, cpu, others = await worker.metrics(), worker.child.cpu, _cpu(broker)
        began = time.monotonic()
        await asyncio.sleep(seconds)
        after, took = await worker.metrics(), time.monotonic() - began
        cores = (worker.child.cpu - cpu) / took
        theirs = None if others is None else round((machine.cpu(broker or 0) - others) / took, 2)
        await feeding

    def rose(name: str, labels: str = "") -> float:
        now, then = (({each: held for each, held in found.get(name, {}).items() if labels in each})
                     for found in (after, before))  # fmt: skip
        return (total(now) - total(then)) / took

    buckets: Series = before.get("parcelwatch_commit_seconds_bucket", {})
    latest = quantile_of(buckets, after.get("parcelwatch_commit_seconds_bucket", {}), 0.99)
    await delete(kafka, await kafka.topics())
    return [partitions, round(rose("parcelwatch_records_read_total", SCANS_TOPIC)),
            round(rose("parcelwatch_envelopes_total"), 1), round(rose("parcelwatch_commits_total"), 1),
            None if latest is None else round(latest * 1e3),
            round(cores, 2), theirs]  # fmt: skip


def _cpu(pid: int | None) -> float | None:
    return None if pid is None else machine.cpu(pid)


class Gaps:
    """The longest time that any partition of the alerts gave a reader nothing, within a span (seconds)."""

    def __init__(self) -> None:
        self._came: dict[int, list[float]] = {}

    def take(self, _alert: Alert, now: float, partition: int) -> None:
        self._came.setdefault(partition, []).append(now)

    def longest(self, begin: float, end: float) -> float:
        found = 0.0
        for times in self._came.values():
            within = [begin, *(each for each in times if begin <= each < end), end]
            found = max(found, *(later - sooner for sooner, later in pairwise(within)))
        return found


async def _behind_a_kill(asked: Asked, restarted: bool) -> list[Cell]:
    kafka, group = asked.kafka, f"reader-{int(restarted)}"
    policy = asked.folder / "quick.toml"
    policy.write_text(POLICY)
    await ready(kafka, group, PARTITIONS)
    gaps, done = Gaps(), asyncio.Event()
    options = ("--policy", str(policy))
    async with AsyncExitStack() as stack:

        async def start(name: str) -> Worker:
            return await stack.enter_async_context(started(kafka, group, asked.folder, *options, "--instance-id", name))

        victim, other = await start("one"), await start("two")
        await asyncio.gather(victim.until_it_works(), other.until_it_works())
        parcels = Parcels(_READER_RATE, PARTITIONS)
        feeding = asyncio.create_task(produce(kafka.bootstrap, parcels, done.is_set))
        reading = asyncio.create_task(read(kafka, gaps.take, done))
        await asyncio.sleep(_BEFORE + 5.0)
        usual = gaps.longest(time.time() - _BEFORE, time.time())
        killed = await _killed_within_a_transaction(kafka, victim)
        if restarted:
            await start("one")
        await asyncio.sleep(_BEHIND)
        done.set()
        await asyncio.gather(feeding, reading)
    await delete(kafka, await kafka.topics())
    return ["restarted at once" if restarted else "its tasks go to the other", round(usual, 1),
            round(gaps.longest(killed, killed + _BEHIND), 1)]  # fmt: skip


async def _killed_within_a_transaction(kafka: Broker, victim: Worker) -> float:
    """When (seconds) it was frozen. It is killed once a transaction is open that nobody else will end."""
    random = Random(1)
    async with AsyncExitStack() as stack:
        readers = []
        for isolation in ("read_uncommitted", "read_committed"):
            reader = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap, isolation_level=isolation)
            await reader.start()
            stack.push_async_callback(reader.stop)
            readers.append(reader)
        alerts = [TopicPartition(ALERTS_TOPIC, number) for number in await kafka.end_offsets(ALERTS_TOPIC)]

        async def is_open() -> bool:
            written, stable = [await reader.end_offsets(alerts) for reader in readers]
            return any(stable[each] < written[each] for each in alerts)

        for _ in range(200):
            victim.child.signal(signal.SIGSTOP)
            frozen = time.time()
            # The other worker's transactions come to an end within that time, and its next begin.
            looks = []
            for _ in range(4):
                looks.append(await is_open())
                await asyncio.sleep(0.15)
            if all(looks):
                victim.child.signal(signal.SIGKILL)
                return frozen
            victim.child.signal(signal.SIGCONT)
            await asyncio.sleep(0.7 + random.random())
    raise WrongError("no transaction was open whenever the worker was frozen")


async def run(asked: Asked) -> list[Table]:
    rows = []
    for partitions in COUNTS if asked.divide < 100 else COUNTS[:1]:
        for rate in (0, BUSY):
            rows.append(row := await _watched(asked, partitions, rate))
            asked.tell(f"{partitions} partitions, {row[1]} scans a second: {row[2]} envelopes a second")
    kills = []
    for restarted in (True, False):
        kills.append(kill := await _behind_a_kill(asked, restarted))
        asked.tell(f"a reader waited for {kill[2]} s behind a killed worker, {kill[0]}")
    columns = ["partitions", "scans a second", "envelopes a second", "commits a second", "commit p99, ms",
               "cores of the worker", "cores of the broker"]  # fmt: skip
    return [
        Table("watermarks", columns, rows),
        Table(
            "reader", ["killed within a transaction, and", "longest wait before, s", "longest wait behind it, s"], kills
        ),
    ]
