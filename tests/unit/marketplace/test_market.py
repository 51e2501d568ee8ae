"""The made-up marketplace: valid, repeatable, on time, and with something going on."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

import msgspec
import pytest

from schemas import events
from schemas.decode import Invalid, decode
from schemas.times import DAY, HOUR, MINUTE, parse
from streams.marketplace import incidents
from streams.marketplace.market import Plan, Produced, angry_shop, market
from streams.policy import load
from streams.policy.model import Policy
from streams.rules.alert import RAISED, Alert
from streams.rules.alert_types import ALERT_TYPES
from streams.rules.shipments.carrier_feeds import FEED_SILENT
from streams.rules.shipments.stall_clusters import STALL_CLUSTER
from streams.stages.single_reader import SingleReader

PLAN = Plan()
#: More orders, and more anger, than by default: what is rare occurs, too.
LARGE = Plan(orders_per_day=200, angriest=0.1)
LATENESS = {"orders": MINUTE, "chats": MINUTE, "logistics-scans": HOUR}


@pytest.fixture(scope="module")
def records() -> list[Produced]:
    return list(market(PLAN))


@pytest.fixture(scope="module")
def many() -> list[Produced]:
    return list(market(LARGE))


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


def test_every_type_of_event_occurs(many: list[Produced]) -> None:
    types = {type(event) for _, event, _ in valid(many)}
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


def test_parcels_come_late_fail_go_back_and_look_like_false_shipping(many: list[Produced]) -> None:
    reader = SingleReader(load.default())
    ended: dict[str, int] = {}
    told_late = 0
    for record, event, at in valid(many):
        if isinstance(event, events.Scan) and event.status == "delivered":
            ended.setdefault(event.tracking_no, at)
        elif isinstance(event, events.OrderShipped):
            told_late += 0 < at - ended.get(event.tracking_no, at) <= DAY
        reader.take(record.topic, event, at, record.encode())
    reader.finish(LARGE.end)
    raised = [alert for alert in reader.drain()[0] if alert.status == RAISED]
    told = Counter(alert.evidence.get("ground", alert.type) for alert in raised)
    orders = sum(isinstance(event, events.OrderPlaced) for _, event, _ in valid(many))
    kinds = ("returning", "destroyed", "delivery_failing", "delivery_late")
    grounds = ("scanned_before_payment", "delivered_elsewhere", "number_reused")
    wanted = [*(f"shipment.{kind}" for kind in kinds), *grounds]
    assert all(0.001 < told[name] / orders < 0.08 for name in wanted), told
    assert told_late >= 3


def told_of(plan: Plan, policy: Policy) -> list[Alert]:
    reader = SingleReader(policy)
    for record, event, at in valid(market(plan)):
        reader.take(record.topic, event, at, record.encode())
    reader.finish(plan.end)
    return reader.drain()[0]


def test_a_long_history_has_alerts_of_every_type() -> None:
    policy = load.default()
    conversations = policy.conversations
    answered = msgspec.structs.replace(conversations.reply_late, enabled=True)
    policy = msgspec.structs.replace(policy, conversations=msgspec.structs.replace(conversations, reply_late=answered))
    plan = Plan(orders_per_day=360, days=26, anger=(5, 10), incidents=10)

    alerts = told_of(plan, policy)

    assert {alert.type for alert in alerts if alert.status == RAISED} == set(ALERT_TYPES)
    silent = [alert.subject for alert in alerts if alert.type == FEED_SILENT and alert.status == RAISED]
    assert silent == [incidents.CARRIER]
    assert {alert.subject for alert in alerts if alert.type == STALL_CLUSTER} == {incidents.HUB}


@pytest.fixture(scope="module")
def windows(records: list[Produced]) -> dict[str, list[tuple[str, float | None]]]:
    """By shop its levels and rates of 30 days, as they change."""
    reader = SingleReader(load.default())
    for record, event, at in valid(records):
        reader.take(record.topic, event, at, record.encode())
    reader.finish(PLAN.end)
    found = defaultdict(list)
    for record in reader.drain()[1]:
        if record.table == "help-rates" and record.value is not None:
            found[record.key].append((record.value["state"], record.value["30d"]["rate"]))
    return found


def test_the_angry_shop_climbs_to_the_highest_level_and_no_other_does(
    windows: dict[str, list[tuple[str, float | None]]],
) -> None:
    levels = ["insufficient", "campaign_blocked", "delisting_risk"]
    passed = list(dict.fromkeys(state for state, _ in windows[angry_shop(PLAN).shop_id]))
    assert [state for state in passed if state in levels] == levels
    last = {shop: found[-1][0] for shop, found in windows.items()}
    assert [shop for shop, state in last.items() if state == "delisting_risk"] == [angry_shop(PLAN).shop_id]


def test_the_worst_shop_is_as_bad_as_a_bad_shop_is(windows: dict[str, list[tuple[str, float | None]]]) -> None:
    most = {shop: max(rate or 0 for state, rate in found if state != "insufficient") for shop, found in windows.items()}
    assert 0.05 < most.pop(angry_shop(PLAN).shop_id) < 0.15
    assert max(most.values()) < 0.05


def test_until_an_incident_happens_everything_is_as_it_is_without() -> None:
    small = Plan(days=6, orders_per_day=20, repeats=0, faults=0)
    calm, eventful = (
        {(record.topic, record.key, record.value["type"]) for record in market(plan)}
        for plan in (small, replace(small, incidents=9))
    )
    assert calm == eventful


def test_an_endless_plan_starts_at_once() -> None:
    first = next(market(Plan(days=100_000, orders_per_day=1_000)))
    assert first.sent_at < PLAN.start + 2 * HOUR


def test_a_marketplace_may_be_small_and_start_anywhere() -> None:
    start = parse("2027-01-15T12:30:00Z")
    records = list(market(Plan(shops=1, orders_per_day=5, days=2, start=start)))
    assert records
    assert {record.value["shop_id"] for record in records if "shop_id" in record.value} == {"shop-001"}
