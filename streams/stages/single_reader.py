"""Runs all stages in one process without a log between them, for replay.

The stages are the worker's, connected by calls. One watermark follows the greatest event time read from any topic.
"""

from __future__ import annotations

from schemas import events
from schemas.events import CHATS, ORDERS, SCANS
from streams.engine.processor import BEGINNING, Horizon
from streams.policy.model import Policy
from streams.rules.alert import Alert
from streams.stages.cases.book import OrderBook
from streams.stages.help_rate.shipment_alerts import ShipmentAlerts
from streams.stages.help_rate.shop_levels import Judge
from streams.stages.help_rate.shop_windows import ShopBook, combine
from streams.stages.shipments.book import ShipmentBook
from streams.stages.shipments.carrier_feeds import FeedBook
from streams.stages.shipments.stall_clusters import ClusterBook
from streams.stages.tables import TableRecord

#: Above this many cases, the least recently used become rows of bytes, a tenth of their size.
_MANY = 100_000


class SingleReader:
    """Takes events in arrival order; `alerts` and `records` collect what comes out.

    `folding`: stores idle state in less memory; it is a different object when used again.
    """

    def __init__(self, policy: Policy, *, folding: bool = True) -> None:
        self.policy = policy
        self._folding = folding
        self.orders = OrderBook(policy)
        self.feeds = FeedBook(policy)
        self.shipments = ShipmentBook(policy, self.feeds)
        self.clusters = ClusterBook(policy)
        self.shops = ShopBook(policy)
        self.shipment_alerts = ShipmentAlerts(policy)
        self.judge = Judge(policy, self.shipment_alerts)
        self.greatest = BEGINNING
        self.late = 0
        self.lateness = policy.lateness.micros
        self._trailing = max(self.lateness[ORDERS], self.lateness[CHATS])

    def take(self, topic: str, event: events.AnyEvent, time: int, value: bytes) -> bool:
        """Takes one event. False: a repeat."""
        if time > self.greatest:
            self.greatest = time
        elif time < self.greatest - self.lateness[topic]:
            # Deadlines passed before this event was read are judged without it.
            self.late += 1
            self.settle()
        if type(event) is events.Scan:
            return self.shipments.scan(event, time, value)
        return self.take_other(event, time, value)

    def take_other(self, event: events.AnyEvent, time: int, value: bytes) -> bool:
        """`take` for an event of orders or chats that is not late; `greatest` is no less than its time."""
        self.orders.settled = self.greatest - self._trailing
        fresh = self.orders.take(event, time, events.record_key(event), value)
        if self.orders.registrations:
            self._register()
        return fresh

    def settle(self) -> None:
        """Judges everything the current watermarks have passed."""
        lateness, greatest = self.lateness, self.greatest
        orders = Horizon(greatest - max(lateness[ORDERS], lateness[CHATS]))
        shipments = Horizon(greatest - max(lateness[ORDERS], lateness[SCANS]))
        self._advance(self._settled, orders, shipments, Horizon(greatest - lateness[SCANS]))

    def finish(self, until: int) -> None:
        """Ends the input: advances every watermark to `until`."""
        end = Horizon(until, final=True)
        self._advance(end.settled, end, end, end)

    @property
    def repeated(self) -> int:
        """Number of events found to be repeats after they were accepted."""
        return self.orders.filing.repeated

    @property
    def _settled(self) -> int:
        """Up to where orders and chats are settled."""
        return self.greatest - self._trailing

    def _advance(self, settled: int, orders: Horizon, shipments: Horizon, scans: Horizon) -> None:
        self.orders.settle(settled)
        self._register()
        for hour in self.shipments.scan_counts.drain():
            self.feeds.hear(hour)
        self.shipments.advance(shipments, scans)
        for point in self.shipments.points:
            self.clusters.take(point)
        self.shipments.points.clear()
        self.clusters.advance(shipments)
        for what, order_id, episode, time in self.shipments.links:
            self.orders.link(order_id, episode, time if what == "opened" else None, time if what == "closed" else None)
        self.shipments.links.clear()
        for record in self.shipments.told:
            self.shipment_alerts.take(record)
        self.shipments.told.clear()
        self.shipments.changed.clear()
        counts = min(orders, shipments)
        self.orders.advance(orders, counts)
        self._register()
        for change in combine(self.orders.deltas):
            self.shops.add(change)
        self.orders.deltas.clear()
        self.shops.advance(counts)
        for closed in self.shops.closed:
            self.judge.judge(closed, closed.changes)
        self.shops.closed.clear()
        self.shipment_alerts.advance(counts.watermark)
        self.shipment_alerts.changed.clear()
        if self._folding and self.orders.cases.in_memory > _MANY:
            for _ in self.orders.cases.fold():
                pass

    def _register(self) -> None:
        for record in self.orders.registrations:
            self.shipments.register(record)
        self.orders.registrations.clear()

    def drain(self) -> tuple[list[Alert], list[TableRecord]]:
        """Returns the alerts and table records since the last call."""
        sources = (self.orders, self.shipments, self.feeds, self.clusters, self.judge)
        alerts = [alert for source in sources for alert in source.alerts]
        records = self.judge.records + self.shops.tallies.records
        for source in sources:
            source.alerts.clear()
        self.judge.records, self.shops.tallies.records = [], []
        return alerts, records
