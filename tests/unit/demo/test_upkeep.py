"""The log in memory stays small, and nothing is dropped that somebody still needs."""

from __future__ import annotations

import pytest

from schemas.times import HOUR, MINUTE
from streams.demo.upkeep import Upkeep
from streams.engine.log.interface import Committed, TopicPartition, Transaction
from streams.engine.log.memory import MemoryLog
from streams.engine.processor import Dataflow, Edge, ExternalInput, TaskKind
from streams.engine.topology import Topology

TOPOLOGY = Topology(
    "app",
    Dataflow(
        (TaskKind("desk", (ExternalInput("orders", MINUTE),), {}),), (Edge("notes", "desk", "desk", ("orders",), HOUR),)
    ),
    {"desk": 1},
)
ORDERS, NOTES = TopicPartition("orders", 0), TopicPartition("app-notes", 0)
CHANGELOG, ALERTS = TopicPartition("app-desk-changelog", 0), TopicPartition("alerts", 0)


@pytest.fixture
def log() -> MemoryLog:
    made = MemoryLog()
    for topic in (ORDERS, NOTES, CHANGELOG, ALERTS):
        made.make(topic.topic, 1)
    return made


@pytest.fixture
def upkeep(log: MemoryLog) -> Upkeep:
    return Upkeep(log, TOPOLOGY, [("alerts", 1)])


def fill(log: MemoryLog, source: TopicPartition, *values: bytes, key: bytes = b"k") -> None:
    for value in values:
        log.append(source.topic, key, value, partition=source.partition)


def values(log: MemoryLog, source: TopicPartition) -> list[bytes | None]:
    return [record.value for record in log.read(source, 0, 1000).records]


def commit(log: MemoryLog, **positions: int) -> None:
    offsets = {TopicPartition(name.replace("_", "-"), 0): Committed(offset, "") for name, offset in positions.items()}
    log.apply("id", log.fence("id"), "app", Transaction(CHANGELOG, offsets=offsets))


async def test_what_is_committed_of_inputs_and_edges_goes_and_the_rest_stays(log: MemoryLog, upkeep: Upkeep) -> None:
    fill(log, ORDERS, b"1", b"2", b"3")
    fill(log, NOTES, b"a", b"b")
    commit(log, orders=2, app_notes=1)
    await upkeep.tidy()
    assert values(log, ORDERS) == [b"3"]
    assert values(log, NOTES) == [b"b"]


@pytest.mark.parametrize(("kept", "left"), [(1, [b"3"]), (2, [b"2", b"3"]), (9, [b"1", b"2", b"3"])])
async def test_so_much_of_an_input_stays_for_whoever_tells_its_history(
    log: MemoryLog, kept: int, left: list[bytes]
) -> None:
    fill(log, ORDERS, b"1", b"2", b"3")
    fill(log, NOTES, b"a", b"b")
    commit(log, orders=3, app_notes=2)
    await Upkeep(log, TOPOLOGY, [], kept).tidy()
    assert values(log, ORDERS) == left
    assert values(log, NOTES) == []


async def test_nothing_goes_before_anything_is_committed(log: MemoryLog, upkeep: Upkeep) -> None:
    fill(log, ORDERS, b"1")
    await upkeep.tidy()
    await upkeep.tidy()
    assert values(log, ORDERS) == [b"1"]


async def test_an_output_stays_from_one_time_to_the_next(log: MemoryLog, upkeep: Upkeep) -> None:
    fill(log, ALERTS, b"1", b"2")
    await upkeep.tidy()
    assert values(log, ALERTS) == [b"1", b"2"]
    fill(log, ALERTS, b"3")
    await upkeep.tidy()
    assert values(log, ALERTS) == [b"3"]


async def test_a_changelog_keeps_the_last_row_of_each_key(log: MemoryLog, upkeep: Upkeep) -> None:
    fill(log, CHANGELOG, b"old", b"new", key=b"x")
    fill(log, CHANGELOG, b"other", key=b"y")
    await upkeep.tidy()
    assert values(log, CHANGELOG) == [b"new", b"other"]


async def test_what_is_not_read_yet_is_counted_in_external_topics_alone(log: MemoryLog, upkeep: Upkeep) -> None:
    assert await upkeep.behind() == 0
    fill(log, ORDERS, b"1", b"2", b"3")
    fill(log, NOTES, b"a")
    assert await upkeep.behind() == 3
    commit(log, orders=2)
    assert await upkeep.behind() == 1
