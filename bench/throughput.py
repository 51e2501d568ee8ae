"""What a contender spends on a stream of scans.

All watch the same scans on the same Kafka for parcels that are silent for more than a week. The scans are written
beforehand, one contender runs at a time, from an empty state to the last committed offset, and what it said must be
exactly the alerts that there should be.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from bench import machine
from bench.child import Child, Spent
from bench.contenders import ALERTS_TOPIC, SCANS_TOPIC, Contender, Run
from bench.install import ROOT
from bench.scans import PARTITIONS, SILENT, Alert, Scans
from bench.traffic import Reader, produce
from tests.kafka_broker import Broker

#: Seconds between two looks at a contender that does not end by itself.
_LOOK = 0.25
#: Scans a second that everyone is given time for, those too that get few of them; and seconds for the start.
_SLOW, _SLOWEST, _START = 4000, 500, 240
#: Settings of a topic whose records stay, whatever their time.
KEEP = {"retention.ms": "-1"}


class WrongError(RuntimeError):
    """A contender failed, came to no end, or said something else than it should."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one contender did. `spent`: by each of its processes. `busy`: cores that others kept busy just before."""

    contender: Contender
    scans: int
    alerts: int
    twice: int
    spent: Sequence[Spent]
    busy: float | None

    @property
    def cpu(self) -> float:
        return sum(each.cpu for each in self.spent)

    @property
    def wall(self) -> float:
        return max(each.wall for each in self.spent)

    @property
    def rate(self) -> float:
        """Scans per CPU-second."""
        return self.scans / self.cpu


class Throughput:
    """The measurements on one broker. `tell` is given lines for a person.

    `silent`: of a hundred parcels so many fall silent. `escaped`: what is not ASCII is escaped in the scans' JSON.
    """

    def __init__(
        self,
        kafka: Broker,
        folder: Path,
        tell: Callable[[str], None],
        silent: int = SILENT,
        escaped: bool = False,
    ) -> None:
        self._kafka = kafka
        self._folder = folder
        self._tell = tell
        self._silent = silent
        self._escaped = escaped
        self._written: dict[int, Scans] = {}
        self._runs = 0

    async def prepare(self, contenders: Sequence[Contender], scans: int) -> None:
        """Writes the scans that they are given."""
        for count in {scans: None, **{count_for(contender, scans): None for contender in contenders}}:
            await self._write(count, topic_of(count, scans))

    async def _write(self, count: int, topic: str) -> None:
        began = time.monotonic()
        written = self._written[count] = Scans(count, silent=self._silent, escaped=self._escaped)
        await self._kafka.create_topics({topic: PARTITIONS}, {topic: KEEP})
        await produce(self._kafka.bootstrap, topic, written)
        held = await self._kafka.end_offsets(topic)
        assert sum(held.values()) == len(written)
        self._tell(f"{count} scans in {topic}, {time.monotonic() - began:.0f} s")

    async def measure(self, contender: Contender, scans: int, quiet_for: float, workers: int = 1) -> Figures:
        """Waits up to `quiet_for` seconds for a free machine, then runs it from nothing.

        Raises WrongError, and NotReadyError where it cannot be built.
        """
        await asyncio.to_thread(contender.ready)
        count = count_for(contender, scans)
        written = self._written[count]
        self._runs += 1
        group = f"{contender.name}-{self._runs}"
        alerts = ALERTS_TOPIC if contender.ours else f"{group}-alerts"
        places = [self._folder / f"{group}-{number}" for number in range(workers)]
        runs = [Run(self._kafka.bootstrap, group, topic_of(count, scans), alerts, place) for place in places]
        await self._make(contender, runs[0])
        busy = await asyncio.to_thread(machine.quiet, quiet_for)
        with ExitStack() as stack:
            children = []
            for run in runs:
                run.folder.mkdir(parents=True)
                log = run.folder.with_suffix(".log")
                children.append(stack.enter_context(Child(contender.command(run), log)))
            partitions = await self._kafka.end_offsets(alerts)
            async with Reader(self._kafka.bootstrap, alerts, partitions, contender.decode) as reader:
                limit = time.monotonic() + _START + count / (_SLOW if contender.most is None else _SLOWEST)
                until = _until_ended if contender.ours else self._until_read
                spent = await until(children, reader, runs[0], written, limit)
                await reader.finish()
        for place in places:
            shutil.rmtree(place, ignore_errors=True)
        check(contender.name, reader.found, written.alerts)
        await self.wipe()
        twice = reader.records - len(reader.found)
        figures = Figures(contender, len(written), len(reader.found), twice, spent, busy)
        self._tell(told(figures))
        return figures

    async def _until_read(
        self, children: Sequence[Child], reader: Reader, run: Run, written: Scans, limit: float
    ) -> list[Spent]:
        """Stops them once every alert is readable and every scan's offset committed."""
        ends = await self._kafka.end_offsets(run.scans)
        while time.monotonic() < limit:
            for child in children:
                if child.ended() is not None:
                    raise WrongError(f"{run.group}: ended by itself\n{child.said()}")
            await reader.look(_LOOK)
            if len(reader.found) >= len(written.alerts):
                committed = await self._kafka.committed(run.group)
                if all(committed.get((run.scans, number), 0) >= end for number, end in ends.items()):
                    return [child.stop() for child in children]
        raise WrongError(f"{run.group}: not at the end in time\n{children[0].said()}")

    async def _make(self, contender: Contender, run: Run) -> None:
        """The topics that it writes to."""
        if not contender.ours:
            await self._kafka.create_topics({run.alerts: PARTITIONS}, {run.alerts: KEEP})
            return
        await make_topics(self._kafka, run.group, PARTITIONS)

    async def wipe(self) -> None:
        """Deletes all but the scans: what one has left is not to keep the broker busy beside the next."""
        kept = {topic_of(count, max(self._written)) for count in self._written}
        await delete(self._kafka, await self._kafka.topics() - kept)


