"""`python -m bench.letters`: what records that are no events cost those that are, in a worker and in a replay.

By turns, within the same minutes: good events alone, and the same with as many dead letters among them. Then a million
dead letters in a row, with good events behind them. All dead letters are counted: in their topics and in the metric, or
in the replay's file.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.alone import alone
from bench.child import Child
from bench.soak.dead import mixed, spoiled
from bench.soak.orders import Event, Hot, Orders
from bench.soak.sending import Sender
from bench.soak.watching import Watch
from bench.throughput import KEEP, WrongError, delete, make_topics
from bench.worker import started, total
from schemas.events import CHATS, ORDERS, SCANS
from tests.kafka_broker import Broker

PARTITIONS = 4
_TOPICS = (ORDERS, SCANS, CHATS)
_DLQ = tuple(f"{topic}.dlq" for topic in _TOPICS)
#: Seconds of event time by which watermarks trail when all is judged.
_SLACK = 12 * 3600
START = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())


@dataclass(slots=True)
class Load:
    """A stream that counts what it gives. `good`, then so many dead ones behind each, or `row` of them first.

    `hot`: what all of them have in common.
    """

    good: int
    each: int = 0
    row: int = 0
    hot: Hot | None = None
    dead: Counter[tuple[str, str]] = None  # type: ignore[assignment]

    def __iter__(self) -> Iterator[Event]:
        self.dead = Counter()
        events = iter(Orders(START, PARTITIONS, self.hot))
        spoilt = islice(Orders(START, PARTITIONS), self.row)
        for number, event in enumerate(spoilt):
            dead, reason = spoiled(event, number)
            self.dead[event.topic, str(reason)] += 1
            yield dead
        for event, reason in mixed(islice(events, self.good), self.each):
            if reason is not None:
                self.dead[event.topic, str(reason)] += 1
            yield event


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of the worker's processor, and on the wall; lines of log about dead letters; most memory in MB."""

    cpu: float
    wall: float
    lines: int
    memory: int


async def through_a_worker(kafka: Broker, folder: Path, name: str, load: Load) -> Took:
    """Raises WrongError where a dead letter is missing or there is one too many."""
    await kafka.create_topics(dict.fromkeys(_TOPICS, PARTITIONS), dict.fromkeys(_TOPICS, KEEP))
    await make_topics(kafka, name, PARTITIONS)
    records = load.good * (1 + load.each) + load.row
    async with (
        started(kafka, name, folder, "--clock", "stream") as worker,
        kafka.admin() as admin,
        Sender(kafka.bootstrap, iter(load)) as sender,
    ):
        await worker.until_it_works()
        cpu, began = worker.child.cpu, time.monotonic()
        await sender.send(records)
        seen = await Watch(worker, admin, name, sender).until_done(sender.reached - _SLACK)
        took = worker.child.cpu - cpu, time.monotonic() - began
        metrics = await worker.metrics()
        told = total(metrics.get("parcelwatch_dead_letters_total"))
        lines = worker.child.lines().count("event='dead letter'")
        memory = max(one.memory for one in seen)
    written = await _letters(kafka)
    await delete(kafka, await kafka.topics())
    if written != load.dead or told != load.dead.total():
        raise WrongError(f"{name}: {load.dead.total()} dead letters, {written.total()} written, {told:.0f} counted")
    return Took(*took, lines, round(memory / 1e6))


async def _letters(kafka: Broker) -> Counter[tuple[str, str]]:
    """By topic and reason, those that are committed."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, isolation_level="read_committed", auto_offset_reset="earliest",
        enable_auto_commit=False,
    )  # fmt: skip
    partitions = [TopicPartition(topic, number) for topic in _DLQ for number in await kafka.end_offsets(topic)]
    found: Counter[tuple[str, str]] = Counter()
    await consumer.start()
    try:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        while any([await consumer.position(one) < end for one, end in ends.items()]):
            for place, records in (await consumer.getmany(timeout_ms=200)).items():
                for record in records:
                    headers = dict(record.headers)
                    found[place.topic.removesuffix(".dlq"), headers["error-code"].decode()] += 1
    finally:
        await consumer.stop()
    return found


def through_a_replay(folder: Path, name: str, load: Load) -> Took:
    """Of the replay of a file. Raises WrongError as above; keys are no part of a file, so none of them is wrong."""
    path = folder / f"{name}.jsonl"
    with path.open("wb") as file:
        for event in load:
            file.write(b'{"topic":"%s","value":%s}\n' % (event.topic.encode(), event.value))
    out = folder / f"{name}-out"
    command = [sys.executable, "-m", "streams", "replay", str(path), "--out", str(out)]
    with Child(command, folder / f"{name}.log") as child:
        spent = child.wait()
    if spent.status:
        raise WrongError(f"{name}: {child.said()}")
    with (out / "dead-letters.jsonl").open("rb") as file:
        written = sum(1 for _ in file)
    expected = sum(count for (_, reason), count in load.dead.items() if reason != "wrong_key")
    if written != expected:
        raise WrongError(f"{name}: {expected} dead letters, {written} written")
    path.unlink()
    return Took(spent.cpu, spent.wall, 0, round(spent.memory / 1e6))


def say(what: str, took: Took, records: int) -> None:
    print(
        f"{what:44} {took.cpu:7.1f} CPU s {took.wall:7.1f} s {took.cpu / records * 1e6:6.1f} CPU us each, "
        f"{took.memory} MB, {took.lines} lines of log; load {os.getloadavg()[0]:.0f}",
        flush=True,
    )


async def run(asked: argparse.Namespace, broker: Broker, folder: Path) -> None:
    await broker.start()
    ratios = []
    for turn in range(asked.turns):
        took = {}
        for each in (0, 1):
            took[each] = await through_a_worker(broker, folder, f"mixed-{turn}-{each}", Load(asked.good, each))
            say(f"worker, {asked.good:,} good, {asked.good * each:,} dead", took[each], asked.good)
        ratios.append((took[1].cpu / took[0].cpu, took[1].wall / took[0].wall))
        print(f"  time of a good one: {ratios[-1][0]:.2f}x by CPU, {ratios[-1][1]:.2f}x on the wall", flush=True)
    row = await through_a_worker(broker, folder, "row", Load(asked.good, row=asked.row))
    say(f"worker, {asked.row:,} dead in a row, {asked.good:,} good", row, asked.row + asked.good)
    for turn in range(asked.turns):
        alone, among = (through_a_replay(folder, f"replay-{turn}-{each}", Load(asked.good, each)) for each in (0, 1))
        say(f"replay, {asked.good:,} good", alone, asked.good)
        say("replay, as many dead among them", among, asked.good)
        print(f"  time of a good one: {among.cpu / alone.cpu:.2f}x by CPU", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.letters", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--good", type=int, default=100_000, metavar="EVENTS", help="(default: %(default)s)")
    parser.add_argument("--row", type=int, default=1_000_000, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--turns", type=int, default=2, metavar="N", help="(default: %(default)s)")
    asked = parser.parse_args()
    alone("letters", lambda broker, folder: run(asked, broker, folder))


if __name__ == "__main__":
    main()
