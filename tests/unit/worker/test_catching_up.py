"""A past stream that is produced while workers run: by the times of its events first, then with the clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial

import pytest

from schemas.times import DAY
from streams.engine.clock import Clock, system_now
from streams.engine.log.interface import Committed, TopicPartition, Transaction
from streams.engine.offset_texts import BEGIN, catching_up_of, catching_up_text
from streams.engine.partitioner import partition_for
from streams.engine.processor import BEGINNING
from streams.engine.runtime import TaskRuntime
from streams.engine.topology import Topology
from streams.engine.watermarks import IDLE
from streams.stages.dataflow import dataflow
from streams.stages.factory import processor
from streams.stages.task_context import Setting
from streams.worker import Embedded, catching_up, group
from tests.patience import PATIENCE
from tests.unit.cli import run
from tests.unit.forget.shop import APP, INPUTS, OUTPUTS, POLICY, T0, Events, Shop

SOURCES = [TopicPartition(topic, each) for topic, count in INPUTS.items() for each in range(count)]
QUIET = 1.0


def past() -> Iterator[list[tuple[str, bytes, bytes]]]:
    """The past in pieces: topic by topic, each in the order of its times, as files are produced one after the other."""
    written: list[tuple[str, bytes, bytes]] = []
    events = Events(lambda *record: written.append(record))
    events.two_orders()
    events.go_on()
    for hours, what in ((1, "opened"), (30, "responded")):
        ticket = {"ticket_id": "t", "shop_id": "S", "order_id": "A", **({"kind": "other"} if hours == 1 else {})}
        events.event("chats", hours, type=f"ticket.{what}", **ticket)
    for hours in (80, 90, 200):
        events.scan(hours, "parcel-F")
    written.sort(key=lambda record: json.loads(record[2])["occurred_at"])
    for topic in INPUTS:
        records = [record for record in written if record[0] == topic]
        yield records[: len(records) // 2]
        yield records[len(records) // 2 :]


def produce(shop: Shop, piece: list[tuple[str, bytes, bytes]]) -> None:
    for record in piece:
        shop.log.append(*record)


def reader(shop: Shop, clock: Clock, now: Callable[[], int] = system_now, fetch_records: int = 2000) -> Embedded:
    setting = Setting(POLICY, INPUTS["orders"], INPUTS["logistics-scans"], partition_for, lambda: 0)
    return Embedded(
        dataflow(POLICY), lambda _: partial(processor, setting), clock=clock, topics=INPUTS | OUTPUTS, app_id=APP,
        log=shop.log, quiet_seconds=QUIET, now=now, fetch_records=fetch_records,
    )  # fmt: skip


def metric(worker: Embedded, name: str) -> float:
    """A metric's sum over its labels."""
    return sum(
        sample.value for family in worker.metrics.registry.collect() for sample in family.samples if sample.name == name
    )


async def all_read(shop: Shop) -> None:
    ends = {source: shop.log.end(source) for source in SOURCES if shop.log.end(source)}

    async def done() -> bool:
        committed = await shop.log.committed(APP, ends)
        return all(source in committed and committed[source].offset >= end for source, end in ends.items())

    async with asyncio.timeout(PATIENCE):
        while not await done():
            await shop.log.grown(0.1)


