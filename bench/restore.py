"""The time of a restore, and the time until work resumes after a kill -9; parcelwatch and Kafka Streams.

Everyone takes as many shipments into its state, with one scan each, and ends. Then it is started again: with its state
in memory, with a store on disk that is empty, and with the store that it left. A start with nothing to restore is
subtracted from each. All is seen from outside: the process, its metrics or its log.

Behind the kill, scans keep coming; work goes on when scans sent since are committed in every partition.
"""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

from bench import install
from bench.asked import Asked
from bench.child import Child
from bench.contenders import DISK, MEMORY, SCANS_TOPIC, Run, kafka_streams, stored
from bench.results import Cell, Table
from bench.scans import PARTITIONS
from bench.shipments import shipments, trickle
from bench.throughput import WrongError, make_topics
from bench.traffic import produce
from bench.worker import PATIENCE, ready, started
from tests.kafka_broker import Broker

SHIPMENTS = 1_000_000
ROUNDS = 3
_ONE, _OTHER = "one", "other"
_PEER_ALERTS = "peer-alerts"
#: Seconds to take in all scans, at the most; and to be back at work.
_READ, _BACK = 600.0, 120.0
#: Seconds between two looks at how far a group is, and of quiet before a kill.
_LOOK, _BEFORE = 0.1, 3.0
#: A shorter difference of two starts, in seconds, gives no rate.
_SEEN = 0.2


class Member(Protocol):
    """A process of a group that can be watched: a worker, or a peer."""

    child: Child

    async def until_it_works(self) -> float: ...

    async def restored(self) -> int:
        """Records that it was restored from."""

    async def follows(self) -> bool:
        """Whether it has standbys that are up to date."""


#: Starts one of a group with its state in memory or in a folder, as a static member of that name; it is stopped behind
#: the block.
Starter = Callable[[str, str, Path, str], AbstractAsyncContextManager[Member]]


