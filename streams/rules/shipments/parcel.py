"""Shipments: the history of one tracking number of one carrier.

The history is registrations (`order.shipped`) and scans. A walk over it in event-time order splits it into *uses*,
each use into *silences*, from which `streams.rules.shipments.silence_alerts` derives the alerts. A walk costs about a
microsecond per scan, and is needed only if a scan could change something: see `Parcel.calm`.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from typing import Any

import msgspec

from schemas.times import AFTER_ALL, BEFORE_ALL
from streams.rules.reconcile import Emitted
from streams.rules.shipments.scan_status import BITS, FIRST_TERMINAL, INFO_RECEIVED, MASK

#: After every instant.


class Registration(msgspec.Struct, array_like=True, gc=False):
    """One `order.shipped`; sorts like events: by time, event id, hash of the value."""

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

    @property
    def sort_key(self) -> tuple[int, str, bytes]:
        return self.time, self.event_id, self.digest


class Parcel(msgspec.Struct, gc=True):
    """The history of one (carrier, tracking number), and the alerts emitted about it.

    `scans` is sorted and packed (`streams.rules.shipments.scan_status`), `facilities` is parallel to it.
    `calm`: the use goes on, and nothing is open or pending except the silence since `last`; an update within the
    policy's shortest threshold then changes only `last`.
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
    #: Its last scan is terminal and nothing is pending: it only waits for eviction.
    finished: bool = False
    #: An earlier use of the number is still kept, and must be evicted.
    used_before: bool = False
    due: int | None = None
    #: The time of the parcel's first event and its spelling of the carrier, if that is not `carrier`.
    named: tuple[int, str] | None = None

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

    def add_scan(self, packed: int, facility: str | None) -> int | None:
        """Inserts a scan and returns None; for a repeat (same time and status), the index of the known one."""
        scans = self.scans
        if not scans or packed > scans[-1]:
            scans.append(packed)
            self.facilities.append(facility)
            return None
        place = bisect_left(scans, packed)
        if place < len(scans) and scans[place] == packed:
            return place
        scans.insert(place, packed)
        self.facilities.insert(place, facility)
        return None

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

    def place_order(
        self, order_id: str, time: int, event_id: str, digest: bytes, placed: int, region: str | None
    ) -> bool:
        """Sets when the order of a registration was placed, and its destination. False: nothing new."""
        changed = False
        for known in self._at((time, event_id, digest)):
            if known.order_id != order_id:
                continue
            if (known.placed, known.ship_to_region) != (placed, region):
                known.placed = placed
                known.ship_to_region = region
                changed = True
        return changed

    def since(self, start: int) -> Parcel:
        """A copy of the history from an instant on, without the alerts."""
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
        )

    def forget(self, use: Use) -> None:
        """Evicts a use that is over."""
        first = bisect_left(self.scans, use.start << BITS)
        last = bisect_left(self.scans, use.until << BITS) if use.until is not None else len(self.scans)
        del self.scans[first:last]
        del self.facilities[first:last]
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
            if not (isinstance(sent.anchor, int) and use.start <= sent.anchor)
            or (use.until is not None and sent.anchor >= use.until)
        ]


class Use:
    """One shipment: the history of a tracking number between two uses of it. Times in microseconds."""

    __slots__ = (
        "collected", "ended", "facility", "last", "registrations", "repeated", "silences", "start", "status", "until",
    )  # fmt: skip

    def __init__(self, start: int) -> None:
        self.start = start
        self.registrations: list[Registration] = []
        #: By identity, repeated registrations of its orders, which belong to no use.
        self.repeated: dict[int, Registration] = {}
        #: (time, rank) of the first collecting or terminal scan.
        self.collected: tuple[int, int] | None = None
        #: (time, rank) of the terminal scan.
        self.ended: tuple[int, int] | None = None
        self.last = start
        self.status: int | None = None
        self.facility: str | None = None
        self.silences: list[Silence] = []
        #: Where the next use begins, or None.
        self.until: int | None = None


