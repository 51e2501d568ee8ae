"""The made-up marketplace: valid, repeatable, on time, and with something going on."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable

import pytest

from schemas import events
from schemas.decode import Invalid, decode
from schemas.times import DAY, HOUR, MINUTE, parse
from streams.marketplace.market import Plan, Produced, angry_shop, market

PLAN = Plan()
LATENESS = {"orders": MINUTE, "chats": MINUTE, "logistics-scans": HOUR}


@pytest.fixture(scope="module")
def records() -> list[Produced]:
    return list(market(PLAN))


def valid(records: Iterable[Produced]) -> list[tuple[Produced, events.AnyEvent, int]]:
    found = []
    for record in records:
        try:
            event, at = decode(record.topic, record.encode(), now=record.sent_at)
        except Invalid:
            continue
        found.append((record, event, at))
    return found


def test_a_plan_always_gives_the_same_events_and_another_seed_gives_others() -> None:
    small = Plan(days=2, orders_per_day=20)
    assert list(market(small)) == list(market(small))
    assert list(market(small)) != list(market(Plan(days=2, orders_per_day=20, seed=2)))


def test_the_default_plan_is_forty_days_of_some_ten_thousand_events(records: list[Produced]) -> None:
    assert 20_000 <= len(records) <= 50_000
    assert Counter(record.topic for record in records).keys() == LATENESS.keys()


def test_records_come_in_the_order_in_which_they_are_sent(records: list[Produced]) -> None:
    assert all(a.sent_at <= b.sent_at for a, b in itertools.pairwise(records))


def test_events_are_out_of_order_but_never_late(records: list[Produced]) -> None:
    greatest: dict[str, int] = {}
    behind = 0
    for record, _, at in valid(records):
        most = greatest.get(record.topic, at)
        assert at >= most - LATENESS[record.topic]
        assert PLAN.start <= at <= record.sent_at
        assert at < PLAN.end
        behind += at < most
        greatest[record.topic] = max(most, at)
    assert behind > 1_000


def test_every_record_bears_the_key_that_its_topic_asks_for(records: list[Produced]) -> None:
    for record, event, _ in valid(records):
        assert record.key == events.record_key(event)


def test_a_few_records_are_no_events_and_the_rest_are(records: list[Produced]) -> None:
    invalid = len(records) - len(valid(records))
    assert 5 <= invalid <= 60
    spoiled = list(market(Plan(days=3, faults=0.2, repeats=0.0)))
    assert len({event.event_id for _, event, _ in valid(spoiled)}) == len(valid(spoiled))
    paid = Counter(event.order_id for _, event, _ in valid(spoiled) if isinstance(event, events.OrderPaid))
    assert set(paid.values()) == {1}
    clean = list(market(Plan(days=3, faults=0.0)))
    assert len(valid(clean)) == len(clean)


def test_some_events_come_twice_under_one_id_and_some_under_two(records: list[Produced]) -> None:
    found = valid(records)
    ids = Counter(event.event_id for _, event, _ in found)
    assert max(ids.values()) == 2
    same = sum(1 for count in ids.values() if count == 2)
    facts = Counter(
        (event.order_id, type(event).__name__) for _, event, _ in found if isinstance(event, events.OrderPaid)
    )
    retold = sum(1 for count in facts.values() if count == 2)
    assert same > 100
    assert retold > 10
    once = list(market(Plan(days=3, repeats=0.0)))
    assert len({record.value["event_id"] for record in once}) == len(once)


def test_every_type_of_event_occurs(records: list[Produced]) -> None:
    types = {type(event) for _, event, _ in valid(records)}
    assert types == {struct for structs in events.EVENTS.values() for struct in structs}


def test_parcels_fall_silent_for_days_for_weeks_and_for_good(records: list[Produced]) -> None:
    scans: dict[str, list[tuple[int, str]]] = defaultdict(list)
    shipped: dict[str, int] = {}
    for _, event, at in valid(records):
        if isinstance(event, events.Scan):
            scans[event.tracking_no].append((at, event.status))
        elif isinstance(event, events.OrderShipped):
            shipped[event.tracking_no] = at
    silences = Counter[str]()
    for tracking_no, found in scans.items():
        found.sort()
        silences["stray"] += tracking_no not in shipped
        longest = max((b[0] - a[0] for a, b in itertools.pairwise(found)), default=0)
        silences["slow"] += 3 * DAY < longest <= 7 * DAY
        silences["stalled"] += longest > 7 * DAY
        ended = found[-1][1] in ("delivered", "returned", "destroyed")
        silences["lost"] += not ended and found[-1][0] < PLAN.end - 10 * DAY
    silences["never collected"] = sum(
        1
        for tracking_no, at in shipped.items()
        if at < PLAN.end - 5 * DAY and {status for _, status in scans[tracking_no]} <= {"info_received"}
    )
    assert all(silences[name] >= 10 for name in ("stray", "slow", "stalled", "lost", "never collected")), silences


def test_some_orders_ship_late_and_some_tickets_are_answered_late_or_never(records: list[Produced]) -> None:
    paid: dict[str, int] = {}
    shipped: dict[str, int] = {}
    opened: dict[str, tuple[int, int]] = {}
    answered: dict[str, int] = {}
    for _, event, at in valid(records):
        match event:
            case events.OrderPaid(order_id=order):
                paid[order] = at
            case events.OrderShipped(order_id=order):
                shipped[order] = min(at, shipped.get(order, at))
            case events.TicketOpened(ticket_id=ticket, kind=kind):
                opened[ticket] = (at, 24 if kind == "urge_shipping" else 48)
            case events.TicketResponded(ticket_id=ticket):
                answered[ticket] = at
    late = sum(1 for order, at in shipped.items() if at > paid[order] + 2 * DAY)
    assert 0.02 < late / len(shipped) < 0.15
    slow = sum(1 for ticket, (at, hours) in opened.items() if answered.get(ticket, PLAN.end) > at + hours * HOUR)
    assert 5 < slow < len(opened) / 2


def test_the_angry_shop_passes_every_level_against_its_category(records: list[Produced]) -> None:
    angry = angry_shop(PLAN)
    orders: dict[str, tuple[int, str, str]] = {}
    escalations: dict[str, tuple[int, str]] = {}
    for _, event, at in valid(records):
        if isinstance(event, events.OrderPlaced):
            orders.setdefault(event.order_id, (at, event.shop_id, event.items[0].category_id))
        elif isinstance(event, events.DisputeOpened):
            escalations.setdefault(event.dispute_id, (at, event.shop_id))
        elif isinstance(event, events.ComplaintFiled):
            escalations.setdefault(event.complaint_id, (at, event.shop_id))
        elif isinstance(event, events.InterventionRequested):
            escalations.setdefault(event.intervention_id, (at, event.shop_id))
    multiples = []
    for now in range(PLAN.start + 5 * DAY, PLAN.end + 1, 4 * HOUR):
        window = range(now - 30 * DAY, now)
        placed = Counter(
            shop for at, shop, category in orders.values() if at in window and category == angry.category_id
        )
        asked = Counter(shop for at, shop in escalations.values() if at in window)
        rates = {shop: asked[shop] / count for shop, count in placed.items() if count >= 30}
        if len(rates) >= 5 and angry.shop_id in rates and any(rates.values()):
            multiples.append(rates[angry.shop_id] / (sum(rates.values()) / len(rates)))
    assert any(multiple <= 1.2 for multiple in multiples)
    assert any(1.2 < multiple <= 1.5 for multiple in multiples)
    assert any(1.5 < multiple <= 3 for multiple in multiples)
    assert multiples[-1] > 3


def test_an_endless_plan_starts_at_once() -> None:
    first = next(market(Plan(days=100_000, orders_per_day=1_000)))
    assert first.sent_at < PLAN.start + 2 * HOUR


def test_a_marketplace_may_be_small_and_start_anywhere() -> None:
    start = parse("2027-01-15T12:30:00Z")
    records = list(market(Plan(shops=1, orders_per_day=5, days=2, start=start)))
    assert records
    assert {record.value["shop_id"] for record in records if "shop_id" in record.value} == {"shop-001"}