class Peer:
    """Kafka Streams, which tells its log of its state and of restores."""

    def __init__(self, child: Child) -> None:
        self.child = child

    async def until_it_works(self) -> float:
        limit = time.monotonic() + PATIENCE
        while "state RUNNING" not in self.child.lines():
            if self.child.ended() is not None or time.monotonic() > limit:
                raise WrongError(f"Kafka Streams is not at work: {self.child.said()}")
            await asyncio.sleep(0.02)
        return time.monotonic()

    async def follows(self) -> bool:
        return False

    async def restored(self) -> int:
        return sum(int(line.split()[2]) for line in self.child.lines().splitlines() if line.startswith("restored "))


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a process until it was at work: seconds, CPU-seconds, records restored."""

    wall: float
    cpu: float
    records: int = 0


async def _start(member: Member) -> Start:
    """Of one that was started just now."""
    wall = await member.until_it_works() - member.child.began
    return Start(wall, member.child.cpu, await member.restored())


def _middle(starts: Sequence[Start]) -> Start:
    """The one whose CPU time is in the middle."""
    return sorted(starts, key=lambda each: each.cpu)[len(starts) // 2]


async def _until_all_is_read(kafka: Broker, group: str) -> None:
    ends = await kafka.end_offsets(SCANS_TOPIC)
    limit = time.monotonic() + _READ
    while True:
        committed = await kafka.committed(group)
        if all(committed.get((SCANS_TOPIC, number), 0) >= end for number, end in ends.items()):
            return
        if time.monotonic() > limit:
            raise WrongError(f"{group} does not come to the end")
        await asyncio.sleep(0.5)


async def _until_work_goes_on(kafka: Broker, group: str) -> float:
    """Seconds from now until all that is there now, and more, is committed in every partition."""
    killed = time.monotonic()
    ends = await kafka.end_offsets(SCANS_TOPIC)
    while True:
        committed = await kafka.committed(group)
        if all(committed.get((SCANS_TOPIC, number), 0) > end for number, end in ends.items()):
            return time.monotonic() - killed
        if time.monotonic() > killed + _BACK:
            raise WrongError(f"{group} is not back at work after {_BACK:.0f} s")
        await asyncio.sleep(_LOOK)


async def _until_it_follows(member: Member) -> None:
    limit = time.monotonic() + _BACK
    while not await member.follows():
        if time.monotonic() > limit:
            raise WrongError(f"its standbys do not catch up: {member.child.said()}")
        await asyncio.sleep(_LOOK)


@dataclass(frozen=True, slots=True)
class Party:
    """Whoever is measured, and how one is started. `standbys`: a member follows the tasks of others."""

    name: str
    #: The group whose state is restored, and one that has none.
    group: str
    empty: str
    start: Starter
    standbys: bool = False
    #: Stores on disk, as they are called, and as `start` is told.
    disks: tuple[tuple[str, str], ...] = ()


class Measure:
    """All measurements of one party on one broker."""

    def __init__(self, asked: Asked, party: Party, count: int) -> None:
        self._asked = asked
        self._kafka = asked.kafka
        self._party = party
        self._count = count
        self._folder = asked.folder / party.group
        self._empty = Start(0.0, 0.0)
        self._rounds = asked.rounds(ROUNDS)

    async def start_empty(self) -> None:
        """To be called while there is no scan yet."""
        found = []
        for _ in range(self._rounds):
            async with self._party.start(self._party.empty, MEMORY, self._folder / "empty", _ONE) as member:
                found.append(await _start(member))
        self._empty = _middle(found)

    async def restores(self) -> list[list[Cell]]:
        """Rows: state, records, seconds and CPU-seconds, rates beside an empty start; of the middle one of the rounds.

        A store that is wiped has another folder in each round.
        """
        party, kafka = self._party, self._kafka
        rows = []
        async with party.start(party.group, MEMORY, self._folder / "first", _ONE):
            await _until_all_is_read(kafka, party.group)
        kinds = [("memory", MEMORY)]
        for name, store in party.disks:
            kinds += [(f"{name}, wiped", store), (f"{name}, as it was left", store)]
        starts: dict[str, list[Start]] = {what: [] for what, _ in kinds}
        for number in range(self._rounds):
            for what, store in kinds:
                async with party.start(party.group, store, self._folder / f"{store}-{number}", _ONE) as member:
                    found = await _start(member)
                    if store != MEMORY:
                        # What it was restored from has been written by the time of its orderly end.
                        await asyncio.sleep(1.0)
                starts[what].append(found)
                self._asked.tell(
                    f"{party.name}, {what}: {found.records:,} records, {found.wall:.1f} s, {found.cpu:.1f} CPU"
                )
        for what, of_all in starts.items():
            rows.append(self._row(what, of_all, self._empty))
        return rows

    def _row(self, what: str, of_all: Sequence[Start], empty: Start) -> list[Cell]:
        found = _middle(of_all)
        wall, cpu = found.wall - empty.wall, found.cpu - empty.cpu
        walls = [each.wall for each in of_all]

        def rate(number: int, seconds: float) -> int | None:
            return round(number / seconds) if number and seconds > _SEEN else None

        return [self._party.name, what, self._count, found.records, round(found.wall, 1), round(empty.wall, 1),
                round(found.cpu, 1), rate(found.records, wall), rate(found.records, cpu),
                rate(self._count, cpu), f"{min(walls):.1f} to {max(walls):.1f}"]  # fmt: skip

    async def back(self, restarted: bool) -> list[Cell]:
        """Seconds from a kill -9 until work goes on, with that many shipments in memory."""
        party, kafka = self._party, self._kafka
        done = asyncio.Event()
        place = self._folder / f"killed-{int(restarted)}-{int(party.standbys)}"
        async with party.start(party.group, MEMORY, place / "a", _ONE) as victim:
            await victim.until_it_works()
            feeding = asyncio.create_task(trickle(kafka.bootstrap, SCANS_TOPIC, done))
            if restarted:
                await asyncio.sleep(_BEFORE)
                victim.child.signal(signal.SIGKILL)
                killed = asyncio.create_task(_until_work_goes_on(kafka, party.group))
                async with party.start(party.group, MEMORY, place / "a", _ONE):
                    seconds = await killed
            else:
                async with party.start(party.group, MEMORY, place / "b", _OTHER) as other:
                    await other.until_it_works()
                    await _until_work_goes_on(kafka, party.group)
                    if party.standbys:
                        await _until_it_follows(other)
                    victim.child.signal(signal.SIGKILL)
                    seconds = await _until_work_goes_on(kafka, party.group)
            done.set()
            await feeding
        how = "restarted at once" if restarted else "its tasks go to another"
        if party.standbys:
            how += ", which has followed them"
        self._asked.tell(f"{party.name}, killed, {how}: back after {seconds:.1f} s")
        return [party.name, how, self._count, round(seconds, 1)]


def _ours(kafka: Broker, standbys: bool = False) -> Party:
    @asynccontextmanager
    async def start(group: str, store: str, folder: Path, name: str) -> AsyncIterator[Member]:
        options = ["--clock", "stream", "--instance-id", name, *stored(store, folder)]
        options += ["--standbys", "1"] if standbys else []
        async with started(kafka, group, folder, *options) as worker:
            yield worker

    disks = [("rocksdict", DISK)]
    if find_spec("parcelwatch_native") is not None:
        disks.append(("row files", "file"))
    return Party("parcelwatch", "ours", "ours-empty", start, standbys, tuple(disks))


def _theirs(kafka: Broker) -> Party:
    @asynccontextmanager
    async def start(group: str, store: str, folder: Path, name: str) -> AsyncIterator[Member]:
        run = Run(kafka.bootstrap, group, SCANS_TOPIC, _PEER_ALERTS, folder)
        command = [*kafka_streams("memory" if store == MEMORY else "rocksdb")(run), name]
        with Child(command, folder / f"{time.monotonic_ns()}.log") as child:
            yield Peer(child)
            await asyncio.to_thread(child.stop)

    return Party("Kafka Streams", "theirs", "theirs-empty", start, disks=(("RocksDB", DISK),))


async def parties(asked: Asked) -> list[Party]:
    """Whoever is measured, made ready, with topics."""
    kafka = asked.kafka
    found = [_ours(kafka)]
    await ready(kafka, found[0].group, PARTITIONS)
    await make_topics(kafka, found[0].empty, PARTITIONS)
    if not asked.ours:
        await asyncio.to_thread(install.kafka_streams)
        await kafka.create_topics({_PEER_ALERTS: PARTITIONS})
        found.append(_theirs(kafka))
    return found


async def run(asked: Asked) -> list[Table]:
    count = asked.size(SHIPMENTS, least=2000)
    restores: list[list[Cell]] = []
    kills: list[list[Cell]] = []
    measures = [Measure(asked, party, count) for party in await parties(asked)]
    for measure in measures:
        await measure.start_empty()
    await produce(asked.kafka.bootstrap, SCANS_TOPIC, shipments(count))
    for measure in measures:
        restores += await measure.restores()
        kills += [await measure.back(restarted) for restarted in (True, False)]
    kills.append(await Measure(asked, _ours(asked.kafka, standbys=True), count).back(restarted=False))
    kills.sort(key=lambda kill: str(kill[0]), reverse=True)
    columns = ["", "state", "shipments", "records read of Kafka", "s until at work", "s with nothing to restore",
               "CPU s until at work", "records a second", "records per CPU-second",
               "shipments per CPU-second", f"s until at work, of {asked.rounds(ROUNDS)} rounds"]  # fmt: skip
    return [
        Table("restore", columns, restores),
        Table("kill", ["", "killed with -9, and", "shipments", "s until work goes on"], kills),
    ]
