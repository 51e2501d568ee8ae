"""From alerts, raised and resolved, to cases: one alert with its beginning and its end."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from streams.rules.alert import RAISED, Alert
from streams.rules.reconcile import LATE_EVENT

#: What an alert is about, beside its subject: values that no threshold can change. Carrier and order go with them.
_ABOUT: dict[str, tuple[str, ...]] = {
    "shipment.not_collected": ("shipped_at",),
    "shipment.slow": ("last_update",),
    "shipment.stalled": ("last_update",),
    "order.ship_due_soon": (),
    "order.ship_late": (),
    "order.out_of_stock_suspected": (),
    "ticket.due_soon": ("opened_at",),
    "ticket.timed_out": ("opened_at",),
    "aftersales.review": ("request", "request_id"),
    "aftersales.rights_refused": ("refund_id",),
    "chat.reply_late": ("waiting_since",),
}
#: Alerts about a day; the day is the episode.
_BY_EPISODE = frozenset({"facility.stall_cluster"})

#: Resolutions by which an alert is over without anything having been wrong, or without it being known.
BY_ITSELF = frozenset(
    {"resumed", "collected", "delivered", "shipped", "completed", "responded", "answered", "settled", "recovered"}
    | {LATE_EVENT}
)


class Case(msgspec.Struct, gc=False):
    """One alert under one policy. Times in microseconds; `resolved` None: still open at the end.

    `about`: what tells it apart from others of its type and subject whatever the policy; None where that is the time
    in which it is open (a carrier's silence, a level).
    """

    type: str
    subject: str
    shop_id: str | None
    order_id: str | None
    carrier: str | None
    about: tuple[str, ...] | None
    raised: int
    resolved: int | None = None
    resolution: str | None = None

    @property
    def withdrawn(self) -> bool:
        """A late event disproved it: it should never have been raised."""
        return self.resolution == LATE_EVENT


class Cases:
    """Collects the alerts of one policy. An alert that a second audience gets later is the same case."""

    def __init__(self) -> None:
        self._cases: dict[tuple[str, str, str], Case] = {}

    def take(self, alerts: Iterable[Alert]) -> None:
        """Alerts in the order in which they are sent: what resolves comes after what it resolves."""
        for alert in alerts:
            key = (alert.type, alert.subject, alert.episode)
            known = self._cases.get(key)
            if alert.status == RAISED:
                if known is None:
                    self._cases[key] = Case(
                        alert.type,
                        alert.subject,
                        alert.shop_id,
                        alert.order_id,
                        alert.carrier,
                        _about(alert),
                        alert.time,
                    )
            elif known is not None:
                known.resolved, known.resolution = alert.time, alert.resolution

    def all(self) -> list[Case]:
        """By type, time of the raise and subject."""
        return sorted(self._cases.values(), key=lambda case: (case.type, case.raised, case.subject))


def _about(alert: Alert) -> tuple[str, ...] | None:
    if alert.type in _BY_EPISODE:
        return (alert.episode,)
    names = _ABOUT.get(alert.type)
    if names is None:
        return None
    values = (alert.carrier, None if alert.carrier else alert.order_id, *(alert.evidence.get(name) for name in names))
    return tuple("" if value is None else str(value) for value in values)
