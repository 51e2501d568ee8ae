"""The rule for positions: where they hold, what is lost where they do not, and where to go on."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection

import pytest

from streams.engine.changelog_head import HEAD, check_head, inputs_of, inputs_row, new_head
from streams.engine.clock import Clock
from streams.engine.errors import FatalError
from streams.engine.formats import FORMAT
from streams.engine.log.interface import Topic, TopicPartition
from streams.engine.log.memory import MemoryLog
from streams.engine.positions import Lost, OnLost, Place, compare
from streams.worker import Embedded
from tests.patience import PATIENCE
from tests.unit.engine.embedding import assemble
from tests.unit.engine.history import T0
from tests.unit.engine.toy import DATAFLOW, HOUR, RESULTS, pack

ONE, OTHER = b"1" * 16, b"2" * 16


@pytest.mark.parametrize(
    ("position", "lost"),
    [
        (4, Lost("records were deleted before they were read", 1, 5)),
        (5, None),
        (6, None),
        (9, None),
        (10, None),
        (11, Lost("the partition ends before what was read", 1, 10)),
    ],
)
def test_a_position_holds_from_the_first_offset_up_to_the_end(position: int, lost: Lost | None) -> None:
    assert compare(Place(position, 5, 10, ONE, ONE)) == lost


@pytest.mark.parametrize("position", [0, 4, 5, 7, 10, 11])
def test_no_position_holds_in_another_topic_and_all_of_it_is_new(position: int) -> None:
    lost = compare(Place(position, 5, 10, ONE, OTHER, seen=8))
    assert lost is not None
    assert (lost.offsets, lost.resume) == (max(8 - position, 0), 5)


def test_behind_the_end_of_a_topic_without_an_id_all_may_be_new() -> None:
    assert compare(Place(11, 5, 10)) == Lost("the partition ends before what was read", 1, 5)
    assert compare(Place(10, 5, 10)) is None


SOURCE = TopicPartition("app-road-changelog", 1)


@pytest.mark.parametrize(
    ("application", "kind", "partition", "partitions"),
    [("other", "road", 1, 3), ("app", "desk", 1, 3), ("app", "road", 2, 3), ("app", "road", 1, 4)],
)
def test_the_head_of_another_changelog_is_refused(application: str, kind: str, partition: int, partitions: int) -> None:
    assert check_head(SOURCE, {HEAD: new_head("app", "road", 1, 3)}, "app", "road", 3)
    with pytest.raises(FatalError, match="changelog app-road-changelog-1 is that of"):
        check_head(SOURCE, {HEAD: new_head(application, kind, partition, partitions)}, "app", "road", 3)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (b"\x93\x01\xa1x\x03", "cannot be read"),
        (bytes([0x92, FORMAT + 1, 0xC0]), f"by a newer version, in format {FORMAT + 1}"),
        (bytes([0x92, FORMAT, 0xC0]), "cannot be read"),
        (b"rubbish", "by an older version, in format 0"),
        (bytes(17), "by an older version, in format 0"),
    ],
)
def test_a_head_of_another_format_is_told_in_one_line(row: bytes, told: str) -> None:
    with pytest.raises(FatalError, match=told) as raised:
        check_head(SOURCE, {HEAD: row, b"e": b""}, "app", "road", 3)
    assert "\n" not in str(raised.value)


def test_the_head_of_format_1_is_an_id_alone() -> None:
    assert check_head(SOURCE, {HEAD: uuid.uuid4().bytes, b"e": b""}, "app", "road", 3)


def test_rows_without_a_head_are_refused_and_no_rows_need_none() -> None:
    with pytest.raises(FatalError, match="not the one that it began with"):
        check_head(SOURCE, {b"eprogress": b"row"}, "app", "road", 3)
    assert not check_head(SOURCE, {}, "app", "road", 3)
    assert not check_head(SOURCE, {b"s": b"\0"}, "app", "road", 3)


def test_the_inputs_come_back_as_they_were_written() -> None:
    assert inputs_of({b"i": inputs_row({"b": ONE, "a": OTHER})}) == {"a": OTHER, "b": ONE}
    assert inputs_of({}) == {}


def worker(log: MemoryLog, on_lost: OnLost = "stop") -> Embedded:
    topics = {"orders": 1, "calls": 1, "scans": 1, RESULTS: 1}
    return Embedded(DATAFLOW, assemble, clock=Clock.wall(), topics=topics, app_id="toy", log=log, on_lost=on_lost,
                    now=lambda: T0 + 26 * HOUR)  # fmt: skip


def add(log: MemoryLog, count: int, start: int = 0) -> None:
    log.make("scans", 1)
    for number in range(start, start + count):
        log.append("scans", b"p%d" % number, pack([T0, "scan", f"p{number}"]))


async def read(told: Embedded, end: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while position(told) != end:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def position(told: Embedded) -> int | None:
    found = told.log._offsets.get("toy", {}).get(TopicPartition("scans", 0))
    return found.offset if found else None


def lost(told: Embedded) -> float | None:
    return told.metrics.registry.get_sample_value("parcelwatch_records_lost_total", {"topic": "scans"})


def make_again(log: MemoryLog, records: int) -> None:
    log.drop("scans")
    log.make("scans", 1)
    add(log, records, 100)


@pytest.mark.parametrize("records", [0, 3, 5, 9])
@pytest.mark.parametrize("live", [True, False])
async def test_a_topic_that_was_made_again_ends_the_worker(
    live: bool, records: int, capsys: pytest.CaptureFixture[str]
) -> None:
    log = MemoryLog()
    add(log, 5)
    async with worker(log) as first:
        await read(first, 5)
        if live:
            make_again(log, records)
            async with asyncio.timeout(PATIENCE):
                assert await first.finished() == 2
    if not live:
        make_again(log, records)
        async with worker(log) as second, asyncio.timeout(PATIENCE):
            assert await second.finished() == 2
    line = capsys.readouterr().err
    assert line.startswith("parcelwatch: scans-0: position 5, first offset 0, end ")
    assert line.count("\n") == 1


class BlindLog(MemoryLog):
    """Whoever looks at topics once in a while sees those of the beginning."""

    async def describe(self, topics: Collection[str]) -> dict[str, Topic]:
        found = await super().describe(topics)
        self.first = {**found, **getattr(self, "first", {})}
        return {topic: self.first[topic] for topic in found}


async def test_what_was_fetched_of_another_topic_is_not_committed(capsys: pytest.CaptureFixture[str]) -> None:
    log = BlindLog()
    add(log, 5)
    async with worker(log) as first:
        await read(first, 5)
        # Grown past the position at once: the next fetch brings records, and only the commit can tell of which topic.
        make_again(log, 9)
        async with asyncio.timeout(PATIENCE):
            assert await first.finished() == 2
    assert position(first) == 5
    assert "made again under its name" in capsys.readouterr().err


@pytest.mark.parametrize("records", [3, 9])
@pytest.mark.parametrize("live", [True, False])
async def test_told_to_go_on_it_reads_all_of_the_new_topic(live: bool, records: int) -> None:
    log = MemoryLog()
    add(log, 5)
    async with worker(log, "continue") as first:
        await read(first, 5)
        if live:
            make_again(log, records)
            await read(first, records)
            assert lost(first) == 0
    if not live:
        make_again(log, records)
        async with worker(log, "continue") as second:
            await read(second, records)
    # What it goes by now is the new topic: the next one finds nothing wrong.
    add(log, 1, 200)
    async with worker(log) as last:
        await read(last, records + 1)
        assert not lost(last)


async def test_records_that_were_deleted_unread_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    log = MemoryLog()
    add(log, 5)
    async with worker(log) as first:
        await read(first, 5)
    add(log, 7, 100)
    log.truncate(TopicPartition("scans", 0), 9)
    async with worker(log) as second, asyncio.timeout(PATIENCE):
        assert await second.finished() == 2
    assert "scans-0: position 5, first offset 9, end 12: records were deleted" in capsys.readouterr().err
    async with worker(log, "continue") as third:
        await read(third, 12)
        assert lost(third) == 4


async def test_an_offset_that_was_set_beyond_the_state_ends_the_worker(capsys: pytest.CaptureFixture[str]) -> None:
    log = MemoryLog()
    add(log, 5)
    async with worker(log) as first:
        await read(first, 5)
    scans = TopicPartition("scans", 0)
    log._offsets["toy"][scans] = log._offsets["toy"][scans]._replace(offset=1000)
    async with worker(log) as second, asyncio.timeout(PATIENCE):
        assert await second.finished() == 2
    assert "scans-0: position 5, first offset 0, end 5: the group's offset is 1000" in capsys.readouterr().err


async def test_partitions_that_are_added_end_the_worker_soon(capsys: pytest.CaptureFixture[str]) -> None:
    log = MemoryLog()
    add(log, 1)
    async with worker(log) as first:
        await read(first, 1)
        log.grow("scans", 2)
        async with asyncio.timeout(PATIENCE):
            assert await first.finished() == 2
    assert capsys.readouterr().err.startswith("parcelwatch: topic scans has 2 partitions, 1 are needed")


async def test_a_topic_that_is_gone_ends_the_worker(capsys: pytest.CaptureFixture[str]) -> None:
    log = MemoryLog()
    add(log, 1)
    async with worker(log) as first:
        await read(first, 1)
        log.drop("scans")
        async with asyncio.timeout(PATIENCE):
            assert await first.finished() == 2
    assert capsys.readouterr().err.startswith("parcelwatch: topic scans does not exist any more")
