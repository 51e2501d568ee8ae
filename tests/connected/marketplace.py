"""A made-up marketplace on a real Kafka, workers over it as processes, and what the replay says of the same events."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from weakref import WeakKeyDictionary

from schemas.decode import Invalid, decode
from schemas.events import record_key
from schemas.times import DAY, parse, render
from schemas.topics import TABLES
from streams.marketplace.market import Plan, market
from tests.kafka_broker import Broker
from tests.patience import PATIENCE

APP = "pw"
ALERTS = ("alerts.merchant", "alerts.platform")
INPUTS = ("orders", "logistics-scans", "chats")
DEAD = tuple(f"{topic}.dlq" for topic in INPUTS)
OUTPUTS = {**dict.fromkeys(ALERTS + TABLES, 2), **dict.fromkeys(DEAD, 1)}
THREE = dict.fromkeys(INPUTS, 3)

#: Tables that have something in them wherever there are orders and escalations.
JUDGED = ("help-rates", "category-baselines")

#: (topic, key, value) in arrival order.
Produced = list[tuple[str, bytes, bytes]]


class Ear:
    """Reads what a process says on standard error, from its start to its end, so that it never has to wait."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.lines: list[str] = []
        self.end = asyncio.create_task(self._hear(process))

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        async for line in process.stderr:
            self.lines.append(line.decode())
        await process.wait()


_ears: WeakKeyDictionary[asyncio.subprocess.Process, Ear] = WeakKeyDictionary()
#: What the processes of the test that runs have said: their arguments and lines. A failed test tells it.
spoken: list[tuple[tuple[str, ...], list[str]]] = []
#: The processes themselves.
started: list[asyncio.subprocess.Process] = []


async def command(*arguments: str, **variables: str) -> asyncio.subprocess.Process:
    """Starts the command as a user does."""
    return await heard(sys.executable, "-m", "streams", *arguments, **variables)


async def heard(*arguments: str, **variables: str) -> asyncio.subprocess.Process:
    """Starts a process whose standard error is read all the time."""
    process = await asyncio.create_subprocess_exec(
        *arguments,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if not name.startswith("PARCELWATCH_")} | variables,
    )
    ear = _ears[process] = Ear(process)
    spoken.append((arguments, ear.lines))
    started.append(process)
    return process


async def saying(process: asyncio.subprocess.Process, text: str) -> None:
    """Waits until the process has said something that contains the text."""
    async with asyncio.timeout(PATIENCE):
        while not any(text in line for line in _ears[process].lines):
            assert process.returncode is None, await said(process)
            await asyncio.sleep(0.02)


def heard_of(process: asyncio.subprocess.Process) -> list[str]:
    """The lines that a process has said on standard error so far."""
    return _ears[process].lines


async def said(process: asyncio.subprocess.Process) -> str:
    """Waits for the end of a process, and gives what it has said on standard error."""
    async with asyncio.timeout(PATIENCE):
        await asyncio.shield(_ears[process].end)
    return "".join(_ears[process].lines)


async def ended_well(process: asyncio.subprocess.Process) -> None:
    """Waits for its end, which must be with status 0; nothing is left of it in any case."""
    try:
        await said(process)
    finally:
        error = await end(process)
    assert process.returncode == 0, error[-4000:]


async def end(process: asyncio.subprocess.Process) -> str:
    """Kills the process where it still runs, waits for its end, and gives what it has said on standard error."""
    if process.returncode is None:
        process.kill()
    return await said(process)


async def run(*arguments: str, **variables: str) -> None:
    """Runs the command as a user does; it must end with status 0."""
    await ended_well(await command(*arguments, **variables))


