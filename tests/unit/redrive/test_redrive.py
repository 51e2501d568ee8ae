"""Dead letters put back, beside a worker on a log in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence

import pytest

from schemas.times import render
from schemas.topics import INPUTS, PLAIN
from streams.engine.log.interface import TopicPartition
from streams.engine.log.memory import MemoryLog
from streams.engine.partitioner import partition_for
from streams.engine.processor import Record, Unread
from streams.redrive.letters import REDRIVE_OF, REDRIVES, Filter, Redriven, letter, redriven
from streams.redrive.run import Broker, Outcome, Request, Spans, redrive
from tests.unit.cli import run
from tests.unit.forget.shop import T0, Shop

DEAD = TopicPartition("orders.dlq", 0)
GOOD = json.dumps(
    {"event_id": "x", "type": "order.cancelled", "occurred_at": render(T0), "order_id": "A", "shop_id": "S"}
).encode()


def broker(log: MemoryLog) -> Broker:
    async def held(sources: Sequence[TopicPartition]) -> Spans:
        begin, end = await log.begin_offsets(sources), await log.end_offsets(sources)
        return {source: (begin[source], end[source]) for source in sources}

    async def read(spans: Spans) -> AsyncIterator[tuple[TopicPartition, Record]]:
        for source, (begin, end) in spans.items():
            for record in log.read(source, begin, 1 << 40).records:
                if record.offset < end:
                    yield source, record

    async def send(records: Sequence[Redriven]) -> int:
        for topic, partition, key, value, headers in records:
            log.append(topic, key, value, headers, partition)
        return 0

    return Broker(log.partitions, held, read, send)


async def run_redrive(shop: Shop, *, limit: int = 3, dry_run: bool = False, **wanted: object) -> Outcome:
    """What became of the dead letters of the orders."""
    chosen = Filter(**wanted)  # type: ignore[arg-type]
    outcomes = await redrive(broker(shop.log), Request(PLAIN, INPUTS, chosen, limit, partition_for, dry_run))
    return next(outcome for outcome in outcomes if outcome.topic == "orders")


async def letters(shop: Shop, hours: float) -> list[Record]:
    """The dead letters of the orders, once a worker has read everything there is."""
    await shop.read_to(hours)
    return list(shop.log.read(DEAD, 0, 1 << 40).records)


async def test_a_letter_without_its_value_is_redriven_from_where_its_record_lay() -> None:
    shop = Shop()
    shop.log.append("orders", b"A", b"no json", (("trace", b"t1"),), 1)
    (letter,) = await letters(shop, 1)
    assert letter.value is None
    outcome = await run_redrive(shop)
    assert (outcome.wanted, outcome.redriven, outcome.left) == (1, 1, 0)
    (again,) = [
        record
        for each in range(2)
        for record in shop.log.read(TopicPartition("orders", each), 0, 1 << 40).records
        if dict(record.headers).get(REDRIVES)
    ]
    assert (again.key, again.value) == (b"A", b"no json")
    assert dict(again.headers) == {"trace": b"t1", REDRIVES: b"1", REDRIVE_OF: b"orders/1/0"}


async def test_what_was_in_the_wrong_partition_is_redriven_into_the_right_one() -> None:
    shop = Shop()
    right = partition_for(b"A", 2)
    shop.log.append("orders", b"A", GOOD, (), 1 - right)
    (letter,) = await letters(shop, 1)
    assert dict(letter.headers)["error-code"] == b"wrong_partition"
    await run_redrive(shop)
    assert len(await letters(shop, 2)) == 1
    (moved,) = shop.log.read(TopicPartition("orders", right), 0, 9).records
    assert moved.value == GOOD


async def test_no_record_goes_round_more_often_than_the_limit() -> None:
    shop = Shop()
    shop.log.append("orders", b"A", b"no json")
    sent = []
    for hours in range(1, 7):
        await letters(shop, hours)
        sent.append((await run_redrive(shop, limit=3)).redriven)
    # Every letter of the record is of the same record: only the last one counts.
    assert sent == [1, 1, 1, 0, 0, 0]
    outcome = await run_redrive(shop, limit=3)
    assert (outcome.letters, outcome.superseded, outcome.exhausted) == (4, 3, 1)
    assert (await run_redrive(shop, limit=4)).redriven == 1


async def test_two_runs_before_a_worker_has_read_are_no_more_than_two() -> None:
    shop = Shop()
    shop.log.append("orders", b"A", b"no json")
    await letters(shop, 1)
    await run_redrive(shop)
    await run_redrive(shop)
    assert len(await letters(shop, 2)) == 3
    assert (await run_redrive(shop)).redriven == 1


async def test_only_what_is_asked_for_is_redriven() -> None:
    shop = Shop()
    shop.log.append("orders", b"A", b"no json", (), 0)
    shop.log.append("orders", b"A", b"[]", (), 1)
    await letters(shop, 1)
    assert (await run_redrive(shop, dry_run=True, reasons=frozenset({"not_json"}))).reasons == {"not_json": 1}
    assert (await run_redrive(shop, dry_run=True, partitions=frozenset({1}))).reasons == {"not_object": 1}
    # They failed at the beginning of 1970, by the clock of these workers.
    assert (await run_redrive(shop, dry_run=True, since=0)).wanted == 2
    assert (await run_redrive(shop, dry_run=True, since=1)).wanted == 0
    assert (await run_redrive(shop, dry_run=True, before=1)).wanted == 2
    assert (await run_redrive(shop, dry_run=True, before=0)).wanted == 0
    assert (await run_redrive(shop)).redriven == 2


async def test_an_original_that_is_gone_or_another_one_is_told() -> None:
    shop = Shop()
    shop.log.append("orders", b"A", b"no json", (), 0)
    shop.log.append("orders", b"B", b"no json", (), 1)
    await letters(shop, 1)
    shop.log.truncate(TopicPartition("orders", 0), 1)
    other = shop.log._partition(TopicPartition("orders", 1))
    other.records[0] = other.records[0]._replace(key=b"C")
    outcome = await run_redrive(shop)
    assert (outcome.gone, outcome.changed, outcome.redriven, outcome.left) == (1, 1, 0, 2)


async def test_records_that_are_no_letters_are_left_alone() -> None:
    shop = Shop()
    shop.log.append("orders.dlq", b"k", b"v", (("error-code", b"not_json"),))
    headers = [("error-code", b"x"), ("error-detail", b""), ("source-topic", b"payments"), ("source-partition", b"0")]
    shop.log.append(
        "orders.dlq", b"k", b"v", (*headers, ("source-offset", b"0"), ("failed-at", b"2026-03-02T00:00:00Z"))
    )
    outcome = await run_redrive(shop)
    assert (outcome.letters, outcome.foreign, outcome.redriven) == (2, 2, 0)


def kept(*own: tuple[str, bytes]) -> Record:
    """A letter that holds its record."""
    added = {
        "error-code": b"not_json", "error-detail": b"", "source-topic": b"orders", "source-partition": b"1",
        "source-offset": b"7", "failed-at": b"2026-03-02T00:00:00Z",
    }  # fmt: skip
    return Record(3, 0, b"A", b"the value", (*own, *added.items()))


def test_a_letter_with_its_value_is_redriven_as_it_was() -> None:
    record = kept(("trace", b"t1"), ("error-code", b"of the producer's"))
    found = letter(DEAD, record, "orders")
    assert found is not None
    assert found.content == (DEAD, 3)
    made = redriven(found, record, 1)
    assert made is not None
    assert made[:4] == ("orders", 1, b"A", b"the value")
    assert made.headers == (
        ("trace", b"t1"), ("error-code", b"of the producer's"), (REDRIVES, b"1"), (REDRIVE_OF, b"orders/1/7"),
    )  # fmt: skip


def test_a_letter_whose_record_cannot_be_read_is_not_redriven() -> None:
    found = letter(DEAD, kept()._replace(value=None, key=None), "orders")
    assert found is not None
    assert redriven(found, Unread(7, -1, None, b""), 1) is None


@pytest.mark.parametrize("count", [b"", b"-1", b"many", b"9" * 40])
def test_a_count_that_is_none_of_ours_is_beyond_every_limit(count: bytes) -> None:
    found = letter(DEAD, kept((REDRIVES, count)), "orders")
    assert found is not None
    assert found.redrives > 1000


def test_mistakes_are_told_in_one_line() -> None:
    for options in (("--reason", "bad"), ("--topic", "payments"), ("--since", "2026-03-02T00:00:00Z", "--before",
                    "2026-03-02T00:00:00Z"), ("--broker", "kafka://127.0.0.1:1")):  # fmt: skip
        ended = run("redrive", *options)
        assert (ended.returncode, ended.stdout) == (2, "")
        assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("partition", [b"-1", b"x", b" 1", b"1_0", b"2147483648", b"9" * 5_000, "١".encode()])
def test_a_letter_from_a_place_that_no_log_has_is_none(partition: bytes) -> None:
    def named(name: str, value: bytes) -> Record:
        whole = kept()
        return whole._replace(headers=tuple((one, value if one == name else held) for one, held in whole.headers))

    assert letter(DEAD, kept(), "orders") is not None
    assert letter(DEAD, named("source-partition", partition), "orders") is None
    offset = partition.replace(b"2147483648", b"9223372036854775808")
    assert letter(DEAD, named("source-offset", offset), "orders") is None
