"""The time from an event until its alert can be read, at half of the worker's capacity.

First a worker takes over a topic with some seconds of scans in it, as one that has fallen behind: the rate at which it
catches up is the greatest. Then scans come at half of that, evenly, to a worker that is not behind. The policy's
threshold for a stall is some seconds; one parcel in 25 falls silent for longer and is then scanned again. Measured on a
reader with `read_committed`: a raised alert from its deadline on, a resolved one from when its scan was handed to the
producer. See `bench/feed.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from bench import traffic
from bench.asked import Asked
from bench.contenders import SCANS_TOPIC
from bench.feed import AGE, POLICY, Parcels, produce, read
from bench.results import Cell, Table
from bench.scans import PARTITIONS, Alert
from bench.throughput import WrongError, delete
from bench.worker import Worker, quantile, ready, started

#: Scans of the topic that a worker catches up with, at so many a second when they were made.
BEHIND, _MADE_AT = 400_000, 20_000
ROUNDS = 3
SECONDS, _WARM = 30.0, 8.0
COMMIT = 0.5
_SCANS_READ = f'{{topic="{SCANS_TOPIC}"}}'
#: Internal edges between a scan and its alert: the watermark of the orders, or of all carriers' hours.
_HOPS = 1
#: Seconds that the aim allows for a hop beside the commit interval.
_SLACK = 0.1
#: Seconds at the most for what was due up to the end, where a worker has fallen behind at half of its load.
_BEYOND = 120.0
#: Seconds at the most to catch up.
_BEHIND = 240.0
#: Parts of the alerts for the plot.
_PARTS = tuple(part / 100 for part in (*range(5, 100, 5), 98, 99, 99.5, 99.9))


@dataclass(slots=True)
class Latencies:
    """In milliseconds, as they came, of what was sent from `begin` to `end` (seconds)."""

    begin: float
    end: float
    found: dict[str, list[float]] = field(default_factory=lambda: {"raised": [], "resolved": []})
    #: Partitions of alerts of what has come after the end: all that is before it has been said there.
    beyond: set[int] = field(default_factory=set)

    def take(self, alert: Alert, now: float, partition: int) -> None:
        # In event time, and then when a scan of that time was sent; the alert's own time is cut to milliseconds.
        sent = alert.time / 1000 + AGE
        # After the end everything falls silent at once, which is no even load.
        if self.begin <= sent < self.end:
            self.found[alert.status].append((now - sent) * 1000)
        elif sent >= self.end:
            self.beyond.add(partition)


async def greatest(asked: Asked, options: tuple[str, ...], scans: int) -> float:
    """Scans a second that a worker does which is behind, with one core and a broker beside it."""
    kafka, group = asked.kafka, "behind"
    await ready(kafka, group, PARTITIONS)
    await traffic.produce(
        kafka.bootstrap, SCANS_TOPIC, Parcels(_MADE_AT, PARTITIONS).past(scans / _MADE_AT, time.time())
    )
    ends = sum((await kafka.end_offsets(SCANS_TOPIC)).values())
    seen: list[tuple[float, float]] = []
    async with started(kafka, group, asked.folder, *options) as worker:
        limit = time.monotonic() + _BEHIND
        while not seen or seen[-1][1] < ends:
            if time.monotonic() > limit:
                raise WrongError(f"a worker that was behind did not catch up: {worker.child.said()}")
            read_by_now = (await worker.metrics()).get("parcelwatch_records_read_total", {}).get(_SCANS_READ, 0.0)
            seen.append((time.monotonic(), read_by_now))
            await asyncio.sleep(0.1)
    await delete(kafka, await kafka.topics())
    # Without the first tenth, in which it starts, and the last, in which one partition may be done before others.
    first, last = (next(each for each in seen if each[1] >= part * ends) for part in (0.1, 0.9))
    if first == last:
        return ends / (seen[-1][0] - seen[0][0])
    return (last[1] - first[1]) / (last[0] - first[0])


async def at_rate(asked: Asked, options: tuple[str, ...], rate: float) -> tuple[Latencies, float]:
    """What was found, and the cores that the worker kept busy meanwhile."""
    kafka, group = asked.kafka, "even"
    await ready(kafka, group, PARTITIONS)
    async with started(kafka, group, asked.folder, *options) as worker:
        await worker.until_it_works()
        begin, seconds = time.time() + asked.seconds(_WARM, 3), asked.seconds(SECONDS, 4)
        latencies = Latencies(begin, begin + seconds)
        done = asyncio.Event()
        reading = asyncio.create_task(read(kafka, latencies.take, done))
        using = asyncio.create_task(_cores(worker, begin, seconds))
        await produce(kafka.bootstrap, Parcels(rate, PARTITIONS), lambda: time.time() >= begin + seconds)
        with suppress(TimeoutError):
            async with asyncio.timeout(_BEYOND):
                while len(latencies.beyond) < PARTITIONS:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        done.set()
        await reading
        cores = await using
    await delete(kafka, await kafka.topics())
    return latencies, cores


async def _cores(worker: Worker, begin: float, seconds: float) -> float:
    await asyncio.sleep(begin - time.time())
    spent = worker.child.cpu
    await asyncio.sleep(seconds)
    return (worker.child.cpu - spent) / seconds


def _late(found: Sequence[float]) -> float:
    """The 99th percentile. Raises WrongError where there is nothing."""
    if not found:
        raise WrongError("no alert came")
    return quantile(found, 0.99)


async def run(asked: Asked) -> list[Table]:
    policy = asked.folder / "quick.toml"
    policy.write_text(POLICY)
    options = ("--policy", str(policy), "--commit-interval", str(COMMIT))
    most = await greatest(asked, options, asked.size(BEHIND, least=20_000))
    asked.tell(f"{most:,.0f} scans a second at the most")
    rounds = [await at_rate(asked, options, most / 2) for _ in range(asked.rounds(ROUNDS))]
    latencies, cores = sorted(rounds, key=lambda each: _late(each[0].found["raised"]))[len(rounds) // 2]
    bound = round((_HOPS + 1) * (COMMIT + _SLACK) * 1000)
    rows: list[list[Cell]] = []
    curve: list[list[Cell]] = []
    names = {"raised": "raised, after its deadline", "resolved": "resolved, after its scan"}
    for status, found in latencies.found.items():
        shown = [round(quantile(found, part)) for part in (0.5, 0.99)]
        asked.tell(f"{status}: {shown[0]} ms, {shown[1]} ms at the 99th percentile, of {len(found)}")
        late = [round(_late(each.found[status])) for each, _ in rounds]
        spread = f"{min(late):,} to {max(late):,}"
        rows.append([names[status], len(found), *shown, round(max(found)), bound, spread])
        curve += [[status, round(part * 100, 1), round(quantile(found, part))] for part in _PARTS]
    columns = ["ms until readable", "alerts", "p50", "p99", "most", "aim for p99", f"p99 of {len(rounds)} rounds"]
    load = [[round(most), round(most / 2), round(cores, 2), COMMIT]]
    return [
        Table("latency", columns, rows),
        Table("latency-load", ["greatest load, scans a second", "load, scans a second", "cores of the worker",
                               "commit interval, s"], [list(row) for row in load]),
        Table("latency-curve", ["alerts", "per cent", "ms until readable"], curve),
    ]  # fmt: skip
