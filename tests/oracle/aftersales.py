"""After-sales windows, refused rights and refund reasons, read off the sorted list one instant at a time.

Nothing is derived from what comes later: at the end of each instant the reader judges what the instant's events asked
for, with what it has read up to then of that life of the order.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from string import ascii_lowercase, digits
from typing import Any

from tests.oracle.escalations import Escalations
from tests.oracle.orders import OrderLife, Orders, natural_id
from tests.oracle.policy import DAY, HOUR, OraclePolicy
from tests.oracle.tickets import Tickets
from tests.oracle.timeline import Event, shown, sorted_events

WINDOWS = {"7d": 7 * DAY, "30d": 30 * DAY}
_ASKING = ("refund.requested", "dispute.opened", "complaint.filed", "ticket.opened")


@dataclass(frozen=True)
class Numbers:
    """The numbers of the after-sales rules, in days; the defaults are the default policy's."""

    base: int = 15
    long_base: int = 180
    long: frozenset[str] = frozenset({"3c-digital", "home-appliances"})
    warranty: Mapping[str, int] = field(
        default_factory=lambda: {"3c-digital": 365, "home-appliances": 365, "footwear": 90}
    )
    slow: Mapping[str, int] = field(default_factory=lambda: {"seedlings": 30, "flowers": 30, "pets": 30})
    returning: int = 7
    exempt: frozenset[str] = frozenset({"custom-made", "fresh-food", "digital-goods", "periodicals"})
    exchanging: int = 15


@dataclass(frozen=True)
class Said:
    """One alert; `about` is the ground of a review, the right that was refused."""

    type: str
    order: str
    status: str
    time: int
    shop: str
    about: str = ""
    resolution: str | None = None


@dataclass
class _Refused:
    """An alert that is open."""

    refund: str
    shop: str


@dataclass
class _Order:
    """What has been read of one life of an order."""

    placed: Event | None = None
    paid: Event | None = None
    completed: Event | None = None
    closed: bool = False
    known: bool = False
    rights: dict[str, str | None] = field(default_factory=dict)
    open: list[_Refused] = field(default_factory=list)

    def categories(self, item: str | None) -> list[str]:
        if self.placed is None:
            return []
        lines = self.placed.value["items"]
        named = [line["category_id"] for line in lines if line["item_id"] == item]
        return named or [line["category_id"] for line in lines]

    def is_late(self, time: int, policy: OraclePolicy) -> bool:
        if self.paid is None or self.closed:
            return False
        agreed = self.paid.moment("ship_by")
        return time >= (self.paid.time + policy.ship_within if agreed is None else agreed)


