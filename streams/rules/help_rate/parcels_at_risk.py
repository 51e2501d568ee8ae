"""A shop's parcels with an open alert: those that are delivered after all the least often come first.

An alert is open from its raise up to, not including, its resolution. So what is told as of an hour boundary does not
depend on what is known beyond it.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nsmallest
from typing import Literal

import msgspec

from streams.policy.model import Policy
from streams.rules.alert import RAISED, Alert
from streams.rules.shipments.delivery_estimates import DELIVERED_AFTER_ALL
from streams.rules.shipments.exceptions import DELIVERY_FAILING, SHIPMENT_RETURNING
from streams.rules.shipments.promises import DELIVERY_LATE
from streams.rules.shipments.silence_alerts import NOT_COLLECTED, SLOW, STALLED

PARCELS_AT_RISK = "parcels_at_risk"
#: Parcels that an alert names.
MOST = 5
#: Alerts about shipments that end.
ENDING = frozenset({NOT_COLLECTED, SLOW, STALLED, DELIVERY_LATE, SHIPMENT_RETURNING, DELIVERY_FAILING})

#: (what, shop, tracking number, `name_of` it, time, share delivered after all): an alert of a shop was raised
#: (`alert_opened`) or resolved (`alert_closed`) at that time, in microseconds.
AlertRecord = tuple[Literal["alert_opened", "alert_closed"], str, str, str, int, float | None]


class OpenAlert(msgspec.Struct, array_like=True, gc=False):
    """A shop's alert about a parcel. `closed`: when it was resolved, None if it is open. Times in microseconds."""

    opened: int
    share: float | None
    closed: int | None = None

    def end(self, policy: Policy) -> int:
        """From when on it is not open any more, be it because the parcel is given up by then."""
        given_up = self.opened + policy.shipments.given_up
        return given_up if self.closed is None else min(self.closed, given_up)

    def is_open(self, time: int, policy: Policy) -> bool:
        """As of an instant (microseconds)."""
        return self.opened <= time < self.end(policy)


def record_of(alert: Alert) -> AlertRecord | None:
    """What the shop of an alert has to know of it, if anything."""
    if alert.shop_id is None or alert.type not in ENDING:
        return None
    name = name_of(alert.type, alert.episode)
    if alert.status == RAISED:
        share = alert.evidence.get(DELIVERED_AFTER_ALL)
        return "alert_opened", alert.shop_id, alert.subject, name, alert.time, share
    return "alert_closed", alert.shop_id, alert.subject, name, alert.time, None


def name_of(type_: str, episode: str) -> str:
    """What tells alerts about a tracking number apart."""
    return f"{type_}/{episode}"


def most_at_risk(alerts: Iterable[tuple[str, OpenAlert]]) -> list[str]:
    """The parcels, by tracking number, of these open alerts: at most MOST.

    Of several alerts of a parcel the one with the least share counts. Of equal shares the longest open comes first,
    then the smallest number; an unknown share comes last.
    """
    found: dict[str, tuple[bool, float, int, str]] = {}
    for tracking_no, alert in alerts:
        place = alert.share is None, alert.share or 0.0, alert.opened, tracking_no
        found[tracking_no] = min(found.get(tracking_no, place), place)
    return [tracking_no for *_, tracking_no in nsmallest(MOST, found.values())]
