"""What a reset says before it acts, and a worker that begins where it was told to."""

from __future__ import annotations

import asyncio

import pytest

from schemas.times import HOUR
from streams.engine.clock import Clock
from streams.engine.log.interface import Committed, TopicPartition, Transaction
from streams.engine.offset_texts import BEGIN
from streams.reset.plan import Plan
from tests.patience import PATIENCE
from tests.unit.cli import run
from tests.unit.forget.shop import APP, INPUTS, T0, Shop, worker

SPANS = {
    TopicPartition("orders", 0): (0, 1000),
    TopicPartition("orders", 1): (20, 254),
    TopicPartition("chats", 0): (7, 7),
}


def said(plan: Plan) -> str:
    return "\n".join(plan.lines())


def test_all_that_goes_and_all_that_stays_is_said_before() -> None:
    lines = said(Plan("pw", 6, {"pw-links": 2, "pw-orders-changelog": 2}, SPANS, None, ("alerts.merchant",)))
    assert "group pw: its offsets, of 6 partitions, are deleted" in lines
    assert "topic pw-links: deleted, with 2 partitions" in lines
    assert "from their beginning: orders (1,234 offsets), chats (0 offsets)" in lines
    assert "left alone: orders, chats, alerts.merchant" in lines
    assert "raised again" in lines


def test_from_a_time_on_it_is_said_what_is_not_known_then() -> None:
    lines = said(Plan("pw", 0, {}, SPANS, T0, ()))
    assert "from the first record of 2026-03-02T00:00:00Z or later" in lines
    assert "internal topics: there are none" in lines
    assert "never resolved" in lines


async def begin_at(shop: Shop, offsets: dict[TopicPartition, int], text: str) -> None:
    writer = await shop.log.writer("reset", APP)
    begin = {source: Committed(offset, text) for source, offset in offsets.items()}
    await writer.commit(Transaction(TopicPartition("none", 0), offsets=begin))


async def test_a_worker_without_state_begins_where_it_was_told_to() -> None:
    shop = Shop()
    shop.two_orders()
    sources = [TopicPartition(topic, each) for topic, count in INPUTS.items() for each in range(count)]
    ends = {source: shop.log.end(source) for source in sources}
    shop.placed("late", "buyer-3", 1)
    shop.everywhere(300)
    await begin_at(shop, ends, BEGIN)
    await shop.read_to(300)
    assert shop.raised("late")
    assert not shop.raised("A")


async def test_offsets_that_a_worker_has_committed_are_no_place_to_begin_without_its_state() -> None:
    shop = Shop()
    shop.two_orders()
    await begin_at(shop, {TopicPartition("orders", 0): 1}, "")
    async with worker(shop.log, Clock.end(T0 + 300 * HOUR)) as reader:
        assert await asyncio.wait_for(reader.finished(), PATIENCE) == 2


@pytest.mark.parametrize("time", ["yesterday", "2026-03-02T00:00:00"])
def test_a_time_that_is_none_is_told_in_one_line(time: str) -> None:
    ended = run("reset", "--from", time)
    assert ended.returncode == 2
    assert ended.stderr.startswith("parcelwatch: Invalid value for '--from'")
    assert len(ended.stderr.splitlines()) == 1


def test_no_broker_is_told_in_one_line() -> None:
    ended = run("reset", "--broker", "kafka://127.0.0.1:1", "--yes")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert len(ended.stderr.splitlines()) == 1
