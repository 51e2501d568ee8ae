"""Stage 2: shipments, by carrier and tracking number.

Takes scans and registrations, and what is known of the carriers' feeds; gives alerts, links from orders to stalls,
stalls by facility, and scans by carrier and hour.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from schemas import events
from streams.engine.due import DueIndex
from streams.engine.processor import BEGINNING, Horizon
from streams.policy.model import Policy
from streams.rules import silences
from streams.rules.alert import RAISED, Alert
from streams.rules.reconcile import LATE_EVENT, OPEN, VOID, Expected, next_moment, reconcile
from streams.rules.shipments import Parcel, Registration, Use, over, uses
from streams.rules.statuses import BITS, FIRST_TERMINAL, RANK
from streams.stages.clusters import PointRecord
from streams.stages.feeds import FeedBook, Heard
from streams.stages.ties import TieBook, sorts_before

Key = tuple[str, str]
#: ("opened" or "closed", order, episode, time)
LinkRecord = tuple[str, str, str, int]


class ShipmentBook:
    """The state of stage 2 of one partition, and what it says since it was asked last."""

    def __init__(self, policy: Policy, feeds: FeedBook | None = None) -> None:
        self.policy = policy
        self.parcels: dict[Key, Parcel] = {}
        self.horizon = Horizon(BEGINNING)
        self.alerts: list[Alert] = []
        self.links: list[LinkRecord] = []
        self.points: list[PointRecord] = []
        self.heard = Heard()
        self.feeds = feeds if feeds is not None else FeedBook(policy)
        self.changed: set[Key] = set()
        self._held: dict[str, set[Key]] = {}
        self._watermark = BEGINNING
        self._settled = BEGINNING
        self._ties: TieBook[Key] = TieBook()
        self._shortest = policy.shipments.shortest
        self._keep = policy.shipments.keep
        self._due: DueIndex[Key] = DueIndex()

    def scan(self, event: events.Scan, time: int, value: bytes) -> bool:
        """Takes one scan. False: it is a repeat and changes nothing."""
        key = (event.carrier, event.tracking_no)
        rank = RANK[event.status]
        packed = time << BITS | rank
        parcel = self.parcels.get(key)
        if parcel is None:
            parcel = self.parcels[key] = Parcel(event.carrier, event.tracking_no)
            parcel.scans.append(packed)
            parcel.facilities.append(event.facility)
            parcel.last = time
            if rank < FIRST_TERMINAL:
                parcel.calm = True
            else:
                parcel.finished = time + self._keep
            self._schedule(key, parcel, time + self._shortest + 1)
        elif parcel.calm and 0 < time - parcel.last <= self._shortest:
            # The common case: nothing is open, and the silence was too short to matter to any rule.
            parcel.scans.append(packed)
            parcel.facilities.append(event.facility)
            parcel.last = time
            limit = time + self._shortest + 1
            if parcel.due is None or parcel.due > limit:
                # With this status a shorter threshold may hold than the one that was waited for.
                self._schedule(key, parcel, limit)
            if rank >= FIRST_TERMINAL:
                parcel.calm = False
                parcel.finished = time + self._keep
        else:
            known = parcel.add_scan(packed, event.facility)
            if known is not None:
                return self._prefer(key, parcel, known, event, time, value)
            self._judge(key, parcel)
        self._ties.note(key, packed, time, value)
        self.heard.scan(event.carrier, time)
        self.changed.add(key)
        return True

    def _prefer(self, key: Key, parcel: Parcel, place: int, event: events.Scan, time: int, value: bytes) -> bool:
        """Of two scans of one time and status that are not settled, the one that sorts first holds. Always False."""
        if time >= self._settled:
            packed = parcel.scans[place]
            known = self._ties.get(key, packed)
            if known is not None and sorts_before(value, known):
                self._ties.note(key, packed, time, value)
                self.changed.add(key)
                if parcel.facilities[place] != event.facility:
                    parcel.facilities[place] = event.facility
                    self._judge(key, parcel)
        return False

    def register(self, record: tuple[Any, ...]) -> None:
        """Takes what stage 1 sent of an order: shipped in this parcel or not, or placed."""
        what, carrier, tracking_no, *rest = record
        key = (carrier, tracking_no)
        parcel = self.parcels.get(key)
        if what == "placed":
            if parcel is None or not parcel.place_order(*rest):
                return
        elif what == "withdrawn":
            if parcel is None or not parcel.withdraw(*rest):
                return
        else:
            if parcel is None:
                parcel = self.parcels[key] = Parcel(carrier, tracking_no)
            if not parcel.add_registration(Registration(*rest)):
                return
        self._judge(key, parcel)
        self.changed.add(key)

    def advance(self, horizon: Horizon, known: Horizon) -> None:
        """Judges what is due up to the horizon; `known`: up to where the scans of all partitions are counted."""
        ended = self.feeds.advance(known)
        self._move(horizon)
        for carrier in sorted(ended):
            for key in self._held.pop(carrier, ()):
                parcel = self.parcels.get(key)
                if parcel is not None:
                    self._judge(key, parcel)
                    self.changed.add(key)
        for moment, key in list(self._due.pop(horizon.settled)):
            parcel = self.parcels.get(key)
            if parcel is None or parcel.due != moment:
                continue
            parcel.due = None
            if parcel.calm and parcel.last + self._shortest + 1 >= horizon.settled:
                self._schedule(key, parcel, parcel.last + self._shortest + 1)
            elif parcel.finished >= horizon.settled:
                self._schedule(key, parcel, parcel.finished)
            else:
                self._judge(key, parcel)
                self.changed.add(key)

    def _move(self, horizon: Horizon) -> None:
        self.horizon = horizon
        # A deadline waits until it is known whether its carrier's feed was silent.
        self._watermark = min(horizon.watermark, self.feeds.judged)
        self._settled = horizon.settled
        self._ties.settle(horizon.settled)

    def tie(self, key: Key, packed: int) -> bytes | None:
        """The value of a scan that is not settled."""
        return self._ties.get(key, packed)

    def rebuild(self, parcels: dict[Key, Parcel], ties: Iterable[tuple[Key, int, bytes]], horizon: Horizon) -> None:
        """Takes over a restored state, as it was at that horizon; what is due when is found anew."""
        self.parcels = parcels
        self._move(horizon)
        for key, packed, value in ties:
            self._ties.note(key, packed, packed >> BITS, value)
        for key, parcel in parcels.items():
            moment, parcel.due = parcel.due, None
            self._schedule(key, parcel, moment if moment is not None else BEGINNING)
        silent = self.feeds.silent()
        for key in parcels:
            if key[0] in silent:
                self._held.setdefault(key[0], set()).add(key)

    def _judge(self, key: Key, parcel: Parcel) -> None:
        rules = self.policy.shipments
        parcel.finished = 0
        found = uses(parcel, rules.given_up, rules.keep)
        expected, held = silences.given(parcel, found, self.policy, self.feeds.feeds.get(parcel.carrier))
        if held:
            self._held.setdefault(parcel.carrier, set()).add(key)
        watermark = self._watermark
        alerts = reconcile(expected, parcel.emitted, watermark, self._settled)
        if alerts:
            self.alerts += alerts
            self._point(parcel, alerts)
        if parcel.emitted or parcel.linked:
            self._link(parcel, expected)
        moments = [next_moment(expected, watermark, self._settled)]
        kept: list[Use] = []
        for use in found:
            end = over(use, rules.given_up, rules.keep)
            # The oldest first: what a later use was is known only beside what came before it.
            if end < watermark and not kept:
                parcel.forget(use)
                continue
            kept.append(use)
            if end >= watermark:
                moments.append(end)
        if not kept:
            del self.parcels[key]
            return
        use = kept[-1]
        parcel.last = use.last
        parcel.calm = (
            not held and over(use, rules.given_up, rules.keep) >= watermark and self._is_calm(parcel, use, expected)
        )
        moment = min((moment for moment in moments if moment is not None), default=None)
        if moment is not None:
            self._schedule(key, parcel, moment)

    def _is_calm(self, parcel: Parcel, use: Use, expected: list[Expected]) -> bool:
        if use.ended is not None or (use.registrations and use.collected is None):
            return False
        if any(sent.state == OPEN for sent in parcel.emitted):
            return False
        going_on = [one for one in expected if one.anchor != use.last or one.type == silences.NOT_COLLECTED]
        return next_moment(going_on, self._watermark, self._settled) is None

    def _point(self, parcel: Parcel, alerts: list[Alert]) -> None:
        """Tells the facilities of stalls that were raised, or disproved."""
        places = {sent.episode: sent.place for sent in parcel.emitted if sent.place is not None}
        for alert in alerts:
            place = places.get(alert.episode) if alert.type == silences.STALLED else None
            if place is None:
                continue
            name = f"{parcel.tracking_no}/{alert.episode}"
            if alert.status == RAISED:
                self.points.append(("stalled", place, alert.time, name))
            elif alert.resolution == LATE_EVENT:
                self.points.append(("disproved", place, alert.time, name))

    def _link(self, parcel: Parcel, expected: list[Expected]) -> None:
        """Tells the orders of stalls, as they are known now: a late registration may bring another order in."""
        episodes = {
            (sent.anchor, sent.raised): sent.episode
            for sent in parcel.emitted
            if sent.type == silences.STALLED and sent.state != VOID
        }
        wanted: dict[tuple[str, str], tuple[int, int | None]] = {}
        for one in expected:
            episode = episodes.get((one.anchor, one.raised)) if one.type == silences.STALLED else None
            if episode is None:
                continue
            over_by = self._watermark if one.resolved_by_deadline else self._settled
            until = one.resolved if one.resolved is not None and one.resolved < over_by else None
            for order in one.orders:
                wanted[order, f"{parcel.tracking_no}/{episode}"] = (one.raised, until)
        for (order, name), (since, until) in wanted.items():
            known = parcel.linked.get((order, name))
            if known == (since, until):
                continue
            if known is None or known[0] != since or known[1] is not None:
                self.links.append(("opened", order, name, since))
            if until is not None:
                self.links.append(("closed", order, name, until))
        # What is none any more closes where it began: it holds for nothing.
        gone = parcel.linked.keys() - wanted.keys()
        self.links += [("closed", order, name, parcel.linked[order, name][0]) for order, name in sorted(gone)]
        parcel.linked = wanted

    def _schedule(self, key: Key, parcel: Parcel, moment: int) -> None:
        # An entry that is too early finds nothing and looks again: cheaper than taking it out.
        if parcel.due is None or moment < parcel.due:
            parcel.due = moment
            self._due.put(moment, key)
