"""Where a batch ends says nothing: one stream of two years, cut in any way, gives the same bytes.

In two years orders, tickets and parcels are forgotten and named again, numbers are used again, and facts come late.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from schemas.decode import decode
from schemas.times import DAY, HOUR, MINUTE, SECOND, render
from streams.policy.model import Policy
from streams.replay import run as replay_run
from streams.replay.batches import Batch
from streams.replay.run import Replay
from tests.oracle.streams import START, random_stream, shuffle_on_time
from tests.oracle.timeline import microseconds
from tests.unit.rules.against_oracle import difference, policies
from tests.unit.rules.arrivals import QUICK, Events, some
from tests.unit.rules.conversations.late_reply import with_late_reply
from tests.unit.stages.cluster import Cluster, written
from tests.unit.stages.one_reader import SOME, one_reader

#: Records of a batch; the last one: all there are.
CUTS = (1, 7, 64, 4096, 1 << 30)
PROFILES = ("default", "tmall-2026", "taobao-experience-2026", "distinct-orders")
SEEDS = st.integers(0, 2**32 - 1)
TWO_YEARS = 104


def event(topic: str, type_: str, at: int, **fields: Any) -> dict[str, Any]:
    return {"topic": topic, "value": {"event_id": f"{type_}-{at}", "type": type_, "occurred_at": render(at), **fields}}


def named_when_forgotten(random: Random, number: int) -> Events:
    """An order whose parcel is delivered, and that is named again about the instant at which it is forgotten."""
    name = {"order_id": f"F{number}", "shop_id": "S1"}
    parcel = {"carrier": "SF", "tracking_no": f"T{random.choice((number, 0, 1))}"}
    at = START + random.randrange(300) * DAY + random.randrange(24) * HOUR
    items = [{"item_id": "i1", "category_id": "c1", "quantity": 1}]
    found = [
        event("orders", "order.placed", at, **name, buyer_id="b", items=items),
        event("orders", "order.shipped", at + HOUR, **name, **parcel, to_region=random.choice(("浙江", "西藏"))),
        event("logistics-scans", "scan", at + 2 * HOUR, **parcel, status="picked_up", facility="F1"),
        event("logistics-scans", "scan", at + 2 * DAY, **parcel, status=random.choice(("delivered", "arrived"))),
    ]
    ended = at + random.choice((DAY, 10 * DAY))
    if random.random() < 0.8:
        found.append(event("orders", random.choice(("order.completed", "order.cancelled")), ended, **name))
    kept = random.choice((180 * DAY, 400 * DAY, 30 * DAY))
    again = ended + kept + random.choice((-1, 0, 1, SECOND, -SECOND))
    what: dict[str, Any]
    for step in range(random.randrange(1, 4)):
        type_ = random.choice(("refund.requested", "refund.settled", "order.shipped", "order.placed", "dispute.opened"))
        what = {"refund_id": "R1", "dispute_id": "D1", "kind": "reship", "reason": "late", **parcel}
        what |= {"buyer_id": "b", "items": items}
        found.append(event("orders", type_, again + step * random.choice((1, MINUTE, 2 * DAY)), **name, **what))
    return found


def conversations(random: Random, orders: list[str]) -> Events:
    """Talk and refunds that the oracle's scenes do not have."""
    found = []
    for number in range(random.randrange(15)):
        at = START + random.randrange(700) * DAY + random.choice((0, 10 * HOUR, 10 * HOUR + 4 * MINUTE))
        name = {"shop_id": "S1", "order_id": random.choice(orders)}
        if random.random() < 0.5:
            text = random.choice(("快递到哪了", "我要退货", "平台介入", "qqq"))
            said = {"conversation_id": f"V{random.randrange(3)}", "sender": random.choice(("buyer", "merchant"))}
            found.append(event("chats", "chat.message", at, **name, **said, text=text))
        else:
            asked = {"refund_id": f"r{number % 5}", "kind": "refund_only", "reason": "late"}
            type_ = random.choice(("refund.requested", "refund.rejected", "refund.settled"))
            found.append(event("orders", type_, at, **name, **asked))
    return found


