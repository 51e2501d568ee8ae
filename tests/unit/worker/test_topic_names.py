"""A worker whose topics have a prefix or names of their own: the same goes in and comes out, under other names."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka
from cloudevents.core.formats.json import JSONFormat
from jsonschema import Draft202012Validator
from prometheus_client import generate_latest

from schemas.generate import schemas
from schemas.times import HOUR
from schemas.topics import ALERTS, OUTPUTS, TopicNames
from streams.engine.clock import Clock
from streams.engine.log.interface import TopicPartition
from streams.engine.log.memory import MemoryLog
from streams.engine.partitioner import partition_for
from streams.stages.dataflow import dataflow
from streams.stages.factory import processor
from streams.stages.task_context import Setting
from streams.worker import Embedded
from tests.patience import PATIENCE
from tests.unit.forget.shop import INPUTS, POLICY, T0, Events


async def said(topics: TopicNames) -> tuple[dict[str, list[bytes | None]], str]:
    """What a worker says of a small shop, by what the program calls the topics; and its metrics."""
    log = MemoryLog()
    counts = {topics[name]: partitions for name, partitions in INPUTS.items()}
    outputs = dict.fromkeys(topics.all(OUTPUTS), 1)
    for topic, partitions in (counts | outputs).items():
        log.make(topic, partitions)
    events = Events(lambda name, key, value: log.append(topics[name], key, value) and None)
    events.two_orders()
    log.append(topics["orders"], b"A", b"no json")
    events.everywhere(300)
    setting = Setting(POLICY, 2, 3, partition_for, lambda: 0, topics=topics)
    worker = Embedded(
        replace(dataflow(POLICY, topics), outputs=topics.all(OUTPUTS)), lambda _: partial(processor, setting),
        clock=Clock.end(T0 + 300 * HOUR), topics=counts | outputs, once=True, log=log,
    )  # fmt: skip
    async with worker:
        assert await asyncio.wait_for(worker.finished(), PATIENCE) == 0
    found = {
        name: [record.value for record in log.read(TopicPartition(topics[name], 0), 0, 1 << 40).records]
        for name in OUTPUTS
    }
    for name in ALERTS.values():
        for record in log.read(TopicPartition(topics[name], 0), 0, 1 << 40).records:
            event = from_kafka(KafkaMessage(dict(record.headers), record.key, record.value or b""), JSONFormat())
            assert (event.get_specversion(), event.get_subject()) == (
                "1.0",
                orjson.loads(record.value or b"")["subject"],
            )
            assert dict(record.headers) == {"content-type": b"application/cloudevents+json; charset=UTF-8"}
    (letter,) = log.read(TopicPartition(topics.dead_letters("orders"), 0), 0, 10).records
    headers = {name: text.decode() for name, text in letter.headers}
    assert headers["source-topic"] == topics["orders"]
    Draft202012Validator(orjson.loads(schemas()["dead-letter-headers.json"])).validate(headers)
    return found, generate_latest(worker.metrics.registry).decode()


@pytest.mark.parametrize("names", [
    TopicNames.prefixed("eu."),
    TopicNames.prefixed("eu.").named({"orders": "shop.orders.v1", "alerts.merchant": "warn", "chats.dlq": "bad-chats"}),
], ids=["prefix", "names"])  # fmt: skip
async def test_the_same_comes_out_under_other_names(names: TopicNames) -> None:
    plain, _ = await said(TopicNames())
    other, metrics = await said(names)
    assert {name: sorted(map(str, values)) for name, values in plain.items()} == {
        name: sorted(map(str, values)) for name, values in other.items()
    }
    assert plain["alerts.merchant"]
    assert plain["help-rates"]
    # Operators see the names that the broker has.
    assert f'parcelwatch_records_read_total{{topic="{names["orders"]}"}}' in metrics
    assert 'topic="orders"' not in metrics
