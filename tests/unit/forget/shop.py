"""A worker on a log in memory over a small shop, and `parcelwatch forget` on the same log."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

from schemas.decode import decode
from schemas.events import record_key
from schemas.times import HOUR, parse, render
from schemas.topics import TABLES
from streams.engine.clock import Clock
from streams.engine.log.interface import TopicPartition
from streams.engine.log.memory import MemoryLog
from streams.engine.partitioner import partition_for
from streams.engine.processor import Record
from streams.forget.orders import Wanted
from streams.forget.run import Request, still_unread, take_out
from streams.forget.state import Held, Progress, topology_of
from streams.policy import load
from streams.stages.buyer_hash import buyer_hash
from streams.stages.dataflow import dataflow
from streams.stages.factory import processor
from streams.stages.task_context import Setting
from streams.worker import Embedded
from tests.patience import PATIENCE

APP = "shop"
KEY = b"a key for the tests of buyers"
T0 = parse("2026-03-02T00:00:00Z")
POLICY = load.default()
INPUTS = {"orders": 2, "chats": 2, "logistics-scans": 3}
OUTPUTS = dict.fromkeys(
    (*TABLES, "alerts.merchant", "alerts.platform", "orders.dlq", "chats.dlq", "logistics-scans.dlq"), 1
)


def worker(log: MemoryLog, clock: Clock, *, key: bytes | None = KEY) -> Embedded:
    """A worker; with an end of its clock it ends there."""
    hashed = None if key is None else buyer_hash(key)
    setting = Setting(POLICY, INPUTS["orders"], INPUTS["logistics-scans"], partition_for, lambda: 0, buyer_hash=hashed)
    return Embedded(
        dataflow(POLICY), lambda _: partial(processor, setting), clock=clock, once=clock.until is not None,
        topics=INPUTS | OUTPUTS, app_id=APP, log=log,
    )  # fmt: skip


class Events:
    """Events of a shop by the hour since T0. `write` takes topic, key and value of each."""

    def __init__(self, write: Callable[[str, bytes, bytes], None]) -> None:
        self.write = write
        self._count = 0

    def event(self, topic: str, hours: float, **fields: Any) -> None:
        """Writes one event."""
        self._count += 1
        value = {"event_id": f"e{self._count:04}", "occurred_at": render(T0 + round(hours * HOUR))} | fields
        encoded = json.dumps(value, ensure_ascii=False).encode()
        self.write(topic, record_key(decode(topic, encoded)[0]).encode(), encoded)

    def order(self, type_: str, hours: float, order: str, **fields: Any) -> None:
        self.event("orders", hours, type=f"order.{type_}", order_id=order, shop_id="S", **fields)

    def placed(self, order: str, buyer: str, hours: float = 0) -> None:
        items = [{"item_id": "i", "category_id": "c", "quantity": 1}]
        self.order("placed", hours, order, buyer_id=buyer, items=items)
        self.order("paid", hours, order)

    def refund(self, what: str, hours: float, order: str, **fields: Any) -> None:
        self.event("orders", hours, type=f"refund.{what}", order_id=order, shop_id="S", refund_id="r", **fields)

    def scan(self, hours: float, parcel: str, status: str = "arrived") -> None:
        fields = {"tracking_no": parcel, "carrier": "ZTO", "status": status, "facility": "Hub"}
        self.event("logistics-scans", hours, type="scan", **fields)

    def everywhere(self, hours: float) -> None:
        """An event in every partition of the inputs, so that all time goes there."""
        for topic, partitions in INPUTS.items():
            seen: set[int] = set()
            number = 0
            while len(seen) < partitions:
                number += 1
                name = f"tick-{hours}-{number}"
                partition = partition_for(name.encode(), partitions)
                if partition in seen:
                    continue
                seen.add(partition)
                if topic == "orders":
                    self.order("cancelled", hours, name)
                elif topic == "chats":
                    said = {"conversation_id": name, "sender": "platform", "text": ""}
                    self.event(topic, hours, type="chat.message", shop_id="S", **said)
                else:
                    self.scan(hours, name, "delivered")

    def two_orders(self) -> None:
        """Order A of buyer-1, order F of another: shipped late, each in a parcel of its own."""
        for order, buyer in (("A", "buyer-1"), ("F", "buyer-2")):
            self.placed(order, buyer)
            self.refund("requested", 60, order, kind="refund_only", reason="late")
            self.order("shipped", 70, order, carrier="ZTO", tracking_no=f"parcel-{order}")
            self.scan(72, f"parcel-{order}")

    def go_on(self) -> None:
        """What raises alerts of both: a refusal of a refund that there was a right to. The parcels stand still."""
        for order in "AF":
            self.refund("rejected", 100, order)


class Shop(Events):
    """A shop whose events go to a log in memory."""

    def __init__(self) -> None:
        self.log = MemoryLog()
        for topic, partitions in (INPUTS | OUTPUTS).items():
            self.log.make(topic, partitions)
        super().__init__(self.log.append)

    # -- what came of it

    def alerts(self) -> list[dict[str, Any]]:
        """All alerts, each once, in the order of the topics."""
        found = []
        for topic in ("alerts.merchant", "alerts.platform"):
            for record in self.log.read(TopicPartition(topic, 0), 0, 1 << 40).records:
                alert = json.loads(record.value or b"")
                found.append(alert["data"] | {"type": alert["type"][12:-3], "subject": alert["subject"]})
        return found

    def raised(self, subject: str) -> set[str]:
        """Types of the alerts that were raised of a subject."""
        return {one["type"] for one in self.alerts() if one["subject"] == subject and one["status"] == "raised"}

    async def until(self, condition: Callable[[], bool]) -> None:
        """Waits for what a worker does."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await self.log.grown(1)

    async def until_read(self, wanted: Wanted) -> None:
        """Waits until a worker has taken in all that there is of them."""
        async with asyncio.timeout(PATIENCE):
            while (await self.forget(wanted, dry_run=True))[1]:
                await self.log.grown(1)

    async def read_to(self, hours: float, *, key: bytes | None = KEY) -> None:
        """Lets a worker read everything, up to so many hours after T0, and ends it."""
        await self.read_until(T0 + round(hours * HOUR), key=key)

    async def read_until(self, time: int, *, key: bytes | None = KEY) -> None:
        """Lets a worker read everything, up to that time (microseconds), and ends it."""
        async with worker(self.log, Clock.end(time), key=key) as reader:
            assert await asyncio.wait_for(reader.finished(), PATIENCE) == 0

    def changelogs(self) -> bytes:
        """All that is in the changelogs once Kafka has compacted them, and a day later tombstones too."""
        found = b""
        for kind, partitions in (("orders", INPUTS["orders"]), ("shipments", INPUTS["logistics-scans"])):
            for partition in range(partitions):
                source = TopicPartition(f"{APP}-{kind}-changelog", partition)
                self.log.compact(source)
                for record in self.log.read(source, 0, 1 << 40).records:
                    if record.value is not None:
                        found += (record.key or b"") + record.value
        return found

    async def forget(self, wanted: Wanted, *, dry_run: bool = False) -> tuple[Held, dict[TopicPartition, int]]:
        """What was taken out, and what is on its way."""
        topology = await topology_of(APP, dataflow(POLICY), self.log)
        request = Request(APP, wanted, "", dry_run)
        held = await take_out(self.log, topology, POLICY, request, _no_bar)
        return held, await still_unread(self.log, topology, request, held, self._read)

    async def _read(
        self, spans: Mapping[TopicPartition, tuple[int, int]]
    ) -> AsyncIterator[tuple[TopicPartition, Record]]:
        for source, (begin, end) in spans.items():
            for record in self.log.read(source, begin, 1 << 40).records:
                if record.offset < end:
                    yield source, record


@contextmanager
def _no_bar(_: int) -> Iterator[Progress]:
    yield lambda _: None
