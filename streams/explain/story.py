"""A story: what happened to one subject, which alerts it had, and why."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from schemas.times import HOUR
from streams.explain.checks import Alerts, Check
from streams.explain.escalations import Counting, countings
from streams.explain.facts import Name
from streams.explain.orders import order_checks
from streams.explain.repeats import mark_repeats
from streams.explain.rows import Mark, Row, in_order
from streams.explain.shipments import ShipmentChecks, silence_starts
from streams.explain.shops import ShopFigures, figures
from streams.explain.subject import CONVERSATION, ORDER, SHIPMENT, SHOP, TICKET
from streams.explain.tickets import conversation_checks, ticket_checks
from streams.explain.watch import Watch
from streams.rules.alert import RAISED, Alert
from streams.rules.alert_types import types_about
from streams.rules.cases.case import Case
from streams.rules.shipments.carrier_feeds import FEED_SILENT
from streams.rules.shipments.parcel import Parcel
from streams.rules.shipments.silence_alerts import STALLED
from streams.rules.shipments.stall_clusters import STALL_CLUSTER

#: The types of alert that belong to a story of that kind.
STORIES = {
    SHIPMENT: types_about("shipment"),
    ORDER: types_about("order"),
    TICKET: types_about("ticket"),
    CONVERSATION: types_about("conversation"),
    SHOP: types_about("shop", "item"),
}


class Story(msgspec.Struct):
    """`rows` and `alerts` in order of time; those of `related` are about what the subject is joined to.

    `orders`, `parcels`, `shops`: what it is joined to. `shop`: a shop's figures.
    """

    name: Name
    orders: list[str]
    parcels: list[Name]
    shops: list[str]
    rows: list[Row]
    related_rows: list[Row]
    alerts: list[Alert]
    related_alerts: list[Alert]
    checks: list[Check]
    escalations: list[Counting]
    state: Mark | None = None
    shop: ShopFigures | None = None


def stories(watch: Watch) -> list[Story]:
    """One for each thing that the subject names."""
    rows = sorted(watch.rows, key=in_order)
    marked: set[Name] = set()
    mark_repeats(watch, rows)
    return [_tell(watch, name, rows, marked) for name in watch.scope.names]


def _tell(watch: Watch, name: Name, rows: list[Row], marked: set[Name]) -> Story:
    if name.kind == SHOP:
        return _shop(watch, name)
    cases = _cases(watch, name)
    orders = _orders(watch, name, cases)
    parcels = _parcels(name, rows)
    own = [row for row in rows if name in row.names]
    joined = {*parcels, *(Name(ORDER, order) for order in orders)} - {name}
    related = [row for row in rows if name not in row.names and joined.intersection(row.names) and _is_told(name, row)]
    alerts = _alerts(watch, name)
    told = _joined_names(name, cases, parcels)
    related_alerts = [alert for one in told for alert in _alerts(watch, one)]
    checks, state = _checks(watch, name, cases, parcels, Alerts(alerts + related_alerts), rows, marked)
    if name.kind != ORDER:
        related_alerts += [alert for order in orders for alert in _alerts(watch, Name(ORDER, order))]
    related_alerts += _around(watch, checks, alerts + related_alerts)
    shops = list(dict.fromkeys(row.shop_id for row in own + related if row.shop_id is not None))
    escalations = _escalations(watch, name, cases)
    return Story(
        name, orders, [one for one in parcels if one != name], shops, own, related,
        _sorted(alerts), _sorted(related_alerts), checks, escalations, state,
    )  # fmt: skip


def _shop(watch: Watch, name: Name) -> Story:
    alerts = [alert for alert in watch.alerts if alert.shop_id == name.id and alert.type in STORIES[SHOP]]
    shop = figures(watch, watch.shop) if watch.shop is not None else None
    escalations = shop.escalations if shop is not None else []
    return Story(name, [], [], [], [], [], _sorted(alerts), [], [], escalations, None, shop)


def _cases(watch: Watch, name: Name) -> list[Case]:
    """What was known under the record keys of the subject."""
    lives = [life for key in sorted(watch.kept.cases) for life in watch.kept.cases[key]]
    if name.kind == ORDER:
        return [life for life in lives if life.key == name.id]
    if name.kind == TICKET:
        return [life for life in lives if name.id in life.tickets]
    if name.kind == CONVERSATION:
        return [
            life
            for life in lives
            if name.id in life.conversations or any(one.conversation_id == name.id for one in life.requests.values())
        ]
    return []


def _orders(watch: Watch, name: Name, cases: list[Case]) -> list[str]:
    if name.kind == ORDER:
        return []
    if name.kind == SHIPMENT:
        return watch.orders_of(name)
    under = {name.id for row in watch.rows for name in row.names if name.kind == ORDER}
    return [key for key in dict.fromkeys(case.key for case in cases) if key in under]


def _parcels(name: Name, rows: list[Row]) -> list[Name]:
    if name.kind == SHIPMENT:
        return [name]
    if name.kind != ORDER:
        return []
    shipped = [row for row in rows if row.type == "order.shipped" and name in row.names]
    return list(dict.fromkeys(one for row in shipped for one in row.names if one.kind == SHIPMENT))


def _is_told(name: Name, row: Row) -> bool:
    """Of what a subject is joined to, conversations are not told: they may be long."""
    return name.kind == ORDER or row.topic == "orders" or (name.kind == SHIPMENT and row.type != "chat.message")


def _joined_names(name: Name, cases: list[Case], parcels: list[Name]) -> list[Name]:
    """What an order's story explains besides the order."""
    if name.kind != ORDER:
        return []
    tickets = [Name(TICKET, one) for case in cases for one in case.tickets]
    talks = [Name(CONVERSATION, one) for case in cases for one in case.conversations]
    return list(dict.fromkeys([*parcels, *tickets, *talks]))


