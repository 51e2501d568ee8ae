"""The uses of a tracking number: one shipment each."""

from dataclasses import dataclass, field
from typing import Any

from tests.oracle.orders import Orders
from tests.oracle.policy import OraclePolicy
from tests.oracle.timeline import Event, shown

TERMINAL = frozenset({"delivered", "returned", "destroyed"})


def status_of(scans: list[Event]) -> str | None:
    """The state after scans at one instant: a terminal one if any, the greatest name among equals."""
    statuses = {scan.value["status"] for scan in scans}
    return max(statuses & TERMINAL or statuses, default=None)


@dataclass
class Use:
    """One shipment: its updates by instant, from the first event that names it."""

    carrier: str
    tracking_no: str
    instants: dict[int, list[Event]] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        """Takes an update; they come in the order of the list."""
        self.instants.setdefault(event.time, []).append(event)

    def shippings(self, by: int | None = None) -> list[Event]:
        """The `order.shipped` events, up to and including an instant."""
        return [
            event
            for time, events in self.instants.items()
            for event in events
            if event.type == "order.shipped" and (by is None or time <= by)
        ]

    def scans(self, *, first: int | None = None, last: int | None = None) -> list[Event]:
        """The scans from one instant to another, both included."""
        return [
            event
            for time, events in self.instants.items()
            for event in events
            if event.type == "scan" and (first is None or first <= time) and (last is None or time <= last)
        ]

    def last_status(self, by: int) -> str | None:
        """The status of the last scan as of an instant."""
        scans = self.scans(last=by)
        return status_of([scan for scan in scans if scan.time == scans[-1].time])

    def last_facility(self, by: int) -> str | None:
        """The facility of the last scan as of an instant; of the same scan told twice, what the first tells."""
        scans = self.scans(last=by)
        if not scans:
            return None
        status = self.last_status(by)
        last = next(scan for scan in scans if scan.time == scans[-1].time and scan.value["status"] == status)
        facility: str | None = last.value.get("facility")
        return facility

    def ended_at(self) -> int | None:
        """The instant of the terminal scan."""
        return next((scan.time for scan in self.scans() if scan.value["status"] in TERMINAL), None)

    def collected_at(self) -> int | None:
        """The instant of the first scan other than `info_received`."""
        return next((scan.time for scan in self.scans() if scan.value["status"] != "info_received"), None)

    def holds(self, order: str | None) -> bool:
        """Whether an order is in this parcel."""
        return any(event.order == order for event in self.shippings())

    def forgotten_at(self, policy: OraclePolicy) -> int:
        """The last instant at which the shipment is known."""
        ended = self.ended_at()
        return max(self.instants) + policy.give_up if ended is None else ended + policy.keep_shipment

    def begun_by(self) -> Event:
        """The first event that names it."""
        return next(iter(self.instants.values()))[0]

    def end(self, policy: OraclePolicy, until: int) -> tuple[int, str] | None:
        """When and how it ends before `until`: by its terminal scan, else it is given up."""
        ended = self.ended_at()
        if ended is not None:
            return ended, str(self.last_status(ended))
        at = max(self.instants) + policy.give_up
        return (at, "given_up") if at < until else None

    def account(self, by: int) -> dict[str, Any]:
        """What an alert says of it as of an instant."""
        return {
            "last_update": shown(max(time for time in self.instants if time <= by)),
            "last_status": self.last_status(by) if self.scans(last=by) else None,
            "facility": self.last_facility(by),
            "order_ids": tuple(dict.fromkeys(event.order for event in self.shippings(by))),
        }


def destination(use: Use, orders: Orders, by: int) -> str | None:
    """Where the first `order.shipped` says that it goes, else where its order goes, if placed by then."""
    shippings = use.shippings(by)
    if not shippings:
        return None
    region: str | None = shippings[0].value.get("to_region")
    placed = orders.life_of[shippings[0]].fact("order.placed")
    if region is None and placed is not None and placed.time <= by:
        region = placed.value.get("ship_to_region")
    return region
