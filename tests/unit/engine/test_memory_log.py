"""The log in memory keeps the contract."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from streams.engine.log.interface import TopicPartition
from streams.engine.log.memory import MemoryLog
from tests.unit.engine.log_contract import LogContract


class MemoryBench:
    def __init__(self) -> None:
        self.log = MemoryLog()

    async def make(self, topic: str, partitions: int) -> None:
        self.log.make(topic, partitions)

    async def drop(self, topic: str) -> None:
        self.log.drop(topic)

    async def produce(self, source: TopicPartition, values: Sequence[bytes]) -> None:
        for value in values:
            self.log.append(source.topic, None, value, partition=source.partition)


class TestMemoryLog(LogContract):
    @pytest.fixture
    def bench(self) -> MemoryBench:
        return MemoryBench()

    async def test_compaction_keeps_the_last_row_of_each_key(self) -> None:
        log = MemoryLog()
        log.make("changes", 1)
        for key, value in ((b"a", b"1"), (b"b", b"1"), (b"a", b"2")):
            log.append("changes", key, value)
        log.compact(TopicPartition("changes", 0))
        fetched = log.read(TopicPartition("changes", 0), 0, 10)
        assert [(record.offset, record.key, record.value) for record in fetched.records] == [
            (1, b"b", b"1"),
            (2, b"a", b"2"),
        ]

    async def test_what_is_truncated_is_gone_and_the_rest_keeps_its_offsets(self) -> None:
        log = MemoryLog()
        log.make("in", 1)
        source = TopicPartition("in", 0)
        for value in (b"a", b"b", b"c"):
            log.append("in", None, value)
        log.truncate(source, 2)
        assert await log.begin_offsets([source]) == {source: 2}
        assert [record.offset for record in log.read(source, 0, 10).records] == [2]
