"""The producer of one task without transactions: at least once; see `streams.engine.log.journal`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from streams.engine.log.interface import Committed, TopicPartition, Transaction
from streams.engine.log.journal import SEAL, Intent, intent, seal, sealed
from streams.engine.log.kafka_clients import errors
from streams.engine.log.kafka_codecs import Codecs
from streams.engine.log.kafka_packing import Pack, Pair
from streams.engine.log.kafka_sending import Sending, Sent

#: By changelog, the torn rows that have to be put back.
Torn = dict[TopicPartition, dict[bytes, bytes | None]]


class KafkaPlainWriter:
    """Writes for one task; see `streams.engine.log.interface.Writer`. `timeout` (seconds) ends every commit.

    No broker fences it: `permitted` is asked right before every write whether the group still holds this worker for
    alive. `commit_offsets` commits as a member of the group, and fails if the group has moved on.
    """

    def __init__(
        self,
        name: str,
        client: Mapping[str, Any],
        timeout: float,
        codecs: Codecs,
        heard: Callable[[int], None],
        torn: Torn,
        commit_offsets: Callable[[Mapping[TopicPartition, Committed]], Awaitable[None]],
        permitted: Callable[[], None],
        pack: Pack | None = None,
    ) -> None:
        self._name = name
        self._timeout = timeout
        self._codecs = codecs
        self._torn = torn
        self._commit_offsets = commit_offsets
        self._clean = False
        # Requires nothing of the broker but durable acknowledged writes. One batch per partition is in flight at a
        # time, so batches stay in order; a retried batch directly follows its duplicate, which changes nothing.
        self._sending = Sending(client, heard, permitted, pack, acks="all")

    async def open(self) -> None:
        await self._sending.producer.start()
        self._clean = True

    async def resume(self, changelog: TopicPartition, saved: Mapping[bytes, bytes]) -> None:
        with errors(f"finishing {self._name}"):
            async with asyncio.timeout(self._timeout):
                self._clean = False
                if SEAL not in saved:
                    await self._seal(changelog, [seal()])
                await self._send(intent(saved))
                self._clean = True

    async def commit(self, transaction: Transaction) -> int | None:
        self._clean = False
        with errors(f"committing {self._name}"):
            async with asyncio.timeout(self._timeout):
                changelog = transaction.changelog
                rows = sealed(transaction, self._torn.pop(changelog, {}))
                end = await self._seal(changelog, rows, transaction.wall)
                await self._send(Intent(transaction.outputs, transaction.envelopes))
                await self._commit_offsets(transaction.offsets)
        self._clean = True
        return end

    async def _seal(self, changelog: TopicPartition, rows: Sequence[Pair], wall: int = 0) -> int | None:
        """Writes the rows; the last one, the seal, once all others are acknowledged and their clock is checked."""
        sending, codec = self._sending, self._codecs.changelogs
        await sending.arrived(await sending.send_rows(changelog, rows[:-1], codec), changelog, wall)
        return await sending.arrived(await sending.send_rows(changelog, rows[-1:], codec), changelog)

    async def _send(self, what: Intent) -> None:
        sent: list[Sent] = []
        for target, rows in (await self._sending.by_partition(what.outputs, what.envelopes)).items():
            sent += await self._sending.send(target, rows, self._codecs.others)
        await self._sending.arrived(sent)

    async def close(self) -> None:
        await self._sending.close(self._clean)
