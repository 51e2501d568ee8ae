"""What the shops of one partition know of the open alerts about their parcels, where the policy has a delivery model.

The shipments tell it over the edge `links`, whose watermark the judgement of a boundary is behind: so at a boundary all
that was raised and resolved up to it is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from heapq import heappop, heappush

from streams.policy.model import Policy
from streams.rules.help_rate.parcels_at_risk import AlertRecord, OpenAlert, most_at_risk

#: First byte of the keys of rows.
ALERT_LETTER = b"a"
#: Shop, tracking number, and the alert's name among those of the number: what follows in the key of a row.
ShopAlertKey = tuple[str, str, str]


class ShipmentAlerts:
    """Alerts by shop. `changed`: keys of rows to write."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        #: False: nothing is kept, and `parcels_at_risk` tells nothing.
        self.is_kept = policy.estimates.model is not None
        #: By shop, then by tracking number and name.
        self.shops: dict[str, dict[tuple[str, str], OpenAlert]] = {}
        #: When an alert is over at the latest, as far as is known.
        self._ends: list[tuple[int, ShopAlertKey]] = []
        self.changed: set[ShopAlertKey] = set()

    def take(self, record: AlertRecord) -> None:
        """Takes what the shipments tell."""
        if not self.is_kept:
            return
        what, shop_id, tracking_no, name, time, share = record
        key = shop_id, tracking_no, name
        if what == "alert_opened":
            self._put(key, OpenAlert(time, share))
        else:
            known = self.get(key)
            if known is None:
                # It was raised before the policy had a model.
                return
            known.closed = time
            self._put(key, known)
        self.changed.add(key)

    def get(self, key: ShopAlertKey) -> OpenAlert | None:
        """The alert of a key, or None."""
        shop_id, *name = key
        return self.shops.get(shop_id, {}).get((name[0], name[1]))

    def parcels_at_risk(self, shop_id: str, boundary: int) -> list[str]:
        """The shop's parcels that are the most at risk as of a boundary (microseconds)."""
        known = self.shops.get(shop_id, {})
        return most_at_risk(
            (tracking_no, alert) for (tracking_no, _), alert in known.items() if alert.is_open(boundary, self._policy)
        )

    def advance(self, judged: int) -> None:
        """Forgets what was over before `judged` (microseconds): boundaries below it are judged."""
        while self._ends and self._ends[0][0] <= judged:
            _, key = heappop(self._ends)
            known = self.get(key)
            if known is not None and known.end(self._policy) <= judged:
                self._drop(key)
                self.changed.add(key)

    def rebuild(self, rows: Iterable[tuple[ShopAlertKey, OpenAlert]]) -> None:
        """Takes over restored rows; without a model they are forgotten, as nothing would end them."""
        for key, alert in rows:
            if self.is_kept:
                self._put(key, alert)
            else:
                self.changed.add(key)

    def _put(self, key: ShopAlertKey, alert: OpenAlert) -> None:
        shop_id, tracking_no, name = key
        self.shops.setdefault(shop_id, {})[tracking_no, name] = alert
        heappush(self._ends, (alert.end(self._policy), key))

    def _drop(self, key: ShopAlertKey) -> None:
        shop_id, tracking_no, name = key
        known = self.shops[shop_id]
        del known[tracking_no, name]
        if not known:
            del self.shops[shop_id]
