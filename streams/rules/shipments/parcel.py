"""The history of one tracking number of one carrier: its registrations (`order.shipped`) and its scans.

`streams.rules.shipments.uses` splits it into shipments.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import msgspec

from schemas.times import AFTER_ALL
from streams.rules.reconcile import Emitted
from streams.rules.shipments.scan_status import BITS

if TYPE_CHECKING:
    from streams.rules.shipments.uses import Use

#: What tells an alert apart from all others of a parcel: type, anchor, time.
AlertKey = tuple[str, int | str, int]


class Registration(msgspec.Struct, array_like=True, gc=False):
    """One `order.shipped`; sorts like events: by time, event id, hash of the value. Times in microseconds."""

    time: int
    event_id: str
    digest: bytes
    order_id: str
    shop_id: str
    from_region: str | None = None
    to_region: str | None = None
    #: The order's own destination, and when it was placed.
    placed: int | None = None
    ship_to_region: str | None = None
    #: The promised delivery.
    deliver_by: int | None = None
    #: When the order was first paid.
    paid: int | None = None

    @property
    def sort_key(self) -> tuple[int, str, bytes]:
        return self.time, self.event_id, self.digest


class Parcel(msgspec.Struct, gc=True):
    """The history of one (carrier, tracking number), and the alerts emitted about it.

    `scans` is sorted and packed (`streams.rules.shipments.scan_status`), `facilities` is parallel to it.
    `calm`: the use goes on, and nothing is open or pending except the silence since `last` and the promise `due_by`; an
    update within the policy's shortest threshold then changes only `last`.
    """

    carrier: str
    tracking_no: str
    scans: Any = msgspec.field(default_factory=lambda: array("q"))
    facilities: list[str | None] = msgspec.field(default_factory=list)
    registrations: list[Registration] = msgspec.field(default_factory=list)
    emitted: list[Emitted] = msgspec.field(default_factory=list)
    #: By (order, episode) of a stall: its start and end (exclusive) or None, as sent to the orders.
    linked: dict[tuple[str, str], tuple[int, int | None]] = msgspec.field(default_factory=dict)
    last: int = 0
    calm: bool = False
    #: Like `calm`, but registered and not collected; valid at least until `due`.
    awaited: bool = False
    #: An earlier use of the number is still kept, and must be evicted.
    used_before: bool = False
    due: int | None = None
    #: The time of the parcel's first event and its spelling of the carrier, if that is not `carrier`.
    named: tuple[int, str] | None = None
    #: By `delivered` scan, packed, its region if that is a province (`streams.rules.shipments.routes.PROVINCES`).
    delivered_in: dict[int, str] = msgspec.field(default_factory=dict)
    #: When a use that is evicted ended with a terminal scan, if the next one, which is kept, began before it was over.
    ended_before: int | None = None
    #: Where it is calm or awaited: when a delivery is promised that is still to come.
    due_by: int | None = None

    @property
    def shown(self) -> str:
        """The carrier's name as the first event spells it."""
        return self.carrier if self.named is None else self.named[1]

    def name(self, time: int, spelling: str) -> bool:
        """Takes the spelling of an event at `time`. True: the shown spelling changed.

        Of two at the same time the one that sorts first wins, so arrival order does not matter.
        """
        if self.named is None:
            if spelling == self.carrier:
                return False
            first = [packed >> BITS for packed in self.scans[:1]] + [one.time for one in self.registrations[:1]]
            known = min(first, default=AFTER_ALL)
            self.named = min((time, spelling), (known, self.carrier))
            if self.named[1] == self.carrier:
                self.named = None
            return self.named is not None
        before = self.named
        self.named = min(before, (time, spelling))
        return self.named[1] != before[1]

    def add_scan(self, packed: int, facility: str | None, province: str | None = None) -> int | None:
        """Inserts a scan and returns None; for a repeat (same time and status), the index of the known one.

        `province`: the region of a `delivered` scan, if that is one.
        """
        scans = self.scans
        if not scans or packed > scans[-1]:
            scans.append(packed)
            self.facilities.append(facility)
        else:
            place = bisect_left(scans, packed)
            if place < len(scans) and scans[place] == packed:
                return place
            scans.insert(place, packed)
            self.facilities.insert(place, facility)
        if province is not None:
            self.delivered_in[packed] = province
        return None

    def tell_otherwise(self, place: int, facility: str | None, province: str | None) -> bool:
        """Replaces what the scan at that index tells, as another event of it holds. False: the same."""
        packed = self.scans[place]
        if (self.facilities[place], self.delivered_in.get(packed)) == (facility, province):
            return False
        self.facilities[place] = facility
        self.delivered_in.pop(packed, None)
        if province is not None:
            self.delivered_in[packed] = province
        return True

    def has_scan(self, packed: int) -> bool:
        """True if a scan of that time and status is known."""
        place = bisect_left(self.scans, packed)
        return place < len(self.scans) and self.scans[place] == packed

    def add_registration(self, registration: Registration) -> bool:
        """Inserts a registration. False: already known."""
        if any(known.order_id == registration.order_id for known in self._at(registration.sort_key)):
            return False
        insort(self.registrations, registration, key=lambda known: known.sort_key)
        return True

    def _at(self, place: tuple[int, str, bytes]) -> list[Registration]:
        """The registrations at a position."""
        known = self.registrations
        first = bisect_left(known, place, key=lambda one: one.sort_key)
        return known[first : bisect_right(known, place, lo=first, key=lambda one: one.sort_key)]

    def withdraw(self, order_id: str, *place: Any) -> bool:
        """Withdraws a registration by its position, as another event of that fact replaced it. False: unknown."""
        left = [known for known in self.registrations if known.order_id != order_id or known.sort_key != place]
        changed = len(left) < len(self.registrations)
        self.registrations = left
        return changed

    def tell_of_order(
        self,
        order_id: str,
        time: int,
        event_id: str,
        digest: bytes,
        placed: int | None,
        region: str | None,
        paid: int | None = None,
    ) -> bool:
        """Sets when the order of a registration was placed and paid, and its destination. False: nothing new."""
        changed = False
        for known in self._at((time, event_id, digest)):
            if known.order_id != order_id:
                continue
            if (known.placed, known.ship_to_region, known.paid) != (placed, region, paid):
                known.placed, known.ship_to_region, known.paid = placed, region, paid
                changed = True
        return changed

    def since(self, start: int, ended_before: int | None) -> Parcel:
        """A copy of the history from an instant on, without the alerts. `ended_before`: that of the copy."""
        scan = bisect_left(self.scans, start << BITS)
        shipped = bisect_left(self.registrations, start, key=lambda known: known.time)
        return Parcel(
            self.carrier,
            self.tracking_no,
            self.scans[scan:],
            self.facilities[scan:],
            self.registrations[shipped:],
            linked={key: span for key, span in self.linked.items() if span[0] >= start},
            named=self.named,
            delivered_in={packed: one for packed, one in self.delivered_in.items() if packed >> BITS >= start},
            ended_before=ended_before,
        )

    def forget(self, use: Use, alerts: Collection[AlertKey] = ()) -> None:
        """Evicts a use that is over. `alerts`: those of it that may have been raised when another use had begun."""
        first = bisect_left(self.scans, use.start << BITS)
        last = bisect_left(self.scans, use.until << BITS) if use.until is not None else len(self.scans)
        for packed in self.scans[first:last] if self.delivered_in else ():
            self.delivered_in.pop(packed, None)
        del self.scans[first:last]
        del self.facilities[first:last]
        # A number that goes on behind the end of the use is as a new one, be it forgotten before that or later.
        self.ended_before = use.ended[0] if use.ended is not None and use.followed else None
        # Without the use, these would no longer be recognised as repeats.
        self.registrations = [
            r
            for r in self.registrations
            if (r.time < use.start or (use.until is not None and r.time >= use.until)) and id(r) not in use.repeated
        ]
        self.linked = {
            key: span
            for key, span in self.linked.items()
            if span[0] < use.start or (use.until is not None and span[0] >= use.until)
        }
        self.emitted = [
            sent
            for sent in self.emitted
            if (sent.type, sent.anchor, sent.raised) not in alerts
            and (began(sent) < use.start or (use.until is not None and began(sent) >= use.until))
        ]


def began(sent: Emitted) -> int:
    """The start of the silence that an alert is about, or when it was raised, in microseconds."""
    return sent.anchor if isinstance(sent.anchor, int) else sent.raised
