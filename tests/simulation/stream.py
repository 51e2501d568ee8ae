"""The stream of a seed, and what a replay of it puts out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from random import Random
from typing import Any, NamedTuple

import msgspec

from schemas.decode import decode
from schemas.events import record_key
from schemas.times import DAY, HOUR, MINUTE, parse, render
from schemas.topics import TABLES
from streams.alerts.cloudevents import AlertWriter
from streams.engine.partitioner import partition_for
from streams.policy.model import Policy
from streams.stages.single_reader import SingleReader
from tests.oracle.streams import random_stream, shuffle_on_time
from tests.unit.rules.against_oracle import encoded, policies

#: Whatever bears this in its name is forgotten while workers run: what is told of it may be told or not.
FORGOTTEN = "Forgotten"

#: Values that are no events, for each topic.
_INVALID = (b"no json", b"{}", b'{"event_id":"a"}', b"[]", b"\xff\xfe", b'{"type":"order.paid"}')


class Written(NamedTuple):
    """A record that a producer writes. `valid`: not a dead letter."""

    topic: str
    key: bytes | None
    value: bytes
    valid: bool


class Stream(NamedTuple):
    """Records in the order of their arrival, the first `early` before any worker; where it ends, in microseconds."""

    records: list[Written]
    until: int
    early: int = 0


class Told(NamedTuple):
    """What came out: alerts by audience, sorted, and the last record of each key of each table."""

    alerts: list[tuple[str, bytes]]
    tables: dict[str, dict[str, Any]]


@cache
def policy() -> Policy:
    """A policy that small streams reach the limits of."""
    found, _ = policies("default", low=True)
    replies = msgspec.structs.replace(found.conversations.reply_late, enabled=True)
    return msgspec.structs.replace(
        found,
        feed_silence=msgspec.structs.replace(found.feed_silence, min_scans=2),
        clusters=msgspec.structs.replace(found.clusters, stalls=2),
        conversations=msgspec.structs.replace(found.conversations, reply_late=replies),
    )


def make(rng: Random, *, forgetting: bool, begun: Mapping[str, int]) -> Stream:
    """A stream; with `forgetting`, an order and its parcel beside all others.

    `begun`: the partitions, by topic, each of which has a first record early: where only events move time, one without
    any holds nothing back, and what comes into it later is late.
    """
    size = rng.choice((5, 20, 40, 60))
    events = random_stream(rng, size, weeks=rng.choice((1, 2)), forgetting=False)
    first, last = (parse(events[place]["value"]["occurred_at"]) for place in (0, -1))
    if forgetting:
        events += _forgotten(first, last)
        events.sort(key=lambda event: parse(event["value"]["occurred_at"]))
        last = parse(events[-1]["value"]["occurred_at"])
    early = [record for topic, count in begun.items() for record in _everywhere(topic, count, first)]
    records = [*early, *map(_written, shuffle_on_time(events, rng))]
    for _ in range(rng.choice((0, 0, 3))):
        topic = rng.choice(("orders", "chats", "logistics-scans"))
        letter = Written(topic, rng.choice((b"k", b"O1", None)), rng.choice(_INVALID), valid=False)
        records.insert(rng.randrange(len(early), len(records) + 1), letter)
    return Stream(records, last + rng.choice((0, 1, HOUR, 12 * DAY)), len(early))


def _written(event: dict[str, Any]) -> Written:
    value = encoded(event)
    return Written(event["topic"], record_key(decode(event["topic"], value)[0]).encode(), value, valid=True)


def _everywhere(topic: str, partitions: int, time: int) -> Iterator[Written]:
    """An event of no consequence in each partition."""
    seen: set[int] = set()
    for number in range(1000):
        name = f"early-{number}"
        if len(seen) == partitions:
            return
        if (partition := partition_for(name.encode(), partitions)) not in seen:
            seen.add(partition)
            value: dict[str, Any] = {"event_id": f"{topic}-{name}", "occurred_at": render(time)}
            if topic == "orders":
                value |= {"type": "order.cancelled", "order_id": name, "shop_id": name}
            elif topic == "chats":
                value |= {
                    "type": "chat.message",
                    "conversation_id": name,
                    "sender": "platform",
                    "text": "",
                    "shop_id": name,
                }
            else:
                value |= {"type": "scan", "tracking_no": name, "carrier": "Early", "status": "delivered"}
            yield _written({"topic": topic, "value": value})


def _forgotten(first: int, last: int) -> list[dict[str, Any]]:
    order: dict[str, Any] = {"order_id": FORGOTTEN, "shop_id": FORGOTTEN}
    items = [{"item_id": FORGOTTEN, "category_id": FORGOTTEN, "quantity": 1}]
    parcel = {"carrier": FORGOTTEN, "tracking_no": FORGOTTEN}
    span = max(last - first, 4 * MINUTE)
    told: list[tuple[str, dict[str, Any]]] = [
        ("orders", {"type": "order.placed", "buyer_id": FORGOTTEN, "items": items} | order),
        ("orders", {"type": "order.paid"} | order),
        ("orders", {"type": "order.shipped"} | order | parcel),
        ("logistics-scans", {"type": "scan", "status": "departed", "facility": FORGOTTEN} | parcel),
    ]
    return [
        {"topic": topic, "value": {"event_id": f"f{n}", "occurred_at": render(first + n * span // 4)} | value}
        for n, (topic, value) in enumerate(told)
    ]


def replayed(stream: Stream) -> Told:
    """What one reader of the whole stream puts out."""
    reader = SingleReader(policy())
    for record in stream.records:
        if record.valid:
            event, time = decode(record.topic, record.value)
            reader.take(record.topic, event, time, record.value)
    assert not reader.late
    reader.finish(stream.until)
    alerts, records = reader.drain()
    writer = AlertWriter(policy().label, policy().platform)
    written = [(record.audience, record.value) for alert in alerts for record in writer.records(alert)]
    tables: dict[str, dict[str, Any]] = {table: {} for table in TABLES}
    for row in records:
        if row.value is None:
            tables[row.table].pop(row.key, None)
        else:
            tables[row.table][row.key] = json.loads(json.dumps(row.value))
    return without_forgotten(Told(sorted(written), tables))


def without_forgotten(told: Told) -> Told:
    """Without what is about the order that is forgotten."""
    name = FORGOTTEN.encode()
    return Told(
        [each for each in told.alerts if name not in each[1]],
        {table: {key: row for key, row in rows.items() if FORGOTTEN not in key} for table, rows in told.tables.items()},
    )