@asynccontextmanager
async def running(*arguments: str, **variables: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The command as a process that does not outlive the block."""
    process = await command(*arguments, **variables)
    try:
        yield process
    finally:
        await end(process)


def worker(kafka: Broker, until: str, *options: str) -> tuple[str, ...]:
    """The command of a worker that ends when everything is at `until`."""
    broker = f"kafka://{kafka.bootstrap}"
    fixed = ("--broker", broker, "--app-id", APP, "--clock", until, "--once", "--commit-interval", "0.2")
    return ("worker", *fixed, *options)


def generated(days: int, shops: int = 12, orders_per_day: int = 30) -> Produced:
    """The marketplace's events, those included that are none."""
    plan = Plan(seed=3, shops=shops, orders_per_day=orders_per_day, days=days)
    return [(one.topic, one.key.encode(), one.encode()) for one in market(plan)]


def weeks_ago(days: int, orders_per_day: int, before: int = 100) -> Produced:
    """The events of some days of a marketplace, `before` days before now."""
    start = time.time_ns() // 1000 // DAY * DAY - before * DAY
    plan = Plan(seed=3, shops=12, orders_per_day=orders_per_day, days=days, start=start)
    return valid([(one.topic, one.key.encode(), one.encode()) for one in market(plan)])


def valid(events: Produced) -> Produced:
    """Those of them that are events under their key."""
    return [event for event in events if is_valid(*event)]


def is_valid(topic: str, key: bytes, value: bytes) -> bool:
    try:
        return record_key(decode(topic, value)[0]).encode() == key
    except Invalid:
        return False


def from_lines(lines: Iterable[bytes]) -> Produced:
    """Events from lines of {"topic", "value"}."""
    produced = []
    for line in lines:
        tagged = json.loads(line)
        value = json.dumps(tagged["value"], ensure_ascii=False, separators=(",", ":")).encode()
        event, _ = decode(tagged["topic"], value)
        produced.append((tagged["topic"], record_key(event).encode(), value))
    return produced


def last_time(events: Produced) -> int:
    """The greatest event time, in microseconds."""
    return max(parse(json.loads(value)["occurred_at"]) for _, _, value in events)


def some_days_after(events: Produced) -> str:
    """A time by which parcels of the last days are stalled."""
    return render(last_time(events) + 9 * DAY)


async def replay(events: Produced, until: str, folder: Path, *options: str) -> Path:
    """The folder in which the replay has put out what it says."""
    source = folder / "in.jsonl"
    with source.open("wb") as out:
        out.writelines(b'{"topic":"%s","value":%s}\n' % (topic.encode(), value) for topic, _, value in events)
    await run("replay", str(source), "--out", str(folder / "out"), "--until", until, *options)
    return folder / "out"


async def produce(kafka: Broker, events: Produced, partitions: dict[str, int]) -> None:
    """Makes the topics and writes the events, in their order."""
    await kafka.create_topics({**partitions, **OUTPUTS})
    for topic in partitions:
        await kafka.produce(topic, [(key, value) for one, key, value in events if one == topic])


async def progress(kafka: Broker) -> int:
    """How many records of the inputs have been read in committed transactions."""
    committed = await kafka.committed(APP)
    return sum(offset for (topic, _), offset in committed.items() if topic in INPUTS)


async def alerts(kafka: Broker, topic: str) -> list[bytes]:
    """All committed records of a topic of alerts, sorted."""
    return sorted(record.value for record in await kafka.read_committed(topic))


async def compare(kafka: Broker, out: Path) -> None:
    """Committed alerts are the replay's, each once, and so is what the tables have come to."""
    for topic in ALERTS:
        got = await alerts(kafka, topic)
        assert got == sorted((out / f"{topic}.jsonl").read_bytes().splitlines())
        assert got
    await compare_tables(kafka, out)


async def compare_tables(kafka: Broker, out: Path) -> None:
    """What the tables have come to is what the replay's are."""
    for table in TABLES:
        rows: dict[bytes, bytes | None] = {}
        for record in await kafka.read_committed(table):
            rows[record.key] = record.value
        left = sorted(value for value in rows.values() if value is not None)
        assert left == sorted((out / f"{table}.jsonl").read_bytes().splitlines()), table
        assert left or table not in JUDGED
