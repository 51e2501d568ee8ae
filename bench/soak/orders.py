"""An endless marketplace, in the order of its events: orders, each with one parcel, and tickets of some.

Every event is a function of its order's number. Orders are placed evenly in event time and live for some five days of
it, so that the stream's density is always the same; how fast it is sent is somebody else's matter. One parcel in 25
falls silent for eight days, one order in 40 ships late, one in ten has a ticket, of which one in ten is never answered.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import Literal, NamedTuple

from bench.scans import rendered
from schemas.events import CHATS, ORDERS, SCANS
from streams.engine.partitioner import partition_for

Hot = Literal["shop", "carrier", "facility", "partition"]
HOT: tuple[Hot, ...] = ("shop", "carrier", "facility", "partition")

#: Orders of a day of event time.
A_DAY = 2_000
_SHOPS, _CARRIERS, _FACILITIES, _CATEGORIES = 20, 8, 2_000, 2
_SILENT, _LATE, _ASKED, _UNANSWERED = 25, 40, 10, 100
_HOUR = 3_600
_DAY = 24 * _HOUR

_OF_ORDER = b'{"event_id":"%s-%d","type":"order.%s","occurred_at":"%s","order_id":"%s","shop_id":"shop-%d"%s}'
_PLACED = (
    b',"buyer_id":"buyer-%d","items":[{"item_id":"item-%d","category_id":"category-%d","quantity":1,"amount":19.9}]'
)
_SHIPPED = b',"tracking_no":"%s","carrier":"carrier-%d"'
_SCAN = (
    b'{"event_id":"%s-%d","type":"scan","occurred_at":"%s","tracking_no":"%s","carrier":"carrier-%d","status":"%s",'
    b'"facility":"facility-%d"}'
)
_TICKET = (
    b'{"event_id":"%s-%d","type":"ticket.%s","occurred_at":"%s","shop_id":"shop-%d","order_id":"%s",'
    b'"ticket_id":"T%s"%s}'
)
#: By step: what it is, and at least and at most how many hours later than the step before.
_PLACING, _PAYING, _SHIPPING, _COLLECTED, _DELIVERED, _COMPLETING, _ASKING, _ANSWERING = 0, 1, 2, 3, 7, 8, 9, 10
_SILENCE_BEFORE = 6
_HOURS = ((0, 0), (1, 2), (4, 30), (2, 12), (8, 24), (8, 24), (8, 24), (4, 12), (24, 72), (1, 12), (1, 24))
_STATUS = {3: b"picked_up", 4: b"departed", 5: b"in_transit", 6: b"arrived", 7: b"delivered"}


class Event(NamedTuple):
    """One record. `at`: its event time in seconds since 1970."""

    topic: str
    partition: int
    at: int
    key: bytes
    value: bytes


class Orders:
    """The stream from `start` (seconds since 1970) on. `hot`: what all of it has in common."""

    def __init__(self, start: int, partitions: int, hot: Hot | None = None) -> None:
        self._partitions = partitions
        self._hot = hot
        self._next = float(start)
        self._number = 0
        #: Time, order, step.
        self._waiting: list[tuple[int, int, int]] = []
        #: Of orders under way: the order's and the parcel's name, and their partitions.
        self._names: dict[int, tuple[bytes, bytes, int, int]] = {}

    def __iter__(self) -> Iterator[Event]:
        while True:
            while not self._waiting or self._next <= self._waiting[0][0]:
                self._place()
            at, number, step = heappop(self._waiting)
            yield self._event(at, number, step)
            self._go_on(at, number, step)

    def _place(self) -> None:
        while True:
            number = self._number
            self._number += 1
            order, parcel = b"O%09d" % number, b"PW%010d" % number
            of_order, of_parcel = partition_for(order, self._partitions), partition_for(parcel, self._partitions)
            if self._hot != "partition" or not (of_order or of_parcel):
                break
        heappush(self._waiting, (int(self._next), number, _PLACING))
        self._next += _DAY / A_DAY
        self._names[number] = order, parcel, of_order, of_parcel

    def _go_on(self, at: int, number: int, step: int) -> None:
        if step == _ANSWERING or (step == _ASKING and number % _UNANSWERED == 0):
            return
        if step == _COMPLETING and number % _ASKED:
            del self._names[number]
            return
        following = step + 1
        least, most = _HOURS[following]
        hours = least + (most - least) * (number * 2_654_435_761 + following * 40_503) % 65_536 / 65_536
        if following == _SHIPPING and number % _LATE == 1:
            hours = 60
        elif following == _SILENCE_BEFORE and number % _SILENT == 2:
            hours = 190
        heappush(self._waiting, (at + int(hours * _HOUR), number, following))

    def _event(self, at: int, number: int, step: int) -> Event:
        order, parcel, of_order, of_parcel = self._names[number]
        shop = 0 if self._hot == "shop" else number % _SHOPS
        carrier = 0 if self._hot == "carrier" else number % _CARRIERS
        time = rendered(at)
        if step in _STATUS:
            place = 0 if self._hot == "facility" else (number * 7 + step * 131) % _FACILITIES
            value = _SCAN % (parcel, step, time, parcel, carrier, _STATUS[step], place)
            return Event(SCANS, of_parcel, at, parcel, value)
        if step >= _ASKING:
            if step == _ANSWERING or number % _UNANSWERED == 0:
                del self._names[number]
            what, more = (b"opened", b',"kind":"after_sales"') if step == _ASKING else (b"responded", b"")
            return Event(CHATS, of_order, at, order, _TICKET % (order, step, what, time, shop, order, order, more))
        what, more = {
            _PLACING: (b"placed", _PLACED % (number % 100_000, number % 5_000, shop % _CATEGORIES)),
            _PAYING: (b"paid", b""),
            _SHIPPING: (b"shipped", _SHIPPED % (parcel, carrier)),
            _COMPLETING: (b"completed", b""),
        }[step]
        return Event(ORDERS, of_order, at, order, _OF_ORDER % (order, step, what, time, order, shop, more))
