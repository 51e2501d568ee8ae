"""Writes a run's stream while the workers read it, never far ahead of them."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from tests.connected.marketplace import INPUTS, THREE, Produced, is_valid

#: Events that are written at once, and seconds between two such portions: the stream is to last for some commits.
_PORTION, _PAUSE = 25, 0.06
#: How many events the workers have before them.
AHEAD = 250


class Feed:
    """`written` of the events are in Kafka, `read` have been read in committed transactions.

    `dead`: the positions (topic, partition, offset) of those written that are no events.
    """

    def __init__(self, bootstrap: str, events: Produced, prefix: str, group: str) -> None:
        self.events = events
        self.written = self.read = 0
        self.ahead = AHEAD
        #: Set once there is something in every partition: one that never had a record holds no watermark back.
        self.begun = asyncio.Event()
        self._begun: set[tuple[str, int]] = set()
        self.dead: set[tuple[str, int, int]] = set()
        self._bootstrap = bootstrap
        self._prefix = prefix
        self._group = group

    async def write(self) -> None:
        """Writes them all."""
        async with AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, enable_idempotence=True, linger_ms=2, request_timeout_ms=180_000
        ) as producer:
            while self.written < len(self.events):
                await self._write(producer, self.events[self.written : self.written + _PORTION])
                if len(self._begun) < sum(THREE.values()):
                    continue
                self.begun.set()
                await asyncio.sleep(_PAUSE)
                while self.written > self.read + self.ahead and self.written < len(self.events):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)

    async def _write(self, producer: AIOKafkaProducer, portion: Produced) -> None:
        sent = [await producer.send(self._prefix + topic, value, key=key) for topic, key, value in portion]
        for event, answer in zip(portion, await asyncio.gather(*sent), strict=True):
            self._begun.add((answer.topic, answer.partition))
            if not is_valid(*event):
                self.dead.add((answer.topic, answer.partition, answer.offset))
        self.written += len(portion)

    async def follow(self) -> None:
        """Keeps `read` true, until it is cancelled; brokers may be away meanwhile."""
        admin: Any = None
        try:
            while True:
                try:
                    async with asyncio.timeout(3):
                        if admin is None:
                            admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, request_timeout_ms=3000)
                            await admin.start()
                        offsets = await admin.list_consumer_group_offsets(self._group)
                    inputs = {self._prefix + topic for topic in INPUTS}
                    now = sum(max(meta.offset, 0) for tp, meta in offsets.items() if tp.topic in inputs)
                    # A broker that has just taken the group over may not know all yet.
                    self.read = max(self.read, now)
                except Exception:
                    await _closed(admin)
                    admin = None
                await asyncio.sleep(0.1)
        finally:
            await _closed(admin)


async def _closed(admin: Any) -> None:
    if admin is not None:
        with suppress(Exception):
            async with asyncio.timeout(2):
                await admin.close()
