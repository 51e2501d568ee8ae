"""Derives from a parcel's history its alerts, and the messages about them to orders, shops and facilities."""

from __future__ import annotations

from streams.policy.model import Policy
from streams.rules.alert import RAISED, Alert
from streams.rules.help_rate.parcels_at_risk import AlertRecord, record_of
from streams.rules.reconcile import LATE_EVENT, VOID, Expected, reconcile
from streams.rules.shipments import shipment_alerts, silence_alerts
from streams.rules.shipments.parcel import Parcel
from streams.rules.shipments.uses import Use
from streams.stages.shipments.carrier_feeds import FeedBook
from streams.stages.shipments.stall_clusters import PointRecord

#: ("opened" or "closed", order, episode, time)
LinkRecord = tuple[str, str, str, int]


class ParcelJudge:
    """Judges parcels as of `watermark` and `settled` (microseconds), and collects the output.

    `held`: by carrier, the keys of parcels waiting for its feed silence to end.
    """

    def __init__(self, policy: Policy, feeds: FeedBook, watermark: int) -> None:
        self.alerts: list[Alert] = []
        self.links: list[LinkRecord] = []
        #: For the shops; none without a delivery model.
        self.told: list[AlertRecord] = []
        self.points: list[PointRecord] = []
        self.held: dict[str, set[bytes]] = {}
        self.watermark = self.settled = watermark
        self._policy = policy
        self._feeds = feeds

    def say(self, key: bytes, parcel: Parcel, found: list[Use]) -> tuple[list[Expected], bool]:
        """Reconciles the output of these uses. Returns all implied alerts, and whether that of any silence is held.

        Updates the parcel's record of emitted alerts and links.
        """
        feed = self._feeds.feeds.get(parcel.carrier)
        expected, held, promise_held = shipment_alerts.given(parcel, found, self._policy, feed)
        if held or promise_held:
            self.held.setdefault(parcel.carrier, set()).add(key)
        alerts = reconcile(expected, parcel.emitted, self.watermark, self.settled)
        if alerts:
            self.alerts += alerts
            self._point(parcel, alerts)
            if self._policy.estimates.model is not None:
                self.told += [record for alert in alerts if (record := record_of(alert)) is not None]
        # Without an order there is none to tell.
        if parcel.linked or (parcel.emitted and parcel.registrations):
            self._link(parcel, expected)
        return expected, held

    def _point(self, parcel: Parcel, alerts: list[Alert]) -> None:
        """Tells facilities about raised and disproved stalls."""
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
        """Reconciles the links from orders to stalls: a late registration may add an order."""
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
        # A disproved stall closes at its start and covers no time.
        gone = parcel.linked.keys() - wanted.keys()
        self.links += [("closed", order, name, parcel.linked[order, name][0]) for order, name in sorted(gone)]
        parcel.linked = wanted
