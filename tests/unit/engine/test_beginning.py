"""What exists is told by brokers that may not have heard of it yet, when an application begins or goes on."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest

from streams.engine.beginning import check_changelogs, prepare
from streams.engine.errors import DeniedError, FatalError
from streams.engine.log.interface import Committed, TopicPartition, Transaction
from streams.engine.log.memory import MemoryLog
from tests.unit.engine.toy import DATAFLOW, RESULTS

APP = "toy"
TELLING = replace(DATAFLOW, outputs=(RESULTS,))


class Slow(MemoryLog):
    """A log of which some broker has not heard yet of some topics when it is asked next, `unheard` times."""

    def __init__(self) -> None:
        super().__init__()
        self.unheard = 0
        self.after = 0
        for topic in ("orders", "calls", "scans", RESULTS):
            self.make(topic, 2)

    async def partitions(self, topics: Collection[str]) -> dict[str, int]:
        found = await super().partitions(topics)
        if self.after:
            self.after -= 1
        elif self.unheard and found:
            self.unheard -= 1
            found.popitem()
        return found


@pytest.mark.parametrize("after", range(4))
async def test_an_application_begins_though_brokers_hear_late_of_topics(after: int) -> None:
    log = Slow()
    log.unheard, log.after = 2, after
    topology = await prepare(APP, DATAFLOW, log)
    assert set(topology.counts.values()) == {2}


async def test_an_application_with_state_goes_on_though_brokers_hear_late_of_its_topics() -> None:
    log = Slow()
    topology = await prepare(APP, DATAFLOW, log)
    source = TopicPartition("orders", 0)
    changelog = TopicPartition(topology.changelog("desk"), 0)
    log.apply("t", log.fence("t"), APP, Transaction(changelog, rows={b"k": b"v"}, offsets={source: Committed(0, "")}))
    log.unheard, log.after = 2, 1
    await prepare(APP, DATAFLOW, log)
    log.drop(topology.edge_topic(DATAFLOW.edges[0].name))
    with pytest.raises(FatalError, match="are gone, and there is state"):
        await prepare(APP, DATAFLOW, log)


@pytest.mark.parametrize(("kept", "refused"), [("100", True), ("43199999", True), ("43200000", False), (None, False)])
async def test_a_changelog_that_forgets_deletions_too_soon_is_refused(kept: str | None, refused: bool) -> None:
    log = Slow()
    topology = await prepare(APP, DATAFLOW, log)
    log.configs[topology.changelog("road")] = {"cleanup.policy": "compact"} | (
        {} if kept is None else {"delete.retention.ms": kept}
    )
    if refused:
        with pytest.raises(FatalError, match=f"has delete.retention.ms {kept}, and must have 43200000 or more"):
            await check_changelogs(topology, log)
    else:
        await check_changelogs(topology, log)


class Unreadable(Slow):
    """A log that lets nobody read what this user writes."""

    async def holding(self, spans: Mapping[TopicPartition, tuple[int, int]]) -> set[TopicPartition]:
        raise DeniedError("reading: the brokers deny it")


async def test_outputs_that_may_not_be_read_are_taken_for_told_where_there_is_no_state() -> None:
    log = Unreadable()
    topology = await prepare(APP, TELLING, log)
    log.append(RESULTS, b"k", b"v")
    with pytest.raises(FatalError, match=f"has neither state nor offsets, but {RESULTS} holds records"):
        await prepare(APP, TELLING, log)
    changelog = TopicPartition(topology.changelog("desk"), 0)
    log.apply("t", log.fence("t"), APP, Transaction(changelog, rows={b"k": b"v"}))
    await prepare(APP, TELLING, log)
