"""`python -m bench.failover`: how long tasks rest when the worker that has them is killed with -9.

Two workers share the shipments of a market. One of them is killed, and at once a scan is sent to every partition. The
time is taken from the kill until all of these have been read, and committed, by whoever has the partition then: by the
killed worker itself, started again, or by the other one, which has first to hear of the death from the group.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import aiohttp
from aiohttp.test_utils import unused_port
from aiokafka import AIOKafkaProducer
from aiokafka.errors import GroupCoordinatorNotAvailableError

from bench import machine
from bench.child import Child
from bench.contenders import ROOT, SCANS_TOPIC
from bench.scans import PARTITIONS
from schemas.times import render
from streams.engine.partitioner import partition_for
from tests.kafka_broker import Broker, BrokerError, NoBrokerError, choose

_APP = "failover"
_STREAMS = (sys.executable, "-m", "streams")
_TASKS = 2 * PARTITIONS
#: Seconds for anything to come about.
_PATIENCE = 300.0
_VALUE = (
    b'{"event_id":"%s-%d","type":"scan","occurred_at":"%s","tracking_no":"%s","carrier":"carrier-%d",'
    b'"status":"in_transit","facility":"facility-%d","region":"-"}'
)


class Case(NamedTuple):
    """Options of the workers, and whether the killed one is started again."""

    name: str
    options: tuple[str, ...]
    static: bool
    again: bool


CASES = (
    Case("started again, static member", (), True, True),
    Case("started again, no name", (), False, True),
    Case("not started again, no standbys", (), True, False),
    Case("not started again, --standbys 1", ("--standbys", "1"), True, False),
)


class Measured(NamedTuple):
    """Seconds until all was read again; rows that were read of changelogs after the kill; tasks that others lost."""

    seconds: float
    rows: int
    moved: int


class Worker:
    """One worker that tells its metrics."""

    def __init__(self, kafka: Broker, folder: Path, name: str, case: Case) -> None:
        self._log = folder / f"{name}.log"
        self._port = unused_port()
        named = ("--instance-id", name) if case.static else ()
        self._command = [
            *_STREAMS, "worker", "--broker", f"kafka://{kafka.bootstrap}", "--app-id", _APP,
            "--metrics-port", str(self._port), *named, *case.options,
        ]  # fmt: skip

    def start(self, stack: ExitStack) -> Child:
        return stack.enter_context(Child(self._command, self._log))

    async def has_half(self) -> bool:
        return await self.told("parcelwatch_tasks") == _TASKS / 2

    async def has_caught_up(self) -> bool:
        """Whether it follows, and is at the end."""
        rows = await self.told("parcelwatch_standby_rows_total")
        return rows > 0 and await self.told("parcelwatch_standby_lag_offsets") == 0

    async def told(self, metric: str) -> float:
        """A metric's sum over its labels; 0 where it does not answer."""
        try:
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"http://127.0.0.1:{self._port}/metrics") as answer,
            ):
                text = await answer.text()
        except aiohttp.ClientConnectionError:
            return 0.0
        return sum(float(number) for number in re.findall(rf"^{metric}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Waits for it."""
    async with asyncio.timeout(_PATIENCE):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


def scans(parcels: int, number: int) -> Iterator[tuple[int, bytes, bytes]]:
    """(partition, key, value) of the scan of that number of so many parcels."""
    at = render(int(time.time() * 1e6)).encode()
    for parcel in range(parcels):
        key = b"P%012d" % parcel
        value = _VALUE % (key, number, at, key, parcel % 50, parcel % 5000)
        yield partition_for(key, PARTITIONS), key, value


async def produce(bootstrap: str, parcels: int, number: int) -> None:
    """Sends a scan of each of the first parcels; eight of them are enough for every partition."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=1 << 19)
    await producer.start()
    try:
        builders = {partition: producer.create_batch() for partition in range(PARTITIONS)}
        for partition, key, value in scans(parcels, number):
            if builders[partition].append(timestamp=None, key=key, value=value) is None:
                await producer.send_batch(builders[partition], SCANS_TOPIC, partition=partition)
                builders[partition] = producer.create_batch()
                builders[partition].append(timestamp=None, key=key, value=value)
        for partition, builder in builders.items():
            if builder.record_count():
                await producer.send_batch(builder, SCANS_TOPIC, partition=partition)
    finally:
        await producer.stop()


async def all_read(kafka: Broker) -> None:
    """Waits until every partition of the scans has been read to its end, and that is committed."""
    ends = await kafka.end_offsets(SCANS_TOPIC)

    async def read() -> bool:
        try:
            committed = await kafka.committed(_APP)
        except GroupCoordinatorNotAvailableError:
            return False  # the first group of a new broker
        return all(committed.get((SCANS_TOPIC, partition), 0) >= end for partition, end in ends.items())

    await until(read)


async def measure(kafka: Broker, folder: Path, case: Case, number: int) -> Measured:
    """Kills one of two workers."""
    one, two = Worker(kafka, folder, "one", case), Worker(kafka, folder, "two", case)
    with ExitStack() as stack:
        killed, other = one.start(stack), two.start(stack)
        await until(one.has_half)
        await until(two.has_half)
        if case.options:
            await until(two.has_caught_up)
        rows = await two.told("parcelwatch_restored_rows_total")
        taken = await two.told("parcelwatch_restore_seconds_count")
        began = time.monotonic()
        killed.kill()
        if case.again:
            killed = one.start(stack)
        await produce(kafka.bootstrap, 8 * PARTITIONS, number)
        await all_read(kafka)
        seconds = time.monotonic() - began
        await asyncio.sleep(0.5)  # for what is told now and then
        read = await two.told("parcelwatch_restored_rows_total") - rows
        moved = await two.told("parcelwatch_restore_seconds_count") - taken
        if case.again:
            read += await one.told("parcelwatch_restored_rows_total")
            killed.stop()
        other.stop()
    return Measured(seconds, int(read), int(moved))


async def prepare(kafka: Broker, folder: Path, parcels: int) -> None:
    """Makes the topics, and the state: two scans of each parcel."""
    made = await asyncio.create_subprocess_exec(
        *_STREAMS, "topics", "--broker", f"kafka://{kafka.bootstrap}", "--app-id", _APP, "--replication-factor", "1",
        "--scan-partitions", str(PARTITIONS), "--order-partitions", str(PARTITIONS),
        cwd=ROOT, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    if await made.wait():
        raise BrokerError("the topics could not be made")
    for number in range(2):
        await produce(kafka.bootstrap, parcels, number)
    with ExitStack() as stack:
        first = Worker(kafka, folder, "first", CASES[1]).start(stack)
        await all_read(kafka)
        first.stop()


async def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.failover", description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--parcels", type=int, default=200_000, help="tracked shipments (default: %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="kills of each kind (default: %(default)s)")
    asked = parser.parse_args(given)
    with tempfile.TemporaryDirectory(prefix="parcelwatch-bench-") as name:
        kafka = choose(Path(name) / "kafka")
        try:
            await kafka.start()
            await prepare(kafka, Path(name), asked.parcels)
            lines = []
            for case in CASES:
                found = [await measure(kafka, Path(name), case, 2 + turn) for turn in range(asked.repeat)]
                seconds = sorted(each.seconds for each in found)
                print(f"{case.name}: {found}", file=sys.stderr, flush=True)
                rows, moved = max(each.rows for each in found), max(each.moved for each in found)
                lines.append(
                    f"| {case.name} | {seconds[len(seconds) // 2]:.1f} | {seconds[-1]:.1f} | {rows:,} | {moved} |"
                )
        finally:
            kafka.remove()
    print(machine.described())
    print(f"{asked.parcels:,} shipments, {PARTITIONS} partitions, two workers, {asked.repeat} kills of each kind\n")
    print("| the killed worker is | s, median | s, most | rows read again | tasks taken anew by the other |")
    print("|---|---|---|---|---|")
    print(*lines, sep="\n")


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (NoBrokerError, BrokerError) as problem:
        sys.exit(f"bench: {problem}")
