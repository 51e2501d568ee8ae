"""What every log has to do, whatever it is made of. Subclasses give `bench`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import pytest

from streams.engine.errors import FatalError, FencedError
from streams.engine.log.interface import (
    Committed,
    Fetched,
    Log,
    Member,
    TopicPartition,
    TopicSpec,
    Transaction,
)
from streams.engine.processor import Output
from tests.patience import PATIENCE

GROUP = "group"
IN0, IN1 = TopicPartition("in", 0), TopicPartition("in", 1)
CHANGES = TopicPartition("changes", 0)


class Bench(Protocol):
    """A log under test, and how others write into it."""

    log: Log

    async def make(self, topic: str, partitions: int) -> None: ...

    async def drop(self, topic: str) -> None: ...

    async def produce(self, source: TopicPartition, values: Sequence[bytes]) -> None: ...


class Ears:
    """A listener that remembers what it was told, and acts on it."""

    def __init__(self) -> None:
        self.assigned: frozenset[TopicPartition] = frozenset()
        self.told: list[str] = []
        self.act: Callable[[frozenset[TopicPartition]], Awaitable[None]] | None = None

    async def on_revoked(self, partitions: frozenset[TopicPartition]) -> None:
        self.assigned = frozenset()
        self.told.append("revoked")

    async def on_assigned(self, partitions: frozenset[TopicPartition]) -> None:
        self.assigned = partitions
        self.told.append("assigned")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def read(member: Member, sources: Sequence[TopicPartition], count: int) -> list[tuple[int, bytes]]:
    """So many records of these partitions: (partition, value)."""
    found: list[tuple[int, bytes]] = []
    async with asyncio.timeout(PATIENCE):
        while len(found) < count:
            for fetched in await member.fetch(sources, 100, 0.2):
                found += [(fetched.source.partition, record.value or b"") for record in fetched.records]
    return found


async def reach(member: Member, source: TopicPartition, end: int) -> list[Fetched]:
    """Reads on until the position is at `end`."""
    found: list[Fetched] = []
    async with asyncio.timeout(PATIENCE):
        while not found or found[-1].next < end:
            found += await member.fetch([source], 100, 0.2)
    return found


def changes(rows: dict[bytes, bytes | None]) -> Transaction:
    return Transaction(CHANGES, rows=rows)


class LogContract:
    """The contract suite."""

    @pytest.fixture
    async def ready(self, bench: Bench) -> Bench:
        await bench.make("in", 2)
        await bench.make("out", 3)
        await bench.log.create([TopicSpec("changes", 1, {"cleanup.policy": "compact"})])
        return bench

    async def alone(self, log: Log, topics: Sequence[str] = ("in",)) -> tuple[Member, Ears]:
        ears = Ears()
        member = await log.join(GROUP, topics, ears)
        await until(lambda: bool(ears.assigned))
        return member, ears

    async def state(self, log: Log) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = {}
        (begin,), (end,) = (await log.begin_offsets([CHANGES])).values(), (await log.end_offsets([CHANGES])).values()
        async for rows, _ in log.rows(CHANGES, begin, end):
            for key, row in rows:
                if row is None:
                    found.pop(key, None)
                else:
                    found[key] = row
        return found

    async def test_partitions_are_told_of_topics_that_exist(self, ready: Bench) -> None:
        assert await ready.log.partitions(["in", "changes", "missing"]) == {"in": 2, "changes": 1}

    async def test_a_topic_has_an_id_and_one_of_its_name_that_is_made_later_has_another(self, ready: Bench) -> None:
        log = ready.log
        before = await log.describe(["in", "missing"])
        assert before == {"in": (before["in"].id, 2)}
        assert await log.ids([IN0, IN1, TopicPartition("missing", 0)]) == {"in": before["in"].id}
        await ready.drop("in")
        assert await log.describe(["in"]) == {}
        assert await log.ids([IN0, IN1]) == {}
        await ready.make("in", 3)
        after = await log.describe(["in"])
        assert after == {"in": (after["in"].id, 3)}
        assert after["in"].id not in (b"", before["in"].id)
        assert await log.ids([IN0]) == {"in": after["in"].id}

    async def test_making_a_topic_again_leaves_it_as_it_is(self, ready: Bench) -> None:
        await ready.log.create([TopicSpec("in", 5, {})])
        assert await ready.log.partitions(["in"]) == {"in": 2}

    async def test_a_member_alone_has_all_partitions_and_reads_from_where_it_seeks(self, ready: Bench) -> None:
        await ready.produce(IN0, [b"a", b"b", b"c"])
        await ready.produce(IN1, [b"d"])
        member, ears = await self.alone(ready.log)
        assert ears.assigned == {IN0, IN1}
        member.seek(IN0, 1)
        member.seek(IN1, 0)
        assert sorted(await read(member, [IN0, IN1], 3)) == [(0, b"b"), (0, b"c"), (1, b"d")]
        member.seek(IN0, 0)
        assert await read(member, [IN0], 3) == [(0, b"a"), (0, b"b"), (0, b"c")]
        await member.close()

    async def test_only_the_asked_partitions_are_fetched(self, ready: Bench) -> None:
        await ready.produce(IN0, [b"a"])
        await ready.produce(IN1, [b"b"])
        member, _ = await self.alone(ready.log)
        member.seek(IN0, 0)
        member.seek(IN1, 0)
        assert await read(member, [IN1], 1) == [(1, b"b")]
        assert await read(member, [IN0], 1) == [(0, b"a")]
        await member.close()

    async def test_records_of_a_partition_come_with_their_offsets(self, ready: Bench) -> None:
        await ready.produce(IN0, [b"a", b"b"])
        member, _ = await self.alone(ready.log)
        member.seek(IN0, 0)
        fetched = await reach(member, IN0, 2)
        records = [record for each in fetched for record in each.records]
        assert [(record.offset, record.value) for record in records] == [(0, b"a"), (1, b"b")]
        assert all(record.timestamp > 0 and record.key is None and not [*record.headers] for record in records)
        await member.close()

    async def test_a_commit_writes_outputs_envelopes_rows_and_offsets(self, ready: Bench) -> None:
        log = ready.log
        writer = await log.writer("t", GROUP)
        transaction = Transaction(
            CHANGES,
            outputs=[Output("out", b"k", b"v", (("h", b"x"),))],
            envelopes=[(IN1, b"e")],
            rows={b"r": b"1", b"s": b"2"},
            offsets={IN0: Committed(7, "text"), IN1: Committed(3, "")},
        )
        await writer.commit(transaction)
        # On Kafka committed offsets show a little later than what was committed with them.
        async with asyncio.timeout(PATIENCE):
            while await log.committed(GROUP, [IN0, IN1]) != {IN0: (7, "text"), IN1: (3, "")}:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert await self.state(log) == {b"r": b"1", b"s": b"2"}
        member, _ = await self.alone(log, ["in", "out"])
        # The Java client's murmur2 sends "k" to the last of three.
        out = [TopicPartition("out", partition) for partition in range(3)]
        for source in (*out, IN0, IN1):
            member.seek(source, 0)
        fetched = await reach(member, out[2], 2)
        (record,) = (record for each in fetched for record in each.records)
        assert (record.key, record.value, [*record.headers]) == (b"k", b"v", [("h", b"x")])
        assert await read(member, [IN1], 1) == [(1, b"e")]
        await writer.close()
        await member.close()

    async def test_a_partition_whose_last_offset_is_a_marker_is_read_to_its_end(self, ready: Bench) -> None:
        log = ready.log
        writer = await log.writer("t", GROUP)
        for number in range(3):
            await writer.commit(Transaction(CHANGES, envelopes=[(IN0, b"%d" % number)]))
        (end,) = (await log.end_offsets([IN0])).values()
        assert end == 6
        member, _ = await self.alone(log)
        member.seek(IN0, 0)
        fetched = await reach(member, IN0, end)
        assert [record.value for each in fetched for record in each.records] == [b"0", b"1", b"2"]
        member.seek(IN0, 5)
        fetched = await reach(member, IN0, end)
        assert [list(each.records) for each in fetched] == [[]]
        await writer.close()
        await member.close()

    async def test_later_rows_hold_and_tombstones_remove(self, ready: Bench) -> None:
        writer = await ready.log.writer("t", GROUP)
        assert await writer.commit(changes({b"a": b"1", b"b": b"1"})) == 3
        end = await writer.commit(changes({b"a": b"2", b"b": None}))
        assert await ready.log.end_offsets([CHANGES]) == {CHANGES: end}
        assert await self.state(ready.log) == {b"a": b"2"}
        await writer.close()

    async def test_an_empty_changelog_has_no_rows(self, ready: Bench) -> None:
        assert await self.state(ready.log) == {}

    async def test_many_rows_and_large_ones_come_back(self, ready: Bench) -> None:
        writer = await ready.log.writer("t", GROUP)
        rows: dict[bytes, bytes | None] = {b"%d" % number: b"x" * 100 for number in range(20_000)}
        rows[b"large"] = b"y" * 400_000
        rows[b"larger"] = b"z" * 700_000
        end = await writer.commit(changes(rows))
        assert await ready.log.end_offsets([CHANGES]) == {CHANGES: end}
        assert await self.state(ready.log) == rows
        await writer.close()

    async def test_a_writer_is_fenced_by_the_next_of_its_name(self, ready: Bench) -> None:
        old = await ready.log.writer("t", GROUP)
        await old.commit(changes({b"a": b"1"}))
        new = await ready.log.writer("t", GROUP)
        with pytest.raises(FencedError):
            await old.commit(changes({b"a": b"2"}))
        await new.commit(changes({b"b": b"3"}))
        assert await self.state(ready.log) == {b"a": b"1", b"b": b"3"}
        await old.close()
        await new.close()

    async def test_an_output_to_a_topic_that_does_not_exist_is_fatal(self, ready: Bench) -> None:
        writer = await ready.log.writer("t", GROUP)
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(FatalError, match="topic missing does not exist"):
                await writer.commit(Transaction(CHANGES, outputs=[Output("missing", b"k", b"v")], rows={b"a": b"1"}))
        await writer.close()
        again = await ready.log.writer("t", GROUP)
        assert await self.state(ready.log) == {}
        await again.close()

    async def test_writers_of_other_names_do_not_mind_each_other(self, ready: Bench) -> None:
        one, two = await ready.log.writer("t1", GROUP), await ready.log.writer("t2", GROUP)
        await asyncio.gather(one.commit(changes({b"a": b"1"})), two.commit(changes({b"b": b"2"})))
        assert await self.state(ready.log) == {b"a": b"1", b"b": b"2"}
        await one.close()
        await two.close()

    async def test_two_members_share_topics_equally_and_one_left_has_all(self, ready: Bench) -> None:
        await ready.make("also", 2)
        first, first_ears = await self.alone(ready.log, ["in", "also"])
        assert len(first_ears.assigned) == 4
        second, second_ears = await self.alone(ready.log, ["in", "also"])
        await until(lambda: len(first_ears.assigned) == len(second_ears.assigned) == 2)
        for ears in (first_ears, second_ears):
            assert len({source.partition for source in ears.assigned}) == 1
        assert first_ears.told == ["assigned", "revoked", "assigned"]
        await second.close()
        await until(lambda: len(first_ears.assigned) == 4)
        await first.close()

    async def test_what_is_trimmed_is_gone_and_the_rest_stays_where_it_is(self, ready: Bench) -> None:
        await ready.produce(IN0, [b"a", b"b", b"c"])
        await ready.log.trim({IN0: 2})
        assert await ready.log.begin_offsets([IN0]) == {IN0: 2}
        member, _ = await self.alone(ready.log)
        member.seek(IN0, 2)
        fetched = await reach(member, IN0, 3)
        assert [(record.offset, record.value) for each in fetched for record in each.records] == [(2, b"c")]
        await member.close()

    async def test_first_and_end_offsets_are_told(self, ready: Bench) -> None:
        await ready.produce(IN0, [b"a", b"b"])
        assert await ready.log.begin_offsets([IN0, IN1]) == {IN0: 0, IN1: 0}
        assert await ready.log.end_offsets([IN0, IN1]) == {IN0: 2, IN1: 0}

    async def test_what_holds_a_record_is_told_from_what_holds_none(self, ready: Bench) -> None:
        await ready.produce(IN0, [b"a"])
        writer = await ready.log.writer("t", GROUP)
        await writer.commit(changes({b"k": b"1"}))
        await writer.close()
        assert await ready.log.holding({IN0: (0, 1), IN1: (0, 0), CHANGES: (0, 2)}) == {IN0, CHANGES}
        # The marker of a transaction is no record.
        assert await ready.log.holding({CHANGES: (1, 2)}) == set()
