"""The scenes of which random histories are made: parcels, orders, tickets, escalations and trade."""

from random import Random
from typing import Any

from tests.oracle.policy import DAY, HOUR, MINUTE, SECOND
from tests.oracle.timeline import shown

ASKING = ("平台介入", "申请介入", "please escalate to the platform")
_OTHER_TEXTS = ("好的", "在吗", "hello")
_SHOPS = tuple(f"S{n}" for n in range(8))
_ITEMS = (("i0", "c1"), ("i1", "c1"), ("i2", "c2"), ("i3", "c2"), ("i4", "c10"), ("i5", "footwear"))
_REGIONS = (
    "浙江省",
    "上海市",
    "江苏",
    "广东省",
    "广西壮族自治区",
    "北京",
    "河北省",
    "新疆维吾尔自治区",
    "内蒙古",
)
_STATUSES = (
    *("info_received", "picked_up", "departed", "arrived", "in_transit", "out_for_delivery"),
    *("delivery_failed", "held", "exception", "customs", "returning", "delivered", "returned", "destroyed"),
)
_THRESHOLDS = tuple(hours * HOUR for hours in (24, 48, 72, 96, 120, 168))
_NEAR = (-1, 0, 1)


class Scenes:
    """Plays scenes into `events`; ids come from pools that grow with the size of the stream."""

    def __init__(self, rng: Random, size: int, start: int, span: int, *, forgetting: bool) -> None:
        self.rng = rng
        self.start = start
        self.span = span
        self.forgetting = forgetting
        self.pool = size // 8 + 2
        self.events: list[dict[str, Any]] = []
        self.times: list[int] = []

    def emit(self, topic: str, type_: str, time: int, **fields: Any) -> None:
        """One event; fields that are None are left out or null."""
        number = len(self.events)
        # Ids in no order of time, and some short ones, which sort between the others.
        event_id = f"{self.rng.choice('bmy')}{self.rng.randrange(10 ** self.rng.choice((1, 4)))}-{number}"
        kept = {name: value for name, value in fields.items() if value is not None or self.rng.random() < 0.1}
        value = {"event_id": event_id, "type": type_, "occurred_at": self._told(time), **kept}
        self.events.append({"topic": topic, "value": value})
        self.times.append(time)

    def _told(self, time: int) -> str:
        """A time as upstream may write it: in UTC, in UTC+8, with digits that are cut."""
        form = self.rng.randrange(6)
        if form == 0:
            return shown(time + 8 * HOUR).removesuffix("Z") + "+08:00"
        if form == 1 and time % SECOND:
            return f"{shown(time - time % SECOND).removesuffix('Z')}.{time % SECOND:06d}999Z"
        return shown(time)

    def moment(self) -> int:
        """A time: arbitrary, at or beside a full hour, or that of another event."""
        at = self.start + self.rng.randrange(self.span)
        form = self.rng.randrange(5)
        if form == 0 and self.times:
            return self.rng.choice(self.times)
        if form == 1:
            return at // HOUR * HOUR + self.rng.choice(_NEAR)
        return at if form == 2 else at // MINUTE * MINUTE

    def gap(self) -> int:
        """How long until the next: none, a while, or beside a threshold."""
        form = self.rng.randrange(20)
        if form < 3:
            return self.rng.choice((0, 1))
        if form < 10:
            return self.rng.randrange(36 * 60) * MINUTE
        if form == 10 and self.forgetting:
            return 180 * DAY + self.rng.choice(_NEAR)
        return self.rng.choice(_THRESHOLDS) + self.rng.choice(_NEAR)

    def near(self, *times: int) -> int:
        """One of the times, or a microsecond beside it."""
        return self.rng.choice(times) + self.rng.choice(_NEAR)

    def chance(self, share: float) -> bool:
        """True in a share of the cases."""
        return self.rng.random() < share

    def an_order(self) -> tuple[str, str]:
        """An order of the pool and its shop."""
        number = self.rng.randrange(self.pool)
        return f"O{number}", _SHOPS[number % len(_SHOPS)]

    def a_region(self) -> str | None:
        """A region, or none."""
        return self.rng.choice((*_REGIONS, None))

    def items(self) -> list[dict[str, Any]]:
        """One to three lines, also two of one item."""
        chosen = [self.rng.choice(_ITEMS) for _ in range(self.rng.choice((1, 1, 1, 2, 3)))]
        return [{"item_id": item, "category_id": category, "quantity": 1} for item, category in chosen]

    def place(self, order: str, shop: str, time: int) -> None:
        """An `order.placed`."""
        self.emit(
            "orders",
            "order.placed",
            time,
            order_id=order,
            shop_id=shop,
            buyer_id=f"B{self.rng.randrange(9)}",
            items=self.items(),
            ship_to_region=self.a_region(),
            commitment_days=self.rng.choice((None, None, 0, 7, 200)),
        )

    def ship(self, order: str, shop: str, time: int, parcel: tuple[str, str], *, deliver_by: int | None = None) -> None:
        """An `order.shipped`."""
        self.emit(
            "orders",
            "order.shipped",
            time,
            order_id=order,
            shop_id=shop,
            carrier=parcel[0],
            tracking_no=parcel[1],
            from_region=self.a_region(),
            to_region=self.a_region(),
            deliver_by=None if deliver_by is None else self._told(deliver_by),
        )

    def scan(self, parcel: tuple[str, str], time: int, status: str) -> None:
        """A `scan`."""
        self.emit(
            "logistics-scans",
            "scan",
            time,
            carrier=parcel[0],
            tracking_no=parcel[1],
            status=status,
            facility=self.rng.choice((None, "F1", "F2")),
            region=self.a_region() if status == "delivered" else self.rng.choice((None, "河北省")),
        )

    def parcel(self) -> None:
        """A number's updates: shippings of one or more orders and scans, in any order, also after the end."""
        parcel = self.rng.choice(("SF", "ZTO")), f"T{self.rng.randrange(self.pool)}"
        time = self.moment()
        if self.chance(0.4):
            self.place(*self.an_order(), time + self.rng.choice((-HOUR, 0, 1)))
        for step in range(self.rng.randrange(2, 8)):
            if self.chance(0.6 if step == 0 else 0.15):
                self.ship(*self.an_order(), time, parcel)
            else:
                statuses = _STATUSES if self.chance(0.5) else _STATUSES[:5]
                self.scan(parcel, time, self.rng.choice(statuses))
            time += self.gap()

    def odd_parcel(self) -> None:
        """A parcel about the edges of what is promised, paid, delivered, registered late and used again."""
        rng, parcel = self.rng, (self.rng.choice(("SF", "ZTO")), f"W{self.rng.randrange(self.pool)}")
        order, shop = self.an_order()
        collected = self.moment()
        ended = collected + rng.choice((0, HOUR, DAY, 2 * DAY, 5 * DAY)) + rng.choice(_NEAR)
        promised = rng.choice((None, self.near(ended), self.near(ended + 3 * DAY, collected - DAY, ended + 180 * DAY)))
        registered = rng.choice(
            (collected - HOUR, collected - HOUR, self.near(collected), self.near(ended), self.near(ended + DAY))
        )
        if self.chance(0.5):
            self.place(order, shop, rng.choice((registered - HOUR, self.near(registered), self.near(ended + DAY))))
        if self.chance(0.7):
            paid = self.near(registered, collected + HOUR, collected + HOUR, ended, ended + 2 * HOUR)
            self.emit("orders", "order.paid", paid, order_id=order, shop_id=shop)
        if self.chance(0.85):
            self.ship(order, shop, registered, parcel, deliver_by=promised)
        if self.chance(0.9):
            self.scan(parcel, collected, rng.choice(("info_received", "picked_up", "departed")))
        for _ in range(rng.choice((0, 0, 1, 2, 3))):
            status = rng.choice(("delivery_failed", "delivery_failed", "delivery_failed", "returning", "arrived"))
            self.scan(parcel, self.near(collected, registered, ended, rng.randrange(collected, ended + 2)), status)
        if self.chance(0.8):
            statuses = ("delivered", "delivered", "delivered", "returned", "destroyed")
            for status in rng.sample(statuses, rng.choice((1, 1, 1, 2))):
                self.scan(parcel, ended, status)
        for _ in range(rng.choice((0, 1, 2))):
            again = rng.choice((self.near(ended + DAY), self.near(ended + 90 * DAY), ended + self.gap()))
            more = rng.choice((None, None, self.near(again, again + 2 * DAY, ended)))
            self.ship(*self.an_order(), again, parcel, deliver_by=more)
            if self.chance(0.5):
                self.scan(parcel, again + self.gap(), rng.choice(("picked_up", "delivered", "returning")))

    def order_to_ship(self) -> None:
        """An order that is paid and shipped, completed or cancelled about its deadlines, or never."""
        order, shop = self.an_order()
        fields = {"order_id": order, "shop_id": shop}
        paid = self.moment()
        if self.chance(0.8):
            self.place(order, shop, paid - self.rng.choice((HOUR, 0, 1, -1, -DAY)))
        within = self.rng.choice((None, 48 * HOUR, 12 * HOUR, 12 * HOUR - 1, 12 * HOUR + 1, 0, -1, -80 * HOUR))
        ship_by = paid + (48 * HOUR if within is None else within)
        self.emit("orders", "order.paid", paid, **fields, ship_by=None if within is None else self._told(ship_by))
        deadlines = (ship_by - 12 * HOUR, ship_by, ship_by + 72 * HOUR)
        time = paid
        for _ in range(self.rng.randrange(3)):
            time = self.near(*deadlines) if self.chance(0.7) else time + self.gap()
            match self.rng.choice(("ship", "order.completed", "order.cancelled")):
                case "ship":
                    self.ship(order, shop, time, ("SF", f"T{self.rng.randrange(self.pool)}"))
                case type_:
                    self.emit("orders", type_, time, **fields)
        if self.chance(0.3):
            self._escalate(order, shop, self.near(*deadlines))
        if self.forgetting and self.chance(0.1):
            self._escalate(order, shop, time + 180 * DAY + self.rng.choice(_NEAR))

    def ticket(self) -> None:
        """A ticket whose clock is stopped and started at odd instants, answered about its deadlines."""
        order, shop = self.an_order()
        ticket = f"K{self.rng.randrange(self.pool)}"
        name: dict[str, Any] = {
            "ticket_id": ticket,
            "order_id": order if self.chance(0.5) else None,
            "shop_id": shop,
        }
        opened = self.moment()
        kind = self.rng.choice(("urge_shipping", "after_sales", "other"))
        within = self.rng.choice((None, None, 1, 7, 10 * HOUR + 3, 0, -HOUR))
        respond_by = None if within is None else self._told(opened + within)
        allowed = (24 if kind == "urge_shipping" else 48) * HOUR if within is None else max(within, 0)
        soon, due = opened + allowed * 3 // 4, opened + allowed
        self.emit("chats", "ticket.opened", opened, **name, kind=kind, respond_by=respond_by)
        time = opened
        for _ in range(self.rng.randrange(4)):
            pause = self.near(soon, due) if self.chance(0.6) else time + self.rng.choice((0, 1, HOUR, -HOUR))
            resume = pause + self.rng.choice((0, 1, HOUR, self.gap()))
            self.emit("chats", "ticket.paused", pause, **name)
            if self.chance(0.85):
                self.emit("chats", "ticket.resumed", resume, **name)
                soon, due = soon + resume - pause, due + resume - pause
            time = resume
        if self.chance(0.6):
            answer = self.near(soon, due) if self.chance(0.8) else time + self.gap()
            self.emit("chats", "ticket.responded", answer, **name)
        if self.chance(0.3):
            self._void("ticket_timeout", ticket, shop, due + self.gap(), name["order_id"], None)

    def escalations(self) -> None:
        """Escalations of one order or of none, with spans of 24 hours and voidings before and after."""
        order, shop = self.an_order()
        bound = order if self.chance(0.6) else None
        time = self.moment()
        conversation = self._a_conversation() if self.chance(0.7) else None
        for _ in range(self.rng.randrange(1, 5)):
            told = self.rng.choice(_SHOPS) if self.chance(0.1) else shop
            self._escalate(bound, told, time, conversation)
            time += self.rng.choice((24 * HOUR + self.rng.choice(_NEAR), 0, self.gap()))

    def _a_conversation(self) -> str:
        return f"C{self.rng.randrange(self.pool // 4 + 1)}"

    def _escalate(self, order: str | None, shop: str, time: int, talk: str | None = None) -> None:
        item = self.rng.choice((None, None, "i0", "i3"))
        fields: dict[str, Any] = {"order_id": order, "shop_id": shop, "item_id": item}
        number = self.rng.randrange(self.pool)
        conversation: str | None = talk or self._a_conversation()
        kinds = ("intervention", "message", "intervention", "message", "dispute", "complaint")
        kind = self.rng.choice(kinds if talk else kinds[2:])
        if kind == "dispute" and order is not None:
            self.emit("orders", "dispute.opened", time, **fields, dispute_id=f"D{number}")
            id_, conversation = f"D{number}", None
        elif kind == "message":
            del fields["item_id"]
            text = self.rng.choice(ASKING if self.chance(0.8) else _OTHER_TEXTS)
            sender = self.rng.choice(("buyer", "buyer", "buyer", "merchant", "platform"))
            self.emit(
                "chats",
                "chat.message",
                time,
                **fields,
                conversation_id=conversation,
                sender=sender,
                text=text,
            )
            id_, kind = f"{conversation}:{self.events[-1]['value']['event_id']}", "intervention"
        elif kind == "intervention":
            conversation = conversation if self.chance(0.8) else None
            id_ = f"I{number}"
            self.emit(
                *("chats", "intervention.requested", time),
                **fields,
                intervention_id=id_,
                conversation_id=conversation,
            )
        else:
            kind, id_, conversation = "complaint", f"M{number}", None
            self.emit("chats", "complaint.filed", time, **fields, complaint_id=id_)
        if self.chance(0.25):
            at = time + self.rng.choice((-1, 1)) * self.rng.choice((0, 1, HOUR, self.gap()))
            self._void(kind if self.chance(0.9) else "complaint", id_, shop, at, order, conversation)

    def _void(self, kind: str, id_: str, shop: str, time: int, order: str | None, conversation: str | None) -> None:
        # A voiding under another key is about another escalation.
        order = self.an_order()[0] if self.chance(0.05) else order
        topic = "orders" if order is not None and self.chance(0.5) else "chats"
        fields: dict[str, Any] = {
            "order_id": order,
            "shop_id": shop,
            "escalation": kind,
            "escalation_id": id_,
        }
        if topic == "chats":
            fields["conversation_id"] = conversation
        self.emit(topic, "escalation.voided", time, **fields, reason="spam")

    def trade(self) -> None:
        """Many orders of some shops within hours, and some escalations: enough for levels."""
        time = self.moment()
        for _ in range(self.rng.randrange(2, 12)):
            order, shop = f"V{len(self.events)}", self.rng.choice(_SHOPS)
            self.place(order, shop, time)
            if self.chance(0.25):
                self._escalate(order, shop, time + self.rng.choice((0, 1, self.rng.randrange(DAY))))
            time += self.rng.choice((0, MINUTE, HOUR))
