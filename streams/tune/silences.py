"""The silences of a history: for each, how long it lasted and what became of the parcel.

Uses and silences are those of the rules (`streams.rules.shipments.uses`). Left out are silences that a row of a
dated period of the policy judges, and those into which a silence of the carrier's whole feed falls.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from schemas import events
from schemas.times import AFTER_ALL, HOUR
from streams.carriers import canonical
from streams.policy.estimates import NOT_SCANNED, LastStatus
from streams.policy.model import Policy
from streams.policy.shipments import Tier
from streams.replay.batches import batches_of
from streams.replay.reading import Line
from streams.rules.shipments.carrier_feeds import Feed, Silent
from streams.rules.shipments.parcel import Parcel, Registration
from streams.rules.shipments.places import tier_of
from streams.rules.shipments.scan_status import DELIVERED, NAMES, RANK, pack
from streams.rules.shipments.uses import Use, uses

TIERS: tuple[Tier, ...] = ("after_pickup", "near", "cross_province", "remote")
#: By rank of the status, see `streams.rules.shipments.scan_status`; last, of parcels that were never scanned.
STATUSES: tuple[LastStatus, ...] = (*NAMES, NOT_SCANNED)
#: A time that has not come.
NEVER = AFTER_ALL
Times = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Silences:
    """One entry for each silence, ordered by shipment, then by time. Times in microseconds, NEVER where none came.

    `carrier`: its place in `carriers`, and `tier` in TIERS. `shipment`: the number of its shipment. `since`, `until`:
    from the update to the next one. `delivered`: when the shipment was delivered. `watched`: registered and collected
    at its start, so that it can be slow. `status`: that of its last scan by then, its place in STATUSES.
    """

    carriers: list[str]
    carrier: Times
    tier: Times
    shipment: Times
    since: Times
    until: Times
    delivered: Times
    watched: Mask
    status: Times

    def __len__(self) -> int:
        return len(self.since)

    def where(self, chosen: Mask) -> Silences:
        """Those that are chosen."""
        return Silences(
            self.carriers, self.carrier[chosen], self.tier[chosen], self.shipment[chosen], self.since[chosen],
            self.until[chosen], self.delivered[chosen], self.watched[chosen], self.status[chosen],
        )  # fmt: skip

    def of(self, carrier: str | None, tier: Tier | None, status: LastStatus | None = None) -> Silences:
        """Those of a carrier, of a tier and with a status; None: of all."""
        chosen = np.ones(len(self), dtype=bool)
        if carrier is not None:
            chosen &= self.carrier == self.carriers.index(carrier)
        if tier is not None:
            chosen &= self.tier == TIERS.index(tier)
        if status is not None:
            chosen &= self.status == STATUSES.index(status)
        return self.where(chosen)


class History(NamedTuple):
    """What was read. `first`, `end`: microseconds, None where there was no event. `dead`: lines that are no events."""

    silences: Silences
    events: int
    dead: int
    first: int | None
    end: int | None


class _Parcels:
    """The parcels of a history, and the hours in which their carriers scanned."""

    def __init__(self, policy: Policy) -> None:
        self._name = canonical if policy.carriers.canonical else str
        self.parcels: dict[tuple[str, str], Parcel] = {}
        self.feeds: dict[str, Feed] = {}
        self._registered: dict[tuple[str, str, str], Registration] = {}
        self._placed: dict[str, tuple[int, str | None]] = {}

    def take(self, event: events.AnyEvent, time: int) -> None:
        match event:
            case events.Scan():
                parcel = self._parcel(event.carrier, event.tracking_no)
                if parcel.add_scan(pack(time, RANK[event.status]), None) is None:
                    feed = self.feeds.get(parcel.carrier) or self.feeds.setdefault(parcel.carrier, Feed(parcel.carrier))
                    feed.add(time - time % HOUR, 1, time)
            case events.OrderShipped():
                parcel = self._parcel(event.carrier, event.tracking_no)
                made = Registration(
                    time, event.event_id, b"", event.order_id, event.shop_id, event.from_region, event.to_region
                )
                key = (parcel.carrier, parcel.tracking_no, event.order_id)
                known = self._registered.get(key)
                if known is None or made.sort_key < known.sort_key:
                    self._registered[key] = made
            case events.OrderPlaced():
                placed = (time, event.ship_to_region)
                known_place = self._placed.get(event.order_id)
                if known_place is None or placed[0] < known_place[0]:
                    self._placed[event.order_id] = placed
            case _:
                pass

    def _parcel(self, carrier: str, tracking_no: str) -> Parcel:
        key = (self._name(carrier), tracking_no)
        parcel = self.parcels.get(key)
        if parcel is None:
            parcel = self.parcels[key] = Parcel(*key)
        return parcel

    def complete(self) -> None:
        """Registers every parcel, its orders' destinations included. Everything must have been taken."""
        for (carrier, tracking_no, order), registration in self._registered.items():
            placed = self._placed.get(order)
            if placed is not None:
                registration.placed, registration.ship_to_region = placed
            self.parcels[carrier, tracking_no].add_registration(registration)
        self._registered.clear()


