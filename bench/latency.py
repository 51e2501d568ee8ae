"""`python -m bench.latency`: how soon an alert can be read after the event that it is about.

A worker with `--clock wall` reads scans that come at an even rate, about half of what it can do. The policy's threshold
for a stall is some seconds. One parcel in a hundred falls silent for longer and is then scanned again. Measured on a
reader with `read_committed`, in milliseconds: a raised alert after its deadline, a resolved one after its scan was
handed to the producer.

Every scan is as old when it is sent as the policy's lateness just allows, so that nothing but `MARGIN` has to be waited
for by the rules. (A lateness of next to nothing would not do: shipments hear of the orders' watermark every ten
minutes, which is of no account as long as scans trail by more than that.)
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench import machine
from bench.child import Child
from bench.contenders import ROOT, SCANS_TOPIC
from bench.scans import PARTITIONS, tracking_no
from bench.traffic import from_parcelwatch
from schemas.times import render
from streams.engine.partitioner import partition_for
from tests.kafka_broker import Broker, BrokerError, NoBrokerError, choose

#: Seconds: the threshold of a stall, a parcel's usual time between scans, and the silences that are measured.
THRESHOLD, BETWEEN, SILENCE = 1.8, 1.0, 3.0
#: Seconds: the policy's lateness of scans, and how much sooner than that they come.
LATENESS, MARGIN = 720, 0.2
_AGE = LATENESS - MARGIN
_SCANS = 10
_SILENT = 100
#: Seconds between two bursts of the producer; all of a burst happened at its time.
_TICK = 0.01
_WARM = 8.0
_APP = "latency"
_ALERTS = "alerts.platform"

POLICY = f"""extends = "default"
name = "quick"

[lateness]
orders_seconds = 1
logistics_scans_seconds = {LATENESS}
chats_seconds = 1

[[shipments.thresholds]]
slow = {{ hours = {THRESHOLD / 3600 * 0.95} }}
stalled = {{ hours = {THRESHOLD / 3600} }}
"""
_VALUE = (
    b'{"event_id":"%s-%d","type":"scan","occurred_at":"%s","tracking_no":"%s","carrier":"carrier-%d","status":"%s",'
    b'"facility":"facility-%d","region":"-"}'
)


class Parcels:
    """Parcels on their way at an even rate of scans a second; each has ten, then another takes its place."""

    def __init__(self, rate: float) -> None:
        self._starts = rate / _SCANS
        self._begun = 0.0
        self._waiting: list[tuple[float, int, int]] = []
        self._next = 0

    def due(self, now: float, begin: float) -> Iterator[tuple[int, bytes, bytes]]:
        """(partition, key, value) of the scans of now; `begin` is when the first parcel set out."""
        while self._begun < (now - begin) * self._starts:
            heappush(self._waiting, (now, self._next, 0))
            self._next += 1
            self._begun += 1
        at = render(round((now - _AGE) * 1e6)).encode()
        while self._waiting and self._waiting[0][0] <= now:
            _, parcel, number = heappop(self._waiting)
            key = tracking_no(parcel)
            last = number + 1 == _SCANS
            status = b"delivered" if last else b"picked_up" if number == 0 else b"in_transit"
            if not last:
                silent = parcel % _SILENT == 0 and number == 3
                heappush(self._waiting, (now + (SILENCE if silent else BETWEEN), parcel, number + 1))
            value = _VALUE % (key, number, at, key, parcel % 50, status, (parcel * 7 + number) % 5000)
            yield partition_for(key, PARTITIONS), key, value


@dataclass(slots=True)
class Latencies:
    """In milliseconds, as they came; and the scans sent, and the worker's CPU-seconds a second while they were."""

    raised: list[float] = field(default_factory=list)
    resolved: list[float] = field(default_factory=list)
    sent: int = 0
    cores: float = 0.0


def quantile(found: list[float], part: float) -> float:
    """The least that so large a part is not above."""
    return sorted(found)[min(len(found) - 1, int(part * len(found)))]