async def _until_ended(
    children: Sequence[Child], reader: Reader, run: Run, _written: Scans, limit: float
) -> list[Spent]:
    """Waits for their own end, which must be a good one."""
    while any(child.ended() is None for child in children):
        if time.monotonic() > limit:
            raise WrongError(f"{run.group}: not at the end in time\n{children[0].said()}")
        await reader.look(_LOOK)
    for child in children:
        if child.wait().status:
            raise WrongError(f"{run.group}: status {child.wait().status}\n{child.said()}")
    return [child.wait() for child in children]


async def make_topics(kafka: Broker, app_id: str, partitions: int) -> None:
    """What a parcelwatch application needs, by its own command."""
    counts = ["--scan-partitions", str(partitions), "--order-partitions", str(partitions)]
    command = [sys.executable, "-m", "streams", "topics", "--broker", f"kafka://{kafka.bootstrap}"]
    made = [*command, "--app-id", app_id, "--replication-factor", "1", *counts]
    done = await asyncio.to_thread(subprocess.run, made, check=False, capture_output=True, cwd=ROOT, text=True)
    # 1: the topics are there, and something disagrees, as the retention of inputs that all contenders share.
    if done.returncode not in (0, 1):
        raise WrongError(f"topics of {app_id}: status {done.returncode}\n{done.stderr}")


async def delete(kafka: Broker, topics: set[str]) -> None:
    """Deletes them and waits until they are gone."""
    async with kafka.admin() as admin:
        while left := topics & set(await admin.list_topics()):
            await admin.delete_topics(sorted(left))
            await asyncio.sleep(0.1)


def count_for(contender: Contender, scans: int) -> int:
    """How many of so many scans it is given."""
    return scans if contender.most is None else min(scans, contender.most)


def topic_of(count: int, scans: int) -> str:
    """parcelwatch reads the topic of the fixed name, so that is the one with all scans."""
    return SCANS_TOPIC if count == scans else f"{SCANS_TOPIC}-{count}"


def check(name: str, found: set[Alert], expected: set[Alert]) -> None:
    """Raises WrongError where the alerts are not those that there should be."""
    if found != expected:
        raise WrongError(
            f"{name}: {len(expected - found)} alerts missing, {len(found - expected)} too many: "
            f"{sorted(expected - found)[:3]} {sorted(found - expected)[:3]}"
        )


def told(one: Figures) -> str:
    """A line for a person."""
    disturbed = f" (others kept {one.busy:.1f} cores busy)" if one.busy is not None and one.busy > machine.QUIET else ""
    return (
        f"{one.contender.name}: {one.rate:,.0f} scans per CPU-second, {one.scans / one.wall:,.0f} a second{disturbed}"
    )
