"""All stages in one reader, without a log between them: what a replay runs.

The stages are those of the worker; only the way between them is a call. One watermark moves with the greatest time
read in any topic.
"""

from __future__ import annotations

from schemas import events
from schemas.events import CHATS, ORDERS, SCANS
from streams.engine.processor import BEGINNING, Horizon
from streams.policy.model import Policy
from streams.rules.alert import Alert
from streams.stages.cases.book import OrderBook
from streams.stages.help_rate.shop_levels import Judge
from streams.stages.help_rate.shop_windows import ShopBook, combine
from streams.stages.shipments.book import ShipmentBook
from streams.stages.shipments.carrier_feeds import FeedBook
from streams.stages.shipments.stall_clusters import ClusterBook
from streams.stages.tables import TableRecord

#: Cases from which on those that were not used for long become rows of bytes, a tenth of their size.
_MANY = 100_000


class SingleReader:
    """Takes events in arrival order; `alerts` and `records` collect what comes out.

    `folding`: what has not been used for long takes less memory, and is another object when it is used again.
    """

    def __init__(self, policy: Policy, *, folding: bool = True) -> None:
        self.policy = policy
        self._folding = folding
        self.orders = OrderBook(policy)
        self.feeds = FeedBook(policy)
        self.shipments = ShipmentBook(policy, self.feeds)
        self.clusters = ClusterBook(policy)
        self.shops = ShopBook(policy)
        self.judge = Judge(policy)
        self.greatest = BEGINNING
        self.late = 0
        self._lateness = policy.lateness.micros
        self._trailing = max(self._lateness[ORDERS], self._lateness[CHATS])

    def take(self, topic: str, event: events.AnyEvent, time: int, value: bytes) -> bool:
        """Takes one event. False: it is a repeat."""
        if time > self.greatest:
            self.greatest = time
        elif time < self.greatest - self._lateness[topic]:
            # What was passed before it was read has been said before it is known.
            self.late += 1
            self.settle()
        if type(event) is events.Scan:
            return self.shipments.scan(event, time, value)
        self.orders.settled = self._settled
        fresh = self.orders.take(event, time, events.record_key(event), value)
        self._register()
        return fresh

    def settle(self) -> None:
        """Judges what the watermarks, as they are now, have passed."""
        lateness, greatest = self._lateness, self.greatest
        orders = Horizon(greatest - max(lateness[ORDERS], lateness[CHATS]))
        shipments = Horizon(greatest - max(lateness[ORDERS], lateness[SCANS]))
        self._advance(self._settled, orders, shipments, Horizon(greatest - lateness[SCANS]))

    def finish(self, until: int) -> None:
        """The end: every watermark goes to `until`, and nothing follows."""
        end = Horizon(until, final=True)
        self._advance(end.settled, end, end, end)

    @property
    def repeated(self) -> int:
        """How many events turned out to be repeats after they were taken."""
        return self.orders.filing.repeated

    @property
    def _settled(self) -> int:
        """Up to where the orders and chats are known."""
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
        if self._folding and self.orders.cases.in_memory > _MANY:
            for _ in self.orders.cases.fold():
                pass

    def _register(self) -> None:
        if self.orders.registrations:
            for record in self.orders.registrations:
                self.shipments.register(record)
            self.orders.registrations.clear()

    def drain(self) -> tuple[list[Alert], list[TableRecord]]:
        """Hands over the alerts and table records since the last call."""
        sources = (self.orders, self.shipments, self.feeds, self.clusters, self.judge)
        alerts = [alert for source in sources for alert in source.alerts]
        records = self.judge.records + self.shops.tallies.records
        for source in sources:
            source.alerts.clear()
        self.judge.records, self.shops.tallies.records = [], []
        return alerts, records