class Silence:
    """The time after an update until the next, with the state as of its start."""

    __slots__ = ("collected", "end", "end_rank", "facility", "orders", "since", "status")

    def __init__(self, use: Use, end: int | None, end_rank: int | None) -> None:
        self.since = use.last
        self.end = end
        #: The terminal status that ended it, or None.
        self.end_rank = end_rank
        self.collected = use.collected is not None
        self.status = use.status
        self.facility = use.facility
        #: Number of the use's registrations by its start.
        self.orders = len(use.registrations)


#: By order, the earlier use that holds it longest, and until when.
Holders = dict[str, tuple[int, Use]]


def uses(parcel: Parcel, given_up: int, keep: int, holders: Holders | None = None) -> list[Use]:
    """The uses that the history forms, oldest first; the last one may go on.

    `given_up`: microseconds without an update after which a use is over; `keep`: microseconds after its terminal
    scan for which a use is kept. `holders`: holders among the uses before this history, if it is a suffix; updated with
    the uses closed here.
    """
    found: list[Use] = []
    current: Use | None = None
    holders = {} if holders is None else holders
    #: The orders of the current use.
    orders: set[str] = set()

    def close(use: Use, until: int) -> None:
        use.until = until
        end = over(use, given_up, keep)
        for order in orders:
            if order not in holders or holders[order][0] <= end:
                holders[order] = end, use
        orders.clear()

    for instant, registrations, ranks, facility in _instants(parcel):
        if current is not None and instant > over(current, given_up, keep):
            close(current, instant)
            current = None
        before: Use | None = current
        update = False
        snapshot: Silence | None = None
        for registration in registrations:
            order = registration.order_id
            # A held order that was evicted meanwhile registers again: an update, but not a new use.
            if current is None or current.ended is not None:
                until, holder = (instant, current) if order in orders else holders.get(order, (BEFORE_ALL, None))
                if holder is not None and instant <= until:
                    holder.repeated[id(registration)] = registration
                    continue
                if current is not None:
                    close(current, instant)
                current = Use(instant)
                found.append(current)
                before = None
            elif before is not None and snapshot is None:
                snapshot = Silence(current, instant, None)
            current.registrations.append(registration)
            orders.add(order)
            update = True
        if ranks:
            if current is None:
                current = Use(instant)
                found.append(current)
                before = None
            if current.ended is None:
                if before is not None and snapshot is None:
                    snapshot = Silence(current, instant, None)
                update = True
                top = ranks[-1]
                if current.collected is None and any(rank != INFO_RECEIVED for rank in ranks):
                    current.collected = (instant, top)
                current.status = top
                current.facility = facility
                if top >= FIRST_TERMINAL:
                    current.ended = (instant, top)
        if current is not None and update:
            if snapshot is not None:
                if current.ended is not None:
                    snapshot.end_rank = current.ended[1]
                current.silences.append(snapshot)
            current.last = instant
    for use in found:
        if use.ended is None:
            use.silences.append(Silence(use, None, None))
    return found


def over(use: Use, given_up: int, keep: int) -> int:
    """The time after which a use is evicted: when it is given up, or `keep` after its end."""
    return use.ended[0] + keep if use.ended is not None else use.last + given_up


def _instants(parcel: Parcel) -> Iterator[tuple[int, list[Registration], list[int], str | None]]:
    """The history by instants: (time, registrations, ranks in order, facility of the last of them)."""
    registrations = parcel.registrations
    scans = parcel.scans
    at_registration = at_scan = 0
    while at_registration < len(registrations) or at_scan < len(scans):
        times = []
        if at_registration < len(registrations):
            times.append(registrations[at_registration].time)
        if at_scan < len(scans):
            times.append(scans[at_scan] >> BITS)
        instant = min(times)
        here: list[Registration] = []
        while at_registration < len(registrations) and registrations[at_registration].time == instant:
            here.append(registrations[at_registration])
            at_registration += 1
        ranks: list[int] = []
        facility: str | None = None
        while at_scan < len(scans) and scans[at_scan] >> BITS == instant:
            ranks.append(scans[at_scan] & MASK)
            facility = parcel.facilities[at_scan]
            at_scan += 1
        yield instant, here, ranks, facility