def read(lines: Iterable[Line], policy: Policy, until: int | None = None) -> History:
    """The silences of all lines, up to `until`, for thresholds of this policy."""
    parcels = _Parcels(policy)
    taken = dead = 0
    first = end = None
    for batch in batches_of(lines):
        dead += len(batch.dead)
        for _, event, time, *_ in batch.events:
            if until is not None and time > until:
                continue
            parcels.take(event, time)
            taken += 1
            first = time if first is None or time < first else first
            end = time if end is None or time > end else end
    parcels.complete()
    if end is not None and until is not None:
        end = until
    return History(_silences(parcels, policy, end), taken, dead, first, end)


def _silences(parcels: _Parcels, policy: Policy, end: int | None) -> Silences:
    outages = {carrier: _outages(feed, policy, end) for carrier, feed in parcels.feeds.items()} if end else {}
    carriers = sorted({canonical(carrier) for carrier, _ in parcels.parcels})
    places = {carrier: place for place, carrier in enumerate(carriers)}
    rows: list[tuple[Any, ...]] = []
    shipment = 0
    for _, parcel in sorted(parcels.parcels.items()):
        place = places[canonical(parcel.carrier)]
        quiet = outages.get(parcel.carrier, ())
        for use in uses(parcel, policy.shipments):
            shipment += 1
            delivered = use.ended[0] if use.ended is not None and use.ended[1] == DELIVERED else NEVER
            for since, until, tier, watched, status in _of_use(parcel.carrier, use, policy):
                if not any(since < later and until > earlier for earlier, later in quiet):
                    rows.append((place, TIERS.index(tier), shipment, since, until, delivered, watched, status))
    columns = np.array(rows, dtype=np.int64).reshape(-1, 8).T
    return Silences(
        carriers, columns[0], columns[1], columns[2], columns[3], columns[4], columns[5], columns[6].astype(bool),
        columns[7],
    )  # fmt: skip


def _of_use(carrier: str, use: Use, policy: Policy) -> Iterator[tuple[int, int, Tier, bool, int]]:
    for silence in use.silences:
        if policy.thresholds(carrier, silence.since).period is not None:
            continue
        registrations = use.registrations[: silence.orders]
        tier = tier_of(policy, silence.status, registrations, silence.since)
        until = silence.end if silence.end is not None else NEVER
        status = silence.status if silence.status is not None else STATUSES.index(NOT_SCANNED)
        yield silence.since, until, tier, bool(registrations) and silence.collected, status


def _outages(feed: Feed, policy: Policy, end: int) -> list[tuple[int, int]]:
    """When the carrier's feed was silent: from its last scans to the next one."""
    before = round(policy.feed_silence.hours) * HOUR
    feed.advance(end, end, policy.feed_silence)

    def span(silent: Silent) -> tuple[int, int]:
        return silent.start - before, silent.end if silent.end is not None else NEVER

    return [span(silent) for silent in feed.silences]
