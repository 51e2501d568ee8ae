"""What is seen of a worker under load: its samples, and when its alerts could be read."""

from __future__ import annotations

import asyncio
import json
import os
import time
from array import array
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from bench import machine
from bench.soak.sending import Sender
from bench.throughput import WrongError
from bench.worker import Worker, total
from schemas.events import CHATS, ORDERS, SCANS
from schemas.times import parse
from tests.kafka_broker import Broker

#: The topics that alerts are read from.
ALERTS = ("alerts.merchant", "alerts.platform")
_INPUTS = (ORDERS, SCANS, CHATS)
_EVERY = 1.0
#: Seconds that a drain, or the rest after the last burst, may take.
_PATIENCE = 900.0


@dataclass(frozen=True, slots=True)
class Sample:
    """At `at` (seconds since 1970). `memory`: resident bytes; `lag`: records sent and not committed; `unread`: those
    not read; `delay`: seconds since an event of the least of all watermarks was sent; `cpu`: seconds so far; `load`: of
    the machine, over a minute; `running`, `waiting`: seconds in which the event loop ran, or waited for a core.
    """

    at: float
    memory: int
    lag: float
    unread: float
    committed: float
    delay: float
    commits: float
    rows: float
    cpu: float
    load: float
    running: float
    waiting: float


class Watch:
    """Takes samples of a worker that reads what `sender` sends."""

    def __init__(self, worker: Worker, admin: AIOKafkaAdminClient, group: str, sender: Sender) -> None:
        self._worker = worker
        self._admin = admin
        self._group = group
        self._sender = sender

    async def sample(self) -> Sample | None:
        """What there is to see now; None where the worker does not answer."""
        found = await self._worker.metrics()
        if "parcelwatch_records_read_total" not in found:
            return None
        offsets = await self._admin.list_consumer_group_offsets(self._group)
        committed = sum(meta.offset for place, meta in offsets.items() if place.topic in _INPUTS and meta.offset > 0)
        now = time.time()
        watermark = min(found.get("parcelwatch_watermark_timestamp_seconds", {"": 0.0}).values())
        sent_at = self._sender.sent_at(round(watermark * 1000))
        return Sample(
            now,
            machine.resident(self._worker.child.pid),
            self._sender.sent - committed,
            total(found.get("parcelwatch_lag_records")),
            committed,
            0.0 if sent_at is None else now - sent_at,
            total(found.get("parcelwatch_commits_total")),
            total(found.get("parcelwatch_state_rows")),
            self._worker.child.cpu,
            os.getloadavg()[0],
            *_scheduled(self._worker.child.pid),
        )

    async def until_done(self, event_time: float) -> list[Sample]:
        """Waits until everything is committed, and all is judged up to that time; what was seen meanwhile.

        Raises WrongError where that takes too long.
        """
        seen: list[Sample] = []
        limit = time.monotonic() + _PATIENCE
        while not seen or seen[-1].lag or not await self._judged(event_time):
            if self._worker.child.ended() is not None or time.monotonic() > limit:
                raise WrongError(f"the lag does not return: {seen[-1:]}; {self._worker.child.said()}")
            if (one := await self.sample()) is not None:
                seen.append(one)
            await asyncio.sleep(0.2)
        return seen

    async def _judged(self, event_time: float) -> bool:
        found = (await self._worker.metrics()).get("parcelwatch_watermark_timestamp_seconds", {"": 0.0})
        return min(found.values()) >= event_time

    async def go_on(self, path: Path, samples: list[Sample], done: asyncio.Event) -> None:
        """Takes samples until it is done, and writes each to a file as it comes."""
        with path.open("w") as file:
            while not done.is_set():
                if (one := await self.sample()) is not None:
                    samples.append(one)
                    print(json.dumps(asdict(one)), file=file, flush=True)
                await asyncio.sleep(_EVERY)


def _scheduled(pid: int) -> tuple[float, float]:
    """Seconds in which the first thread of a process ran, and waited for a core."""
    ran, waited, *_ = Path(f"/proc/{pid}/schedstat").read_text().split()
    return int(ran) / 1e9, int(waited) / 1e9


class Latencies:
    """Of all alerts that a `read_committed` reader had: when what they follow from was sent, and how much later it was.

    `sent_at`: when the first event of that time (milliseconds since 1970) or later was sent.
    """

    def __init__(self, sent_at: Callable[[int], float | None]) -> None:
        self._sent_at = sent_at
        self.sent = array("d")
        self.took = array("d")
        self.kinds = array("H")
        self.names: list[str] = []
        #: Alerts that were read before anything of their time was sent: none may be.
        self.too_early = 0

    def take(self, value: bytes, now: float) -> None:
        event = orjson.loads(value)
        sent = self._sent_at(parse(event["time"]) // 1000)
        if sent is None:
            self.too_early += 1
            return
        name = f"{event['type'].removeprefix('parcelwatch.').removesuffix('.v1')} {event['data']['status']}"
        if name not in self.names:
            self.names.append(name)
        self.sent.append(sent)
        self.took.append(now - sent)
        self.kinds.append(self.names.index(name))


async def read(kafka: Broker, latencies: Latencies, done: asyncio.Event) -> None:
    """Reads all alerts as they come until it is done."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, isolation_level="read_committed", auto_offset_reset="earliest",
        enable_auto_commit=False, fetch_max_wait_ms=20,
    )  # fmt: skip
    partitions = [TopicPartition(topic, number) for topic in ALERTS for number in await kafka.end_offsets(topic)]
    await consumer.start()
    try:
        consumer.assign(partitions)
        while not done.is_set():
            for records in (await consumer.getmany(timeout_ms=20)).values():
                now = time.time()
                for record in records:
                    if record.value is not None:
                        latencies.take(record.value, now)
    finally:
        await consumer.stop()