def two_years(random: Random, size: int) -> Events:
    """Events by time."""
    events = random_stream(random, size, weeks=TWO_YEARS, forgetting=True)
    for number in range(random.randrange(1, 5)):
        events += named_when_forgotten(random, number)
    orders = sorted({one["value"]["order_id"] for one in events if one["value"].get("order_id")})
    events += conversations(random, orders) if orders else []
    return sorted(events, key=lambda one: microseconds(one["value"]["occurred_at"]))


def some_late(events: Events, random: Random) -> Events:
    """Some of them come much later than they happened."""
    waits = (HOUR, 3 * DAY, 40 * DAY, 200 * DAY)
    late = 0.1 * random.choice((0, 1, 1))
    arrives = [
        microseconds(one["value"]["occurred_at"]) + (random.choice(waits) if random.random() < late else 0)
        for one in events
    ]
    return [events[place] for place in sorted(range(len(events)), key=lambda place: arrives[place])]


def batches(events: Events, size: int) -> Iterator[Batch]:
    for start in range(0, len(events), size):
        batch = Batch()
        for one in events[start : start + size]:
            topic, value = written(one)
            batch.events.append((topic, *decode(topic, value), value, 1, None))
        yield batch


def replayed(events: Events, policy: Policy, size: int, until: int | None) -> dict[str, bytes]:
    """The bytes of all files of a replay that looks at what is due behind so many events."""
    with TemporaryDirectory() as folder, patch.object(replay_run, "STEP", size):
        replay = Replay(policy, until)
        replay.write(Path(folder), replay.take(batches(events, min(size, len(events)))))
        return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@QUICK
@given(profile=st.sampled_from(PROFILES), seed=SEEDS, size=st.integers(1, 120))
# A number is used again on the same ground when the use before may be forgotten, or not.
@example(profile="default", seed=120, size=120)
# A number goes on behind the end of a use, and an order is shipped late in between.
@example(profile="default", seed=763, size=82)
def test_a_replay_writes_the_same_bytes_wherever_its_batches_end(profile: str, seed: int, size: int) -> None:
    random = Random(seed)
    policy = with_late_reply(policies(profile, low=True)[0])
    arrival = some_late(shuffle_on_time(two_years(random, size), random), random)
    greatest = max(microseconds(one["value"]["occurred_at"]) for one in arrival)
    until = random.choice((None, greatest + 30 * DAY, greatest + 500 * DAY))
    wanted, *others = (replayed(arrival, policy, cut, until) for cut in CUTS)
    for other in others:
        assert other == wanted


@SOME
@given(profile=st.sampled_from(PROFILES), seed=SEEDS, size=st.integers(1, 80))
def test_tasks_put_out_the_same_bytes_wherever_their_batches_end(profile: str, seed: int, size: int) -> None:
    random = Random(seed)
    policy = with_late_reply(policies(profile, low=True)[0])
    arrival = [written(one) for one in shuffle_on_time(two_years(random, size), random)]
    until = max(decode(topic, value)[1] for topic, value in arrival) + random.choice((0, 30 * DAY, 500 * DAY))
    wanted = one_reader(arrival, policy, until)
    for cut in CUTS:
        cluster = Cluster(policy, until, orders=2, scans=2)
        cluster.run_in_batches(arrival, cut)
        assert (cluster.alerts(), cluster.tables()) == wanted


@QUICK
@given(profile=st.sampled_from(PROFILES), seed=SEEDS, size=st.integers(1, 100))
def test_two_years_are_what_a_naive_reading_says(profile: str, seed: int, size: int) -> None:
    random = Random(seed)
    events = two_years(random, size)
    arrival = shuffle_on_time(events, random)
    assert not difference(events, arrival, profile=profile, steps=some(random, len(arrival)))