class AfterSales:
    """The alerts, the table of reasons, and the escalations past everything, of one history up to `until`."""

    def __init__(self, events: Iterable[Mapping[str, Any]], until: int, policy: OraclePolicy, numbers: Numbers) -> None:
        self.policy = policy
        self.numbers = numbers
        self.until = until
        self.alerts: list[Said] = []
        self._orders: dict[OrderLife, _Order] = defaultdict(_Order)
        self._closed: dict[Event, bool] = {}
        self._requests: list[tuple[str, int, str, str]] = []
        history = sorted_events(events, until)
        self._lives = Orders(history, policy)
        tickets = Tickets(history, policy, until)
        self._opened = {ticket.opened for ticket in tickets.all}
        for time, group in groupby(history, key=lambda event: event.time):
            self._read(time, [event for event in group if self._is_new(event)])
        # Whether they are linked with stalls is not asked here.
        escalations = Escalations(history, self._lives, [], tickets, policy, lambda _: False)
        self._escalations = [one for one in escalations.all if self._closed.get(one.event)]

    def _order_of(self, event: Event) -> _Order:
        return self._orders[self._lives.life_of[event]]

    def _is_new(self, event: Event) -> bool:
        """Takes in what an event says of its order; whether it is no repeat."""
        if event.order is None or event.topic == "logistics-scans":
            return False
        if event.type == "ticket.opened":
            return event in self._opened
        if natural_id(event) is None or not self._lives.is_first(event):
            return False
        order = self._order_of(event)
        match event.type:
            case "order.placed":
                order.placed = event
            case "order.paid":
                order.paid = event
            case "order.completed":
                order.completed = event
        order.closed |= event.type in ("order.shipped", "order.completed", "order.cancelled")
        order.known |= event.type.startswith("order.")
        return True

    def _read(self, time: int, events: list[Event]) -> None:
        """Judges an instant, after all of its events."""
        for event in events:
            asks = event.type in _ASKING and event.order is not None
            if event.type == "ticket.opened" and event.value["kind"] != "after_sales":
                asks = False
            if asks:
                self._ask(event)
        for event in events:
            if event.type == "refund.rejected":
                order, refund = self._order_of(event), event.value["refund_id"]
                right = order.rights.get(refund)
                if right is not None:
                    order.open.append(_Refused(refund, event.shop))
                    self.alerts.append(Said("rights_refused", event.key, "raised", time, event.shop, right))
        for event in events:
            if event.type in ("refund.settled", "dispute.opened"):
                self._resolve(event)

    def _ask(self, event: Event) -> None:
        order = self._order_of(event)
        item = event.value.get("item_id") if event.type != "ticket.opened" else None
        closed, ground = self._window(order, event.time, item)
        self._closed[event] = closed
        if ground is not None:
            self.alerts.append(Said("review", event.key, "raised", event.time, event.shop, ground))
        if event.type == "refund.requested":
            value = event.value
            order.rights[value["refund_id"]] = self._right(order, event)
            self._requests.append((event.shop, event.time, value["kind"], _code(value["reason"])))

    def _window(self, order: _Order, time: int, item: str | None) -> tuple[bool, str | None]:
        """Whether all is over, and the ground of a review where one is needed."""
        if order.completed is None:
            return False, None
        numbers, categories = self.numbers, order.categories(item)
        since = time - order.completed.time
        base = numbers.long_base if numbers.long & set(categories) else numbers.base
        promise = order.placed.value.get("commitment_days") if order.placed is not None else None
        extensions = {
            "statutory_warranty": max([numbers.warranty.get(category, 0) for category in categories] or [0]),
            "commitment": promise or 0,
            "slow_category": max([numbers.slow.get(category, 0) for category in categories] or [0]),
        }
        longest = max(extensions.values())
        if since <= base * DAY:
            return False, None
        if since > longest * DAY:
            return True, None
        return False, next(ground for ground, days in extensions.items() if days == longest)

    def _right(self, order: _Order, event: Event) -> str | None:
        if not order.known:
            return None
        since = None if order.completed is None else event.time - order.completed.time
        match event.value["kind"]:
            case "refund_only":
                return "late_shipment_refund" if order.is_late(event.time, self.policy) else None
            case "return_refund":
                if since is not None and since > self.numbers.returning * DAY:
                    return None
                categories = order.categories(event.value.get("item_id"))
                exempt = [category in self.numbers.exempt for category in categories]
                return None if exempt and all(exempt) else "no_reason_return"
        return None if since is not None and since > self.numbers.exchanging * DAY else "quality_exchange"

    def _resolve(self, event: Event) -> None:
        order = self._order_of(event)
        for refused in list(order.open):
            if event.type == "dispute.opened" or event.value["refund_id"] == refused.refund:
                order.open.remove(refused)
                how = "disputed" if event.type == "dispute.opened" else "settled"
                said = Said("rights_refused", event.key, "resolved", event.time, refused.shop, resolution=how)
                self.alerts.append(said)

    def window_closed(self, shop: str, window: str, boundary: int) -> int:
        """How many of a shop's escalations in a window are past everything, as of a boundary."""
        return sum(
            boundary - WINDOWS[window] <= one.time < boundary and one.counts_as_of(boundary)
            for one in self._escalations
            if one.shop == shop
        )

    def reasons(self, shop: str) -> list[dict[str, Any] | None]:
        """All records of `refund-reasons` of a shop, in order; None is a tombstone."""
        hours = {time // HOUR * HOUR + HOUR for _, time, _, _ in self._requests}
        steps = (0, *WINDOWS.values())
        records: list[dict[str, Any] | None] = [None]
        for boundary in sorted({hour + step for hour in hours for step in steps if hour + step < self.until}):
            content = {name: self._top(shop, boundary, length) for name, length in WINDOWS.items()}
            last = records[-1]
            known = None if last is None else {name: last[name] for name in WINDOWS}
            if not content["30d"]:
                if last is not None:
                    records.append(None)
            elif content != known:
                records.append({"shop_id": shop, "as_of": shown(boundary), **content})
        return records[1:]

    def _top(self, shop: str, boundary: int, length: int) -> list[dict[str, Any]]:
        counts = Counter(
            (kind, reason)
            for of, time, kind, reason in self._requests
            if of == shop and boundary - length <= time < boundary
        )
        ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))[:20]
        return [{"kind": kind, "reason": reason, "count": count} for (kind, reason), count in ranked]


def _code(text: str) -> str:
    allowed = set(ascii_lowercase + digits + "_-")
    return text if 1 <= len(text) <= 64 and set(text) <= allowed else "other"