def _alerts(watch: Watch, name: Name) -> list[Alert]:
    return [
        alert
        for alert in watch.alerts
        if alert.subject == name.id and alert.type in STORIES[name.kind] and name.carrier in (None, alert.carrier)
    ]


def _checks(
    watch: Watch,
    name: Name,
    cases: list[Case],
    parcels: list[Name],
    alerts: Alerts,
    rows: list[Row],
    marked: set[Name],
) -> tuple[list[Check], Mark | None]:
    policy, end = watch.policy, watch.end
    checks: list[Check] = []
    state: Mark | None = None
    for case in cases:
        if name.kind == ORDER:
            checks += order_checks(case, policy, alerts, end)
        for ticket_id, ticket in case.tickets.items():
            if name in (Name(TICKET, ticket_id), Name(ORDER, case.key)):
                checks += ticket_checks(case.key, ticket_id, ticket, policy, alerts, end)
        for conversation_id, conversation in case.conversations.items():
            if name in (Name(CONVERSATION, conversation_id), Name(ORDER, case.key)):
                checks += conversation_checks(case.key, conversation_id, conversation, policy, alerts, end)
    for one in parcels:
        key = (one.carrier or "", one.id)
        parcel = watch.kept.parcels.get(key, Parcel(*key))
        shipment = ShipmentChecks(parcel, watch.kept.feeds.get(key[0]), policy, alerts, end)
        checks += shipment.checks()
        if one not in marked:
            marked.add(one)
            shipment.mark(rows)
        if one == name:
            state = shipment.state()
    for one in dict.fromkeys([name, *_joined_names(name, cases, parcels)]):
        checks += alerts.rest(one, STORIES[one.kind])
    return checks, state


def _escalations(watch: Watch, name: Name, cases: list[Case]) -> list[Counting]:
    if name.kind == SHIPMENT:
        return []
    found = countings(cases, watch.policy, watch.end)
    if name.kind == TICKET:
        return [one for one in found if one.kind == "ticket_timeout" and one.identity == name.id]
    if name.kind == CONVERSATION:
        ours = {
            asked.intervention_id
            for case in cases
            for asked in (*case.requests.values(), *case.messages.values())
            if asked.conversation_id == name.id
        }
        return [one for one in found if one.kind == "intervention" and one.identity in ours]
    return found


def _around(watch: Watch, checks: list[Check], alerts: list[Alert]) -> list[Alert]:
    """The feeds' silences that moved a deadline, and the clusters that a stall is part of."""
    starts = silence_starts(checks)
    window = round(watch.policy.clusters.hours * HOUR)
    stalls = {
        (alert.evidence.get("facility"), alert.time)
        for alert in alerts
        if alert.type == STALLED and alert.status == RAISED and "feed_silent" not in alert.evidence
    }
    episodes = {
        alert.episode
        for alert in watch.alerts
        if alert.type == FEED_SILENT and alert.status == RAISED and (alert.subject, alert.time) in starts
    }
    return [
        alert
        for alert in watch.alerts
        if (alert.type == FEED_SILENT and alert.episode in episodes)
        or (
            alert.type == STALL_CLUSTER
            and any(place == alert.subject and alert.time - window < time <= alert.time for place, time in stalls)
        )
    ]


def _sorted(alerts: Iterable[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda alert: (alert.time, alert.status, alert.type, alert.subject, alert.episode))
