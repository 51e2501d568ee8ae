"""The log on Kafka without transactions: what is cut off does not count, what was to be sent is sent again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from streams.engine.errors import FatalError, FencedError
from streams.engine.log.interface import Committed, TopicPartition, TopicSpec, Transaction
from streams.engine.log.kafka import KafkaLog, KafkaSettings
from streams.engine.processor import Output
from tests.kafka_broker import Broker
from tests.patience import PATIENCE
from tests.unit.engine.log_contract import Ears, until

CHANGES = TopicPartition("changes", 0)
ROWS: dict[bytes, bytes | None] = {b"pa": b"1", b"pb": b"1"}


@pytest.fixture
async def log(kafka: Broker) -> AsyncIterator[KafkaLog]:
    await kafka.create_topics({"out": 1, "in": 1})
    log = KafkaLog(KafkaSettings(bootstrap=kafka.bootstrap, transactions=False))
    await log.start()
    await log.create([TopicSpec("changes", 1, {"cleanup.policy": "compact"})])
    yield log
    await log.stop()


async def saved(log: KafkaLog) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    async for rows, _ in log.rows(CHANGES, 0, (await log.end_offsets([CHANGES]))[CHANGES]):
        found.update({key: row for key, row in rows if row is not None})
    return found


def processors(rows: dict[bytes, bytes]) -> dict[bytes, bytes]:
    return {key: row for key, row in rows.items() if key[:1] == b"p"}


async def test_rows_behind_the_last_seal_do_not_count_and_are_put_back(log: KafkaLog, kafka: Broker) -> None:
    writer = await log.writer("t", "group")
    await writer.resume(CHANGES, await saved(log))
    end = await writer.commit(Transaction(CHANGES, rows=ROWS))
    assert await log.end_offsets([CHANGES]) == {CHANGES: end}
    await writer.close()
    # As a writer that is killed in the midst of a commit leaves it.
    await kafka.produce("changes", [(b"pa", b"torn"), (b"pc", b"torn")], partition=0)
    held = await saved(log)
    assert processors(held) == {b"pa": b"1", b"pb": b"1"}
    writer = await log.writer("t", "group")
    await writer.resume(CHANGES, held)
    await writer.commit(Transaction(CHANGES, rows={b"pb": b"2"}))
    assert processors(await saved(log)) == {b"pa": b"1", b"pb": b"2"}
    await writer.close()


async def test_what_a_sealed_commit_had_to_send_is_sent_again_by_who_takes_over(log: KafkaLog, kafka: Broker) -> None:
    outputs = [Output("out", b"k", b"v", (("h", b"x"),))]
    for _ in range(2):
        writer = await log.writer("t", "group")
        await writer.resume(CHANGES, await saved(log))
        await writer.close()
    assert await kafka.end_offsets("out") == {0: 0}
    writer = await log.writer("t", "group")
    await writer.commit(Transaction(CHANGES, outputs, [(TopicPartition("in", 0), b"e")], rows=ROWS))
    await writer.resume(CHANGES, await saved(log))
    await writer.close()
    assert [record.value for record in await kafka.read_committed("in")] == [b"e", b"e"]
    assert [record.key for record in await kafka.read_committed("out")] == [b"k", b"k"]


async def test_with_transactions_such_a_changelog_is_refused(log: KafkaLog, kafka: Broker) -> None:
    writer = await log.writer("t", "group")
    await writer.resume(CHANGES, {})
    await writer.close()
    strict = KafkaLog(KafkaSettings(bootstrap=kafka.bootstrap))
    await strict.start()
    transactional = await strict.writer("t", "group")
    with pytest.raises(FatalError, match="go on with it, or begin anew"):
        await transactional.resume(CHANGES, await saved(strict))
    await transactional.close()
    await strict.stop()


async def test_a_changelog_written_in_transactions_is_taken_over_whole(log: KafkaLog, kafka: Broker) -> None:
    strict = KafkaLog(KafkaSettings(bootstrap=kafka.bootstrap))
    await strict.start()
    transactional = await strict.writer("t", "group")
    await transactional.commit(Transaction(CHANGES, rows=ROWS))
    await transactional.close()
    await strict.stop()
    held = await saved(log)
    assert held == ROWS
    writer = await log.writer("t", "group")
    await writer.resume(CHANGES, held)
    await kafka.produce("changes", [(b"pa", b"torn")], partition=0)
    assert processors(await saved(log)) == ROWS
    await writer.close()


async def test_a_worker_whose_session_has_run_out_writes_nothing(log: KafkaLog, kafka: Broker) -> None:
    hasty = KafkaLog(KafkaSettings(bootstrap=kafka.bootstrap, transactions=False, session_timeout=6.0))
    await hasty.start()
    ears = Ears()
    member = await hasty.join("group", ["in"], ears)
    await until(lambda: bool(ears.assigned))
    writer = await hasty.writer("t", "group")
    await writer.resume(CHANGES, {})
    offsets = {TopicPartition("in", 0): Committed(0, "")}
    await writer.commit(Transaction(CHANGES, rows=ROWS, offsets=offsets))
    before = await log.end_offsets([CHANGES])

    # As in a process that stands still.
    async def silence() -> bool:
        await asyncio.sleep(PATIENCE)
        return False

    member._consumer._coordinator._do_heartbeat = silence
    async with kafka.admin() as admin, asyncio.timeout(PATIENCE):
        while (await admin.describe_consumer_groups(["group"]))[0].groups[0][5]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    with pytest.raises(FencedError, match="the group has heard nothing of this worker for 6 s"):
        await writer.commit(Transaction(CHANGES, rows={b"pa": b"2"}, offsets=offsets))
    assert await log.end_offsets([CHANGES]) == before
    await writer.close()
    await member.close()
    await hasty.stop()
