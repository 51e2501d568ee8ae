"""The life of one simulated order, from placement to whatever follows delivery."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from schemas.times import DAY, HOUR, MINUTE, SECOND
from streams.marketplace import talk
from streams.marketplace.places import PLACES
from streams.marketplace.shipments import Shipment, Shipments
from streams.marketplace.shops import Shop

ORDERS = "orders"
SCANS = "logistics-scans"
CHATS = "chats"


class Fact(NamedTuple):
    """Something that happened at `at` (microseconds). `fields`: the event without its id and its time."""

    at: int
    topic: str
    key: str
    fields: dict[str, Any]


class Lives:
    """Draws the lives of orders. Two with the same generator and calls draw the same ones."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._shipments = Shipments(rng)
        self._orders = 0
        self._talks = 0

    def order(self, shop: Shop, at: int, anger: float) -> Iterator[Fact]:
        """Everything about one order placed at `at`, in no particular order.

        `anger`, from 0 to 1, adds that share of escalations to the shop's own.
        """
        rng = self._rng
        self._orders += 1
        order = f"order-{self._orders:07d}"
        ids = {"order_id": order, "shop_id": shop.shop_id}
        buyer_at = rng.choices(PLACES, [place.share for place in PLACES])[0]
        items = self._items(shop)

        def on_orders(at: int, type_: str, **fields: Any) -> Fact:
            return Fact(at, ORDERS, order, {"type": type_, **ids, **fields})

        yield on_orders(
            at,
            "order.placed",
            buyer_id=f"buyer-{rng.randrange(1, 200_000):06d}",
            items=items,
            ship_to_region=buyer_at.region,
        )
        if rng.random() < 0.03:
            yield on_orders(at + 30 * MINUTE, "order.cancelled")
            return
        paid_at = at + rng.randrange(20 * SECOND, 20 * MINUTE)
        agreed = {"ship_by": paid_at + 24 * HOUR} if rng.random() < 0.1 else {}
        yield on_orders(paid_at, "order.paid", **agreed)
        bad = shop.goes_wrong(anger)
        if rng.random() < 0.02:
            gone_at = paid_at + rng.randrange(1 * HOUR, 20 * HOUR)
            refund = {"refund_id": f"{order}-r1"}
            yield on_orders(gone_at, "refund.requested", kind="refund_only", reason="no_longer_wanted", **refund)
            yield on_orders(gone_at + rng.randrange(10 * MINUTE, 5 * HOUR), "refund.settled", **refund)
            yield on_orders(gone_at + 6 * HOUR, "order.cancelled")
            return
        shipped_at = paid_at + self._packing(shop)
        parcels = 2 if rng.random() < 0.03 else 1
        ends: list[int | None] = []
        for number in range(parcels):
            leaves = shipped_at + number * rng.randrange(5 * MINUTE, 10 * HOUR)
            parcel = self._shipments.of_order(shop.place, buyer_at, paid_at, leaves)
            promise = {} if parcel.deliver_by is None else {"deliver_by": parcel.deliver_by}
            yield on_orders(
                parcel.told_at,
                "order.shipped",
                tracking_no=parcel.tracking_no,
                carrier=parcel.carrier,
                from_region=shop.place.region,
                to_region=buyer_at.region,
                **promise,
            )
            yield from scans(parcel)
            ends.append(parcel.way.delivered_at)
        delivered_at = max((end for end in ends if end is not None), default=None)
        if None in ends:
            delivered_at = None
        if delivered_at is not None:
            yield on_orders(delivered_at + rng.randrange(6 * HOUR, 9 * DAY), "order.completed")
        yield from self._talks_about(shop, order, paid_at, shipped_at, delivered_at)
        if bad:
            item = items[0]["item_id"]
            yield from self._escalate(shop, order, item, shipped_at, delivered_at, stacked=anger > 0.02)
        elif delivered_at is not None and rng.random() < 0.05:
            yield from self._return(on_orders, order, delivered_at)

    def stray_parcel(self, at: int) -> Iterator[Fact]:
        """A parcel that no order names."""
        origin, destination = self._rng.sample(PLACES, 2)
        yield from scans(self._shipments.stray(origin, destination, at))

    def _items(self, shop: Shop) -> list[dict[str, Any]]:
        rng = self._rng
        chosen = rng.choices(shop.items, range(len(shop.items), 0, -1), k=1 if rng.random() < 0.8 else 2)
        return [
            {
                "item_id": item,
                "category_id": shop.category_id,
                "quantity": rng.choice((1, 1, 1, 2, 3)),
                "amount": rng.randrange(990, 29_900, 100) / 100,
            }
            for item in dict.fromkeys(chosen)
        ]

    def _packing(self, shop: Shop) -> int:
        """From payment to shipping: within two days mostly, a few days late for some, very late for a few."""
        rng = self._rng
        luck = rng.random()
        if luck < shop.late_shipping:
            return int(rng.uniform(50, 100 if luck < shop.late_shipping * 0.8 else 220) * HOUR)
        return int(rng.uniform(2, 34) * HOUR)

    def _talks_about(
        self, shop: Shop, order: str, paid_at: int, shipped_at: int, delivered_at: int | None
    ) -> Iterator[Fact]:
        rng = self._rng
        if rng.random() < 0.12:
            yield from self._talk(shop, None, paid_at - rng.randrange(25 * MINUTE, 3 * HOUR), talk.BEFORE_ORDER)
        if shipped_at - paid_at > 48 * HOUR and rng.random() < 0.5:
            at = paid_at + rng.randrange(40 * HOUR, 50 * HOUR)
            yield from self._ticket(shop, order, "urge_shipping", at)
        elif rng.random() < 0.06:
            yield from self._talk(shop, order, shipped_at + rng.randrange(1 * DAY, 4 * DAY), talk.WHERE_IS_IT)
        if delivered_at is not None and rng.random() < 0.08:
            at = delivered_at + rng.randrange(1 * HOUR, 2 * DAY)
            yield from self._talk(shop, order, at, talk.AFTER_DELIVERY)
            if rng.random() < 0.5:
                yield from self._ticket(shop, order, "after_sales", at + 20 * MINUTE)

    def _talk(self, shop: Shop, order: str | None, at: int, lines: tuple[str, ...]) -> Iterator[Fact]:
        """A question, the bot's greeting, and an answer."""
        rng = self._rng
        self._talks += 1
        conversation = f"talk-{self._talks:06d}"
        ids = {"shop_id": shop.shop_id, "conversation_id": conversation}
        if order is not None:
            ids["order_id"] = order
        waits = rng.uniform(1, 60) if rng.random() < shop.slow_answers else rng.uniform(0.3, 2.8)
        for after, sender, text in (
            (0.0, "buyer", rng.choice(lines)),
            (0.05, "merchant_bot", talk.BOT[0]),
            (waits, "merchant", rng.choice(talk.MERCHANT)),
        ):
            said = {"type": "chat.message", **ids, "sender": sender, "text": text}
            yield Fact(at + int(after * MINUTE), CHATS, order or conversation, said)

    def _ticket(self, shop: Shop, order: str, kind: str, at: int) -> Iterator[Fact]:
        """A ticket, answered in time, too late or never; now and then it waits for the buyer in between."""
        rng = self._rng
        ids = {"shop_id": shop.shop_id, "order_id": order, "ticket_id": f"{order}-t-{kind}"}

        def on_ticket(at: int, type_: str, **fields: Any) -> Fact:
            return Fact(at, CHATS, order, {"type": type_, **ids, **fields})

        allowed = 24 if kind == "urge_shipping" else 48
        yield on_ticket(at, "ticket.opened", kind=kind)
        if rng.random() < shop.slow_answers:
            if rng.random() < 0.7:
                yield on_ticket(at + int(rng.uniform(1.1, 2.5) * allowed * HOUR), "ticket.responded")
            return
        used = rng.uniform(0.8, 0.98) if rng.random() < 0.1 else rng.uniform(0.01, 0.6)
        answered = at + int(used * allowed * HOUR)
        if rng.random() < 0.08:
            paused = at + (answered - at) // 2
            away = rng.randrange(2 * HOUR, 20 * HOUR)
            yield on_ticket(paused, "ticket.paused")
            yield on_ticket(paused + away, "ticket.resumed")
            answered += away
        yield on_ticket(answered, "ticket.responded")

    def _escalate(
        self, shop: Shop, order: str, item: str, shipped_at: int, delivered_at: int | None, *, stacked: bool
    ) -> Iterator[Fact]:
        """One escalation, or up to three at once; now and then one is taken back on appeal."""
        rng = self._rng
        since = delivered_at if delivered_at is not None else shipped_at + 4 * DAY
        ids = {"shop_id": shop.shop_id, "order_id": order}
        kinds = ["dispute", "complaint", "intervention", "message"]
        for kind in rng.sample(kinds, rng.choice((1, 2, 2, 3)) if stacked else 1):
            at = since + rng.randrange(2 * HOUR, 40 * HOUR)
            own = f"{order}-{kind[0]}1"
            topic, tale = CHATS, dict(ids)
            if kind == "dispute":
                topic = ORDERS
                tale |= {"type": "dispute.opened", "dispute_id": own, "item_id": item}
            elif kind == "complaint":
                tale |= {"type": "complaint.filed", "complaint_id": own}
            elif kind == "intervention":
                tale |= {"type": "intervention.requested", "intervention_id": own}
            else:
                lines = talk.NOT_YET if rng.random() < 0.15 else talk.ASK_PLATFORM
                yield from self._talk(shop, order, at, lines)
                continue
            yield Fact(at, topic, order, tale)
            if rng.random() < 0.06:
                back = {"escalation": kind, "escalation_id": own, "reason": "appeal upheld"}
                voided = {"type": "escalation.voided", **ids, **back}
                yield Fact(at + rng.randrange(1 * DAY, 4 * DAY), topic, order, voided)

    def _return(self, on_orders: Any, order: str, delivered_at: int) -> Iterator[Fact]:
        """A quiet return: asked for, and granted or, seldom, refused."""
        rng = self._rng
        at = delivered_at + rng.randrange(3 * HOUR, 5 * DAY)
        refund = {"refund_id": f"{order}-r1"}
        kind = rng.choice(("return_refund", "return_refund", "exchange", "refund_only"))
        reason = rng.choice(("wrong_size", "not_as_described", "damaged", "changed_mind"))
        yield on_orders(at, "refund.requested", kind=kind, reason=reason, **refund)
        outcome = "refund.rejected" if rng.random() < 0.08 else "refund.settled"
        yield on_orders(at + rng.randrange(1 * HOUR, 3 * DAY), outcome, **refund)


def scans(parcel: Shipment) -> Iterator[Fact]:
    """The scans of one parcel as facts."""
    for stop in parcel.way.stops:
        yield Fact(
            stop.at,
            SCANS,
            parcel.tracking_no,
            {
                "type": "scan",
                "tracking_no": parcel.tracking_no,
                "carrier": parcel.carrier,
                "status": stop.status,
                "facility": stop.facility,
                "region": stop.region,
            },
        )