async def measured(kafka: Broker, folder: Path, rate: float, seconds: float, commit: float) -> Latencies:
    """Runs worker, producer and reader for so long after a warm-up."""
    policy = folder / "quick.toml"
    policy.write_text(POLICY)
    # These two by hand, for they are read and written before anyone would have waited for their leaders.
    await kafka.create_topics({SCANS_TOPIC: PARTITIONS, _ALERTS: PARTITIONS})
    broker = ["--broker", f"kafka://{kafka.bootstrap}", "--app-id", _APP, "--policy", str(policy)]
    streams = [sys.executable, "-m", "streams"]
    counts = ["--scan-partitions", str(PARTITIONS), "--order-partitions", str(PARTITIONS)]
    made = await asyncio.create_subprocess_exec(
        *streams, "topics", *broker, *counts, "--replication-factor", "1", cwd=ROOT, stdout=asyncio.subprocess.DEVNULL
    )
    if await made.wait():
        raise BrokerError("the topics could not be made")
    command = [*streams, "worker", *broker, "--commit-interval", str(commit)]
    found = Latencies()
    with Child(command, folder / "worker.log") as child:
        done = asyncio.Event()
        begin = time.time() + _WARM
        reading = asyncio.create_task(_read(kafka, found, begin, begin + seconds, done))
        await _produce(kafka.bootstrap, Parcels(rate), begin, seconds, child, found)
        # What was due up to the end has been said by then.
        await asyncio.sleep(SILENCE)
        done.set()
        await reading
        if child.ended() is not None:
            raise BrokerError(f"the worker has ended: {child.said()}")
        child.stop()
    return found


async def _produce(
    bootstrap: str, parcels: Parcels, begin: float, seconds: float, child: Child, found: Latencies
) -> None:
    """Sends scans from now on, and counts from `begin` on."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=1 << 20)
    await producer.start()
    try:
        first = now = time.time()
        used = None
        while now < begin + seconds:
            if used is None and now >= begin:
                used = (now, _cpu(child.pid), found.sent)
            builders: dict[int, Any] = {}
            for partition, key, value in parcels.due(now, first):
                builder = builders.get(partition) or builders.setdefault(partition, producer.create_batch())
                assert builder.append(timestamp=round(now * 1000), key=key, value=value) is not None
                found.sent += 1
            for partition, builder in builders.items():
                await producer.send_batch(builder, SCANS_TOPIC, partition=partition)
            await asyncio.sleep(max(0.0, _TICK - (time.time() - now)))
            now = time.time()
        assert used is not None
        began, spent, sent = used
        found.cores = (_cpu(child.pid) - spent) / (now - began)
        found.sent -= sent
    finally:
        await producer.stop()


async def _read(kafka: Broker, found: Latencies, begin: float, end: float, done: asyncio.Event) -> None:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, isolation_level="read_committed", auto_offset_reset="earliest",
        enable_auto_commit=False, fetch_max_wait_ms=20,
    )  # fmt: skip
    partitions = await kafka.end_offsets(_ALERTS)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(_ALERTS, partition) for partition in partitions])
        while not done.is_set():
            for records in (await consumer.getmany(timeout_ms=20)).values():
                now = time.time() * 1000
                for record in records:
                    _note(found, record.value, now, begin * 1000, end * 1000)
    finally:
        await consumer.stop()


def _note(found: Latencies, value: bytes, now: float, begin: float, end: float) -> None:
    alert = from_parcelwatch(value)
    if alert is None:
        return
    # In event time, and then when a scan of that time was sent; the alert's own time is cut to milliseconds.
    sent = alert.time + _AGE * 1000
    # After the end everything falls silent at once, which is no even load.
    if not begin <= sent < end:
        return
    (found.raised if alert.status == "raised" else found.resolved).append(now - sent)


def _cpu(pid: int) -> float:
    """CPU-seconds of a running process, from Linux' own book."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.latency", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--rate", type=float, default=20_000, help="scans a second (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=30, help="measured, after a warm-up (default: %(default)s)")
    parser.add_argument("--commit-interval", type=float, default=0.5, help="of the worker (default: %(default)s)")
    asked = parser.parse_args(given)
    with tempfile.TemporaryDirectory(prefix="parcelwatch-bench-") as name:
        kafka = choose(Path(name) / "kafka")
        try:
            await kafka.start()
            found = await measured(kafka, Path(name), asked.rate, asked.seconds, asked.commit_interval)
        finally:
            kafka.remove()
    print(machine.described())
    print(f"{found.sent / asked.seconds:,.0f} scans a second, commit every {asked.commit_interval} s, "
          f"{MARGIN} s waited for by the rules: the worker kept {found.cores:.2f} cores busy")  # fmt: skip
    print("\n| ms until readable | alerts | p50 | p99 | most |\n|---|---|---|---|---|")
    for title, each in (("raised, after its deadline", found.raised), ("resolved, after its scan", found.resolved)):
        if not each:
            sys.exit("bench: no alert came")
        shown = (quantile(each, 0.5), quantile(each, 0.99), max(each))
        print(f"| {title} | {len(each):,} | " + " | ".join(f"{one:,.0f}" for one in shown) + " |")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (NoBrokerError, BrokerError) as problem:
        sys.exit(f"bench: {problem}")
