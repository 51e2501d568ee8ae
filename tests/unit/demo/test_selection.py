"""Which alerts are shown when there are too many to read."""

from __future__ import annotations

import msgspec

from schemas.outputs import AlertEvent
from schemas.times import MINUTE, render
from streams.alerts.cloudevents import AlertWriter, name_of
from streams.demo.selection import Selection
from tests.unit.alerts.samples import T0, an_alert

WRITER = AlertWriter("default@1", "demo")


def event(type_: str, resolution: str | None = None, shop_id: str = "shop-7", time: int = T0) -> AlertEvent:
    record = WRITER.records(an_alert(type_, resolution) if resolution else an_alert(type_))[0]
    made = msgspec.json.decode(record.value, type=AlertEvent)
    made.time = render(time)
    made.data.shop_id = shop_id
    return made


def names(events: list[AlertEvent]) -> list[str]:
    return [name_of(one.type) for one in events]


def test_the_gravest_of_what_has_not_been_seen_yet_goes_first() -> None:
    selection = Selection("shop-1")
    for _ in range(3):
        selection.offer(event("ticket.due_soon"))
    selection.offer(event("shipment.stalled"))
    assert names(selection.take(1)) == ["shipment.stalled"]


def test_a_flood_of_one_type_leaves_room_for_the_others() -> None:
    selection = Selection("shop-1")
    seen = []
    for _ in range(12):
        for type_ in ("ticket.due_soon", "ticket.due_soon", "ticket.due_soon", "order.ship_late", "shipment.stalled"):
            selection.offer(event(type_))
        seen += names(selection.take(1))
    assert seen.count("shipment.stalled") > seen.count("order.ship_late") > seen.count("ticket.due_soon") > 0


def test_what_is_over_is_shown_more_seldom_than_what_begins() -> None:
    selection = Selection("shop-1")
    seen = []
    for _ in range(8):
        selection.offer(event("order.ship_late"))
        selection.offer(event("order.ship_late", "shipped"))
        seen += [one.data.status for one in selection.take(1)]
    assert seen.count("raised") == 6
    assert seen.count("resolved") == 2


def test_what_was_left_out_is_counted_and_does_not_come_later() -> None:
    selection = Selection("shop-1")
    for _ in range(5):
        selection.offer(event("order.ship_late"))
    assert len(selection.take(2)) == 2
    assert selection.left_out == 3
    assert selection.take(2) == []
    assert selection.left_out == 3


def test_what_is_taken_comes_in_the_order_of_its_times() -> None:
    selection = Selection("shop-1")
    selection.offer(event("shipment.stalled", time=T0 + MINUTE))
    selection.offer(event("ticket.due_soon", time=T0))
    assert names(selection.take(2)) == ["ticket.due_soon", "shipment.stalled"]


def test_the_levels_of_the_shop_that_is_watched_are_never_left_out() -> None:
    selection = Selection("shop-1")
    for shop_id in ("shop-1", "shop-2"):
        selection.offer(event("help_rate.campaign_blocked", shop_id=shop_id))
        selection.offer(event("help_rate.delisting_risk", shop_id=shop_id))
    taken = selection.take(0)
    assert {one.data.shop_id for one in taken} == {"shop-1"}
    assert sorted(names(taken)) == ["help_rate.campaign_blocked", "help_rate.delisting_risk"]
    assert selection.left_out == 2
