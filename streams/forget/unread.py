"""Finds records about a person that were written but not yet read by any task."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping

from schemas.events import CHATS, ORDERS, SCANS
from schemas.topics import PLAIN, TopicNames
from streams.engine.envelopes import unpack
from streams.engine.log.interface import Log, TopicPartition
from streams.engine.processor import Record, Unread
from streams.engine.topology import Topology
from streams.stages.dataflow import LINKS, ORDERS_TASK, REGISTRATIONS, SHIPMENTS_TASK

#: Reads spans of partitions: (begin, end) by partition.
ReadSpans = Callable[[Mapping[TopicPartition, tuple[int, int]]], AsyncIterator[tuple[TopicPartition, Record]]]


async def unread(
    log: Log,
    topology: Topology,
    read: ReadSpans,
    orders: Collection[str],
    parcels: Collection[str],
    topics: TopicNames = PLAIN,
) -> dict[TopicPartition, int]:
    """How many records name the orders, or are scans of the tracking numbers, or cannot be read, by partition.

    Inputs, and the edges whose records name orders, from what the group has committed up to their end.
    """
    kinds = {
        topics[ORDERS]: ORDERS_TASK,
        topics[CHATS]: ORDERS_TASK,
        topics[SCANS]: SHIPMENTS_TASK,
        topology.edge_topic(REGISTRATIONS): SHIPMENTS_TASK,
        topology.edge_topic(LINKS): ORDERS_TASK,
    }
    sources = [TopicPartition(topic, each) for topic, kind in kinds.items() for each in range(topology.counts[kind])]
    begin = await log.begin_offsets(sources)
    end = await log.stable_offsets(sources)
    committed = await log.committed(topology.app_id, sources)
    spans = {
        source: (max(begin[source], committed[source].offset if source in committed else 0), end[source])
        for source in sources
    }
    keys = {topics[ORDERS]: _bytes(orders), topics[CHATS]: _bytes(orders), topics[SCANS]: _bytes(parcels)}
    names = frozenset(orders)
    found: dict[TopicPartition, int] = {}
    async for source, record in read({source: span for source, span in spans.items() if span[0] < span[1]}):
        wanted = keys.get(source.topic)
        if isinstance(record, Unread):
            named = True  # for all that is known: a task passes over it
        else:
            named = record.key in wanted if wanted is not None else _tells_of(record, source.topic, names)
        if named:
            found[source] = found.get(source, 0) + 1
    return found


def _bytes(names: Collection[str]) -> frozenset[bytes]:
    return frozenset(name.encode() for name in names)


def _tells_of(record: Record, edge: str, orders: frozenset[str]) -> bool:
    if record.value is None:
        return False
    records = unpack(record.value, edge).records
    return any(isinstance(part, str) and part in orders for told in records for part in told)
