"""One contender after the other over the same scans on the same Kafka; what each spent, and whether it was right."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.child import Child, Spent
from bench.contenders import PARCELWATCH, ROOT, SCANS_TOPIC, Contender, Run
from bench.scans import PARTITIONS, Alert, Scans
from bench.traffic import Reader, produce
from tests.kafka_broker import Broker

#: Seconds between two looks at a contender that does not end by itself.
_LOOK = 0.25
#: Scans a second that even the slowest contender is given time for, and seconds for its start.
_SLOWEST, _START = 500, 90
#: Cores that others may keep busy before a measurement, the broker's own upkeep included.
QUIET = 0.25
_PLATFORM = "alerts.platform"
_KEEP = {"retention.ms": "-1"}


class WrongError(RuntimeError):
    """A contender failed, came to no end, or said something else than it should."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one contender did. `busy`: cores that others kept busy just before."""

    contender: Contender
    scans: int
    alerts: int
    twice: int
    spent: Spent
    busy: float | None

    @property
    def rate(self) -> float:
        """Scans per CPU-second."""
        return self.scans / self.spent.cpu


class Throughput:
    """The measurements on one broker. `tell` is given lines for a person."""

    def __init__(self, kafka: Broker, folder: Path, tell: Callable[[str], None]) -> None:
        self._kafka = kafka
        self._folder = folder
        self._tell = tell
        self._written: dict[int, Scans] = {}

    async def prepare(self, contenders: Sequence[Contender], scans: int) -> None:
        """Makes everyone ready and writes the scans."""
        for ready in dict.fromkeys(contender.ready for contender in contenders):
            await asyncio.to_thread(ready)
        for contender in contenders:
            count = scans if contender.most is None else min(scans, contender.most)
            # parcelwatch reads the topic of the fixed name, so it has to be the one with all scans.
            if count not in self._written:
                await self._write(count, SCANS_TOPIC if count == scans else f"{SCANS_TOPIC}-{count}")

    async def _write(self, count: int, topic: str) -> None:
        began = time.monotonic()
        written = self._written[count] = Scans(count)
        await self._kafka.create_topics({topic: PARTITIONS}, {topic: _KEEP})
        await produce(self._kafka.bootstrap, topic, written)
        held = await self._kafka.end_offsets(topic)
        assert sum(held.values()) == len(written)
        self._tell(f"{count} scans in {topic}, {time.monotonic() - began:.0f} s")

    async def measure(self, contender: Contender, scans: int, number: int, quiet_for: float) -> Figures:
        """Waits up to `quiet_for` seconds for a free machine, then runs it from nothing. Raises WrongError."""
        count = scans if contender.most is None else min(scans, contender.most)
        written = self._written[count]
        topic = SCANS_TOPIC if count == scans else f"{SCANS_TOPIC}-{count}"
        group = f"{contender.name}-{number}"
        place = self._folder / group
        place.mkdir(parents=True)
        run = Run(self._kafka.bootstrap, group, topic, await self._alerts_topic(contender, group), place)
        busy = await asyncio.to_thread(quiet, quiet_for)
        environment = {name: held for name, held in os.environ.items() if not name.startswith("PARCELWATCH_")}
        partitions = await self._kafka.end_offsets(run.alerts)
        with Child(contender.command(run), self._folder / f"{group}.log", environment) as child:
            async with Reader(run.bootstrap, run.alerts, partitions, contender.decode) as reader:
                limit = time.monotonic() + _START + count / _SLOWEST
                if contender.ends:
                    while (spent := child.ended()) is None and time.monotonic() < limit:
                        await reader.look(_LOOK)
                else:
                    spent = await self._until_read(child, reader, run, written, limit)
                if spent is None:
                    raise WrongError(f"{contender.name}: not at the end in time\n{child.said()}")
                if contender.ends and spent.status:
                    raise WrongError(f"{contender.name}: status {spent.status}\n{child.said()}")
                await reader.finish()
        shutil.rmtree(place, ignore_errors=True)
        check(contender.name, reader.found, written.alerts)
        twice = reader.records - len(reader.found)
        return Figures(contender, len(written), len(reader.found), twice, spent, busy)

    async def _until_read(self, child: Child, reader: Reader, run: Run, written: Scans, limit: float) -> Spent | None:
        """Stops it once every alert is readable and every scan's offset committed."""
        ends = await self._kafka.end_offsets(run.scans)
        while time.monotonic() < limit:
            if child.ended() is not None:
                raise WrongError(f"{run.group}: ended by itself\n{child.said()}")
            await reader.look(_LOOK)
            if len(reader.found) >= len(written.alerts):
                committed = await self._kafka.committed(run.group)
                if all(committed.get((run.scans, number), 0) >= end for number, end in ends.items()):
                    return child.stop()
        return None

    async def _alerts_topic(self, contender: Contender, group: str) -> str:
        if contender.name != PARCELWATCH:
            topic = f"{group}-alerts"
            await self._kafka.create_topics({topic: PARTITIONS}, {topic: _KEEP})
            return topic
        if _PLATFORM in await self._kafka.topics():
            # What an earlier run said is not this one's.
            async with self._kafka.admin() as admin:
                await admin.delete_topics([_PLATFORM])
            while _PLATFORM in await self._kafka.topics():  # noqa: ASYNC110 - the broker tells nobody
                await asyncio.sleep(0.1)
        partitions = ["--scan-partitions", str(PARTITIONS), "--order-partitions", str(PARTITIONS)]
        command = [sys.executable, "-m", "streams", "topics", "--broker", f"kafka://{self._kafka.bootstrap}"]
        made = [*command, "--app-id", group, "--replication-factor", "1", *partitions]
        await asyncio.to_thread(subprocess.run, made, check=True, capture_output=True, cwd=ROOT)
        return _PLATFORM


def check(name: str, found: set[Alert], expected: set[Alert]) -> None:
    """Raises WrongError where the alerts are not those that there should be."""
    if found != expected:
        raise WrongError(
            f"{name}: {len(expected - found)} alerts missing, {len(found - expected)} too many: "
            f"{sorted(expected - found)[:3]} {sorted(found - expected)[:3]}"
        )


def quiet(patience: float) -> float | None:
    """Waits until others leave the machine alone; how busy they are by then, in cores."""
    limit = time.monotonic() + patience
    while True:
        cores = machine.busy()
        if cores is None or cores <= QUIET or time.monotonic() >= limit:
            return cores


def table(figures: Sequence[Figures]) -> list[str]:
    """The figures as lines of Markdown; with several runs of a contender each has its line."""
    base: Mapping[str, float] = {each.contender.name: each.rate for each in reversed(figures)}
    ours = base.get(PARCELWATCH)
    lines = [
        "| | guarantee | scans | alerts | CPU s | wall s | most memory | scans per CPU-second | parcelwatch is |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for each in figures:
        ratio = f"{ours / each.rate:.1f} x" if ours is not None and each.contender.name != PARCELWATCH else ""
        twice = f" (+{each.twice} twice)" if each.twice else ""
        lines.append(
            f"| {each.contender.what} | {each.contender.guarantee} | {each.scans:,} | {each.alerts:,}{twice} "
            f"| {each.spent.cpu:.1f} | {each.spent.wall:.1f} | {each.spent.memory / 1e6:,.0f} MB "
            f"| {each.rate:,.0f} | {ratio} |"
        )
    return lines
