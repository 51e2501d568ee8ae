"""`streams.topics.ensure` against a real broker."""

from __future__ import annotations

import asyncio

import pytest

from streams.engine.errors import FatalError
from streams.engine.processor import Dataflow, Edge, ExternalInput, TaskKind
from streams.engine.rights import Right
from streams.topics import Report, Settings, ensure
from tests.kafka_broker import Broker
from tests.kafka_broker.acls import grant, revoke
from tests.kafka_broker.broker import BOUND, PASSWORD

DAY_MS = 86_400_000

DATAFLOW = Dataflow(
    kinds=(
        TaskKind("orders", (ExternalInput("orders", 0), ExternalInput("chats", 0)), {}),
        TaskKind("shipments", (ExternalInput("logistics-scans", 0),), {}),
    ),
    edges=(
        Edge("registrations", "orders", "shipments", ("orders",), 1_000_000),
        Edge("links", "shipments", "orders", ("logistics-scans",), 3_600_000_000),
    ),
)

SMALL = Settings(app_id="pw", dataflow=DATAFLOW, partitions={"orders": 2, "shipments": 3}, output_partitions=1)

INTERNAL = {"pw-registrations": 3, "pw-links": 2, "pw-orders-changelog": 2, "pw-shipments-changelog": 3}


def names(report: Report) -> set[str]:
    return {spec.topic for spec in report.created}


async def test_an_empty_broker_gets_every_topic_once(kafka: Broker) -> None:
    first = await ensure(kafka.bootstrap, SMALL)
    assert first.agrees
    assert names(first) == await kafka.topics()
    assert {"orders", "chats.dlq", "alerts.merchant", "help-rates", "pw-orders-changelog"} <= names(first)
    second = await ensure(kafka.bootstrap, SMALL)
    assert second.created == ()
    assert second.agrees
    assert set(second.agreeing) == names(first)
    assert [line.partition(":")[0] for line in second.lines()] == ["as wanted"]


async def test_partitions_follow_the_task_that_reads_them(kafka: Broker) -> None:
    await ensure(kafka.bootstrap, SMALL)
    async with kafka.admin() as admin:
        found = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics()}
    inputs = {"orders": 2, "chats": 2, "logistics-scans": 3}
    assert inputs | INTERNAL == {topic: found[topic] for topic in (*inputs, *INTERNAL)}


async def test_a_dry_run_creates_nothing_and_tells_all(kafka: Broker) -> None:
    report = await ensure(kafka.bootstrap, SMALL, dry_run=True)
    assert await kafka.topics() == set()
    assert "would create chats: 2 partitions, kept 180 days" in list(report.lines())
    assert "would create help-rates: 1 partitions, compacted" in list(report.lines())
    assert "would create pw-links: 2 partitions, kept for ever" in list(report.lines())


async def test_what_exists_otherwise_is_told_and_left_alone(kafka: Broker) -> None:
    await ensure(kafka.bootstrap, SMALL)
    async with kafka.admin() as admin:
        await admin.delete_topics(["help-rates", "logistics-scans.dlq", "pw-links"])
    await kafka.create_topics(
        {"help-rates": 1, "logistics-scans.dlq": 1, "pw-links": 5},
        {"logistics-scans.dlq": {"retention.ms": str(7 * DAY_MS)}, "pw-links": {"retention.ms": "-1"}},
    )
    before = await ensure(kafka.bootstrap, SMALL)
    assert set(before.disagreements) == {
        "help-rates has cleanup.policy delete, wanted cleanup.policy compact",
        "logistics-scans.dlq has retention.ms 604800000 (7 days), wanted retention.ms 15552000000 (180 days)",
        "pw-links has 5 partitions, wanted 2",
        "pw-links has message.timestamp.type CreateTime, wanted message.timestamp.type LogAppendTime",
    }
    assert before.created == ()
    assert (await ensure(kafka.bootstrap, SMALL)).disagreements == before.disagreements


async def test_inputs_that_exist_decide_the_partitions_of_what_is_missing(kafka: Broker) -> None:
    year = {"retention.ms": str(400 * DAY_MS)}
    await kafka.create_topics({"orders": 5}, {"orders": year})
    report = await ensure(kafka.bootstrap, Settings(app_id="pw", dataflow=DATAFLOW), dry_run=True)
    created = {spec.topic: spec.partitions for spec in report.created}
    assert report.agrees
    assert (created["chats"], created["pw-links"], created["logistics-scans"]) == (5, 5, 12)


async def test_orders_and_chats_of_unequal_partitions_disagree_and_nothing_internal_is_made(
    kafka: Broker,
) -> None:
    await kafka.create_topics({"orders": 2, "chats": 3})
    report = await ensure(kafka.bootstrap, SMALL)
    assert "topics that are read together need equally many partitions: orders 2 and chats 3" in report.disagreements
    assert not names(report) & set(INTERNAL)


async def test_two_that_run_at_once_both_succeed(kafka: Broker) -> None:
    one, other = await asyncio.gather(ensure(kafka.bootstrap, SMALL), ensure(kafka.bootstrap, SMALL))
    assert one.agrees
    assert other.agrees
    assert not names(one) & names(other)
    assert names(one) | names(other) == await kafka.topics()


async def test_a_broker_that_refuses_is_told_in_one_line(kafka: Broker) -> None:
    greedy = Settings(app_id="pw", dataflow=DATAFLOW, replication_factor=3)
    with pytest.raises(FatalError, match="could not be created") as refused:
        await ensure(kafka.bootstrap, greedy)
    assert "\n" not in str(refused.value)


async def test_no_broker_is_told_in_one_line() -> None:
    with pytest.raises(FatalError, match=r"^no broker answers at 127\.0\.0\.1:1$"):
        await ensure("127.0.0.1:1", SMALL)


async def test_who_may_create_topics_and_not_see_them_is_told_at_once(mortal_kafka: Broker) -> None:
    rights = [Right("Create", "cluster", "kafka-cluster")]
    who = {"security_protocol": "SASL_PLAINTEXT", "sasl_plain_username": BOUND, "sasl_plain_password": PASSWORD}
    await grant(mortal_kafka.bootstrap, BOUND, rights)
    try:
        with pytest.raises(FatalError, match=r"^the brokers deny Describe on topic alerts\.merchant, "):
            await ensure(mortal_kafka.secured, SMALL, client=who)
    finally:
        await revoke(mortal_kafka.bootstrap, BOUND, rights)
