"""What follows from the history of a parcel: alerts, and what orders and facilities are told of its stalls."""

from __future__ import annotations

from streams.policy.model import Policy
from streams.rules.alert import RAISED, Alert
from streams.rules.reconcile import LATE_EVENT, VOID, Expected, reconcile
from streams.rules.shipments import silence_alerts
from streams.rules.shipments.parcel import Parcel, Use
from streams.stages.shipments.carrier_feeds import FeedBook
from streams.stages.shipments.stall_clusters import PointRecord

#: ("opened" or "closed", order, episode, time)
LinkRecord = tuple[str, str, str, int]


class ParcelJudge:
    """Judges parcels as of `watermark` and `settled` (microseconds), and collects what it says.

    `held`: by carrier, the keys of parcels that wait for the end of its feed's silence.
    """

    def __init__(self, policy: Policy, feeds: FeedBook, watermark: int) -> None:
        self.alerts: list[Alert] = []
        self.links: list[LinkRecord] = []
        self.points: list[PointRecord] = []
        self.held: dict[str, set[bytes]] = {}
        self.watermark = self.settled = watermark
        self._policy = policy
        self._feeds = feeds

    def say(self, key: bytes, parcel: Parcel, found: list[Use]) -> tuple[list[Expected], bool]:
        """Says what has to be said of these uses; what there should be in all, and whether some of it is held.

        What was sent, and what the orders were told, is brought up to date in the parcel.
        """
        expected, held = silence_alerts.given(parcel, found, self._policy, self._feeds.feeds.get(parcel.carrier))
        if held:
            self.held.setdefault(parcel.carrier, set()).add(key)
        alerts = reconcile(expected, parcel.emitted, self.watermark, self.settled)
        if alerts:
            self.alerts += alerts
            self._point(parcel, alerts)
        if parcel.emitted or parcel.linked:
            self._link(parcel, expected)
        return expected, held

    def _point(self, parcel: Parcel, alerts: list[Alert]) -> None:
        """Tells the facilities of stalls that were raised, or disproved."""
        places = {sent.episode: sent.place for sent in parcel.emitted if sent.place is not None}
        for alert in alerts:
            place = places.get(alert.episode) if alert.type == silence_alerts.STALLED else None
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
            if sent.type == silence_alerts.STALLED and sent.state != VOID
        }
        wanted: dict[tuple[str, str], tuple[int, int | None]] = {}
        for one in expected:
            episode = episodes.get((one.anchor, one.raised)) if one.type == silence_alerts.STALLED else None
            if episode is None:
                continue
            over_by = self.watermark if one.resolved_by_deadline else self.settled
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
