"""The transactional producer of one task, request by request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from streams.engine.errors import LogError
from streams.engine.log.interface import TopicPartition, Transaction
from streams.engine.log.journal import refuse
from streams.engine.partitioner import partition_for
from tests.simulation.broker import Broker, Busy
from tests.simulation.network import Link
from tests.simulation.partitions import Row


class SimulatedWriter:
    """See `streams.engine.log.interface.Writer`."""

    def __init__(self, broker: Broker, link: Link, name: str, group: str, timeout: float) -> None:
        self._broker = broker
        self._link = link
        self._name = name
        self._group = group
        self._timeout = timeout
        self._epoch = -1
        self._batches = 0
        self._commits = 0

    async def open(self) -> None:
        self._epoch = await self._ask("init", lambda: self._broker.init(self._name))

    async def resume(self, changelog: TopicPartition, saved: Mapping[bytes, bytes]) -> None:
        refuse(changelog, saved)

    async def commit(self, transaction: Transaction) -> int | None:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._commit(transaction)
        except TimeoutError:
            raise LogError(f"committing {self._name}: no end") from None

    async def _commit(self, transaction: Transaction) -> int | None:
        broker, name, epoch = self._broker, self._name, self._epoch
        targets: dict[TopicPartition, list[Row]] = {}
        for target, value in transaction.envelopes:
            targets.setdefault(target, []).append((None, value, ()))
        for output in transaction.outputs:
            count = broker.count(output.topic)
            partition = 0 if output.key is None else partition_for(output.key, count)
            row = output.key, output.value, tuple(output.headers)
            targets.setdefault(TopicPartition(output.topic, partition), []).append(row)
        if transaction.rows:
            targets[transaction.changelog] = [(key, row, ()) for key, row in transaction.rows.items()]
        end = None
        if targets:
            await self._ask("add", lambda: broker.add(name, epoch, targets))
        for shard in self._shards(targets):
            self._batches += 1
            batch = self._batches
            found = await self._ask("produce", lambda: broker.produce(name, epoch, batch, shard))  # noqa: B023
            if transaction.changelog in shard:
                end = found[transaction.changelog] + len(shard[transaction.changelog])
        if transaction.offsets:
            await self._ask("add_offsets", lambda: broker.add_offsets(name, epoch, self._group))
            await self._ask("offsets", lambda: broker.commit_offsets(name, epoch, self._group, transaction.offsets))
        self._commits += 1
        number = self._commits
        await self._ask("end_transaction", lambda: broker.end(name, epoch, number, commit=True))
        return None if end is None else end + 1

    def _shards(self, targets: dict[TopicPartition, list[Row]]) -> list[dict[TopicPartition, list[Row]]]:
        """One request per broker that leads partitions of them."""
        shards: list[dict[TopicPartition, list[Row]]] = [{}, {}]
        for target, rows in targets.items():
            self._link.random.choice(shards)[target] = rows
        return [shard for shard in shards if shard]

    async def _ask(self, kind: str, question: Callable[[], Any]) -> Any:
        while True:
            try:
                return await self._link.ask(kind, question, repeats=True)
            except Busy:
                await asyncio.sleep(0.02)

    async def close(self) -> None:
        """What is open stays so until the next producer of this id, or for the time that a transaction has."""
