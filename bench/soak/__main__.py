"""`python -m bench.soak --minutes 60`: a worker on Kafka at a share of the most that it can do, with bursts.

First it drains a backlog, which tells the most. Then events come by the clock at a share of that: evenly, and each
period ends with a burst of three times the calm rate. The share is the mean, bursts included. From time to time the
most is measured again, and sooner where the lag is not gone before the next burst: on a machine that does other things
it changes. Event time runs with the stream (`--clock stream`), some hours of it a second, so that orders and parcels
are forgotten within the run, and the state comes to a size that it keeps.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from bench import machine
from bench.install import ROOT
from bench.soak.orders import Orders
from bench.soak.pace import Pace
from bench.soak.report import Run, Stage, nothing, told, told_stage
from bench.soak.sending import Sender
from bench.soak.watching import Latencies, Sample, Watch, read
from bench.throughput import WrongError, make_topics
from bench.worker import Worker, started
from schemas.events import CHATS, ORDERS, SCANS
from tests.kafka_broker import Broker, BrokerError, NoBrokerError, choose

PARTITIONS = 4
#: Seconds of event time by which watermarks trail when all is judged: what is rare in a partition came so long ago.
_SLACK = 12 * 3600
#: Seconds of rest between a drain and the clock: the worker commits what it has read.
_PAUSE = 5.0
#: Samples of which one has to be of no lag before the next burst.
_LATEST = 15
#: Events are of the time from here on: the present is far enough away that no run gets there.
START = int(datetime(2015, 1, 1, tzinfo=UTC).timestamp())
#: Inputs are kept no longer than they are of use: an hour of them is many gigabytes.
_KEPT = {"retention.ms": "-1", "retention.bytes": str(1 << 29), "segment.bytes": str(1 << 26)}
#: Everything is forgotten as soon as a policy may ask for it.
POLICY = """extends = "default"
name = "soak"

[lateness]
orders_seconds = 60
logistics_scans_seconds = 60
chats_seconds = 60

[shipments]
keep_days = 90

[keeping]
order_days = 90
order_extension_days = 0
order_idle_days = 90
ticket_days = 90
escalation_days = 90
voiding_days = 90
conversation_days = 90
"""


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=(__doc__ or "").partition(":")[2])
    parser.add_argument("--minutes", type=float, default=60, help="of load, measurements of the most among it "
                        "(default: %(default)s)")  # fmt: skip
    parser.add_argument("--share", type=float, default=0.8, help="the mean load by the greatest (default: %(default)s)")
    parser.add_argument("--times", type=float, default=3.0, help="a burst by what is calm (default: %(default)s)")
    parser.add_argument("--burst", type=float, default=10.0, metavar="SECONDS", help="(default: %(default)s)")
    parser.add_argument("--period", type=float, default=120.0, metavar="SECONDS",
                        help="from burst to burst (default: %(default)s)")  # fmt: skip
    parser.add_argument("--again", type=float, default=6.0, metavar="MINUTES",
                        help="between two measurements of the most (default: %(default)s)")  # fmt: skip
    parser.add_argument("--settle", type=float, default=15.0, metavar="MINUTES",
                        help="until the state has its size; memory is judged behind it, or behind a third of the "
                        "time, if that is less (default: %(default)s)")  # fmt: skip
    parser.add_argument("--backlog", type=int, default=200_000, metavar="EVENTS", help="(default: %(default)s)")
    parser.add_argument("--store", choices=("memory", "rocksdict"), default="memory")
    parser.add_argument("--out", type=Path, default=ROOT / "target" / "soak", metavar="FOLDER")
    return parser.parse_args()


def say(line: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {line}", file=sys.stderr, flush=True)


async def drained(worker: Worker, watch: Watch, sender: Sender, backlog: int) -> tuple[float, float]:
    """Sends so many events at once: how many the worker takes a second until all are judged, and cores in use."""
    began, cpu = time.time(), worker.child.cpu
    await sender.send(backlog)
    seen = await watch.until_done(sender.reached - _SLACK)
    seconds = seen[-1].at - began
    return backlog / seconds, (seen[-1].cpu - cpu) / seconds


async def run(asked: argparse.Namespace, kafka: Broker, folder: Path) -> Run:
    """The whole run."""
    await kafka.create_topics(
        dict.fromkeys((ORDERS, SCANS, CHATS), PARTITIONS), dict.fromkeys((ORDERS, SCANS, CHATS), _KEPT)
    )
    await make_topics(kafka, "soak", PARTITIONS)
    policy = folder / "soak.toml"
    policy.write_text(POLICY)
    given = ["--policy", str(policy), "--clock", "stream"]
    if asked.store != "memory":
        given += ["--store", asked.store, "--state-dir", str(folder / "state")]
    samples: list[Sample] = []
    seconds = asked.minutes * 60
    stages: list[Stage] = []
    async with contextlib.AsyncExitStack() as stack:
        sender = await stack.enter_async_context(Sender(kafka.bootstrap, iter(Orders(START, PARTITIONS))))
        worker = await stack.enter_async_context(started(kafka, "soak", asked.out, *given))
        await worker.until_it_works()
        watch = Watch(worker, await stack.enter_async_context(kafka.admin()), "soak", sender)
        latencies, done = Latencies(sender.sent_at), asyncio.Event()
        beside = [
            asyncio.create_task(watch.go_on(asked.out / "samples.jsonl", samples, done)),
            asyncio.create_task(read(kafka, latencies, done)),
        ]
        over = time.time() + seconds
        while (left := over - time.time()) > 0:
            most, cores = await drained(worker, watch, sender, asked.backlog)
            pace = Pace(most * asked.share, asked.period, asked.burst, asked.times)
            say(f"{most:,.0f} events a second at the most with {cores:.2f} cores; {pace.calm:,.0f} when calm, "
                f"{pace.calm * pace.times:,.0f} in bursts, {pace.mean:,.0f} on the whole")  # fmt: skip
            begin = time.time() + _PAUSE

            def behind(pace: Pace = pace, begin: float = begin) -> bool:
                return min(one.lag for one in samples[-_LATEST:]) > nothing(pace, begin, samples)

            length = await sender.by_the_clock(pace, begin, min(max(left, asked.period), asked.again * 60), behind)
            end = time.time()
            await watch.until_done(sender.reached - _SLACK)
            stages.append(Stage(most, cores, pace, begin, length, time.time() - end))
            say(json.dumps(told_stage(stages[-1], samples)))
        last = await drained(worker, watch, sender, asked.backlog)
        done.set()
        await asyncio.gather(*beside)
    settled = min(asked.settle * 60, seconds / 3)
    return Run(machine.described(), stages, last, settled, sender.behind, samples, latencies)


async def on(broker: Broker, asked: argparse.Namespace, folder: Path) -> Run:
    await broker.start()
    return await run(asked, broker, folder)


def main() -> int:
    asked = options()
    asked.out.mkdir(parents=True, exist_ok=True)
    # Of topics that were made just now its client says that they have no leaders yet; that is waited for.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="parcelwatch-soak-") as name:
        broker = choose(Path(name) / "kafka")
        try:
            done = asyncio.run(on(broker, asked, Path(name)))
        finally:
            broker.remove()
    summary = told(done)
    (asked.out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
    print(json.dumps(summary, indent=2))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (NoBrokerError, BrokerError, WrongError) as problem:
        sys.exit(f"bench: {problem}")
