"""The transactional producer of one task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as KafkaPartition

from streams.engine.errors import DeniedError, FencedError, LogError
from streams.engine.log.interface import Committed, TopicPartition, Transaction
from streams.engine.log.journal import refuse
from streams.engine.log.kafka_clients import FENCED, errors
from streams.engine.log.kafka_codecs import Codecs
from streams.engine.log.kafka_packing import Pack
from streams.engine.log.kafka_rights import denied_by
from streams.engine.log.kafka_sending import Sending, Sent


class KafkaWriter:
    """Writes for one task; see `streams.engine.log.interface.Writer`. `timeout` (seconds) ends every transaction."""

    def __init__(
        self,
        transactional_id: str,
        group: str,
        client: Mapping[str, Any],
        timeout: float,
        codecs: Codecs,
        heard: Callable[[int], None],
        pack: Pack | None = None,
    ) -> None:
        self._id = transactional_id
        self._group = group
        self._timeout = timeout
        self._codecs = codecs
        self._clean = False
        self._sending = Sending(
            client, heard, pack=pack, transactional_id=transactional_id, transaction_timeout_ms=int(timeout * 1000)
        )

    async def open(self) -> None:
        """Takes the transactional id over: fences its previous holder and aborts its open transaction."""
        await self._sending.producer.start()
        self._clean = True

    async def resume(self, changelog: TopicPartition, saved: Mapping[bytes, bytes]) -> None:
        refuse(changelog, saved)

    async def commit(self, transaction: Transaction) -> int | None:
        self._clean = False
        try:
            with errors(f"committing {self._id}", "Write", writer=self._id):
                async with asyncio.timeout(self._timeout):
                    end = await self._write(transaction)
        except LogError as error:
            # What the call itself met, a time-out or a refusal to go on, may only follow from this.
            ended = self._ended()
            if isinstance(ended, FENCED):
                raise FencedError(f"committing {self._id}: {ended!r}") from error
            # Committing offsets takes the read right on their topics; only this error names no topic.
            if ended is not None and (denied := denied_by(ended, "Read", self._id)):
                raise DeniedError(
                    f"committing {self._id}: the brokers deny {', '.join(map(str, denied))}", denied
                ) from error
            raise
        self._clean = True
        return end

    def _ended(self) -> BaseException | None:
        """The error that ended the producer permanently, if any."""
        manager = self._sending.producer._txn_manager
        waiter = manager._transaction_waiter
        if not manager.is_fatal_error() or waiter is None or not waiter.done() or waiter.cancelled():
            return None
        return waiter.exception()  # type: ignore[no-any-return]

    async def _write(self, transaction: Transaction) -> int | None:
        sending, producer = self._sending, self._sending.producer
        await producer.begin_transaction()
        batches = await sending.by_partition(transaction.outputs, transaction.envelopes)
        sent: list[Sent] = []
        for target, rows in batches.items():
            sent += await sending.send(target, rows, self._codecs.others)
        sent += await sending.send_rows(transaction.changelog, transaction.rows.items(), self._codecs.changelogs)
        # At the same time as the records: it takes two of a transaction's five answers.
        adding = asyncio.ensure_future(self._add_offsets(transaction.offsets))
        try:
            # A commit can succeed although a produce in it failed: wait for each acknowledgement.
            end = await sending.arrived(sent, transaction.changelog, transaction.wall)
            await adding
        finally:
            if not adding.done():
                adding.cancel()
            elif not adding.cancelled():
                adding.exception()  # the first error has ended the commit
        await producer.commit_transaction()
        return None if end is None else end + 1  # the commit's marker follows the last record

    async def _add_offsets(self, committed: Mapping[TopicPartition, Committed]) -> None:
        offsets = {
            KafkaPartition(*source): OffsetAndMetadata(each.offset, each.metadata) for source, each in committed.items()
        }
        if offsets:
            await self._sending.producer.send_offsets_to_transaction(offsets, self._group)

    async def close(self) -> None:
        await self._sending.close(self._clean)
        waiter = self._sending.producer._txn_manager._transaction_waiter
        if waiter is not None and waiter.done() and not waiter.cancelled():
            waiter.exception()  # it has been looked at: asyncio need not complain of it
