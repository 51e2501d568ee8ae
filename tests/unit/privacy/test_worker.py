"""Nothing that bears the mark leaves a worker: over everything that it writes, on a log in memory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import structlog
from prometheus_client import generate_latest

from schemas.decode import Reason
from schemas.topics import TABLES
from streams.engine.clock import Clock
from streams.engine.log.interface import TopicPartition
from streams.engine.log.memory import MemoryLog
from streams.engine.partitioner import partition_for
from streams.engine.topology import Topology
from streams.policy import load
from streams.stages.buyer_hash import buyer_hash
from streams.stages.cases.book import OrderBook
from streams.stages.cases.table import case_of
from streams.stages.dataflow import ORDERS_TASK, SHIPMENTS_TASK, dataflow
from streams.stages.factory import processor
from streams.stages.intake import Counts
from streams.stages.task_context import Setting
from streams.worker import Embedded, Metrics
from streams.worker.rule_metrics import RuleMetrics
from tests.patience import PATIENCE
from tests.unit.privacy.secrets import END, INPUTS, Written, ahead, finds_mark, invalid, valid

POLICY = load.default()
FLOW = dataflow(POLICY)
ALERTS = ("alerts.merchant", "alerts.platform")
DEAD = tuple(f"{topic}.dlq" for topic in INPUTS)
APP = "private"
TOPOLOGY = Topology(APP, FLOW, {ORDERS_TASK: INPUTS["orders"], SHIPMENTS_TASK: INPUTS["logistics-scans"]})
INTERNAL = {spec.topic: spec.partitions for spec in TOPOLOGY.specs()}
OUTPUTS = dict.fromkeys((*ALERTS, *TABLES, *DEAD), 1)


class Marketplace:
    """A log in memory with the stream on it, and workers that read it."""

    def __init__(self, *streams: list[Written], payload: bool = False) -> None:
        self.log = MemoryLog()
        self.metrics = Metrics()
        counts = Counts()
        self.metrics.registry.register(RuleMetrics(counts, self.metrics.processors))
        self._setting = Setting(
            POLICY, INPUTS["orders"], INPUTS["logistics-scans"], partition_for, lambda: 0, counts,
            dead_letter_payload=payload, buyer_hash=buyer_hash(b"a key of the operator's"),
        )  # fmt: skip
        for topic, partitions in (INPUTS | OUTPUTS).items():
            self.log.make(topic, partitions)
        for record in (record for stream in streams for record in stream):
            self.log.append(record.topic, record.key, record.value, (), record.partition)

    def worker(self, clock: Clock) -> Embedded:
        made = partial(processor, self._setting)
        once = clock.until is not None
        return Embedded(
            FLOW, lambda _: made, clock=clock, topics=INPUTS | OUTPUTS, once=once, app_id=APP, metrics=self.metrics,
            log=self.log,
        )  # fmt: skip

    async def read(self) -> None:
        """Reads all, with time that moves with the events alone: what waits for others is kept."""
        ends = {one: self.log.end(one) for topic in INPUTS for one in partitions(topic)}
        async with self.worker(Clock.stream()), asyncio.timeout(PATIENCE):
            while True:
                committed = await self.log.committed(APP, ends.keys())
                if all(source in committed and committed[source].offset >= end for source, end in ends.items()):
                    return
                await self.log.grown(1)

    async def read_to_the_end(self) -> None:
        """Goes on from what is in the changelogs until all that can follow has followed."""
        async with self.worker(Clock.end(END)) as worker:
            assert await asyncio.wait_for(worker.finished(), PATIENCE) == 0

    def written(self, topic: str) -> Iterator[tuple[Any, ...]]:
        """Key, value and headers of each record, those included that Kafka would have compacted."""
        for source in partitions(topic):
            for record in self.log.read(source, 0, 1 << 40).records:
                yield record.key, record.value, *(value for _, value in record.headers)


def partitions(topic: str) -> list[TopicPartition]:
    return [TopicPartition(topic, one) for one in range((INPUTS | OUTPUTS | INTERNAL)[topic])]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is logged at any level, by this program and by the libraries; tracebacks are formatted as ever."""
    said: list[Any] = []

    def keep(_logger: Any, _method: str, event: Any) -> Any:
        said.append(structlog.processors.format_exc_info(None, "", dict(event)))
        raise structlog.DropEvent

    structlog.configure(processors=[keep])
    with caplog.at_level(logging.DEBUG):
        yield said
        said += [logging.Formatter().format(record) for record in caplog.records]
    structlog.reset_defaults()


async def test_nothing_that_a_worker_writes_bears_the_mark(
    logged: list[Any], caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    shop = Marketplace(invalid(), valid(), ahead())
    await shop.read()
    kept = [case_of({}, key[1:], value) for key, value, *_ in shop.written(f"{APP}-orders-changelog")
            if value is not None and key[:2] == b"pc"]  # fmt: skip
    assert any(case.deferred for case in kept), "nothing was deferred"
    await shop.read_to_the_end()
    leaking = [topic for topic in (*OUTPUTS, *INTERNAL) if any(finds_mark(*one) for one in shop.written(topic))]
    said = [repr(one) for one in logged] + [logging.Formatter().format(one) for one in caplog.records]
    assert any("restored" in line for line in said)
    assert not finds_mark(*said)
    assert not finds_mark(generate_latest(shop.metrics.registry))
    printed = capfd.readouterr()
    assert not finds_mark(printed.out, printed.err)
    assert not leaking
    # All of it went its whole way.
    for topic in ALERTS + DEAD + ("help-rates", "conversation-topics", "refund-reasons", f"{APP}-shipments-changelog"):
        assert any(True for _ in shop.written(topic)), topic
    reasons = {headers for _, _, *headers_of in shop.written("orders.dlq") for headers in headers_of}
    assert {str(one).encode() for one in (Reason.NOT_JSON, Reason.UNKNOWN_VALUE, Reason.BAD_TIME)} <= reasons


async def test_values_of_dead_letters_are_there_where_the_operator_wants_them() -> None:
    shop = Marketplace(invalid(), payload=True)
    await shop.read()
    for topic in DEAD:
        for key, value, *headers in shop.written(topic):
            assert finds_mark(value)
            assert not finds_mark(key, *headers)


async def test_a_fault_does_not_say_what_it_was_about(
    monkeypatch: pytest.MonkeyPatch, logged: list[Any], caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def take(_book: OrderBook, _event: Any, _time: int, _key: str, value: bytes) -> bool:
        raise ValueError(f"what is this? {value.decode()}")

    monkeypatch.setattr(OrderBook, "take", take)
    async with Marketplace(valid()).worker(Clock.end(END)) as worker:
        assert await asyncio.wait_for(worker.finished(), PATIENCE) == 1
    printed = capfd.readouterr()
    assert "a fault in the program: ValueError at" in printed.err
    assert not finds_mark(printed.out, printed.err)
    said = [repr(one) for one in logged] + [logging.Formatter().format(one) for one in caplog.records]
    assert not finds_mark(*said)


async def test_a_mark_that_is_kept_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    # The same worker, with a leak: the hash of a buyer is the buyer.
    monkeypatch.setattr("tests.unit.privacy.test_worker.buyer_hash", lambda _: lambda buyer: buyer.encode())
    shop = Marketplace(valid())
    await shop.read()
    assert any(finds_mark(*record) for record in shop.written(f"{APP}-orders-changelog"))
