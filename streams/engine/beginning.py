"""Checks whether an application may start or resume with the topics that exist.

State lives in several topics and in the group's offsets. If part of it is gone, nothing is recreated silently: alerts
would be lost or repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from streams.engine.errors import DeniedError, FatalError
from streams.engine.log.interface import Log, TopicPartition
from streams.engine.offset_texts import BEGIN
from streams.engine.processor import Dataflow
from streams.engine.store.fitness import OLDEST
from streams.engine.topology import Topology, count, known, make_internal

#: Milliseconds for which deletions must be told: as old as a copy may be that is gone on from.
_LEAST = int(OLDEST * 1000)
#: The only cleanup policy under which a changelog keeps the last row of every key.
_COMPACT = "compact"


async def check_beginning(topology: Topology, broker: Log, outputs: Mapping[str, int], begin_anew: bool) -> None:
    """Call it before internal topics are created. `outputs`: number of partitions by topic.

    Raises `FatalError` if there is state but a topic is gone; also, unless `begin_anew` is set or the application has
    been reset, if there is no state but the outputs hold records.
    """
    specs = {spec.topic: spec.partitions for spec in topology.specs()}
    present = await broker.partitions(specs)
    changelogs = {topology.changelog(kind.name) for kind in topology.dataflow.kinds}
    edges = {topology.edge_topic(edge.name) for edge in topology.dataflow.edges}
    # Whatever is in the outputs is in a changelog too: checked in this order, a concurrent first start elsewhere does
    # not look like lost state.
    told = await _spans(broker, outputs)
    left = await _spans(broker, {topic: present[topic] for topic in present.keys() & edges})
    rows = _partitions({topic: present[topic] for topic in present.keys() & changelogs})
    sources = frozenset[TopicPartition]().union(*map(topology.partitions_of, topology.tasks()))
    committed = await broker.committed(topology.app_id, sources)
    reset = [each for each in committed.values() if each.metadata == BEGIN]
    if len(reset) < len(committed) or (rows and any((await broker.end_offsets(rows)).values())):
        # State may have come to be since: its topics were made by another worker then.
        if gone := sorted(specs.keys() - (await known(broker, specs)).keys()):
            raise FatalError(_gone(topology.app_id, gone, changelogs))
        return
    if sent := await _written(broker, left):
        raise FatalError(
            f"application {topology.app_id} has neither state nor offsets, but {sent[0]} holds what its tasks sent to "
            "each other: delete its internal topics, as parcelwatch reset does"
        )
    if not begin_anew and not reset and (said := await _written(broker, told)):
        raise FatalError(
            f"application {topology.app_id} has neither state nor offsets, but {said[0]} holds records: all that was "
            "told before would be told again; start with --begin-anew where that is meant"
        )


def _gone(application: str, gone: Collection[str], changelogs: Collection[str]) -> str:
    if lost := [topic for topic in gone if topic in changelogs]:
        return (
            f"changelog {lost[0]} of application {application} is gone, and its state with it: begin anew with "
            "parcelwatch reset"
        )
    return (
        f"internal topics of application {application} are gone, and there is state: {', '.join(gone)}: make them "
        "again with parcelwatch topics and start with --on-lost-offsets continue, or begin anew with parcelwatch reset"
    )


async def _spans(broker: Log, topics: Mapping[str, int]) -> dict[TopicPartition, tuple[int, int]]:
    """Those of the partitions that hold anything, be it aborted, with their first and last stable offsets."""
    sources = _partitions(topics)
    if not sources:
        return {}
    begins, ends = await broker.begin_offsets(sources), await broker.stable_offsets(sources)
    return {source: (begins[source], ends[source]) for source in sources if begins[source] < ends[source]}


async def _written(broker: Log, spans: Mapping[TopicPartition, tuple[int, int]]) -> list[str]:
    """Those of the topics that hold committed records: a worker that died in its first commit has left others."""
    try:
        found = await broker.holding(spans) if spans else set()
    except DeniedError:
        found = {*spans}  # a worker need not have the right to read what it writes
    return sorted({source.topic for source in found})


def _partitions(topics: Mapping[str, int]) -> list[TopicPartition]:
    return [TopicPartition(topic, each) for topic, count in topics.items() for each in range(count)]


async def check_changelogs(topology: Topology, broker: Log) -> None:
    """Raises `FatalError` if a changelog's settings let Kafka delete live rows, or forget deletions too soon."""
    changelogs = [topology.changelog(kind.name) for kind in topology.dataflow.kinds]
    for topic, settings in (await broker.settings(changelogs)).items():
        policy = settings.get("cleanup.policy", _COMPACT)
        if policy != _COMPACT:
            raise FatalError(
                f"changelog {topic} has cleanup.policy {policy}, and must have {_COMPACT} alone: else its rows are "
                f"deleted, and the state with them; set it by kafka-configs.sh --alter --entity-type topics "
                f"--entity-name {topic} --add-config cleanup.policy={_COMPACT}"
            )
        if (kept := int(settings.get("delete.retention.ms", _LEAST))) < _LEAST:
            raise FatalError(
                f"changelog {topic} has delete.retention.ms {kept}, and must have {_LEAST} or more: else a worker that "
                "goes on from a copy of its state never hears what was deleted, and counts it again; set it by "
                f"kafka-configs.sh --alter --entity-type topics --entity-name {topic} --add-config "
                "delete.retention.ms=86400000"
            )


async def prepare(app_id: str, dataflow: Dataflow, broker: Log, begin_anew: bool = False) -> Topology:
    """Counts the tasks, creates the internal topics on the first start, and checks those that exist.

    Raises `FatalError` if they do not fit.
    """
    topology, outputs = await count(app_id, dataflow, broker)
    await check_beginning(topology, broker, outputs, begin_anew)
    await make_internal(topology, broker)
    await check_changelogs(topology, broker)
    return topology