async def until_metric(worker: Embedded, name: str, wanted: Callable[[float], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not wanted(metric(worker, name)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def as_after_a_reset(shop: Shop) -> None:
    """The offsets that `parcelwatch reset` leaves: the beginnings."""
    offsets = {source: Committed(0, BEGIN) for source in SOURCES}
    changelog = TopicPartition("unused", 0)
    shop.log.apply("reset", shop.log.fence("reset"), APP, Transaction(changelog, offsets=offsets))


async def in_pieces(clock: Clock, started: str, late: int, *, reset: bool = False) -> tuple[Shop, float]:
    """What comes of the past in pieces, each read before the next is there, and how many events were late."""
    shop = Shop()
    if reset:
        as_after_a_reset(shop)
    async with reader(shop, clock, lambda: T0 + 40 * DAY) as worker:
        # However long the pieces take, no input is quiet before all of them are there.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(catching_up, "_COUNTED", 0.0)
            await until_metric(worker, started, lambda value: value > 0)
            for piece in past():
                produce(shop, piece)
                await all_read(shop)
                assert clock.gate is None or not clock.gate.open
        await until_metric(worker, "parcelwatch_catching_up", lambda value: value == 0)
        await shop.until(lambda: "shipment.stalled" in shop.raised("parcel-F"))
        await until_metric(worker, "parcelwatch_late_events_total", lambda value: value >= late)
        return shop, metric(worker, "parcelwatch_late_events_total")


def kinds(shop: Shop) -> list[tuple[str, str, str, str]]:
    return sorted((one["type"], one["subject"], one["status"], one["episode"]) for one in shop.alerts())


@pytest.mark.parametrize("reset", [False, True])
async def test_nothing_of_a_past_that_comes_in_pieces_is_late(reset: bool) -> None:
    whole = Shop()
    for piece in past():
        produce(whole, piece)
    async with reader(whole, Clock.wall(), lambda: T0 + 40 * DAY):
        await whole.until(lambda: "shipment.stalled" in whole.raised("parcel-F"))
    shop, late = await in_pieces(Clock.catching_up(), "parcelwatch_catching_up", 0, reset=reset)
    assert late == 0
    assert kinds(shop) == kinds(whole)


async def test_without_it_such_a_past_is_late() -> None:
    everything = sum(map(len, past()))
    _, late = await in_pieces(Clock.wall(), "parcelwatch_watermark_timestamp_seconds", everything)
    assert late == everything


async def test_a_topic_that_has_nothing_does_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(group, "_UNSETTLED", 10)
    shop = Shop()
    for number in range(200):
        shop.order("cancelled", number, f"order-{number}")
    async with reader(shop, Clock.catching_up(), lambda: T0 + 400 * DAY, fetch_records=5) as worker:
        await all_read(shop)
        await until_metric(worker, "parcelwatch_catching_up", lambda value: value == 0)


class Looking:
    """A group's looks at its inputs at the test's own times; `takes`: seconds in which committed offsets are told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop = Shop()
        self.clock = Clock.catching_up()
        self.takes = 0.0
        self._now = 100.0
        monkeypatch.setattr(catching_up, "monotonic", lambda: self._now)
        committed = self.shop.log.committed

        async def slow(group: str, sources: Iterable[TopicPartition]) -> Mapping[TopicPartition, Committed]:
            self._now += self.takes
            return await committed(group, sources)

        monkeypatch.setattr(self.shop.log, "committed", slow)
        topology = Topology(APP, dataflow(POLICY), {"orders": INPUTS["orders"], "shipments": INPUTS["logistics-scans"]})
        runtime = TaskRuntime(log=self.shop.log, clock=self.clock, now=lambda: T0 + 40 * DAY, quiet_seconds=10.0)
        self._group = catching_up.CatchingUp(runtime, topology, 1000)

    def read(self) -> None:
        """Commits all that there is."""
        offsets = {source: Committed(self.shop.log.end(source), catching_up_text(T0, 0)) for source in SOURCES}
        transaction = Transaction(TopicPartition("unused", 0), offsets=offsets)
        self.shop.log.apply("test", self.shop.log.fence("test"), APP, transaction)

    async def behind(self, *seconds: float) -> bool:
        """Whether the past is still being read, after a look at each of so many seconds after the one before."""
        for each in seconds:
            self._now += each
            await self._group.look([])
        return self._group.behind


async def test_an_input_is_quiet_once_it_has_been_seen_so_for_as_long_as_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looking = Looking(monkeypatch)
    assert await looking.behind(1, 2, 2, 2, 2, 1.99)
    looking.shop.order("cancelled", 1, "A")
    looking.read()
    assert await looking.behind(1, 2, 2, 2, 2, 1.99)
    assert not await looking.behind(1)


async def test_offsets_that_are_told_slowly_make_no_input_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    looking = Looking(monkeypatch)
    looking.takes = 30.0
    looking.read()
    assert await looking.behind(1)
    looking.shop.order("cancelled", 1, "A")
    looking.read()
    assert await looking.behind(1)


async def test_while_nobody_could_see_it_no_input_was_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    looking = Looking(monkeypatch)
    looking.read()
    # The brokers were away for an hour, or the machine stood still: so did, maybe, who produces.
    assert await looking.behind(1, 3600)
    assert not await looking.behind(5)


@pytest.mark.parametrize(("greatest", "unsettled"), [(0, 0), (BEGINNING, 3), (T0, 200_001)])
def test_what_is_committed_says_how_far_an_input_has_come(greatest: int, unsettled: int) -> None:
    assert catching_up_of(catching_up_text(greatest, unsettled)) == (greatest, unsettled)


@pytest.mark.parametrize(
    "text", ["", "final:3", "catching-up:", "catching-up:x:1", "catching-up:1", "catching-up:" + "9" * 5_000]
)
def test_whoever_commits_anything_else_is_in_the_present(text: str) -> None:
    assert catching_up_of(text) == (IDLE, 0)


def test_it_needs_the_wall_clock() -> None:
    ended = run("worker", "--catch-up", "--clock", "stream")
    assert (ended.returncode, len(ended.stderr.splitlines())) == (2, 1)
    assert "--clock wall" in ended.stderr


def test_an_input_that_was_reset_is_at_its_beginning() -> None:
    assert catching_up_of(BEGIN) == (BEGINNING, 0)
