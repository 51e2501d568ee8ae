"""Random histories of orders after the sale: requests beside every end of a window, rejected, settled and disputed."""

from random import Random
from typing import Any

from tests.oracle.aftersales import Numbers
from tests.oracle.mutations import with_repeats
from tests.oracle.policy import DAY, HOUR, MINUTE
from tests.oracle.timeline import microseconds, shown

START = microseconds("2026-01-20T00:00:00Z")
#: Periods so short that no order is forgotten within a history by the default policy.
SHORT = Numbers(
    long_base=20,
    warranty={"3c-digital": 45, "home-appliances": 20, "footwear": 30},
    slow={"flowers": 60, "pets": 30},
)
_ITEMS = (
    *(("i0", "c1"), ("i1", "3c-digital"), ("i2", "footwear"), ("i3", "flowers"), ("i6", "pets"), ("i4", "fresh-food")),
    *(("i3", "flowers"), ("i5", "periodicals"), ("i7", "home-appliances"), ("i0", "footwear")),
)
_ENDS = tuple(days * DAY for days in (7, 12, 15, 20, 30, 45, 60))
_REASONS = ("broken", "late", "size-2", "不想要了", "", "Late", "x" * 64, "x" * 65)
_KINDS = ("refund_only", "return_refund", "exchange", "reship")

Events = list[dict[str, Any]]


def random_stream(rng: Random, orders: int, repeats: float = 0.15) -> Events:
    """The histories of so many orders, by time, within some 130 days of `START`."""
    scene = _Scene(rng)
    for number in range(orders):
        scene.order(f"O{number}", f"S{number % 3}")
    return sorted(
        with_repeats(rng, scene.events, repeats), key=lambda event: microseconds(event["value"]["occurred_at"])
    )


class _Scene:
    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.events: Events = []

    def emit(self, topic: str, type_: str, time: int, **fields: Any) -> None:
        value = {
            "event_id": f"{self.rng.choice('bmy')}{len(self.events)}",
            "type": type_,
            "occurred_at": shown(time),
            **{name: field for name, field in fields.items() if field is not None},
        }
        self.events.append({"topic": topic, "value": value})

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def beside(self, *times: int) -> int:
        return self.rng.choice(times) + self.rng.choice((-1, 0, 1))

    def order(self, order: str, shop: str) -> None:
        """One order, from before it is placed to long after it is completed, where it is."""
        rng = self.rng
        name = {"order_id": order, "shop_id": shop}
        start = START + rng.randrange(20 * 24) * HOUR + rng.choice((0, 1, 17 * MINUTE))
        done = start + rng.choice((0, DAY, 9 * DAY))
        due = start + 48 * HOUR
        promise = rng.choice((None, None, 0, 7, 30, 45, 60))
        if self.chance(0.85):
            lines = [rng.choice(_ITEMS) for _ in range(rng.choice((1, 1, 2, 3)))]
            items = [{"item_id": item, "category_id": category, "quantity": 1} for item, category in lines]
            placed = rng.choice((start, start, start, self.beside(done), done + 16 * DAY))
            self.emit("orders", "order.placed", placed, **name, buyer_id="B", items=items, commitment_days=promise)
        if self.chance(0.7):
            within = rng.choice((None, None, DAY, -HOUR))
            self.emit("orders", "order.paid", start, **name, ship_by=None if within is None else shown(start + within))
            due = start + (48 * HOUR if within is None else max(within, 0))
        if self.chance(0.4):
            self.emit("orders", "order.shipped", self.beside(due, due + DAY), **name, carrier="SF", tracking_no=order)
        if self.chance(0.8):
            self.emit("orders", "order.completed", done, **name)
        if self.chance(0.1):
            self.emit("orders", "order.cancelled", self.beside(due, done), **name)
        for _ in range(rng.randrange(6)):
            asked = self.beside(*(done + end for end in _ENDS), done, due, due + DAY, start + 3 * DAY)
            rng.choice((self.refund, self.refund, self.refund, self.escalation))(name, asked)
        if self.chance(0.4):
            self.refund(name, self.beside(due, due + DAY), "refund_only")

    def refund(self, name: dict[str, str], asked: int, kind: str | None = None) -> None:
        """A request, and what becomes of it."""
        rng = self.rng
        refund = {**name, "refund_id": f"R{rng.randrange(3)}"}
        item = rng.choice((None, None, "i0", "i1", "i3", "i4", "i9"))
        kind, reason = kind or rng.choice(_KINDS), rng.choice(_REASONS)
        if self.chance(0.95):
            self.emit("orders", "refund.requested", asked, **refund, kind=kind, reason=reason, item_id=item)
        rejected = asked + rng.choice((0, 1, -1, HOUR, 3 * DAY))
        if self.chance(0.8):
            self.emit("orders", "refund.rejected", rejected, **refund)
        if self.chance(0.4):
            self.emit("orders", "refund.settled", self.beside(rejected, rejected + HOUR, rejected + DAY), **refund)
        if self.chance(0.4):
            self.escalation(name, self.beside(rejected, rejected + HOUR, rejected + DAY))

    def escalation(self, name: dict[str, str], time: int) -> None:
        """A dispute, a complaint or a ticket, with or without the order, sometimes taken back."""
        rng = self.rng
        number, item = rng.randrange(4), rng.choice((None, None, "i0", "i2", "i9"))
        kind = rng.choice(("dispute", "dispute", "complaint", "ticket", "intervention"))
        known = name if kind == "dispute" or self.chance(0.8) else {"shop_id": name["shop_id"]}
        if kind == "dispute":
            self.emit("orders", "dispute.opened", time, **known, dispute_id=f"D{number}", item_id=item)
        elif kind == "complaint":
            self.emit("chats", "complaint.filed", time, **known, complaint_id=f"M{number}", item_id=item)
        elif kind == "intervention":
            self.emit("chats", "intervention.requested", time, **known, intervention_id=f"I{number}", item_id=item)
        else:
            about = rng.choice(("after_sales", "after_sales", "urge_shipping", "other"))
            self.emit("chats", "ticket.opened", time, **known, ticket_id=f"K{number}", kind=about)
            if self.chance(0.3):
                answered = self.beside(time + 24 * HOUR, time + 48 * HOUR)
                self.emit("chats", "ticket.responded", answered, **known, ticket_id=f"K{number}")
        if self.chance(0.2):
            what = {"ticket": "ticket_timeout"}.get(kind, kind)
            letter = {"dispute": "D", "complaint": "M", "ticket": "K", "intervention": "I"}[kind]
            fields = {**known, "escalation": what, "escalation_id": f"{letter}{number}", "reason": "spam"}
            self.emit("chats", "escalation.voided", time + rng.choice((-HOUR, 0, HOUR, 3 * DAY)), **fields)
