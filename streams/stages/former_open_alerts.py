"""Open alerts of a state in format 1 (0.1.0), which keeps no counts of them: by type and audience, one by one.

Reads the whole state, once: the next commit keeps the counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from streams.rules.alert_types import ALERT_TYPES
from streams.rules.cases.lifetimes import parts
from streams.rules.help_rate.levels import ITEM_DELISTING_RISK, LEVELS, alert_of
from streams.rules.reconcile import still_open
from streams.rules.shipments.carrier_feeds import FEED_SILENT
from streams.stages.cases.table import Cases
from streams.stages.help_rate.shop_levels import Shop
from streams.stages.shipments.book import ShipmentBook
from streams.stages.shipments.carrier_feeds import FeedBook

#: Type and audience.
_Open = tuple[str, str]


def of_orders(cases: Cases, shops: Iterable[Shop]) -> Iterator[_Open]:
    """Those about orders, tickets, conversations, shops and their items."""
    for case in cases.values():
        for part in parts(case):
            yield from still_open(part.emitted)
    for shop in shops:
        if shop.state in LEVELS:
            yield from _for_each_audience(alert_of(shop.state))
        for _ in shop.items:
            yield from _for_each_audience(ITEM_DELISTING_RISK)


def of_shipments(book: ShipmentBook, feeds: FeedBook) -> Iterator[_Open]:
    """Those about parcels, and about the carriers that this task speaks for."""
    for parcel in book.told_of():
        yield from still_open(parcel.emitted)
    for _ in feeds.silent(own=True):
        yield from _for_each_audience(FEED_SILENT)


def _for_each_audience(type_: str) -> Iterator[_Open]:
    return ((type_, audience) for audience in ALERT_TYPES[type_].audiences)
