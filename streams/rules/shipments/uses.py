"""Shipments: the uses of a tracking number that its history forms.

A walk over the history in event-time order splits it into *uses*, each use into *silences*, from which
`streams.rules.shipments.shipment_alerts` derives the alerts. A walk costs about a microsecond per scan, and is needed
only if a scan could change something: see `Parcel.calm`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from schemas.times import BEFORE_ALL
from streams.policy.shipments import Shipments
from streams.rules.shipments.parcel import Parcel, Registration
from streams.rules.shipments.scan_status import BITS, FIRST_TERMINAL, INFO_RECEIVED, MASK, TELLING


class Use:
    """One shipment: the history of a tracking number between two uses of it. Times in microseconds."""

    __slots__ = (
        "collected", "ended", "ended_before", "facility", "followed", "last", "registrations", "repeated", "silences",
        "start", "status", "told", "until",
    )  # fmt: skip

    def __init__(self, start: int, ended_before: int | None) -> None:
        self.start = start
        #: When the use before ended with a terminal scan, or None.
        self.ended_before = ended_before
        #: In order; those since the terminal scan are late ones.
        self.registrations: list[Registration] = []
        #: By identity, repeated registrations of its orders, which belong to no use.
        self.repeated: dict[int, Registration] = {}
        #: Time of the first collecting scan, and the rank that counts of those at it.
        self.collected: tuple[int, int] | None = None
        #: (time, rank) of the terminal scan.
        self.ended: tuple[int, int] | None = None
        self.last = start
        self.status: int | None = None
        self.facility: str | None = None
        self.silences: list[Silence] = []
        #: (time, rank) of the scans that say of themselves what raises an alert.
        self.told: list[tuple[int, int]] = []
        #: Where the next use begins, or None.
        self.until: int | None = None
        #: Whether that is before this one is over: else nothing of this one is left by then.
        self.followed = False


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


def uses(parcel: Parcel, rules: Shipments, holders: Holders | None = None) -> list[Use]:
    """The uses that the history forms, oldest first; the last one may go on.

    `holders`: holders among the uses before this history, if it is a suffix; updated with the uses closed here.
    """
    found: list[Use] = []
    ended_before = parcel.ended_before
    current: Use | None = None
    holders = {} if holders is None else holders
    #: The orders of the current use.
    orders: set[str] = set()

    def close(use: Use, until: int) -> None:
        nonlocal ended_before
        use.until = until
        ended_before = use.ended[0] if use.ended is not None else None
        end = over(use, rules)
        use.followed = until <= end
        for order in orders:
            if order not in holders or holders[order][0] <= end:
                holders[order] = end, use
        orders.clear()

    for instant, registrations, ranks, facility in _instants(parcel):
        if current is not None and instant > over(current, rules):
            close(current, instant)
            current = None
        before: Use | None = current
        update = False
        snapshot: Silence | None = None
        for registration in registrations:
            order = registration.order_id
            # A held order that was evicted meanwhile registers again: an update, but not a new use.
            if current is not None and current.ended is not None and instant <= current.ended[0] + rules.late:
                if order in orders:
                    current.repeated[id(registration)] = registration
                else:
                    current.registrations.append(registration)
                    orders.add(order)
                continue
            if current is None or current.ended is not None:
                until, holder = (instant, current) if order in orders else holders.get(order, (BEFORE_ALL, None))
                if holder is not None and instant <= until:
                    holder.repeated[id(registration)] = registration
                    continue
                if current is not None:
                    close(current, instant)
                current = Use(instant, ended_before)
                found.append(current)
                before = None
            elif before is not None and snapshot is None:
                snapshot = Silence(current, instant, None)
            current.registrations.append(registration)
            orders.add(order)
            update = True
        if ranks:
            if current is None:
                current = Use(instant, ended_before)
                found.append(current)
                before = None
            if current.ended is None:
                if before is not None and snapshot is None:
                    snapshot = Silence(current, instant, None)
                update = True
                top = ranks[-1]
                if current.collected is None and any(rank != INFO_RECEIVED for rank in ranks):
                    current.collected = (instant, top)
                for rank in ranks:
                    if rank in TELLING:
                        current.told.append((instant, rank))
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


def only_use(scans: Sequence[int], facility_of: Callable[[int], str | None], rules: Shipments) -> Use | None:
    """The use that a history of scans alone forms, as `uses` has it, where that is plain to see; else None.

    What nothing follows from without a registration is left out: `told`, and the silences in which nothing can fall
    due. `facility_of` gives the facility of the scan at an index.
    """
    ranks = [packed & MASK for packed in scans]
    if not ranks or max(ranks[:-1], default=0) >= FIRST_TERMINAL:
        return None
    times = [packed >> BITS for packed in scans]
    use = Use(times[0], None)
    top = ranks[-1]
    if top >= FIRST_TERMINAL:
        use.ended = times[-1], top
    collected = next((place for place, rank in enumerate(ranks) if rank != INFO_RECEIVED), None)
    most = min(rules.shortest, rules.given_up)
    for place, (since, end) in enumerate(pairwise(times)):
        if end - since <= most:
            continue
        if end - since > rules.given_up:
            return None
        use.last, use.status, use.facility = since, ranks[place], facility_of(place)
        silence = Silence(use, end, use.ended[1] if use.ended is not None and use.ended[0] == end else None)
        silence.collected = collected is not None and collected <= place
        use.silences.append(silence)
    if collected is not None:
        # Of the scans at one instant the last one counts.
        instant = times[collected]
        use.collected = instant, ranks[bisect_right(times, instant) - 1]
    use.last, use.status, use.facility = times[-1], top, facility_of(len(scans) - 1)
    if use.ended is None:
        use.silences.append(Silence(use, None, None))
    return use


def over(use: Use, rules: Shipments) -> int:
    """The time after which a use is evicted: when it is given up, or some time after its end."""
    return use.ended[0] + rules.keep if use.ended is not None else use.last + rules.given_up


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
