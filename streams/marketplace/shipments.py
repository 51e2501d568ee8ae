"""Simulated parcels: their numbers, what shops promise and tell of them, and what is odd about a few."""

from __future__ import annotations

from collections import deque
from random import Random
from typing import NamedTuple

from schemas.times import DAY, HOUR, MINUTE
from streams.marketplace.parcels import Journey, journey
from streams.marketplace.places import CARRIERS, PLACES, Province


class Shipment(NamedTuple):
    """A parcel, and what its shop tells of it.

    `told_at`: when the shop says that it left; `deliver_by`: what it promises, if anything. Both in microseconds.
    """

    tracking_no: str
    carrier: str
    way: Journey
    told_at: int
    deliver_by: int | None


#: What is odd, in thousandths of all parcels: under way before the order is paid, sent somewhere else, under the number
#: of an earlier parcel, told of after the delivery.
_BEFORE_PAYMENT = 4
_ELSEWHERE = 4
_REUSED = 4
_TOLD_LATE = 4
#: Numbers kept, to be used again.
_KEPT = 10_000


class Shipments:
    """Draws parcels. Two with the same generator and calls draw the same ones."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._numbers = 0
        #: Delivered ones: when, number, carrier.
        self._delivered: deque[tuple[int, str, str]] = deque(maxlen=_KEPT)

    def stray(self, origin: Province, destination: Province, at: int) -> Shipment:
        """One that no order names."""
        tracking_no, carrier = self._number()
        return Shipment(tracking_no, carrier, journey(self._rng, origin, destination, at), at, None)

    def of_order(self, origin: Province, destination: Province, paid_at: int, leaves: int) -> Shipment:
        """One of an order that is paid and packed at those times; all in microseconds."""
        rng = self._rng
        luck = rng.randrange(1000)
        goes, target, told_at = leaves, destination, leaves
        if luck < _BEFORE_PAYMENT:
            goes, told_at = paid_at - rng.randrange(12 * HOUR, 20 * HOUR), paid_at + rng.randrange(5 * MINUTE, HOUR)
        elif luck < _BEFORE_PAYMENT + _ELSEWHERE:
            target = rng.choice([place for place in PLACES if place.region != destination.region])
        way = journey(rng, origin, target, goes)
        tracking_no, carrier = self._number()
        if _BEFORE_PAYMENT + _ELSEWHERE <= luck < _BEFORE_PAYMENT + _ELSEWHERE + _REUSED:
            tracking_no, carrier = self._used(leaves) or (tracking_no, carrier)
        elif luck >= 1000 - _TOLD_LATE and way.delivered_at is not None:
            told_at = way.delivered_at + rng.randrange(30 * MINUTE, 5 * HOUR)
        elif way.delivered_at is not None:
            self._delivered.append((way.delivered_at, tracking_no, carrier))
        return Shipment(tracking_no, carrier, way, told_at, self._promise(origin, destination, told_at))

    def _promise(self, origin: Province, destination: Province, told_at: int) -> int | None:
        """What most shops promise: a day of delivery that depends on the way."""
        if self._rng.random() < 0.15:
            return None
        days = 9 if destination.remote else 3 if origin.region == destination.region else 5
        return told_at + days * DAY

    def _number(self) -> tuple[str, str]:
        """A new number and its carrier."""
        self._numbers += 1
        carrier = self._rng.choices(CARRIERS, [carrier.share for carrier in CARRIERS])[0]
        return f"{carrier.prefix}{300_000_000_000 + self._numbers * 7_919:012d}", carrier.code

    def _used(self, leaves: int) -> tuple[str, str] | None:
        """The number and carrier of a parcel that was delivered days before, once."""
        for one in self._delivered:
            if one[0] < leaves - 2 * DAY:
                self._delivered.remove(one)
                return one[1:]
        return None