def test_an_order_that_is_named_a_second_after_it_is_forgotten_raises_nothing_of_its_parcel() -> None:
    """Its parcel was delivered, and forgotten before the order was."""
    name, parcel = {"order_id": "A", "shop_id": "S1"}, {"carrier": "SF", "tracking_no": "T"}
    items = [{"item_id": "i1", "category_id": "c1", "quantity": 1}]
    asked = {"refund_id": "R", "kind": "reship", "reason": "late"}
    events = [
        event("orders", "order.placed", START, **name, buyer_id="b", items=items),
        event("orders", "order.shipped", START + HOUR, **name, **parcel),
        event("logistics-scans", "scan", START + 2 * HOUR, **parcel, status="delivered"),
        event("orders", "order.completed", START + 9 * DAY, **name),
        *(event("chats", "ticket.responded", START + at * DAY, ticket_id="K", shop_id="S2") for at in (185, 188)),
        event("orders", "refund.requested", START + 189 * DAY + SECOND, **name, **asked),
        event("orders", "refund.settled", START + 190 * DAY, **name, refund_id="R"),
    ]
    policy, _ = policies("default", low=True)
    for cut in CUTS:
        assert b"shipment" not in replayed(events, policy, cut, START + 200 * DAY)["alerts.merchant.jsonl"]


def of_number(at: int, type_: str, **fields: Any) -> dict[str, Any]:
    topic = "logistics-scans" if type_ == "scan" else "orders"
    name = {} if type_ == "scan" else {"shop_id": "S1"}
    return event(topic, type_, START + at, **name, carrier="SF", tracking_no="T", **fields)


def clock(*days: float) -> Events:
    """Events that mean nothing but that time has come so far, to all topics."""
    found = []
    for day in days:
        at = START + round(day * DAY)
        found.append(event("chats", "ticket.responded", at, ticket_id="K", shop_id="S2"))
        found.append(event("logistics-scans", "scan", at, carrier="SF", tracking_no=f"C{day}", status="delivered"))
    return found


def same_for_all(events: Events) -> dict[str, bytes]:
    policy, _ = policies("default", low=True)
    until = START + 700 * DAY
    wanted, *others = (replayed(events, policy, cut, until) for cut in CUTS)
    assert all(other == wanted for other in others)
    return wanted


def test_an_order_that_repeats_a_use_says_nothing_new_when_that_use_is_forgotten() -> None:
    """The order is forgotten a day before its parcel, and ships again what the parcel still holds."""
    events = [
        of_number(0, "order.shipped", order_id="A"),
        of_number(2 * DAY, "scan", status="delivered"),
        of_number(DAY, "order.completed", order_id="A"),
        of_number(10 * DAY, "order.shipped", order_id="B"),
        of_number(12 * DAY, "scan", status="delivered"),
        *clock(100),
        of_number(181 * DAY + SECOND, "order.shipped", order_id="A"),
        *clock(182.5, 193, 200),
    ]
    events[1:3] = events[2:0:-1]
    found = same_for_all(events)["alerts.merchant.jsonl"]
    # Each of the two uses, in which nothing was collected for a day.
    assert found.count(b"not_collected.v1") == 4
    assert b"2026-07" not in found


def test_a_use_is_forgotten_in_time_though_the_number_goes_on() -> None:
    """What comes late and belongs to it finds nothing, whenever that is looked at."""
    events = [
        of_number(2 * DAY, "scan", status="delivered"),
        of_number(181 * DAY, "order.shipped", order_id="B"),
        of_number(181 * DAY + HOUR, "scan", status="picked_up"),
        *clock(182.5),
        of_number(0, "order.shipped", order_id="A"),
        of_number(183 * DAY, "scan", status="delivered"),
        *clock(190),
    ]
    found = same_for_all(events)["alerts.merchant.jsonl"]
    assert b'"order_id":"A"' in found


@pytest.mark.parametrize("again", [179, 181])
def test_a_use_that_is_forgotten_is_not_known_to_what_begins_behind_it(again: int) -> None:
    """The number goes on about when its first use is over; what comes late then lies between the two."""
    events = [
        of_number(0, "scan", status="delivered"),
        of_number(again * DAY, "order.shipped", order_id="A"),
        *clock(200),
        of_number(40 * DAY, "order.shipped", order_id="B"),
    ]
    found = same_for_all(events)["alerts.platform.jsonl"]
    assert (b"number_reused" in found) == (again < 180)
