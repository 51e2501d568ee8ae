"""Orders: their lives (from the first event until they are forgotten), their facts and their alerts."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from tests.oracle.policy import DAY, OraclePolicy
from tests.oracle.timeline import Event, OracleAlert, episode

_CLOSING = {"order.shipped": "shipped", "order.completed": "completed", "order.cancelled": "cancelled"}


def natural_id(event: Event) -> Hashable | None:
    """What makes an event of an order a repeat of another; None where the order knows no such thing."""
    value = event.value
    match event.type:
        case "order.placed" | "order.paid" | "order.completed" | "order.cancelled":
            return event.type
        case "order.shipped":
            return event.type, value["carrier"], value["tracking_no"]
        case "refund.requested" | "refund.rejected" | "refund.settled":
            return event.type, value["refund_id"]
        case "dispute.opened":
            return event.type, value["dispute_id"]
        case "complaint.filed":
            return event.type, value["complaint_id"]
        case "intervention.requested":
            return event.type, value["intervention_id"]
    return None


@dataclass(eq=False)
class OrderLife:
    """What is known of an order from the first event that names it until it is forgotten."""

    order: str
    start: int
    last: int
    first: dict[Hashable, Event] = field(default_factory=dict)

    def fact(self, type_: str) -> Event | None:
        """The first `order.placed`, `order.paid`, ... of this life."""
        return self.first.get(type_)

    def forgotten_at(self, policy: OraclePolicy) -> int:
        """The last instant at which the order is known."""
        completed, cancelled = self.fact("order.completed"), self.fact("order.cancelled")
        ends = [end.time + policy.keep_order for end in (completed, cancelled) if end is not None]
        if completed is not None:
            ends.append(completed.time + self._extension_days(policy) * DAY + policy.keep_order_extension)
        return max(ends) if ends else self.last + policy.keep_order_idle

    def _extension_days(self, policy: OraclePolicy) -> int:
        placed = self.fact("order.placed")
        if placed is None:
            return 0
        days = [policy.extension_days.get(item["category_id"], 0) for item in placed.value["items"]]
        return max([*days, placed.value.get("commitment_days") or 0])

    def shippings(self) -> list[Event]:
        """The order's parcels: the first `order.shipped` of each carrier and tracking number."""
        return [event for event in self.first.values() if event.type == "order.shipped"]

    def closing(self) -> tuple[int, str] | None:
        """When and how the order was first shipped, completed or cancelled."""
        # The facts were put in in the order of the list, so the first one here is the first there.
        for event in self.first.values():
            if event.type in _CLOSING:
                return event.time, _CLOSING[event.type]
        return None

    def only_item(self, time: int) -> str | None:
        """The order's item as placed by `time`, where it has only one."""
        placed = self.fact("order.placed")
        if placed is None or placed.time > time:
            return None
        items = {item["item_id"] for item in placed.value["items"]}
        return items.pop() if len(items) == 1 else None

    def late_from(self, policy: OraclePolicy) -> int | None:
        """When `order.ship_late` falls due, whether or not the order is shipped by then."""
        paid = self.fact("order.paid")
        return None if paid is None else max(self._ship_by(paid, policy), paid.time)

    @staticmethod
    def _ship_by(paid: Event, policy: OraclePolicy) -> int:
        agreed = paid.moment("ship_by")
        return paid.time + policy.ship_within if agreed is None else agreed

    def is_late_at(self, time: int, policy: OraclePolicy) -> bool:
        """Whether `order.ship_late` is open at an instant."""
        due, closing = self.late_from(policy), self.closing()
        return due is not None and due <= time and (closing is None or time < closing[0])

    def alerts(self, policy: OraclePolicy, until: int) -> list[OracleAlert]:
        """The order's alerts, by deadlines before `until`."""
        paid = self.fact("order.paid")
        if paid is None:
            return []
        ship_by = self._ship_by(paid, policy)
        due = [
            ("order.ship_late", "merchant", max(ship_by, paid.time)),
            ("order.out_of_stock_suspected", "platform", max(ship_by + policy.out_of_stock, paid.time)),
        ]
        if paid.time <= ship_by - policy.ship_due_soon:
            due.append(("order.ship_due_soon", "merchant", ship_by - policy.ship_due_soon))
        closing = self.closing()
        found = []
        for type_, topic, at in due:
            in_time = closing is not None and closing[0] <= at
            if at < until and not in_time and at <= self.forgotten_at(policy):
                found += episode(
                    topics=(topic,),
                    type_=type_,
                    subject=self.order,
                    raised_at=at,
                    resolved=closing,
                    shop=paid.shop,
                    order=self.order,
                )
        return found


class Orders:
    """Every life of every order, and which life each event that names an order belongs to."""

    def __init__(self, events: list[Event], policy: OraclePolicy) -> None:
        self.policy = policy
        self.lives: dict[str, list[OrderLife]] = {}
        self.life_of: dict[Event, OrderLife] = {}
        for event in events:
            if event.topic != "logistics-scans" and event.order is not None:
                self._read(event, event.order)

    def _read(self, event: Event, order: str) -> None:
        lives = self.lives.setdefault(order, [])
        if not lives or event.time > lives[-1].forgotten_at(self.policy):
            lives.append(OrderLife(order, event.time, event.time))
        life = lives[-1]
        self.life_of[event] = life
        known_as = natural_id(event)
        if known_as is not None and known_as in life.first:
            return  # a repeat has no second effect, not even that of keeping the order longer
        if known_as is not None:
            life.first[known_as] = event
        life.last = event.time

    def all_lives(self) -> list[OrderLife]:
        """The lives of all orders."""
        return [life for lives in self.lives.values() for life in lives]

    def known_at(self, order: str, time: int) -> OrderLife | None:
        """The life that an order is in at an instant."""
        for life in self.lives.get(order, []):
            if life.start <= time <= life.forgotten_at(self.policy):
                return life
        return None

    def is_first(self, event: Event) -> bool:
        """Whether an event with a natural id, of an order, is the fact itself and no repeat of it."""
        return self.life_of[event].first.get(natural_id(event)) is event
