"""The number of open alerts: of what was raised and not resolved, across restarts, and without what was evicted."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Mapping

import pytest

from schemas.times import DAY, parse
from schemas.topics import ALERTS, INPUTS, OUTPUTS
from streams.alerts.cloudevents import name_of
from streams.engine.clock import Clock
from streams.engine.log.interface import TopicPartition
from streams.engine.log.memory import MemoryLog
from streams.engine.partitioner import partition_for
from streams.policy import load
from streams.policy.model import Policy
from streams.rules.alert_types import ALERT_TYPES
from streams.stages.dataflow import dataflow
from streams.stages.factory import processor
from streams.stages.intake import Counts
from streams.stages.task_context import Setting
from streams.worker import Embedded
from streams.worker.rule_metrics import RuleMetrics
from tests.every_rule import POLICY, stream
from tests.patience import PATIENCE

PARTITIONS = 2
Open = dict[tuple[str, str], float]


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Policy:
    path = tmp_path_factory.mktemp("policy") / "lively.toml"
    path.write_text(POLICY)
    return load.load(str(path))


async def worked(log: MemoryLog, policy: Policy, until: int) -> Open:
    """Runs a worker to the end; what its tasks say of open alerts then."""
    made: list[object] = []
    setting = Setting(policy, PARTITIONS, PARTITIONS, partition_for, lambda: 0)

    def factory(kind: str, partition: int) -> object:
        made.append(processor(setting, kind, partition))
        return made[-1]

    topics = {**dict.fromkeys(INPUTS, PARTITIONS), **dict.fromkeys(OUTPUTS, 1)}
    worker = Embedded(
        dataflow(policy),
        lambda _: factory,  # type: ignore[arg-type, return-value]
        clock=Clock.end(until),
        topics=topics,
        once=True,
        log=log,
    )
    async with worker:
        assert await asyncio.wait_for(worker.finished(), PATIENCE) == 0
    families = {family.name: family for family in RuleMetrics(Counts(), lambda: made).collect()}
    samples = families["parcelwatch_open_alerts"].samples
    return {(one.labels["type"], one.labels["audience"]): one.value for one in samples}


def put_out(log: MemoryLog) -> Mapping[tuple[str, str], int]:
    """By type and audience, what was raised and not resolved in the topics of alerts."""
    found: Counter[tuple[str, str]] = Counter()
    for audience, topic in ALERTS.items():
        for record in log.read(TopicPartition(topic, 0), 0, 1 << 60).records:
            event = json.loads(record.value or b"")
            found[name_of(event["type"]), audience] += 1 if event["data"]["status"] == "raised" else -1
    return found


async def test_open_alerts_are_those_put_out_and_not_resolved_and_none_is_left_when_all_is_evicted(
    policy: Policy,
) -> None:
    log = MemoryLog()
    for topic in INPUTS:
        log.make(topic, PARTITIONS)
    events, end = stream()
    for topic, key, value in events:
        log.append(topic, key, value)
    first = await worked(log, policy, parse(end))
    known = {(name, audience) for name, type_ in ALERT_TYPES.items() for audience in type_.audiences
             if type_.is_resolved_by_events}  # fmt: skip
    assert first.keys() == known
    assert first == {pair: put_out(log)[pair] for pair in known}
    assert sum(number > 0 for number in first.values()) > 5
    # Another worker takes the state over, and lives to see the end of all of it.
    last = await worked(log, policy, parse(end) + 1_000 * DAY)
    # Only a carrier stays silent for good.
    assert {pair for pair, number in last.items() if number} == {("carrier.feed_silent", "platform")}
    assert last["carrier.feed_silent", "platform"] == put_out(log)["carrier.feed_silent", "platform"] > 0
    assert any(put_out(log)[pair] > last[pair] for pair in known), "nothing was evicted while it was open"
