"""The journey of one simulated parcel: its scans from pick-up to the door, or wherever it ends."""

from __future__ import annotations

from random import Random
from typing import NamedTuple, Protocol

from schemas.times import DAY, HOUR, MINUTE
from streams.marketplace.places import Province


class Stop(NamedTuple):
    """One scan. `at` in microseconds."""

    at: int
    status: str
    facility: str
    region: str


class Journey(NamedTuple):
    """The scans in order of time; `delivered_at` is None where the buyer never got the parcel."""

    stops: list[Stop]
    delivered_at: int | None


class _Scan(Protocol):
    def __call__(self, after: int, status: str, facility: str, region: str) -> None:
        """Adds a scan so much later than the one before."""


#: What goes wrong, in thousandths of all parcels; the rest goes well.
_NEVER_COLLECTED = 12
_COLLECTED_LATE = 25
_LOST = 6
_STALLED = 14
_SLOW = 30
_RETURNED = 6
_DESTROYED = 2


def journey(rng: Random, origin: Province, destination: Province, shipped_at: int) -> Journey:
    """Draws one parcel's way. Of a thousand parcels some dozens fall silent, a few for good."""
    stops: list[Stop] = []
    at = shipped_at
    branch = rng.choice(origin.branches)

    def scan(after: int, status: str, facility: str, region: str) -> None:
        nonlocal at
        at += after
        stops.append(Stop(at, status, facility, region))

    if rng.random() < 0.7:
        scan(rng.randrange(1 * MINUTE, 20 * MINUTE), "info_received", branch, origin.region)
    luck = rng.randrange(1000)
    if luck < _NEVER_COLLECTED:
        return Journey(stops, None)
    late = luck < _NEVER_COLLECTED + _COLLECTED_LATE
    hours = rng.uniform(26, 60) if late else rng.uniform(0.5, 10)
    scan(int(hours * HOUR), "picked_up", branch, origin.region)

    way = _way(rng, origin, branch, destination)
    silent_at, silence = _silence(rng, len(way))
    for index, (status, place, region, wait) in enumerate(way):
        if index == silent_at:
            if silence is None:
                return Journey(stops, None)
            wait += silence
        scan(wait, status, place, region)
    return Journey(stops, _delivery(rng, scan, destination, stops))


def _way(rng: Random, origin: Province, branch: str, destination: Province) -> list[tuple[str, str, str, int]]:
    """Status, facility, region and the time since the scan before, up to the branch that delivers."""
    long_haul = rng.uniform(20, 60) if destination.remote else rng.uniform(7, 26)
    if origin.region == destination.region:
        long_haul = rng.uniform(2, 6)
    last = rng.choice(destination.branches)
    steps = [
        ("departed", branch, origin.region, rng.uniform(0.5, 5)),
        ("arrived", origin.hub, origin.region, rng.uniform(1, 6)),
        ("departed", origin.hub, origin.region, rng.uniform(0.5, 4)),
        ("arrived", destination.hub, destination.region, long_haul),
        ("departed", destination.hub, destination.region, rng.uniform(0.5, 5)),
        ("arrived", last, destination.region, rng.uniform(2, 30 if destination.remote else 8)),
    ]
    if rng.random() < 0.3:
        steps.insert(3, ("in_transit", origin.hub, origin.region, rng.uniform(1, 4)))
    return [(status, facility, region, int(hours * HOUR)) for status, facility, region, hours in steps]


def _silence(rng: Random, steps: int) -> tuple[int, int | None]:
    """Before which step the parcel falls silent (-1: before none), and for how long (None: for good)."""
    luck = rng.randrange(1000)
    step = rng.randrange(1, steps)
    if luck < _LOST:
        return step, None
    if luck < _LOST + _STALLED:
        return step, int(rng.uniform(7.2, 14) * DAY)
    if luck < _LOST + _STALLED + _SLOW:
        return step, int(rng.uniform(3, 6.5) * DAY)
    return -1, 0


def _delivery(rng: Random, scan: _Scan, destination: Province, stops: list[Stop]) -> int | None:
    """The last mile. Returns when the buyer has the parcel, None where it went back or was destroyed."""
    branch = stops[-1].facility
    region = destination.region
    luck = rng.randrange(1000)
    if luck < _DESTROYED:
        scan(rng.randrange(6 * HOUR, 2 * DAY), "exception", branch, region)
        scan(rng.randrange(1 * DAY, 3 * DAY), "destroyed", branch, region)
        return None
    scan(rng.randrange(1 * HOUR, 16 * HOUR), "out_for_delivery", branch, region)
    if luck < 60:
        scan(rng.randrange(1 * HOUR, 6 * HOUR), "delivery_failed", branch, region)
        if rng.random() < 0.3:
            scan(rng.randrange(12 * HOUR, 30 * HOUR), "out_for_delivery", branch, region)
            scan(rng.randrange(1 * HOUR, 6 * HOUR), "delivery_failed", branch, region)
        if luck < _DESTROYED + _RETURNED:
            scan(rng.randrange(1 * DAY, 3 * DAY), "returning", branch, region)
            scan(rng.randrange(2 * DAY, 5 * DAY), "returned", branch, region)
            return None
        scan(rng.randrange(12 * HOUR, 30 * HOUR), "out_for_delivery", branch, region)
    elif luck < 260:
        scan(rng.randrange(1 * HOUR, 5 * HOUR), "held", f"{branch}快递柜", region)
    scan(rng.randrange(1 * HOUR, 9 * HOUR), "delivered", branch, region)
    return stops[-1].at
