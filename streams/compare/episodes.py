"""Combines raised and resolved alerts into episodes, each with its start and end."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from streams.rules.alert import RAISED, Alert
from streams.rules.alert_types import ALERT_TYPES, EPISODE, SPAN
from streams.rules.reconcile import LATE_EVENT


class Episode(msgspec.Struct, gc=False):
    """One alert under one policy. Times in microseconds; `resolved` None: still open at the end.

    `about`: what distinguishes it from others of its type and subject under any policy; None if that is the time during
    which it is open (a carrier's silence, a level).
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
        """Whether a late event disproved it."""
        return self.resolution == LATE_EVENT


class Episodes:
    """Collects the alerts of one policy. An alert that a second audience gets later is the same episode."""

    def __init__(self) -> None:
        self._episodes: dict[tuple[str, str, str], Episode] = {}

    def take(self, alerts: Iterable[Alert]) -> None:
        """Takes alerts in the order in which they are sent: a resolution follows its raise."""
        for alert in alerts:
            key = (alert.type, alert.subject, alert.episode)
            known = self._episodes.get(key)
            if alert.status == RAISED:
                if known is None:
                    self._episodes[key] = Episode(
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

    def all(self) -> list[Episode]:
        """By type, time of the raise and subject."""
        return sorted(self._episodes.values(), key=lambda episode: (episode.type, episode.raised, episode.subject))


def _about(alert: Alert) -> tuple[str, ...] | None:
    identity = ALERT_TYPES[alert.type].identity
    if identity == SPAN:
        return None
    if identity == EPISODE:
        return (alert.episode,)
    order_id = None if alert.carrier else alert.order_id
    values = (alert.carrier, order_id, *(alert.evidence.get(name) for name in identity))
    return tuple("" if value is None else str(value) for value in values)
