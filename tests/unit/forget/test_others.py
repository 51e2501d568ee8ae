"""Forgetting some changes nothing for the others, on a made-up marketplace."""

from __future__ import annotations

import json
from collections import Counter
from random import Random

import pytest

from schemas.decode import Invalid, decode
from schemas.events import record_key
from schemas.times import DAY
from streams.forget.orders import Wanted
from streams.marketplace.market import Plan, market
from tests.unit.forget.shop import Shop

#: (time, topic, key, value)
Timed = list[tuple[int, str, bytes, bytes]]


def events() -> Timed:
    """Those that are events, in the order of their times."""
    found: Timed = []
    for one in market(Plan(seed=3, shops=4, orders_per_day=12, days=30)):
        value = one.encode()
        try:
            event, time = decode(one.topic, value)
        except Invalid:
            continue
        found.append((time, one.topic, record_key(event).encode(), value))
    return sorted(found)


async def told(stream: Timed, at: int, forgotten: list[str]) -> Counter[tuple[str, ...]]:
    """All alerts of single orders, parcels and tickets, where some are forgotten at a time."""
    shop = Shop()
    for time, *record in stream:
        if time <= at:
            shop.write(*record)
    await shop.read_until(at)
    for order in forgotten:
        held, unread = await shop.forget(Wanted(order=order))
        assert held.names == [order]
        assert not unread
    for time, *record in stream:
        if time > at:
            shop.write(*record)
    await shop.read_until(stream[-1][0] + 9 * DAY)
    return Counter(
        (one["type"], one["subject"], one["status"], one["audience"], one["episode"], json.dumps(one["evidence"]))
        for one in shop.alerts()
        if not one["type"].startswith(("help_rate.", "item."))
    )


@pytest.mark.parametrize("seed", range(2))
async def test_of_all_others_the_same_is_said(seed: int) -> None:
    stream, random = events(), Random(seed)
    at = stream[len(stream) // 2][0]
    known = {key.decode() for time, topic, key, _ in stream if topic == "orders" and at - 10 * DAY < time <= at}
    forgotten = random.sample(sorted(known), 60)
    parcels = {
        fields["tracking_no"]
        for fields in (json.loads(value) for *_, value in stream)
        if fields.get("order_id") in forgotten and "tracking_no" in fields
    }
    theirs = {*forgotten, *parcels}
    tickets = {
        fields["ticket_id"]
        for fields in (json.loads(value) for *_, value in stream)
        if fields.get("order_id") in forgotten and "ticket_id" in fields
    }
    with_all, without = await told(stream, at, []), await told(stream, at, forgotten)
    different = set((with_all - without) + (without - with_all))
    assert different
    assert {subject for _, subject, *_ in different} <= theirs | tickets
    assert sum(with_all.values()) > 100
