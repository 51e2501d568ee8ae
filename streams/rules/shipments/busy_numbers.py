"""Recognises events without effect in a long history, without walking all of it.

A scan or registration between two close updates starts no silence that matters to any rule, and a scan after the end
of a use has no effect. Nearly all scans of a number that is scanned thousands of times are of these kinds.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from streams.policy.shipments import Shipments
from streams.rules.shipments.parcel import Parcel, Registration
from streams.rules.shipments.scan_status import BITS, FIRST_TERMINAL, INFO_RECEIVED, MASK, TELLING
from streams.rules.shipments.uses import Use, over

#: Most scans and registrations of one number at a time: what a worker can keep and re-read for one key. A real parcel
#: has a few dozen. Events beyond that become dead letters (`key_too_large`).
MOST_OF_A_NUMBER = 64_000


def use_at(found: Sequence[Use], time: int) -> int:
    """The index of the use that an instant (microseconds) falls into; -1: before all of them."""
    return bisect_right(found, time, key=lambda use: use.start) - 1


def is_plain_scan(parcel: Parcel, found: Sequence[Use], packed: int, rules: Shipments) -> bool:
    """True if a new scan changes no alert, provided the watermark has passed no deadline of its silence.

    `found`: the parcel's uses without it.
    """
    time, rank = packed >> BITS, packed & MASK
    place = use_at(found, time)
    if place < 0:
        return False
    use = found[place]
    if use.ended is not None and time > use.ended[0]:
        return time <= over(use, rules)
    if rank >= FIRST_TERMINAL or (rank in TELLING and use.registrations):
        return False
    if rank != INFO_RECEIVED and (use.collected is None or time <= use.collected[0]):
        return False
    return _is_between(parcel, use, time, rules.shortest)


def is_plain_registration(parcel: Parcel, found: Sequence[Use], one: Registration, shortest: int) -> bool:
    """`is_plain_scan` for a registration: another order in a parcel that is registered and under way.

    `shortest`: the longest silence that raises nothing, in microseconds.
    """
    if one.deliver_by is not None:
        return False
    place = use_at(found, one.time)
    if place < 0:
        return False
    use = found[place]
    if use.ended is not None and one.time >= use.ended[0]:
        return False
    if not use.registrations or one.sort_key < use.registrations[0].sort_key:
        return False
    if any(isinstance(sent.anchor, int) and sent.anchor >= one.time for sent in parcel.emitted):
        # Alerts about a later silence name its orders.
        return False
    return _is_between(parcel, use, one.time, shortest)


def _is_between(parcel: Parcel, use: Use, time: int, shortest: int) -> bool:
    """True if the use's updates around an instant are close to each other, or there is none after it."""
    if time < use.start:
        return False
    scans, registrations = parcel.scans, parcel.registrations
    scan = bisect_left(scans, (time + 1) << BITS)
    shipped = bisect_right(registrations, time, key=lambda known: known.time)
    before = max(
        scans[scan - 1] >> BITS if scan else use.start, registrations[shipped - 1].time if shipped else use.start
    )
    if time >= use.last:
        return time - max(before, use.start) <= shortest
    after = min(
        scans[scan] >> BITS if scan < len(scans) else use.last,
        registrations[shipped].time if shipped < len(registrations) else use.last,
    )
    return after - max(before, use.start) <= shortest
